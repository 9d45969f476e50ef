//! One idempotency key at several servers.

use futures_util::future::join_all;

use super::{Act, Answer, Site};

#[tokio::test]
async fn fifty_requests_at_once_at_two_servers_have_one_effect_and_all_get_the_same_bytes() {
    let site = Site::new().await;
    let servers = [site.serve().await, site.serve().await];
    for act in [Act::Create, Act::CheckIn] {
        let key = format!("{act:?}");
        let all = (0..50).map(|number| site.until_answered(&servers[number % 2], act, &key));
        let answers = join_all(all).await;
        assert_eq!(site.effects(act).await, 1, "{act:?}");
        let first = answers.iter().find(|answer| !answer.replayed).expect("one was run");
        assert_eq!(first.status, 200, "{first:?}");
        let again = Answer { replayed: true, ..first.clone() };
        assert_eq!(answers.iter().filter(|answer| **answer == again).count(), 49, "{act:?} {first:?}");
        assert!(!first.body.contains("\"errors\""), "{first:?}");
    }
}
