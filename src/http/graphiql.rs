//! GraphiQL at `/graphql/ide`, from our own copy: no third party sees who looks at a hotel's data, and it works offline.
//!
//! The files are those of the packages `graphiql` 4.1.2, `react` and `react-dom` 18.3.1, all under the MIT licence.
//! GraphiQL 5 brings an editor of several megabytes with web workers, and this one does all that is needed. The page
//! names each file by its hash, so that a damaged or exchanged one does not run.

use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

/// GraphiQL and its editor set styles from code; everything else comes from here alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
const PAGE: &str = include_str!("graphiql/ide.html");
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// What has its version in its name never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
const NEVER: &str = "no-cache";

struct File {
    name: &'static str,
    media_type: &'static str,
    caching: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($name:literal, $media_type:ident, $caching:ident;)*) => {
        [$(File {
            name: $name,
            media_type: $media_type,
            caching: $caching,
            text: include_str!(concat!("graphiql/", $name)),
        }),*]
    };
}

/// What the page loads.
const FILES: [File; 6] = files! {
    "react-18.3.1.min.js", JAVASCRIPT, FOREVER;
    "react-dom-18.3.1.min.js", JAVASCRIPT, FOREVER;
    "graphiql-4.1.2.min.js", JAVASCRIPT, FOREVER;
    "graphiql-4.1.2.min.css", CSS, FOREVER;
    "ide.js", JAVASCRIPT, NEVER;
    "ide.css", CSS, NEVER;
};

/// The page.
pub(super) async fn page() -> Response {
    content("text/html; charset=utf-8", NEVER, PAGE)
}

/// A file that the page loads.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|file| file.name == name) {
        Some(file) => content(file.media_type, file.caching, file.text),
        None => super::nothing_here(),
    }
}

fn content(media_type: &'static str, caching: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CACHE_CONTROL, HeaderValue::from_static(caching)),
    ];
    (headers, Body::from(text)).into_response()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha384};

    use super::*;

    #[test]
    fn the_page_loads_every_file_by_its_hash() {
        for File { name, text, .. } in FILES {
            let hash = STANDARD.encode(Sha384::digest(text));
            let reference = format!("=\"/graphql/ide/{name}\" integrity=\"sha384-{hash}\"");
            assert!(PAGE.contains(&reference), "ide.html lacks {reference}");
        }
    }

    #[test]
    fn the_page_loads_nothing_else() {
        // The icon is empty, so that the browser does not ask for one.
        let page = PAGE.replace("<link rel=\"icon\" href=\"data:,\">", "");
        assert_eq!(page.matches("integrity=").count(), FILES.len());
        assert_eq!(page.matches("src=").count() + page.matches("href=").count(), FILES.len());
        assert_eq!(page.matches("<script").count() + page.matches("<link").count(), FILES.len());
        assert!(!page.contains("://"));
    }
}
