//! `latchkey rotate-secrets`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::start::start_without_key;
use super::{Failure, print, start, start_read_only};
use crate::app::App;
use crate::config::{Config, Setting};
use crate::id::IdSource;
use crate::rotation::registry::{self, RegistryError};
use crate::rotation::{self, Rotated};
use crate::secrets::key_file::{self, Stamp};

/// A request that sealed with an older key has ended long before.
const SETTLED: Duration = Duration::from_mins(1);

#[derive(clap::Args)]
pub(super) struct Args {
    /// Put a new key in front of the key file of the data folder first. Where `LATCHKEY_SECRET_KEY` is set: print a key to
    /// add there, and do nothing else
    #[arg(long)]
    new_key: bool,
    /// Leave only the first key in the key file of the data folder, if nothing was found that is sealed with another
    #[arg(long, conflicts_with = "new_key")]
    remove_old_keys: bool,
    /// Open everything that is sealed and change nothing: tells how much each key has sealed, and what does not open
    #[arg(long, conflicts_with_all = ["new_key", "remove_old_keys"])]
    check: bool,
    /// Give up a key that is lost for good, so that everything starts without it: what it has sealed stays unreadable
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["new_key", "remove_old_keys", "check"])]
    give_up_key: Option<u32>,
}

pub(super) async fn run(args: Args, config: &Config) -> Result<(), Failure> {
    if let Some(keys) = &config.secret_keys {
        if args.new_key {
            return print(&format!("{}\n", keys.generate_next(&IdSource::operating_system())));
        }
        if args.remove_old_keys {
            return Err(Setting::SECRET_KEY.refuse("is set: remove older keys there").into());
        }
    }
    let started = match args.give_up_key {
        Some(number) => start_without_key(config, number).await?,
        None if args.check => start_read_only(config).await?,
        None => start(config).await?,
    };
    let outcome = execute(&args, config, &started.app).await;
    started.stop().await;
    print(&outcome?)
}

async fn execute(args: &Args, config: &Config, app: &App) -> Result<String, Failure> {
    let file = config.secret_key_file();
    if args.new_key {
        key_file::add_key(&file, &app.ids).map_err(|error| about(&file, &error))?;
        registry::register(app).await.map_err(|error| match error {
            RegistryError::Database(error) => error.into(),
            wrong => Failure::Other(format!("{} {wrong}", file.display())),
        })?;
    }
    let before = Stamp::of(&file).ok();
    let rotated = if args.check { rotation::check_all(app).await? } else { rotation::reseal_all(app).await? };
    let mut report = rotated.iter().fold(String::new(), line);
    keys(&mut report, &rotated);
    let unopened: usize = rotated.iter().map(|place| place.unopened.len()).sum();
    if unopened > 0 {
        print(&report)?;
        return Err(Failure::Other(format!("{unopened} values do not open; their rows are unopened above")));
    }
    if args.check {
        return Ok(report + "Everything opens.\n");
    }
    let current = app.secret_keys.current();
    if rotated.iter().any(|place| place.resealed > 0) {
        if args.remove_old_keys {
            print(&report)?;
            return Err(Failure::Other("older keys were still in use and were not removed: run this again".into()));
        }
        writeln!(report, "Run this again in a minute: older keys are done with when it finds nothing to re-seal.")
    } else if args.remove_old_keys {
        remove_old_keys(&file, before)?;
        writeln!(report, "Only key {current} is left.")
    } else if app.secret_keys.older().is_empty() {
        writeln!(report, "Everything is sealed with key {current}.")
    } else {
        writeln!(report, "Everything is sealed with key {current}. Older keys can be removed.")
    }
    .expect("a string takes everything");
    Ok(report)
}

fn remove_old_keys(file: &Path, seen: Option<Stamp>) -> Result<(), Failure> {
    let seen = seen.ok_or_else(|| Failure::Other(format!("{} cannot be read", file.display())))?;
    if seen.age() < SETTLED {
        return Err(Failure::Other(
            "the first key is less than a minute old, and older ones were not removed: a request \
             that began before may still seal with one"
                .into(),
        ));
    }
    key_file::keep_first_key(file, seen).map_err(|error| about(file, &error))
}

fn about(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Other(format!("{}: {error}", file.display()))
}

/// How much each key has sealed, before this run changed that.
fn keys(lines: &mut String, rotated: &[Rotated]) {
    let mut by_key = BTreeMap::<u32, usize>::new();
    for (key, values) in rotated.iter().flat_map(|place| &place.by_key) {
        *by_key.entry(*key).or_default() += values;
    }
    for (key, values) in by_key {
        writeln!(lines, "key {key}\t{values} values").expect("a string takes everything");
    }
}

fn line(mut lines: String, done: &Rotated) -> String {
    let (place, seen, resealed) = (done.place, done.seen, done.resealed);
    writeln!(lines, "{}.{}\tseen {seen}\tre-sealed {resealed}", place.table, place.column)
        .expect("a string takes everything");
    for row in &done.unopened {
        writeln!(lines, "unopened\t{row}").expect("a string takes everything");
    }
    lines
}
