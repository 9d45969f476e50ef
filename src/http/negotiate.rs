//! Media types: what a client sends and what it accepts. Pure.

use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};

use crate::error::{Error, Message, Result};

/// The media type of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`: a well-formed request is answered with 200, whatever comes of it.
    Json,
    /// `application/graphql-response+json`: the status tells whether the request was run.
    GraphQlResponse,
}

impl MediaType {
    const ALL: [Self; 2] = [Self::Json, Self::GraphQlResponse];

    const fn subtype(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::GraphQlResponse => "graphql-response+json",
        }
    }

    /// Value of the `Content-Type` header.
    pub(super) const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }
}

/// The media type in which the client wants a GraphQL answer, or `None` when it wants none that there is.
///
/// Without an `Accept` header, or with an empty one, it is `application/graphql-response+json`, the specification's default
/// since 2025.
/// Wildcards mean `application/json`, which everyone can read. Of equal weights the more specific range counts, then the
/// one listed first.
pub(super) fn answer_type(headers: &HeaderMap) -> Option<MediaType> {
    // What is not text is none that there is, and not nothing.
    let accepted = headers.get_all(ACCEPT).iter().map(|value| value.to_str().unwrap_or("?"));
    let mut elements =
        accepted.flat_map(|value| value.split(',')).filter(|element| !element.trim().is_empty()).peekable();
    if elements.peek().is_none() {
        return Some(MediaType::GraphQlResponse);
    }
    let ranges: Vec<Range<'_>> = elements.filter_map(Range::parse).collect();
    let offer = |media_type: MediaType| {
        let matching =
            ranges.iter().enumerate().filter_map(|(at, range)| Some((range.precision(media_type)?, at, range)));
        let (precision, at, range) = matching.max_by_key(|(precision, at, _)| (*precision, std::cmp::Reverse(*at)))?;
        (range.weight > 0).then_some((range.weight, precision, std::cmp::Reverse(at), media_type))
    };
    // Of equals `max_by_key` takes the last.
    let offers = MediaType::ALL.into_iter().rev().filter_map(offer);
    offers.max_by_key(|(weight, precision, at, _)| (*weight, *precision, *at)).map(|(.., media_type)| media_type)
}

/// Refuses a body that is not JSON as it is.
///
/// # Errors
/// `UNSUPPORTED_MEDIA_TYPE`
pub(super) fn check_body(headers: &HeaderMap) -> Result<()> {
    if is_encoded(headers) {
        return Err(Error::new(Message::ContentEncoded));
    }
    require_json(headers)
}

/// Whether the body is compressed or encoded otherwise.
fn is_encoded(headers: &HeaderMap) -> bool {
    let encodings = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("?"));
    let mut encodings = encodings.flat_map(|value| value.split(',')).map(str::trim);
    encodings.any(|encoding| !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity"))
}

/// Refuses a body that is not said to be JSON in UTF-8, the only encoding of JSON.
///
/// # Errors
/// `UNSUPPORTED_MEDIA_TYPE`, which says what the header lacks.
fn require_json(headers: &HeaderMap) -> Result<()> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(Error::new(Message::ContentTypeMissing)),
        (_, Some(_)) => return Err(Error::new(Message::ContentTypeTwice)),
        (Some(value), None) => value,
    };
    match value.to_str().ok().and_then(Range::parse) {
        Some(range) if range.precision(MediaType::Json) == Some(Precision::Exact) => Ok(()),
        Some(range) if !range.utf8 => Err(Error::new(Message::ContentTypeNotUtf8)),
        _ => Err(Error::new(Message::ContentTypeNotJson)),
    }
}

/// How closely a range names a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Anything,
    AnyApplication,
    Exact,
}

/// One element of an `Accept` header.
#[derive(Debug)]
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    utf8: bool,
    /// Thousandths.
    weight: u32,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut range = Self { kind, subtype, utf8: true, weight: 1_000 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            if name.eq_ignore_ascii_case("q") {
                range.weight = weight(value)?;
            } else if name.eq_ignore_ascii_case("charset") {
                range.utf8 = value.trim_matches('"').eq_ignore_ascii_case("utf-8");
            }
        }
        Some(range)
    }

    fn precision(&self, media_type: MediaType) -> Option<Precision> {
        let application = self.kind.eq_ignore_ascii_case("application");
        match (self.kind, self.subtype) {
            _ if !self.utf8 => None,
            ("*", "*") => Some(Precision::Anything),
            (_, "*") if application => Some(Precision::AnyApplication),
            (_, subtype) if application && subtype.eq_ignore_ascii_case(media_type.subtype()) => Some(Precision::Exact),
            _ => None,
        }
    }
}

