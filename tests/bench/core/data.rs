//! Hotels of three sizes on a server of the benchmark's own, and the statements that requests come to.

use std::path::{Path, PathBuf};

use chrono::Days;
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::db::embedded::{Durability, Embedded};
use latchkey::db::{self, Condition, Filter, PageRequest};
use latchkey::http;
use latchkey::id::IdSource;
use latchkey::reservations::{self, ReservationField, ReservationJoins};
use latchkey::room_stays::{self, StayField, StayJoins};
use latchkey::secrets::SecretKeys;
use latchkey::webhooks::WebhookSettings;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::hotel::{self, Window, run};
use super::load::Client;
use super::pgbench::{Script, Socket};

/// Stays of each hotel. All of them have the same stays in the window; only their histories differ.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const TODAY: &str = "2026-01-30";

/// The running benchmark.
pub struct Bench {
    app: App,
    /// Connections that no wall keeps from anything.
    owner: PgPool,
    pub windows: Vec<Window>,
    pub reservation_code: String,
    pub socket: Socket,
    url: String,
    free_stays: Vec<Uuid>,
    integration: Uuid,
    folder: PathBuf,
    stop: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    embedded: Embedded,
}

impl Bench {
    pub async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("latchkey-bench-data-{}", std::process::id()));
        let executable = Path::new(env!("CARGO_BIN_EXE_latchkey"));
        let embedded = Embedded::start(&folder, Durability::Durable, executable).await.expect("a server");
        embedded.ensure_database("bench").await.expect("a database");
        let options = embedded.connect_options("bench");
        let owner = PgPoolOptions::new().connect_with(options.clone()).await.expect("a connection");
        db::migrate(&mut owner.acquire().await.expect("a connection")).await.expect("the schema");
        let ids = IdSource::operating_system();
        let secret_keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
        let clock = Clock::starting_at(format!("{TODAY}T09:00:00Z").parse().expect("an instant"));
        let app = App::new(options.clone(), 8, clock, ids, secret_keys, WebhookSettings::default());

        let mut windows = Vec::new();
        let mut integration = Uuid::nil();
        for stays in SIZES {
            let made = hotel::make(&app, &owner, stays, TODAY.parse().expect("a date")).await;
            integration = if windows.is_empty() { made.integration } else { integration };
            windows.push(made.window);
        }
        let mut conn = owner.acquire().await.expect("a connection");
        run(&mut conn, "SET statement_timeout = 0").await;
        run(&mut conn, "VACUUM ANALYZE").await;
        let hotel = windows[0].hotel.id;
        let free_stays = sqlx::query_scalar(
            "SELECT id FROM room_stays WHERE hotel_id = $1 AND room_access_key_id IS NULL AND reservation_to > $2
             ORDER BY id",
        )
        .bind(hotel)
        .bind(windows[0].end + Days::new(30))
        .fetch_all(&mut *conn)
        .await
        .expect("stays of the future");
        drop(conn);

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/graphql", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(http::serve(listener, app.clone(), async {
            let _ = stopped.await;
        }));
        let socket = Socket {
            folder: options.get_socket().expect("a socket").clone(),
            user: options.get_username().to_owned(),
            database: "bench".into(),
            pgbench: pgbench(),
        };
        let reservation_code = "B-1".into();
        Self {
            app,
            owner,
            windows,
            reservation_code,
            socket,
            url,
            free_stays,
            integration,
            folder,
            stop,
            server,
            embedded,
        }
    }

    pub async fn stop(self) {
        self.stop.send(()).expect("the server runs");
        self.server.await.expect("it ends").expect("in order");
        self.app.worker_pool.close().await;
        self.app.pool.close().await;
        self.owner.close().await;
        drop(self.embedded);
        // The keeper needs the folder until PostgreSQL has stopped.
        while self.folder.join("data/postmaster.pid").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        std::fs::remove_dir_all(&self.folder).expect("the folder is ours");
    }

    pub fn client(&self, key: &str) -> Client {
        Client { url: self.url.clone(), key: key.to_owned() }
    }

    /// The statement of the window page, as the service prepared it.
    pub async fn window_statement(&self, window: &Window) -> Script {
        let mut conn = self.owner.acquire().await.expect("a connection");
        let filter = Filter::All(vec![
            Filter::Field(StayField::ReservationFrom(Condition::Le(window.end))),
            Filter::Field(StayField::ReservationTo(Condition::Gt(window.start))),
        ]);
        let joins = StayJoins::default();
        let hotel = window.hotel.id;
        let page = room_stays::page(&mut conn, hotel, &filter, &PageRequest::first(20), joins).await;
        assert_eq!(page.expect("a page").stays.items.len(), 20);
        let (start, end) = (window.start.to_string(), window.end.to_string());
        let hotel = hotel.to_string();
        script(vec![(
            last_statement(&mut conn).await,
            vec![
                (&hotel, "uuid"),
                (&end, "date"),
                (&start, "date"),
                (&end, "date"),
                (&hotel, "uuid"),
                ("21", "bigint"),
            ],
        )])
    }

    /// The two statements of the reservation query.
    pub async fn reservation_statements(&self, window: &Window) -> Script {
        let mut conn = self.owner.acquire().await.expect("a connection");
        let hotel = window.hotel.id;
        let code = Condition::Eq(Some(self.reservation_code.clone()));
        let filter = Filter::Field(ReservationField::Code(code));
        let first = PageRequest::first(20);
        let page = reservations::page(&mut conn, hotel, &filter, &first, ReservationJoins::default()).await;
        let reservation = page.expect("a page").items.remove(0).reservation.id;
        let of_reservation = last_statement(&mut conn).await;
        let joins = StayJoins { room_setup: true, secret: true, ..StayJoins::default() };
        let pages = room_stays::pages_of_reservations(&mut conn, hotel, &[reservation], &first, joins).await;
        assert!(!pages.expect("pages").is_empty());
        let of_rooms = last_statement(&mut conn).await;
        let (hotel, list) = (hotel.to_string(), format!("{{{reservation}}}"));
        script(vec![
            (of_reservation, vec![(&hotel, "uuid"), (&self.reservation_code, "text"), ("21", "bigint")]),
            (of_rooms, vec![(&list, "uuid[]"), (&hotel, "uuid"), ("21", "bigint")]),
        ])
    }

    /// The statements of create + assign, `pairs` times in one transaction, with its events.
    pub fn mutation_script(&self, pairs: usize) -> Script {
        let mut text = format!("\\set stay random(0, {})\nBEGIN;\n", self.free_stays.len() - pairs - 1);
        for pair in 0..pairs {
            text += &include_str!("mutation.sql").replace(":pair", &pair.to_string());
        }
        text += &include_str!("events.sql").replace(":pairs", &pairs.to_string());
        text += "COMMIT;\n";
        let (hotel, integration) = (self.windows[0].hotel.id.to_string(), self.integration.to_string());
        Script { text, variables: vec![("hotel".into(), hotel), ("integration".into(), integration)] }
    }

    /// Takes all keys off the future stays.
    pub async fn clear_keys(&self) {
        let mut conn = self.owner.acquire().await.expect("a connection");
        run(&mut conn, "SET statement_timeout = 0").await;
        run(
            &mut conn,
            "UPDATE room_stays SET room_access_key_id = NULL, room_access_key_kind = NULL, room_access_key_due_at = NULL
             WHERE reservation_to > DATE '2026-03-01' AND room_access_key_id IS NOT NULL",
        )
        .await;
        run(
            &mut conn,
            "DELETE FROM room_access_keys k
             WHERE NOT EXISTS (SELECT FROM room_stays s WHERE s.hotel_id = k.hotel_id AND s.room_access_key_id = k.id)",
        )
        .await;
        run(&mut conn, "DROP TABLE IF EXISTS bench_stays").await;
        run(
            &mut conn,
            "CREATE TABLE bench_stays AS SELECT row_number() OVER (ORDER BY id) - 1 AS n, id FROM room_stays s
             WHERE s.hotel_id = (SELECT id FROM hotels WHERE slug = 'bench-10000') AND s.reservation_to > DATE '2026-03-07'",
        )
        .await;
        run(&mut conn, "ALTER TABLE bench_stays ADD PRIMARY KEY (n)").await;
        run(&mut conn, "VACUUM ANALYZE room_stays, room_access_keys, bench_stays").await;
    }

    /// A stay of the future that has no key yet.
    pub fn free_stay(&self, number: usize) -> String {
        self.free_stays[number % self.free_stays.len()].to_string()
    }
}

