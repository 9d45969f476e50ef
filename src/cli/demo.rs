//! `latchkey demo`

use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::serve::url_of;
use super::start::{DATABASE, make_data_dir};
use super::{Failure, Started, print, start};
use crate::clock::Clock;
use crate::config::Config;
use crate::demo::{self, DemoFile, DemoIntegration};
use crate::hotel_settings;

/// Longest wait for a server that is tried.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct Args {
    /// Print demo.json as it is, with all API keys
    #[arg(long)]
    json: bool,
    /// Print a curl line that asks the first hotel for its stays of the coming week, once its server was found to answer
    #[arg(long, conflicts_with = "json")]
    curl: bool,
    /// Load the demo into an empty database, also one of your own
    #[arg(long, conflicts_with_all = ["json", "curl"])]
    load: bool,
    /// Start the demo over as of today, with new API keys; only in the embedded database, and only when the demo is all that it
    /// holds
    #[arg(long, conflicts_with_all = ["json", "curl", "load"])]
    reset: bool,
}

pub(super) async fn run(args: Args, config: &Config) -> Result<(), Failure> {
    if args.load || args.reset {
        make_data_dir(&config.data_dir)?;
        let started = start(config).await?;
        let outcome = if args.load { load(config, &started).await } else { reset(config, &started).await };
        started.stop().await;
        return print(&demo::overview(&outcome?));
    }
    let absent = || {
        Failure::Other("there is no demo yet: `latchkey serve` loads it into an empty embedded database, `latchkey demo --load` into any empty one".into())
    };
    let file = DemoFile::read(&config.data_dir)?.ok_or_else(absent)?;
    if args.json {
        return print(&file.to_json());
    }
    if args.curl {
        let reader = demo::reader(&file).ok_or_else(absent)?;
        try_out(&file.url, reader).await?;
        let clock = config.clock.map_or_else(Clock::system, Clock::starting_at);
        return print(&demo::curl(&file, reader, clock.now()));
    }
    print(&demo::overview(&file))
}

async fn load(config: &Config, started: &Started) -> Result<DemoFile, Failure> {
    let loaded = demo::load_into_empty(&started.app, &config.data_dir, &url_of(config.listen)).await?;
    match loaded {
        Some(file) => Ok(file),
        None => Err(occupied(started, "the demo is loaded only into an empty database").await?),
    }
}

async fn reset(config: &Config, started: &Started) -> Result<DemoFile, Failure> {
    let Some(embedded) = &started.embedded else {
        return Err(Failure::Other(
            "--reset starts over the demo of the embedded database alone: make an empty database and use `latchkey demo --load`"
                .into(),
        ));
    };
    // As the owner of the tables: nobody else may empty them.
    let mut owner = embedded.connect_options(DATABASE).connect().await?;
    let reset = demo::reset(&started.app, &mut owner, &config.data_dir, &url_of(config.listen)).await;
    owner.close().await?;
    match reset? {
        Some(file) => Ok(file),
        None => Err(occupied(started, "only the demo's own hotels are started over").await?),
    }
}

/// Why nothing was done to a database that holds hotels.
async fn occupied(started: &Started, rule: &str) -> Result<Failure, Failure> {
    let hotels = hotel_settings::list(&started.app).await?;
    let some: Vec<&str> = hotels.iter().take(5).map(|hotel| hotel.slug.as_str()).collect();
    let more = if hotels.len() > some.len() { ", ..." } else { "" };
    Ok(Failure::Other(format!("{rule}, and this one holds {}{more}: nothing was changed", some.join(", "))))
}

/// Fails unless a server answers at the address and knows the key: what is printed is to work.
async fn try_out(url: &str, reader: &DemoIntegration) -> Result<(), Failure> {
    let address = url.strip_prefix("http://").unwrap_or(url);
    let head = |request: &str| format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    let ready = status(address, &format!("{}\r\n", head("GET /readyz"))).await;
    match ready {
        Some(200) => {}
        Some(_) => return Err(Failure::Other(format!("{url} is not ready yet"))),
        None => {
            return Err(Failure::Other(format!(
                "{url} does not answer: start `latchkey serve`, which renews demo.json"
            )));
        }
    }
    let body = r#"{"query":"{__typename}"}"#;
    let key = &reader.live_key;
    let asking = format!(
        "{}Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        head("POST /graphql"),
        body.len(),
    );
    match status(address, &asking).await {
        Some(200) => Ok(()),
        Some(401) => Err(Failure::Other(format!(
            "{url} does not know the API keys of demo.json: another database is behind it, or they were revoked"
        ))),
        answer => {
            let answer = answer.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
            Err(Failure::Other(format!("{url} answers {answer} to a query with the key of demo.json")))
        }
    }
}

/// The status that a request is answered with; `None` without an answer.
async fn status(address: &str, request: &str) -> Option<u16> {
    let answered = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.ok()?;
        line.split(' ').nth(1)?.parse().ok()
    };
    timeout(PATIENCE, answered).await.ok().flatten()
}
