//! A way to the database that can be closed, cut, made silent and made to hang up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::TestDb;

/// An address on this machine that leads to the database of a test.
pub struct Way {
    address: SocketAddr,
    options: PgConnectOptions,
    socket: PathBuf,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

struct State {
    /// Connections that were made before the current age pass nothing on any more, and are not closed either.
    age: watch::Sender<u64>,
    /// Connections are accepted and nothing else.
    is_silent: watch::Sender<bool>,
    /// Connections are accepted and closed at once.
    hangs_up: AtomicBool,
    /// A client that sends this is cut off before it arrives.
    cut_at: Mutex<Option<&'static str>>,
    cut: AtomicU64,
}

impl Way {
    /// A way that is open.
    pub async fn to(db: &TestDb) -> Self {
        let mut way = Self::closed_to(db).await;
        way.open().await;
        way
    }

    /// A way at whose beginning nobody listens yet.
    pub async fn closed_to(db: &TestDb) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let options = db.options();
        let socket = options.get_socket().expect("the tests' PostgreSQL has no port").join(".s.PGSQL.5432");
        let (age, is_silent) = (watch::Sender::new(0), watch::Sender::new(false));
        let hangs_up = AtomicBool::new(false);
        let state = State { age, is_silent, hangs_up, cut_at: Mutex::default(), cut: AtomicU64::new(0) };
        Self { address, options, socket, state: Arc::new(state), accepting: None }
    }

    /// How to reach the database on this way.
    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.address.port())
            .username(self.options.get_username())
            .database(self.options.get_database().expect("a database"))
            .ssl_mode(PgSslMode::Disable)
    }

    /// Its `DATABASE_URL`.
    pub fn url(&self) -> String {
        self.url_of(self.options.get_username(), self.options.get_database().expect("a database"))
    }

    /// The URL of another user and another database.
    pub fn url_of(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@{}/{database}?sslmode=disable", self.address)
    }

    /// Opens it.
    pub async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("its own port");
        let (socket, state) = (self.socket.clone(), Arc::clone(&self.state));
        self.accepting = Some(tokio::spawn(async move {
            let mut passing = tokio::task::JoinSet::new();
            loop {
                let (mut client, _) = listener.accept().await.expect("a connection");
                if state.hangs_up.load(Ordering::SeqCst) {
                    // Closed before what was sent is read, it would be reset, which says more than a proxy does.
                    passing.spawn(async move { client.read(&mut [0; 1024]).await.map_or((), drop) });
                    continue;
                }
                passing.spawn(pass(client, socket.clone(), Arc::clone(&state)));
            }
        }));
    }

    /// Cuts all connections and refuses new ones.
    pub async fn close(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            assert!(accepting.await.expect_err("aborted").is_cancelled());
        }
    }

    /// What was connected hears nothing any more and is not told; new connections find the database where it was.
    pub fn lose(&self) {
        self.state.age.send_modify(|age| *age += 1);
    }

    /// Nobody hears anything any more. Connections are accepted.
    pub fn fall_silent(&self) {
        self.state.is_silent.send_replace(true);
    }

    /// Cuts all connections, and accepts new ones only to close them, or to pass them on again: a proxy whose server is away.
    pub async fn hang_up(&mut self, hangs_up: bool) {
        self.state.hangs_up.store(hangs_up, Ordering::SeqCst);
        self.close().await;
        self.open().await;
    }

    /// Cuts clients that send this text; `None` nobody any more.
    pub fn cut_at(&self, text: Option<&'static str>) {
        *self.state.cut_at.lock().expect("no panic") = text;
    }

    /// How many were cut.
    pub fn cut(&self) -> u64 {
        self.state.cut.load(Ordering::SeqCst)
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

async fn pass(client: TcpStream, socket: PathBuf, state: Arc<State>) {
    let born = *state.age.borrow();
    let mut is_silent = state.is_silent.subscribe();
    let mut age = state.age.subscribe();
    let silence = async {
        tokio::select! {
            _ = is_silent.wait_for(|is_silent| *is_silent) => {}
            _ = age.wait_for(|age| *age > born) => {}
        }
    };
    let server = UnixStream::connect(&socket).await.expect("the database is there");
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let mut ends = (from_client, to_client, from_server, to_server);
    let (from_client, to_client, from_server, to_server) = (&mut ends.0, &mut ends.1, &mut ends.2, &mut ends.3);
    tokio::select! {
        biased;
        () = silence => {}
        () = forward(from_client, to_server, Some(&state)) => return,
        () = forward(from_server, to_client, None) => return,
    }
    // Open on both sides, and nothing passes.
    std::future::pending::<()>().await;
}

async fn forward(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin), state: Option<&State>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let text = state.and_then(|state| *state.cut_at.lock().expect("no panic"));
        if let (Some(text), Some(state)) = (text, state)
            && buffer[..length].windows(text.len()).any(|window| window == text.as_bytes())
        {
            state.cut.fetch_add(1, Ordering::SeqCst);
            return;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
