//! Sends one webhook to one endpoint.
//!
//! The client is as plain as can be, so that there is nothing in it to be led astray: each attempt resolves the host's name,
//! checks every address, and connects to one of exactly these; no proxies, no redirects, no cookies, no compression, no
//! connection that an earlier check was made for.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Host;

use super::address::AllowedNetworks;
use super::model::Failure;
use super::target::Target;

/// Most bytes that are read of the body of an answer.
const LARGEST_ANSWER: usize = 64 * 1024;
/// Most bytes of it that are kept for the delivery log.
const KEPT_ANSWER: usize = 1024;
/// Most bytes that the head of an answer may have.
const LARGEST_HEAD: usize = 64 * 1024;
/// Most header fields that an answer may have.
const MOST_HEADERS: usize = 100;
/// Most addresses of a host that are tried.
const MOST_ADDRESSES: usize = 4;
/// Most names that are being looked up for endpoints that work. Each look-up takes one of the 512 threads that the process has
/// for such things, and keeps it until the system gives up, long after the attempt has.
const LOOK_UPS: usize = 256;
/// The same for endpoints whose last attempt failed, so that names that nobody answers for delay no others.
const FAILING_LOOK_UPS: usize = 64;

/// Finds the addresses of a host. Tests have resolvers that lie.
pub trait Resolve: Send + Sync {
    /// All addresses of the host of that name.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

/// How long an attempt may take.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimits {
    /// From its start to the end of the answer.
    pub total: Duration,
    /// To connect to one address.
    pub connect: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { total: Duration::from_secs(15), connect: Duration::from_secs(5) }
    }
}

/// Sends webhooks.
pub struct Sender {
    tls: TlsConnector,
    resolver: Arc<dyn Resolve>,
    look_ups: Arc<Semaphore>,
    failing_look_ups: Arc<Semaphore>,
    limits: TimeLimits,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The endpoint's URL.
    pub url: String,
    /// Headers beside the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Bytes,
    /// Whether the last attempt at the endpoint failed.
    pub failing: bool,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// HTTP status, if it came that far.
    pub status: Option<u16>,
    /// What went wrong; `None` = delivered.
    pub failure: Option<Failure>,
    /// Value of `retry-after`.
    pub retry_after: Option<String>,
    /// The start of the body, with everything that is not text replaced.
    pub start: String,
}

impl Answer {
    /// What there is when there was no answer.
    pub(super) fn none(failure: Failure) -> Self {
        Self { status: None, failure: Some(failure), retry_after: None, start: String::new() }
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self::new(TimeLimits::default(), Arc::new(SystemResolver), &[])
    }
}

impl Sender {
    /// A sender with other limits and another resolver, and that trusts further certificate authorities. For tests.
    ///
    /// # Panics
    /// When an authority is not a certificate.
    pub fn new(limits: TimeLimits, resolver: Arc<dyn Resolve>, authorities: &[CertificateDer<'static>]) -> Self {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for authority in authorities {
            roots.add(authority.clone()).expect("a certificate");
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks the default versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (look_ups, failing_look_ups) = (Semaphore::new(LOOK_UPS), Semaphore::new(FAILING_LOOK_UPS));
        Self {
            tls: TlsConnector::from(Arc::new(config)),
            resolver,
            look_ups: Arc::new(look_ups),
            failing_look_ups: Arc::new(failing_look_ups),
            limits,
        }
    }

    /// A sender with the system's resolver and other time limits. For tests.
    pub fn with_limits(limits: TimeLimits) -> Self {
        Self::new(limits, Arc::new(SystemResolver), &[])
    }

    /// Sends it. Whatever happens is in the answer.
    pub async fn send(&self, outgoing: Outgoing, allowed: &AllowedNetworks) -> Answer {
        let mut answer = Answer::default();
        answer.failure = match timeout(self.limits.total, self.exchange(outgoing, allowed, &mut answer)).await {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(failure),
            Err(_) => Some(Failure::TimedOut),
        };
        answer
    }

    async fn exchange(
        &self,
        outgoing: Outgoing,
        allowed: &AllowedNetworks,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let target = Target::parse(&outgoing.url, allowed).map_err(|_| Failure::AddressRefused)?;
        let stream = self.connect(&target, allowed, outgoing.failing).await?;
        let request = request(&target, outgoing)?;
        if target.tls {
            let name = match &target.host {
                Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| Failure::TlsFailed)?,
                Host::Ipv4(address) => ServerName::IpAddress(IpAddr::from(*address).into()),
                Host::Ipv6(address) => ServerName::IpAddress(IpAddr::from(*address).into()),
            };
            let stream = self.tls.connect(name, stream).await.map_err(|_| Failure::TlsFailed)?;
            post(stream, request, answer).await
        } else {
            post(stream, request, answer).await
        }
    }

