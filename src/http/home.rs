//! Pages for browsers: the page at `/`, the documents for integrators, and where to go instead of `GET /graphql`.
//!
//! Everything comes from here and is what this very build does; the pages run no script and need no API key.

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::answer::Outcome;
use crate::error::ErrorCode;

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
const HTML: &str = "text/html; charset=utf-8";
/// Browsers show it instead of saving it, as they would with the types that SDL and Markdown have of their own.
const TEXT: &str = "text/plain; charset=utf-8";

/// The documents for integrators.
const DOCUMENTS: [(&str, &str); 5] = [
    ("API.md", include_str!("../../docs/API.md")),
    ("ERRORS.md", include_str!("../../docs/ERRORS.md")),
    ("EVENTS.md", include_str!("../../docs/EVENTS.md")),
    ("REST.md", include_str!("../../docs/REST.md")),
    ("SEAM.md", include_str!("../../docs/SEAM.md")),
];

/// `GET /`
pub(super) async fn page() -> Response {
    content(StatusCode::OK, HTML, include_str!("home/index.html"))
}

/// `GET /home.css`, the style of the pages.
pub(super) async fn style() -> Response {
    content(StatusCode::OK, "text/css; charset=utf-8", include_str!("home/home.css"))
}

/// `GET /favicon.ico`, which browsers ask for whatever a page says.
pub(super) async fn icon() -> Response {
    content(StatusCode::OK, "image/svg+xml", include_str!("home/icon.svg"))
}

/// `GET /schema.graphql`
pub(super) async fn schema() -> Response {
    content(StatusCode::OK, TEXT, include_str!("../../schema.graphql"))
}

/// `GET /docs/{file}`
pub(super) async fn document(Path(name): Path<String>) -> Response {
    match DOCUMENTS.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => content(StatusCode::OK, TEXT, text),
        None => super::nothing_here(),
    }
}

/// Whether a person looks at the answer: a browser that was given an address, not a client of the API.
pub(super) fn is_for_a_person(head: &Parts) -> bool {
    let accepts = head.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    matches!(head.method, Method::GET | Method::HEAD)
        && accepts.flat_map(|value| value.split([',', ';'])).any(|range| range.trim() == "text/html")
}

/// The answer to a browser that was given the address of the GraphQL API. The router adds the `Allow` header.
pub(super) fn graphql_is_served_by_post() -> Response {
    let mut response = content(StatusCode::METHOD_NOT_ALLOWED, HTML, include_str!("home/graphql.html"));
    let mut outcome = Outcome::default();
    outcome.note(ErrorCode::MethodNotAllowed);
    response.extensions_mut().insert(outcome);
    response
}

fn content(status: StatusCode, media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (status, headers, Body::from(text)).into_response()
}
