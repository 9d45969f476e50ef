//! Modes of access: what a means of entry is, in Seam's names.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::locks::Mode;

/// What a means of entry is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessMode {
    Code,
    Card,
    MobileKey,
    CloudKey,
}

impl From<AccessMode> for Mode {
    fn from(mode: AccessMode) -> Self {
        match mode {
            AccessMode::Code => Self::Code,
            AccessMode::Card => Self::Card,
            AccessMode::MobileKey => Self::MobileKey,
            AccessMode::CloudKey => Self::CloudKey,
        }
    }
}

impl From<Mode> for AccessMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Code => Self::Code,
            Mode::Card => Self::Card,
            Mode::MobileKey => Self::MobileKey,
            Mode::CloudKey => Self::CloudKey,
        }
    }
}

impl AccessMode {
    /// Its name for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Code => "Code",
            Self::Card => "Card",
            Self::MobileKey => "Mobile key",
            Self::CloudKey => "Cloud key",
        }
    }
}
