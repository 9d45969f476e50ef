//! What a room access key can be, and the rules for what it holds.

use chrono::{DateTime, TimeDelta, Utc};

use uuid::Uuid;

use crate::error::{Error, ErrorAt, Message, Result};

/// Hours after which a key is deleted that is on no stay: counted from its last removal, or from its making.
pub const UNASSIGNED_HOURS: i64 = 48;

/// When the pruner deletes a key: with the latest of its assignments, or [`UNASSIGNED_HOURS`] after it was taken off
/// its last stay.
pub fn deletes_at(unassigned_since: Option<DateTime<Utc>>, last_due: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    last_due.or_else(|| Some(unassigned_since? + TimeDelta::hours(UNASSIGNED_HOURS)))
}

/// The three kinds of room access key. More may come: readers must survive a kind that they did not ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A PIN that opens the room itself, for the whole stay.
    Pin,
    /// A PIN that opens the box in which the physical key lies, once, on arrival.
    KeyStorage,
    /// Data for a QR code that the lock scans.
    Qr,
}

impl KeyKind {
    /// As in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "PIN",
            Self::KeyStorage => "KEY_STORAGE",
            Self::Qr => "QR",
        }
    }

    /// The other way round.
    ///
    /// # Errors
    /// `INTERNAL` for a kind that this binary does not know.
    pub fn parse(text: &str) -> Result<Self> {
        [Self::Pin, Self::KeyStorage, Self::Qr]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown kind of room access key: {text}")))
    }
}

/// What a new key holds; checked.
pub enum NewKey {
    /// See [`KeyKind::Pin`].
    Pin {
        /// 1 to 10 ASCII letters and digits, not upper and lower case at once.
        pin: String,
    },
    /// See [`KeyKind::KeyStorage`].
    KeyStorage {
        /// Like a PIN.
        pin: String,
        /// 1 to 10 ASCII letters and digits.
        compartment: String,
    },
    /// See [`KeyKind::Qr`].
    Qr {
        /// 1 to 512 characters (Unicode scalar values).
        qr_data: String,
    },
}

impl NewKey {
    /// A PIN that opens a door (checklist A41, A42).
    pub fn pin(pin: String) -> Result<Self> {
        check_pin(&pin)?;
        Ok(Self::Pin { pin })
    }

    /// A PIN that opens a key box, and the compartment in it (checklist A43, A44).
    pub fn key_storage(pin: String, compartment: String) -> Result<Self> {
        check_pin(&pin)?;
        check_alphanumeric("compartment", &compartment).at("compartment")?;
        Ok(Self::KeyStorage { pin, compartment })
    }

    /// Data of a QR code (checklist A45).
    pub fn qr(qr_data: String) -> Result<Self> {
        if !(1..=QR_DATA_MAX_CHARACTERS).contains(&qr_data.chars().count()) {
            return Err(Error::new(Message::QrDataInvalid { most: QR_DATA_MAX_CHARACTERS }).at("qrData"));
        }
        if qr_data.contains('\0') {
            return Err(Error::new(Message::QrDataHasNull).at("qrData"));
        }
        Ok(Self::Qr { qr_data })
    }

    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Self::Pin { .. } => KeyKind::Pin,
            Self::KeyStorage { .. } => KeyKind::KeyStorage,
            Self::Qr { .. } => KeyKind::Qr,
        }
    }

    pub(crate) fn secret(&self) -> &str {
        match self {
            Self::Pin { pin } | Self::KeyStorage { pin, .. } => pin,
            Self::Qr { qr_data } => qr_data,
        }
    }

    pub(crate) fn compartment(&self) -> Option<&str> {
        match self {
            Self::KeyStorage { compartment, .. } => Some(compartment),
            Self::Pin { .. } | Self::Qr { .. } => None,
        }
    }
}

const PIN_MAX_CHARACTERS: usize = 10;
const QR_DATA_MAX_CHARACTERS: usize = 512;

fn check_pin(pin: &str) -> Result<()> {
    check_alphanumeric("pin", pin).at("pin")?;
    if pin.bytes().any(|byte| byte.is_ascii_uppercase()) && pin.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(Error::new(Message::PinMixesCase).at("pin"));
    }
    Ok(())
}

fn check_alphanumeric(name: &'static str, text: &str) -> Result<()> {
    if (1..=PIN_MAX_CHARACTERS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(Error::new(Message::NotAlphanumeric { name, most: PIN_MAX_CHARACTERS }))
}

/// The key that a stay has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssignedKey {
    /// Id of the key.
    pub id: Uuid,
    /// Its kind.
    pub kind: KeyKind,
}

impl AssignedKey {
    /// From two columns of the database, which are NULL together.
    ///
    /// # Errors
    /// `INTERNAL` for a kind that this binary does not know.
    pub(crate) fn of(id: Option<Uuid>, kind: Option<&str>) -> Result<Option<Self>> {
        let Some((id, kind)) = Option::zip(id, kind) else { return Ok(None) };
        Ok(Some(Self { id, kind: KeyKind::parse(kind)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(result: Result<NewKey>) -> Option<String> {
        result.err().map(|error| serde_json::to_string(&error.argument_path).expect("a path"))
    }

    #[test]
    fn a42_pins_of_one_case_are_accepted() {
        for pin in ["0", "0042", "1234567890", "abc1", "ABC1", "abcdefghij"] {
            assert!(NewKey::pin(pin.into()).is_ok(), "{pin}");
        }
    }

    #[test]
    fn a42_other_pins_are_refused() {
        for pin in ["", "12345678901", "aB", "12 4", "12-4", "12é", "１２", "1\n"] {
            assert_eq!(path(NewKey::pin(pin.into())).as_deref(), Some(r#"["pin"]"#), "{pin:?}");
        }
    }

    #[test]
    fn a44_a_compartment_may_mix_cases() {
        assert!(NewKey::key_storage("1234567890".into(), "3R".into()).is_ok());
        assert!(NewKey::key_storage("1".into(), "aB3".into()).is_ok());
        assert_eq!(path(NewKey::key_storage("1".into(), String::new())).as_deref(), Some(r#"["compartment"]"#));
        assert_eq!(path(NewKey::key_storage("aB".into(), "3R".into())).as_deref(), Some(r#"["pin"]"#));
    }

    #[test]
    fn a45_qr_data_is_counted_in_characters() {
        assert!(NewKey::qr("é".repeat(512)).is_ok());
        assert!(NewKey::qr("🔑".repeat(512)).is_ok());
        for bad in [String::new(), "a".repeat(513)] {
            assert_eq!(path(NewKey::qr(bad)).as_deref(), Some(r#"["qrData"]"#));
        }
    }
}