    /// Connects to an address of the target, after all of them were found permitted. One that is not condemns them all:
    /// an honest host has no such address.
    async fn connect(&self, target: &Target, allowed: &AllowedNetworks, failing: bool) -> Result<TcpStream, Failure> {
        let addresses = match (target.literal(), &target.host) {
            (Some(address), _) => vec![address],
            (None, host) => self.look_up(host.to_string(), failing).await?,
        };
        if addresses.is_empty() {
            return Err(Failure::NameNotFound);
        }
        if !addresses.iter().all(|&address| allowed.permit(address, target.tls)) {
            return Err(Failure::AddressRefused);
        }
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            let connecting = TcpStream::connect(SocketAddr::new(address, target.port));
            if let Ok(Ok(stream)) = timeout(self.limits.connect, connecting).await {
                return Ok(stream);
            }
        }
        Err(Failure::ConnectionFailed)
    }

    /// Finds the addresses of a host, as soon as there is room for one more look-up.
    async fn look_up(&self, name: String, failing: bool) -> Result<Vec<IpAddr>, Failure> {
        let room = if failing { &self.failing_look_ups } else { &self.look_ups };
        let permit = Arc::clone(room).acquire_owned().await.map_err(|_| Failure::NameNotFound)?;
        let answer = self.resolver.resolve(name);
        // A task of its own, because the permit is needed for as long as the look-up goes on.
        let look_up = tokio::spawn(async move {
            let addresses = answer.await;
            drop(permit);
            addresses
        });
        look_up.await.ok().and_then(Result::ok).ok_or(Failure::NameNotFound)
    }
}

fn request(target: &Target, outgoing: Outgoing) -> Result<Request<Full<Bytes>>, Failure> {
    let mut request = Request::post(&target.path)
        .header("host", &target.authority)
        .header("user-agent", concat!("Latchkey/", env!("CARGO_PKG_VERSION")))
        .header("content-type", "application/json")
        .header("connection", "close");
    for (name, value) in outgoing.headers {
        request = request.header(name, value);
    }
    // What the URL parser lets pass and the HTTP library does not.
    request.body(Full::new(outgoing.body)).map_err(|_| Failure::AddressRefused)
}

async fn post<S>(stream: S, request: Request<Full<Bytes>>, answer: &mut Answer) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut requests, connection) = http1::Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Failure::AnswerBroken)?;
    // Ends with this function, also when that is given up.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = requests.send_request(request).await.map_err(|_| Failure::AnswerBroken)?;
    answer.status = Some(response.status().as_u16());
    let retry_after = response.headers().get("retry-after");
    answer.retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let success = response.status().is_success();
    let read = read(response, answer).await;
    // A refusal is one, however its explanation ends.
    if success { read } else { Err(Failure::StatusRefused) }
}

/// Reads the body to its end or its largest size, and keeps its start.
async fn read(response: Response<Incoming>, answer: &mut Answer) -> Result<(), Failure> {
    let mut body = response.into_body();
    let (mut kept, mut size) = (Vec::new(), 0);
    while size < LARGEST_ANSWER {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame.map_err(|_| Failure::AnswerBroken)?.into_data() else { continue };
        size += data.len();
        let room = KEPT_ANSWER - kept.len();
        if room > 0 {
            kept.extend_from_slice(&data[..data.len().min(room)]);
            // PostgreSQL's texts have no U+0000.
            answer.start = String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}");
        }
    }
    Ok(())
}
