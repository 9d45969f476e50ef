//! The client that sends one webhook to one endpoint.
//!
//! Each attempt resolves the host's name, checks every address, and has the HTTP client connect to one of exactly these. The
//! client itself resolves nothing, and is as plain as can be, so that there is nothing in it to be led astray: no proxies, no
//! redirects, no retries, no cookies, no compression, no connection that an earlier check was made for. It works on threads of
//! its own, so that nothing else waits for what a receiver makes of them.

use std::io;
use std::iter::successors;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolving};
use reqwest::header::CONNECTION;
use reqwest::{Certificate, Client, ClientBuilder, Request, Response, redirect, retry};
use rustls::pki_types::CertificateDer;
use tokio::runtime::{self, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::task_local;
use tokio::time::timeout;

use super::address::AllowedNetworks;
use super::model::Failure;
use super::target::Target;
use crate::tls;

/// Most bytes that are read of the body of an answer.
const LARGEST_ANSWER: usize = 64 * 1024;
/// Most bytes of it that are kept for the delivery log.
const KEPT_ANSWER: usize = 1024;
/// Most header fields that an answer may have. The bytes of its head are limited by the client's own buffer, 408 KiB.
const MOST_HEADERS: usize = 100;
/// Most addresses of a host that are tried.
const MOST_ADDRESSES: usize = 4;
/// Most names that are being looked up for endpoints that work. Each look-up takes one of the 512 threads that the process has
/// for such things, and keeps it until the system gives up, long after the attempt has.
const LOOK_UPS: usize = 256;
/// Most names that are being looked up for endpoints whose last attempt failed, so that names that nobody answers for delay no
/// others.
const FAILING_LOOK_UPS: usize = 64;

/// Threads that connections to receivers are read on.
const THREADS: usize = 4;

/// Finds the addresses of a host. Tests have resolvers that lie.
pub trait Resolve: Send + Sync {
    /// All addresses of the host of that name.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

task_local! {
    /// The address that an attempt may connect to.
    static CHECKED: IpAddr;
}

/// The names of the HTTP client: each leads to the address that was checked for the attempt, and to none where none was.
struct CheckedAddress;

impl reqwest::dns::Resolve for CheckedAddress {
    fn resolve(&self, _name: Name) -> Resolving {
        let checked = CHECKED.try_with(|address| *address);
        Box::pin(async move {
            // The URL has the port.
            let addresses: Addrs = Box::new([SocketAddr::new(checked?, 0)].into_iter());
            Ok(addresses)
        })
    }
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
    /// To connect to one address, the TLS handshake included.
    pub connect: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { total: Duration::from_secs(15), connect: Duration::from_secs(5) }
    }
}

/// Sends webhooks.
pub struct Sender {
    client: Client,
    threads: Threads,
    resolver: Arc<dyn Resolve>,
    look_ups: Arc<Semaphore>,
    failing_look_ups: Arc<Semaphore>,
    limits: TimeLimits,
}

/// The threads of the HTTP client.
///
/// The HTTP library passes over interim answers (1xx) in a loop that it leaves only when it has read everything that has come or
/// its share of a turn, which may be 50 MB of them; nor can it be given a limit, a callback or a connection of ours. A
/// receiver that sends them without end so keeps a thread for a while, again and again until its time is over.
struct Threads(Option<Runtime>);

impl Threads {
    fn new() -> Self {
        let mut builder = runtime::Builder::new_multi_thread();
        let threads = builder.worker_threads(THREADS).thread_name("webhooks").enable_all().build();
        Self(Some(threads.expect("threads and an epoll can be had when a process begins")))
    }

    /// Runs `work` there, until it is dropped. `None` when it has panicked.
    async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let mut running = JoinSet::new();
        running.spawn_on(work, self.0.as_ref()?.handle());
        running.join_next().await?.ok()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Without waiting for them, which asynchronous code must not.
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
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
        let (look_ups, failing_look_ups) = (Semaphore::new(LOOK_UPS), Semaphore::new(FAILING_LOOK_UPS));
        Self {
            client: client(limits, authorities),
            threads: Threads::new(),
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
        let addresses = self.addresses(&target, allowed, outgoing.failing).await?;
        let tls = target.tls;
        let request = self.request(target, outgoing)?;
        let response = self.post(&request, tls, addresses).await?;
        answer.status = Some(response.status().as_u16());
        let retry_after = response.headers().get("retry-after");
        answer.retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let success = response.status().is_success();
        let read = read(response, answer).await;
        // A refusal is one, however its explanation ends.
        if success { read } else { Err(Failure::StatusRefused) }
    }

    /// The addresses of the target, after all of them were found permitted. One that is not condemns them all: an honest host
    /// has no such address.
    async fn addresses(
        &self,
        target: &Target,
        allowed: &AllowedNetworks,
        failing: bool,
    ) -> Result<Vec<IpAddr>, Failure> {
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
        Ok(addresses)
    }

    fn request(&self, target: Target, outgoing: Outgoing) -> Result<Request, Failure> {
        let mut request = self
            .client
            .post(target.url)
            .header("content-type", "application/json")
            .header(CONNECTION, "close")
            .body(outgoing.body);
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        request.build().map_err(|_| Failure::AddressRefused)
    }

    /// Sends a request to the first of the addresses that takes a connection.
    async fn post(&self, request: &Request, tls: bool, addresses: Vec<IpAddr>) -> Result<Response, Failure> {
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            let request = request.try_clone().expect("its body is no stream");
            let executed = self.threads.run(CHECKED.scope(address, self.client.execute(request))).await;
            match executed.ok_or(Failure::AnswerBroken)? {
                Ok(response) => return Ok(response),
                // What the URL parser lets pass and the HTTP library does not.
                Err(error) if error.is_builder() => return Err(Failure::AddressRefused),
                Err(error) if !error.is_connect() => return Err(Failure::AnswerBroken),
                Err(error) if tls && is_of_tls(&error) => return Err(Failure::TlsFailed),
                Err(_) => {}
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

/// The client of all attempts, which trusts the authorities of the operating system and further ones.
fn client(limits: TimeLimits, authorities: &[CertificateDer<'static>]) -> Client {
    tls::install_crypto_provider();
    let certificate = |authority: &CertificateDer<'_>| Certificate::from_der(authority).expect("a certificate");
    let authorities: Vec<Certificate> = authorities.iter().map(certificate).collect();
    plain_client(limits).tls_certs_merge(authorities).build().unwrap_or_else(|error| {
        // Its own words are about the builder; the cause says what is missing.
        let cause = successors(Some(&error as &dyn std::error::Error), |error| error.source()).last();
        tracing::error!(
            error.causes = cause.map(ToString::to_string),
            "no certificate authorities of the operating system: webhooks cannot be sent by https"
        );
        plain_client(limits).tls_certs_only([]).build().expect("a client that trusts nobody needs nothing")
    })
}

fn plain_client(limits: TimeLimits) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("Latchkey/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(CheckedAddress)
        .connect_timeout(limits.connect)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .http1_only()
        .http1_max_headers(MOST_HEADERS)
        .pool_max_idle_per_host(0)
}

/// Whether a connection failed after the operating system had made it: its own refusals bear its numbers, and those of TLS do
/// not.
fn is_of_tls(error: &reqwest::Error) -> bool {
    let causes = successors(Some(error as &dyn std::error::Error), |error| error.source());
    let mut failures = causes.filter_map(|cause| cause.downcast_ref::<io::Error>());
    !error.is_timeout() && failures.next().is_none_or(|failure| failure.raw_os_error().is_none())
}

/// Reads the body to its end or its largest size, and keeps its start.
async fn read(mut response: Response, answer: &mut Answer) -> Result<(), Failure> {
    let (mut kept, mut size) = (Vec::new(), 0);
    while size < LARGEST_ANSWER {
        let Some(data) = response.chunk().await.map_err(|_| Failure::AnswerBroken)? else { break };
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_client_finds_nothing_by_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://localhost:{}/", listener.local_addr().expect("an address").port());
        let failed = client(TimeLimits::default(), &[]).get(&url).send().await.expect_err("a failure");
        assert!(failed.is_connect() && failed.is_dns(), "{failed:?}");
        assert!(listener.accept().now_or_never().is_none());
    }
}