/// Text of the statement that the connection prepared last, asking for that excepted.
async fn last_statement(conn: &mut PgConnection) -> String {
    sqlx::query_scalar(
        "SELECT statement FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_prepared_statements%'
         ORDER BY prepare_time DESC LIMIT 1",
    )
    .persistent(false)
    .fetch_one(conn)
    .await
    .expect("a prepared statement")
}

/// Puts pgbench's variables, with their types, in place of the parameters of statements.
fn script(statements: Vec<(String, Vec<(&str, &str)>)>) -> Script {
    let mut script = Script { text: String::new(), variables: Vec::new() };
    for (number, (mut text, values)) in statements.into_iter().enumerate() {
        for (index, (value, kind)) in values.iter().enumerate().rev() {
            let name = format!("s{number}p{}", index + 1);
            text = text.replace(&format!("${}", index + 1), &format!(":{name}::{kind}"));
            script.variables.push((name, (*value).to_owned()));
        }
        assert!(!text.contains('$'), "every parameter has a value: {text}");
        script.text += &text;
        script.text += ";\n";
    }
    script
}

fn pgbench() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<PathBuf> =
        debian.map(|entry| entry.path().join("bin/pgbench")).filter(|path| path.exists()).collect();
    found.sort();
    let own = std::env::var_os("LATCHKEY_POSTGRES_BIN").map(|folder| PathBuf::from(folder).join("pgbench"));
    own.or_else(|| found.pop()).unwrap_or_else(|| "pgbench".into())
}
