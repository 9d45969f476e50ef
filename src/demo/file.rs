//! `demo.json`: where the demo is and the API keys to try it with.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Only its owner may read it: it holds API keys in plain text.
const MODE: u32 = 0o600;

/// The contents of `demo.json`. No `Debug`, because of the keys.
#[derive(Deserialize, PartialEq, Eq, Serialize)]
pub struct DemoFile {
    /// Where the server is, without a path.
    pub url: String,
    /// The demo's hotels, the hand-made one first.
    pub hotels: Vec<DemoHotel>,
}

/// A hotel of the demo.
#[derive(Deserialize, PartialEq, Eq, Serialize)]
pub struct DemoHotel {
    /// Its slug.
    pub slug: String,
    /// Its integrations: two lock vendors, guest messaging, the front desk.
    pub integrations: Vec<DemoIntegration>,
}

/// An integration and its pair of API keys.
#[derive(Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoIntegration {
    /// Its name.
    pub name: String,
    /// `READ_ONLY`, `WRITE` or `FRONT_DESK`.
    pub permission: String,
    /// `pms_live_...`
    pub live_key: String,
    /// `pms_test_...`
    pub test_key: String,
}

impl DemoFile {
    /// Where it lies.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("demo.json")
    }

    /// Reads it; `None` when it is absent or damaged.
    pub fn read(data_dir: &Path) -> io::Result<Option<Self>> {
        match fs::read(Self::path(data_dir)) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes it: after a crash at any moment the file is either the old or the new one, and on the disk.
    pub fn write(&self, data_dir: &Path) -> io::Result<()> {
        let path = Self::path(data_dir);
        let unfinished = path.with_extension("json.new");
        let mut file = File::options().write(true).create(true).truncate(true).mode(MODE).open(&unfinished)?;
        // A file that a crash left behind keeps its mode when it is opened again.
        file.set_permissions(fs::Permissions::from_mode(MODE))?;
        file.write_all(self.to_json().as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(data_dir)?.sync_all()
    }

    /// As it is written and printed.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and lists") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_documented_shape() {
        let integration = DemoIntegration {
            name: "Front Desk".into(),
            permission: "FRONT_DESK".into(),
            live_key: "pms_live_1".into(),
            test_key: "pms_test_1".into(),
        };
        let hotel = DemoHotel { slug: "grand-hotel".into(), integrations: vec![integration] };
        let file = DemoFile { url: "http://127.0.0.1:8080".into(), hotels: vec![hotel] };
        let json: serde_json::Value = serde_json::from_str(&file.to_json()).expect("JSON");
        let expected = serde_json::json!({
            "url": "http://127.0.0.1:8080",
            "hotels": [{
                "slug": "grand-hotel",
                "integrations": [{
                    "name": "Front Desk",
                    "permission": "FRONT_DESK",
                    "liveKey": "pms_live_1",
                    "testKey": "pms_test_1",
                }],
            }],
        });
        assert_eq!(json, expected);
    }
}
