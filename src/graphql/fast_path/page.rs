//! A page of room stays while it is written, and what has to be read for it.

use super::super::context::RequestContext;
use super::super::paging::CursorScope;
use crate::db::{self, ListBounds};
use crate::error::{Error, Result};
use crate::room_stays::{StayJoins, StayView};

/// What has to be read for a field.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// Nothing but the stays themselves.
    Stay,
    Details,
    Room,
    Booked,
    FirstGuest,
    Secret,
    KeyEnd,
    EventPosition,
    Total,
    PreviousPage,
    NextPage,
}

/// What has to be found out to write a page.
#[derive(Clone, Copy, Default)]
pub(super) struct Needs {
    pub joins: StayJoins,
    pub total: bool,
    pub has_previous_page: bool,
    pub has_next_page: bool,
}

impl Needs {
    pub fn add(&mut self, source: Source) {
        match source {
            Source::Stay => {}
            Source::Details => self.joins.details = true,
            Source::Room => self.joins.room_setup = true,
            Source::Booked => self.joins.category = true,
            Source::FirstGuest => self.joins.first_guest = true,
            Source::Secret => self.joins.secret = true,
            Source::KeyEnd => self.joins.key_end = true,
            Source::EventPosition => self.joins.event_position = true,
            Source::Total => self.total = true,
            Source::PreviousPage => self.has_previous_page = true,
            Source::NextPage => self.has_next_page = true,
        }
    }
}

/// A page and what is known around it.
pub(super) struct Page<'a> {
    pub context: &'a RequestContext,
    pub scope: CursorScope<'a>,
    pub stays: db::Page<StayView>,
    pub bounds: ListBounds,
    pub event_position: Option<i64>,
    pub from_end: bool,
}

/// A row of a page, or the page alone.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub page: &'a Page<'a>,
    view: Option<&'a StayView>,
}

impl Page<'_> {
    pub fn cursor(&self, view: &StayView) -> String {
        self.scope.cursor(&(view.stay.reservation_to, view.stay.id))
    }

    pub fn has_next_page(&self) -> bool {
        self.bounds.around(self.stays.more, self.from_end).1
    }

    pub fn has_previous_page(&self) -> bool {
        self.bounds.around(self.stays.more, self.from_end).0
    }
}

impl<'a> Row<'a> {
    pub fn of_page(page: &'a Page<'a>) -> Self {
        Self { page, view: None }
    }

    pub fn of_stay(page: &'a Page<'a>, view: &'a StayView) -> Self {
        Self { page, view: Some(view) }
    }

    /// The stay of the row.
    pub fn view(&self) -> Result<&'a StayView> {
        self.view.ok_or_else(|| Error::internal("a field of a stay outside of a row"))
    }
}
