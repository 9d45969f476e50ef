//! The application behind a real socket, and a real client.

use latchkey::app::App;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running server. Dropping it stops it at once; [`TestServer::stop`] lets it finish what it serves.
pub struct TestServer {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    address: String,
    client: Client,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl TestServer {
    pub async fn start(app: &App) -> Self {
        latchkey::tls::install_crypto_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(latchkey::http::serve(listener, app.clone(), async {
            // A dropped sender stops it too.
            let _ = stopped.await;
        }));
        Self { url: format!("http://{address}"), address, client: Client::new(), stop, serving }
    }

    /// Any request.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().expect("a method"), format!("{}{path}", self.url))
    }

    /// A GraphQL request whose answer is to come as `application/json`.
    pub fn post(&self, key: &str, body: &Value) -> RequestBuilder {
        self.request("POST", "/graphql").bearer_auth(key).header("accept", "application/json").json(body)
    }

    /// Sends one operation and reads its answer.
    pub async fn run(&self, key: &str, query: &str, variables: Value) -> Value {
        self.run_body(key, &json!({ "query": query, "variables": variables })).await
    }

    /// Sends an operation or a batch and reads its answer.
    pub async fn run_body(&self, key: &str, body: &Value) -> Value {
        let response = self.post(key, body).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.expect("JSON")
    }

    /// A bare connection.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.expect("the server accepts")
    }

    /// Sends `bytes` as they are and reads until the server closes the connection.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("closed in order");
        String::from_utf8(answer).expect("text")
    }

    /// Asks the server to stop. The result ends when it has.
    pub fn stop(self) -> JoinHandle<std::io::Result<()>> {
        let _ = self.stop.send(());
        self.serving
    }
}

/// `extensions.code` of the first error.
pub fn error_code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

/// A header as text, empty when it is missing.
pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}
