//! The journal: what a transaction has done, until its commit writes it into the audit trail.

use std::sync::Arc;

use super::model::{Entry, Reason};
use crate::telemetry::traces::Traceparent;

/// The entries of one transaction, in the order of its acts.
#[derive(Debug, Default)]
pub struct Journal {
    entries: Vec<(Entry, Option<Reason>)>,
    /// Where the entries of the present act begin.
    act: usize,
    reason: Option<Reason>,
    request_id: Option<Arc<str>>,
    traceparent: Option<Traceparent>,
}

impl Journal {
    /// The journal of a request. `request_id`: its `X-Request-Id`; `traceparent`: where it stands in a trace.
    pub fn of_request(request_id: Option<Arc<str>>, traceparent: Option<Traceparent>) -> Self {
        Self { request_id, traceparent, ..Self::default() }
    }

    /// The journal of what was done at once, one entry for each record.
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self { entries: entries.into_iter().map(|entry| (entry, None)).collect(), ..Self::default() }
    }

    /// Begins the next act, such as a mutation, with the reason that staff gave for it.
    pub fn begin_act(&mut self, reason: Option<Reason>) {
        self.act = self.entries.len();
        self.reason = reason;
    }

    /// Notes what was done. What is done to one record within one act is one entry.
    pub fn note(&mut self, entry: Entry) {
        let same = |(earlier, _): &&mut (Entry, _)| {
            earlier.object == entry.object
                && earlier.action == entry.action
                && (earlier.related == entry.related || earlier.related.is_none() || entry.related.is_none())
        };
        let Some((earlier, _)) = self.entries[self.act..].iter_mut().rev().find(same) else {
            self.entries.push((entry, self.reason.clone()));
            return;
        };
        earlier.related = earlier.related.or(entry.related);
        for field in entry.fields {
            if !earlier.fields.contains(&field) {
                earlier.fields.push(field);
            }
        }
    }

    /// Adds what was done at once to records of which nothing else is noted, one entry for each.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.entries.extend(entries.into_iter().map(|entry| (entry, self.reason.clone())));
    }

    /// Whether nothing was done.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, each with the reason of its act.
    pub(crate) fn entries(&self) -> &[(Entry, Option<Reason>)] {
        &self.entries
    }

    /// `X-Request-Id` of the request.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Where the request stands in a trace.
    pub(crate) fn traceparent(&self) -> Option<&Traceparent> {
        self.traceparent.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::audit::ObjectType;

    fn stay(fields: &[&'static str]) -> Entry {
        Entry::updated(ObjectType::RoomStay, Uuid::from_u128(1), fields.to_vec())
    }

    fn key(entry: Entry) -> Entry {
        entry.with(ObjectType::RoomAccessKey, Uuid::from_u128(2))
    }

    #[test]
    fn what_one_act_does_to_one_record_is_one_entry() {
        let mut journal = Journal::default();
        journal.note(stay(&["reservation_to"]));
        journal.note(key(stay(&["roomAccessKey", "reservation_to"])));
        assert_eq!(journal.entries(), [(key(stay(&["reservation_to", "roomAccessKey"])), None)]);
    }

    #[test]
    fn every_act_has_entries_and_a_reason_of_its_own() {
        let mut journal = Journal::default();
        let reason = Reason::parse("noise").ok();
        journal.begin_act(reason.clone());
        journal.note(stay(&["room_setup"]));
        journal.begin_act(None);
        journal.note(stay(&["room_setup"]));
        assert_eq!(journal.entries(), [(stay(&["room_setup"]), reason), (stay(&["room_setup"]), None)]);
    }

    #[test]
    fn what_concerns_different_records_is_different() {
        let mut journal = Journal::default();
        let first = key(stay(&["roomAccessKey"]));
        let second = stay(&["roomAccessKey"]).with(ObjectType::RoomAccessKey, Uuid::from_u128(3));
        journal.note(first.clone());
        journal.note(second.clone());
        assert_eq!(journal.entries(), [(first, None), (second, None)]);
    }
}
