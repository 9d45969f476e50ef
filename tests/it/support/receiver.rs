//! A webhook receiver on a socket of 127.0.0.1 that answers as it is told to, which HTTP servers are too well-behaved for.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What to do with a webhook.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answer with that status and an empty body.
    Status(u16),
    /// Answer with exactly these bytes and close.
    Raw(Vec<u8>),
    /// Answer with that status after a while.
    Slow(Duration, u16),
    /// Answer with that status when told to.
    When(Arc<Notify>, u16),
    /// Never answer.
    Hang,
    /// Answer 200, and send a byte of the body now and then, without end.
    Drip,
    /// Answer 200, and send the body as fast as it is read, without end.
    Flood,
    /// Send header fields without end.
    FloodHead,
    /// Cut the connection within the head of the answer.
    Reset,
}

/// A webhook that has arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Method, path and version.
    pub request_line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// The receiver. Dropping it closes its connections.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

struct State {
    received: Mutex<Vec<Received>>,
    arrival: Notify,
    next: Mutex<VecDeque<Reply>>,
    usual: Mutex<Reply>,
    bytes_sent: AtomicUsize,
}

impl Receiver {
    /// One that answers like that.
    pub async fn new(usual: Reply) -> Self {
        Self::start(usual, None).await
    }

    /// One that speaks TLS with that certificate.
    pub async fn tls(usual: Reply, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the default versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("the certificate fits its key");
        Self::start(usual, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start(usual: Reply, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            received: Mutex::default(),
            arrival: Notify::new(),
            next: Mutex::default(),
            usual: Mutex::new(usual),
            bytes_sent: AtomicUsize::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, tls, Arc::clone(&state)));
        Self { address, state, _tasks: tasks }
    }

    /// Its URL without TLS.
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// How to answer the next webhooks, before the usual answers.
    pub fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.next.lock().expect("no panic").extend(replies);
    }

    /// How to answer from now on.
    pub fn usually(&self, reply: Reply) {
        *self.state.usual.lock().expect("no panic") = reply;
    }

    /// Everything that has arrived so far.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().expect("no panic").clone()
    }

    /// Waits until so much has arrived.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        loop {
            let arrival = self.state.arrival.notified();
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            arrival.await;
        }
    }

    /// Bytes of endless answers that were sent before the other side had enough.
    pub fn bytes_sent(&self) -> usize {
        self.state.bytes_sent.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (state, tls) = (Arc::clone(&state), tls.clone());
        connections.spawn(async move {
            // Whoever hangs up early is a case of the tests.
            let _ = serve(stream, tls, &state).await;
        });
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, state: &State) -> std::io::Result<()> {
    match tls {
        Some(tls) => answer(tls.accept(stream).await?, state).await,
        None => answer(stream, state).await,
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, state: &State) -> std::io::Result<()> {
    let received = read(&mut stream).await?;
    let next = state.next.lock().expect("no panic").pop_front();
    let reply = next.unwrap_or_else(|| state.usual.lock().expect("no panic").clone());
    state.received.lock().expect("no panic").push(received);
    state.arrival.notify_waiters();
    match reply {
        Reply::Status(status) => stream.write_all(&head(status)).await?,
        Reply::Raw(bytes) => stream.write_all(&bytes).await?,
        Reply::Slow(pause, status) => {
            tokio::time::sleep(pause).await;
            stream.write_all(&head(status)).await?;
        }
        Reply::When(signal, status) => {
            signal.notified().await;
            stream.write_all(&head(status)).await?;
        }
        Reply::Hang => std::future::pending().await,
        Reply::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(b".").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Reply::Flood => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            endless(&mut stream, &[b'x'; 4096], state).await?;
        }
        Reply::FloodHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            endless(&mut stream, b"x-more: and more\r\n", state).await?;
        }
        Reply::Reset => stream.write_all(b"HTTP/1.1 200 O").await?,
    }
    stream.shutdown().await
}

async fn endless(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], state: &State) -> std::io::Result<()> {
    loop {
        stream.write_all(bytes).await?;
        state.bytes_sent.fetch_add(bytes.len(), Ordering::Relaxed);
    }
}

fn head(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} -\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("heads are text");
    let mut lines = head.split("\r\n");
    let request_line = lines.next().unwrap_or_default().to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header field");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let mut received = Received { request_line, headers: lines.map(header).collect(), body: bytes.split_off(end + 4) };
    let length: usize = received.header("content-length").and_then(|text| text.parse().ok()).expect("a length");
    while received.body.len() < length {
        if stream.read_buf(&mut received.body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(received)
}
