//! What lies between a client and a server.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where the facade is.
const PREFIX: &str = "/seam";

/// A request that went by, and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: String,
    /// Without the prefix.
    pub path: String,
    pub request: HeaderMap,
    pub sent: String,
    pub status: u16,
    pub response: HeaderMap,
    /// `null` when it is no JSON.
    pub body: Value,
}

impl Exchange {
    /// A header of the request; empty when it is missing.
    pub fn sent_header(&self, name: &str) -> &str {
        self.request.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// What the answer says of the request.
    pub fn request_id(&self) -> &str {
        self.response.get("seam-request-id").map_or("", |value| value.to_str().expect("text"))
    }

    /// As `validate.js` reads it.
    pub fn to_json(&self) -> Value {
        json!({"method": self.method, "path": self.path, "status": self.status, "body": self.body})
    }
}

/// Passes everything on to a server, and notes it.
pub struct Wire {
    /// What a client takes for the address of the facade.
    pub endpoint: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

/// What befalls a request.
enum Fault {
    /// It is answered so, and not passed on.
    Failed(StatusCode),
    /// It is passed on, and answered with a failure instead of its answer.
    AnswerLost,
}

struct Shared {
    server: String,
    client: reqwest::Client,
    exchanges: Mutex<Vec<Exchange>>,
    faults: Mutex<VecDeque<Fault>>,
}

impl Wire {
    pub async fn to(server: &str) -> Self {
        latchkey::tls::install_crypto_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}{PREFIX}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            server: server.to_owned(),
            client: reqwest::Client::new(),
            exchanges: Mutex::default(),
            faults: Mutex::default(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        Self { endpoint, shared, serving }
    }

    fn exchanges_mut(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.shared.exchanges.lock().expect("no panic")
    }

    /// Everything that went by.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges_mut().clone()
    }

    /// Everything that went by after the first so many.
    pub fn since(&self, count: usize) -> Vec<Exchange> {
        self.exchanges_mut()[count..].to_vec()
    }

    /// How much went by.
    pub fn count(&self) -> usize {
        self.exchanges_mut().len()
    }

    /// Answers the next requests so.
    pub fn fail(&self, statuses: impl IntoIterator<Item = StatusCode>) {
        self.shared.faults.lock().expect("no panic").extend(statuses.into_iter().map(Fault::Failed));
    }

    /// Passes the next request on, and loses its answer.
    pub fn lose_an_answer(&self) {
        self.shared.faults.lock().expect("no panic").push_back(Fault::AnswerLost);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = shared.faults.lock().expect("no panic").pop_front();
    let failed = |status| (status, HeaderMap::new(), Bytes::new());
    let (status, response, answer) = match fault {
        Some(Fault::Failed(status)) => failed(status),
        Some(Fault::AnswerLost) => {
            forward(&shared, &method, &uri, &headers, body.clone()).await;
            failed(StatusCode::BAD_GATEWAY)
        }
        None => forward(&shared, &method, &uri, &headers, body.clone()).await,
    };
    shared.exchanges.lock().expect("no panic").push(Exchange {
        method: method.to_string(),
        path: uri.path().strip_prefix(PREFIX).unwrap_or_else(|| uri.path()).to_owned(),
        request: headers,
        sent: String::from_utf8(body.to_vec()).expect("text"),
        status: status.as_u16(),
        response: response.clone(),
        body: serde_json::from_slice(&answer).unwrap_or_default(),
    });
    (status, response, answer).into_response()
}

async fn forward(
    shared: &Shared,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, Bytes) {
    let of_one_connection = [header::CONNECTION, header::CONTENT_LENGTH, header::HOST, header::TRANSFER_ENCODING];
    let passed_on = |headers: &HeaderMap| {
        let mut headers = headers.clone();
        for name in &of_one_connection {
            headers.remove(name);
        }
        headers
    };
    let request = shared.client.request(method.clone(), format!("{}{uri}", shared.server));
    let response = request.headers(passed_on(headers)).body(body).send().await.expect("an answer");
    let (status, headers) = (response.status(), passed_on(response.headers()));
    (status, headers, response.bytes().await.expect("a body"))
}