/// A weight between 0 and 1 with at most three digits, in thousandths.
fn weight(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let whole: u32 = if matches!(whole, "0" | "1") { whole.parse().ok()? } else { return None };
    let thousandths: u32 = format!("{fraction:0<3}").parse().ok()?;
    Some(whole * 1_000 + thousandths).filter(|weight| *weight <= 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(accept: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().expect("a header"));
        answer_type(&headers)
    }

    #[test]
    fn the_best_range_decides() {
        use MediaType::{GraphQlResponse, Json};
        for (accept, expected) in [
            ("application/json", Some(Json)),
            ("application/graphql-response+json", Some(GraphQlResponse)),
            ("APPLICATION/GraphQL-Response+JSON; charset=UTF-8", Some(GraphQlResponse)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/graphql-response+json, application/json", Some(GraphQlResponse)),
            ("application/json, application/graphql-response+json", Some(Json)),
            ("application/json, application/graphql-response+json;q=0.9", Some(Json)),
            ("application/json;q=0.9, application/graphql-response+json;q=0.95", Some(GraphQlResponse)),
            ("*/*, application/graphql-response+json", Some(GraphQlResponse)),
            ("*/*;q=0.1, application/graphql-response+json;q=0.05", Some(Json)),
            ("application/json;q=0, */*", Some(GraphQlResponse)),
            ("application/json;q=0.5, application/*", Some(GraphQlResponse)),
            ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", Some(Json)),
            ("application/json; charset=\"utf-8\"", Some(Json)),
            ("application/json; charset=utf-16", None),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
            ("application/json;q=2", None),
            ("text/html", None),
            ("text/*", None),
            ("application/graphql+json", None),
            ("", Some(GraphQlResponse)),
            (" , ", Some(GraphQlResponse)),
            (",application/json", Some(Json)),
            ("nonsense", None),
        ] {
            assert_eq!(accepting(accept), expected, "{accept}");
        }
    }

    #[test]
    fn no_accept_header_means_the_type_of_the_specification() {
        assert_eq!(answer_type(&HeaderMap::new()), Some(MediaType::GraphQlResponse));
    }

    #[test]
    fn several_accept_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("application/json;q=0.5"));
        headers.append(ACCEPT, HeaderValue::from_static("application/graphql-response+json"));
        assert_eq!(answer_type(&headers), Some(MediaType::GraphQlResponse));
    }

    #[test]
    fn a_body_is_json_in_utf_8_or_refused() {
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/JSON; Charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/json; boundary=x", true),
            ("application/json; charset=latin1", false),
            ("application/graphql", false),
            ("application/*", false),
            ("text/plain", false),
            ("multipart/form-data; boundary=x", false),
            ("json", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, content_type.parse().expect("a header"));
            assert_eq!(require_json(&headers).is_ok(), expected, "{content_type}");
        }
        let missing = require_json(&HeaderMap::new()).expect_err("refused");
        assert_eq!(*missing.message, Message::ContentTypeMissing);
    }

    #[test]
    fn a_body_comes_as_it_is_or_is_refused() {
        for (encoding, expected) in [
            ("gzip", true),
            ("br", true),
            ("identity, GZIP", true),
            ("x", true),
            ("identity", false),
            ("Identity ", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CONTENT_ENCODING, encoding.parse().expect("a header"));
            assert_eq!(check_body(&headers).is_err(), expected, "{encoding}");
        }
    }

    #[test]
    fn weights_have_three_digits() {
        for (text, expected) in [
            ("1", Some(1_000)),
            ("1.000", Some(1_000)),
            ("0", Some(0)),
            ("0.05", Some(50)),
            ("0.", Some(0)),
            ("1.001", None),
            ("0.1234", None),
            ("-0", None),
            ("1e0", None),
            ("", None),
        ] {
            assert_eq!(weight(text), expected, "{text}");
        }
    }
}
