//! What `latchkey demo` tells people.

use std::fmt::Write as _;

use chrono::{DateTime, Days, Utc};
use serde_json::json;

use super::file::{DemoFile, DemoIntegration};
use super::grand_hotel;
use crate::actor::Permission;

/// Stays of a window, as an integration asks for them every night.
const WINDOW_QUERY: &str = "query($start:Date! $end:Date!){room_stays(filter:{reservation_from:{le:$end} \
    reservation_to:{gt:$start}} first:20){edges{node{id room_setup{name} arrival:reservation_from \
    departure:reservation_to roomAccessKey{... on RoomAccessPin{pin} ... on RoomAccessKeyStorage{pin} \
    ... on RoomAccessQR{qrData}}}} pageInfo{endCursor hasNextPage}}}";
/// Last day of the window, counted from today.
const WINDOW_DAYS: u64 = 6;

/// The integration of the first hotel that may only read.
pub fn reader(file: &DemoFile) -> Option<&DemoIntegration> {
    file.hotels.first()?.integrations.iter().find(|one| one.permission == Permission::ReadOnly.as_str())
}

/// A line for a shell: asks the first hotel for the stays of the coming week.
pub fn curl(file: &DemoFile, reader: &DemoIntegration, now: DateTime<Utc>) -> String {
    let start = now.with_timezone(&grand_hotel::TIME_ZONE).date_naive();
    let body = json!({ "query": WINDOW_QUERY, "variables": { "start": start, "end": start + Days::new(WINDOW_DAYS) } });
    format!(
        "curl -s {}/graphql -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' -d '{body}'\n",
        file.url, reader.live_key
    )
}

/// Where everything is and which keys there are, in a page of text.
pub fn overview(file: &DemoFile) -> String {
    let mut text = format!("API       {0}/graphql\nGraphiQL  {0}/graphql/ide\n", file.url);
    for hotel in &file.hotels {
        writeln!(text, "\n{}", hotel.slug).expect("a string takes everything");
        for one in &hotel.integrations {
            writeln!(text, "  {:<22}{:<12}{}", one.name, one.permission, one.live_key)
                .expect("a string takes everything");
        }
    }
    text.push_str("\n--json also prints the test keys; --curl prints a first query.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::super::file::DemoHotel;
    use super::*;

    fn file() -> DemoFile {
        let integration = |permission: &str| DemoIntegration {
            name: permission.to_lowercase(),
            permission: permission.into(),
            live_key: format!("pms_live_{permission}"),
            test_key: format!("pms_test_{permission}"),
        };
        let integrations = ["WRITE", "READ_ONLY"].map(integration).into();
        let hotels = vec![DemoHotel { slug: "grand-hotel".into(), integrations }];
        DemoFile { url: "http://127.0.0.1:8080".into(), hotels }
    }

    #[test]
    fn the_curl_line_reads_the_week_from_the_hotels_own_today() {
        let file = file();
        let reader = reader(&file).expect("a reader");
        let line = curl(&file, reader, "2025-12-31T23:30:00Z".parse().expect("an instant"));
        let start = "curl -s http://127.0.0.1:8080/graphql -H 'Authorization: Bearer pms_live_READ_ONLY'";
        assert!(line.starts_with(start), "{line}");
        let body = line.trim_end().rsplit_once("-d '").and_then(|(_, body)| body.strip_suffix('\''));
        let body: serde_json::Value = serde_json::from_str(body.expect("a quoted body")).expect("JSON");
        assert_eq!(body["variables"], json!({ "start": "2026-01-01", "end": "2026-01-07" }));
        assert_eq!((line.matches('\'').count(), line.lines().count()), (6, 1));
    }

    #[test]
    fn the_overview_shows_live_keys_and_no_test_keys() {
        let text = overview(&file());
        assert!(text.contains("pms_live_WRITE") && text.contains("grand-hotel") && !text.contains("pms_test_"));
    }
}
