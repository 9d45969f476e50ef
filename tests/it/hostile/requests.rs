//! Requests that want to hurt, byte by byte, and what each is answered.

use serde_json::{Value, json};

use super::{many, tower};

/// A request and its answer.
#[derive(Clone)]
pub struct Hostile {
    pub what: String,
    /// From the request line on.
    pub bytes: Vec<u8>,
    /// Status of the answer; 0 when the connection is closed without one.
    pub status: u16,
    /// Code of its first error, `none` when there is none.
    pub code: &'static str,
}

/// Makes requests with one API key.
pub struct Maker<'a>(pub &'a str);

impl Maker<'_> {
    /// A POST with these header lines.
    fn post(&self, path: &str, lines: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {}\r\naccept: application/json\r\n\
             content-length: {}\r\n{lines}\r\n",
            self.0,
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// A body for GraphQL.
    pub fn graphql(&self, body: &[u8]) -> Vec<u8> {
        self.post("/graphql", "content-type: application/json\r\n", body)
    }

    /// A document for GraphQL.
    fn document(&self, document: &str) -> Vec<u8> {
        self.graphql(json!({ "query": document }).to_string().as_bytes())
    }

    /// A document and its variables.
    fn variables(&self, document: &str, variables: &Value) -> Vec<u8> {
        self.graphql(json!({ "query": document, "variables": variables }).to_string().as_bytes())
    }

    /// A body for the hotel's own system's check-in.
    fn check_in(&self, body: &[u8]) -> Vec<u8> {
        let lines = "content-type: application/json\r\nidempotency-key: k\r\n";
        self.post("/api/pms/v1/grand-hotel/guests/checkin", lines, body)
    }

    /// Everything.
    pub fn all(&self) -> Vec<Hostile> {
        [self.documents(), self.variable_floods(), self.batches(), self.bodies(), self.heads(), self.rest()].concat()
    }

    fn documents(&self) -> Vec<Hostile> {
        let leaf = "settings{categories{id}}";
        let bomb =
            |levels: usize, width: usize| format!("{{...f{}}}{}", levels - 1, tower(levels, width, "Query", leaf));
        let deep = |open: &str| format!("{{ room_stays(filter: {}", open.repeat(3_000 / open.len()));
        let cases = [
            ("a bomb of fragments", bomb(22, 2), "DOCUMENT_TOO_COMPLEX"),
            ("a wide bomb of fragments", bomb(25, 9), "DOCUMENT_TOO_COMPLEX"),
            ("a chain of fragments", bomb(40, 1), "DOCUMENT_TOO_DEEP"),
            (
                "a circle of fragments",
                "{...a} fragment a on Query{...b} fragment b on Query{...a}".into(),
                "GRAPHQL_VALIDATION_FAILED",
            ),
            (
                "a flood of aliases",
                format!("{{{}}}", many(1_000, |n| format!("a{n}:__typename "))),
                "DOCUMENT_TOO_COMPLEX",
            ),
            ("aliases up to the limit", format!("{{{}}}", many(490, |n| format!("a{n}:__typename "))), "none"),
            (
                "a flood of directives",
                format!("{{__typename {}}}", "@skip(if:true) ".repeat(1_000)),
                "DOCUMENT_TOO_COMPLEX",
            ),
            ("directives up to the limit", format!("{{{}}}", "__typename @include(if:true) ".repeat(190)), "none"),
            (
                "a flood of unknown directives",
                format!("{{room_stays{{totalCount {}}}}}", "@x ".repeat(190)),
                "GRAPHQL_VALIDATION_FAILED",
            ),
            ("a flood of fields", format!("{{{}}}", "a ".repeat(8_000)), "DOCUMENT_TOO_COMPLEX"),
            (
                "a flood of unknown fields",
                format!("{{{}}}", many(1_400, |n| format!("x{n} "))),
                "GRAPHQL_VALIDATION_FAILED",
            ),
            (
                "a flood of arguments",
                format!("{{settings({}){{__typename}}}}", many(1_000, |n| format!("a{n}:1 "))),
                "DOCUMENT_TOO_COMPLEX",
            ),
            ("a flood of operations", many(500, |n| format!("query q{n}{{__typename}} ")), "OPERATION_NOT_FOUND"),
            ("deep lists", deep("["), "DOCUMENT_TOO_DEEP"),
            ("deep objects", deep("{not:"), "DOCUMENT_TOO_DEEP"),
            ("deep selections", "{a".repeat(7_500), "DOCUMENT_TOO_DEEP"),
            ("deep types", format!("query($a: {}", "[".repeat(16_000)), "DOCUMENT_TOO_DEEP"),
            (
                "deep introspection",
                format!("{{__schema{{types{{{}name{}}}}}}}", "ofType{".repeat(40), "}".repeat(40)),
                "DOCUMENT_TOO_DEEP",
            ),
            ("a long name", format!("{{{}}}", "n".repeat(15_000)), "DOCUMENT_TOO_COMPLEX"),
            (
                "a long number",
                format!("{{room_stays(first:{}){{totalCount}}}}", "9".repeat(15_000)),
                "DOCUMENT_TOO_COMPLEX",
            ),
            ("a huge number", "{room_stays(first:1e308){totalCount}}".into(), "GRAPHQL_VALIDATION_FAILED"),
            ("a large document", format!("{{a}}#{}", "x".repeat(900_000)), "DOCUMENT_TOO_LARGE"),
            ("U+0000 in a document", "{__type\0name}".into(), "GRAPHQL_PARSE_FAILED"),
            (
                "U+0000 in a text of a document",
                "{reservations(filter:{code:{eq:\"\\u0000\"}}){totalCount}}".into(),
                "none",
            ),
            ("half a surrogate pair in a document", "{a(b:\"\\ud800\")}".into(), "GRAPHQL_PARSE_FAILED"),
            (
                "an id that is a number",
                "{room_stays(filter:{id:{eq:1e9}}){totalCount}}".into(),
                "GRAPHQL_VALIDATION_FAILED",
            ),
            ("nothing", String::new(), "GRAPHQL_PARSE_FAILED"),
        ];
        cases.map(|(what, document, code)| hostile(what, self.document(&document), 200, code)).into()
    }

    fn variable_floods(&self) -> Vec<Hostile> {
        let by_id = "query($ids:[ID!]!){room_stays(filter:{id:{in:$ids}}){totalCount}}";
        let id = "0198c0de-0000-7000-8000-000000000000";
        let uses = format!(
            "query($ids:[ID!]!){{{}}}",
            many(200, |n| format!("a{n}:room_stays(filter:{{id:{{in:$ids}}}}){{totalCount}} "))
        );
        let filtered = "query($f:RoomStayFilter){room_stays(filter:$f){totalCount}}";
        let nested = |levels: usize| (0..levels).fold(json!({}), |inner, _| json!({ "not": inner }));
        let unused: serde_json::Map<String, Value> = (0..5_000).map(|n| (format!("v{n}"), json!(n))).collect();
        let code = "query($c:String){reservations(filter:{code:{eq:$c}}){totalCount}}";
        let first = "query($n:Int){room_stays(first:$n){totalCount}}";
        let day = "query($d:Date!){room_stays(filter:{date:$d}){totalCount}}";
        [
            (
                "a flood of declared variables",
                format!("query({}){{__typename}}", many(1_000, |n| format!("$v{n}:ID "))),
                json!({}),
                "DOCUMENT_TOO_COMPLEX",
            ),
            ("a flood of variables that nobody declared", "{__typename}".into(), json!(unused), "none"),
            ("a flood of ids", by_id.into(), json!({"ids": vec![id; 20_000]}), "DOCUMENT_TOO_COMPLEX"),
            ("a flood of ids, again and again", uses, json!({"ids": vec![id; 100]}), "DOCUMENT_TOO_COMPLEX"),
            ("deep variables", filtered.into(), json!({"f": nested(100)}), "DOCUMENT_TOO_DEEP"),
            ("U+0000 in a variable", code.into(), json!({"c": "\0"}), "none"),
            ("a long text in a variable", code.into(), json!({"c": "x".repeat(900_000)}), "DOCUMENT_TOO_COMPLEX"),
            ("a variable of the wrong type", code.into(), json!({"c": {"a": [1]}}), "INVALID_VARIABLE"),
            ("a number that is too large", first.into(), json!({"n": 1e300}), "INVALID_VARIABLE"),
            ("a negative page", first.into(), json!({"n": -1}), "INVALID_ARGUMENT"),
            ("a day that there is not", day.into(), json!({"d": "99999-99-99"}), "INVALID_VARIABLE"),
        ]
        .map(|(what, document, variables, code)| hostile(what, self.variables(&document, &variables), 200, code))
        .into()
    }

    fn batches(&self) -> Vec<Hostile> {
        let batch = |times: usize, document: &str| {
            self.graphql(json!(vec![json!({ "query": document }); times]).to_string().as_bytes())
        };
        let bomb = format!("{{...f21}}{}", tower(22, 2, "Query", "__typename"));
        vec![
            hostile("an empty batch", batch(0, ""), 400, "BATCH_TOO_LARGE"),
            hostile("a batch of 101", batch(101, "{__typename}"), 400, "BATCH_TOO_LARGE"),
            hostile("a batch of 20,000", batch(20_000, "{__typename}"), 400, "BATCH_TOO_LARGE"),
            hostile("a batch of bombs", batch(100, &bomb), 200, "DOCUMENT_TOO_COMPLEX"),
            hostile("a batch in a batch", self.graphql(b"[[{\"query\":\"{a}\"}]]"), 400, "BAD_REQUEST"),
        ]
    }

    fn bodies(&self) -> Vec<Hostile> {
        let mut all: Vec<Hostile> = [
            ("no body", &b""[..], 400, "BAD_REQUEST"),
            ("no JSON", b"NONSENSE", 400, "BAD_REQUEST"),
            ("half a body", b"{\"query\":", 400, "BAD_REQUEST"),
            ("bytes that are no UTF-8", b"{\"query\":\"{\xff}\"}", 400, "BAD_REQUEST"),
            ("an overlong encoding", b"{\"query\":\"{\xc0\x80}\"}", 400, "BAD_REQUEST"),
            ("an encoded surrogate", b"{\"query\":\"{\xed\xa0\x80}\"}", 400, "BAD_REQUEST"),
            ("half a surrogate pair", br#"{"query":"{__typename}","variables":{"a":"\ud800"}}"#, 400, "BAD_REQUEST"),
            ("the halves of a pair in the wrong order", br#"{"query":"\udc00\ud800"}"#, 400, "BAD_REQUEST"),
            ("a byte order mark", b"\xef\xbb\xbf{\"query\":\"{__typename}\"}", 400, "BAD_REQUEST"),
            ("UTF-16", b"\xff\xfe{\0\"\0", 400, "BAD_REQUEST"),
            ("U+0000 between tokens", b"{\0\"query\":\"{__typename}\"}", 400, "BAD_REQUEST"),
            ("a number beyond all", br#"{"query":"{__typename}","variables":{"a":1e999}}"#, 400, "BAD_REQUEST"),
            (
                "names that come twice",
                br#"{"query":"{x}","query":"{__typename}","variables":7,"variables":{"a":1,"a":2}}"#,
                200,
                "none",
            ),
            ("a document that is a list", br#"{"query":["{__typename}"]}"#, 400, "BAD_REQUEST"),
            ("variables that are a list", br#"{"query":"{__typename}","variables":[]}"#, 400, "BAD_REQUEST"),
            ("a name that is a number", br#"{"query":"{__typename}","operationName":1}"#, 400, "BAD_REQUEST"),
            ("null", b"null", 400, "BAD_REQUEST"),
            ("true", b"true", 400, "BAD_REQUEST"),
        ]
        .map(|(what, body, status, code)| hostile(what, self.graphql(body), status, code))
        .into();
        let digits = format!("{{\"query\":\"{{__typename}}\",\"variables\":{{\"a\":{}}}}}", "9".repeat(900_000));
        all.push(hostile("a number of 900,000 digits", self.graphql(digits.as_bytes()), 400, "BAD_REQUEST"));
        all.push(hostile("deep JSON", self.graphql("[".repeat(1_000_000).as_bytes()), 400, "BAD_REQUEST"));
        all.push(hostile("a mebibyte of spaces", self.graphql(&vec![b' '; 1024 * 1024]), 400, "BAD_REQUEST"));
        all.push(hostile("more than a mebibyte", self.graphql(&vec![b' '; 1024 * 1024 + 1]), 413, "PAYLOAD_TOO_LARGE"));
        all
    }

    fn heads(&self) -> Vec<Hostile> {
        let query = b"{\"query\":\"{__typename}\"}";
        let typed = |content_type: &str| self.post("/graphql", &format!("content-type: {content_type}\r\n"), query);
        let with = |line: &[u8]| {
            let text = String::from_utf8(self.graphql(query)).expect("text");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head");
            [head.as_bytes(), b"\r\n", line, b"\r\n\r\n", body.as_bytes()].concat()
        };
        let mut all = vec![
            hostile("no content type", self.post("/graphql", "", query), 415, "UNSUPPORTED_MEDIA_TYPE"),
            hostile("an Idempotency-Key that is no text", with(b"idempotency-key: \xff\xfe"), 400, "INVALID_ARGUMENT"),
            hostile("an empty Idempotency-Key", with(b"idempotency-key: "), 400, "INVALID_ARGUMENT"),
            hostile("U+0000 in a header", with(b"idempotency-key: a\0b"), 400, "none"),
            hostile("a header without a name", with(b": x"), 400, "none"),
            hostile("a header of 200,000 bytes", with(format!("x: {}", "y".repeat(200_000)).as_bytes()), 431, "none"),
            hostile("a length that is none", with(b"content-length: x"), 400, "none"),
            hostile("two lengths", with(b"content-length: 5"), 400, "none"),
            hostile("no HTTP", b"\0\x01\x02\x03\r\n\r\n".to_vec(), 400, "none"),
        ];
        let chunked = |lines: &str, chunks: &[u8]| {
            let head = format!(
                "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
                 content-type: application/json\r\ntransfer-encoding: chunked\r\n{lines}\r\n",
                self.0
            );
            [head.as_bytes(), chunks].concat()
        };
        let endless = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat().repeat(17);
        all.extend([
            hostile(
                "a flood of headers",
                with(many(1_000, |n| format!("x{n}: y\r\n")).trim_end().as_bytes()),
                431,
                "none",
            ),
            hostile("a chunk of no length", chunked("", b"zz\r\n"), 400, "BAD_REQUEST"),
            hostile("a chunk beyond all", chunked("", b"fffffffffffffffff\r\n"), 400, "BAD_REQUEST"),
            hostile("chunks of more than a mebibyte", chunked("", &endless), 413, "PAYLOAD_TOO_LARGE"),
            hostile("chunks and a length", chunked("content-length: 5\r\n", b"0\r\n\r\n"), 400, "BAD_REQUEST"),
            hostile("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 0, "none"),
            hostile("HTTP/9.9", b"GET / HTTP/9.9\r\n\r\n".to_vec(), 400, "none"),
            hostile(
                "a path of 200,000 bytes",
                format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(200_000)).into_bytes(),
                431,
                "none",
            ),
            hostile(
                "a method of 20,000 bytes",
                format!("{} / HTTP/1.1\r\nconnection: close\r\n\r\n", "X".repeat(20_000)).into_bytes(),
                405,
                "METHOD_NOT_ALLOWED",
            ),
        ]);
        for content_type in [
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "\"",
            "application/graphql",
        ] {
            all.push(hostile(content_type, typed(content_type), 415, "UNSUPPORTED_MEDIA_TYPE"));
        }
        for credentials in [&b"Bearer \xff\xfe"[..], b"Bearer", b"Basic eDp5", b"Bearer  "] {
            let head =
                [b"POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: ", credentials].concat();
            let bytes = [&head[..], b"\r\ncontent-length: 0\r\n\r\n"].concat();
            all.push(hostile(&String::from_utf8_lossy(credentials), bytes, 401, "UNAUTHORIZED"));
        }
        all
    }

    fn rest(&self) -> Vec<Hostile> {
        let doe = r#"{"pmsGuestId":"A","lastName":"Doe","roomNumber":"1","checkInDate":"2999-12-30","checkOutDate":"2999-12-31"}"#;
        let mut all = vec![];
        for field in ["pmsGuestId", "lastName", "roomNumber", "checkOutDate", "checkInDate", "email"] {
            for (what, value) in [
                ("U+0000 in", json!("a\0b")),
                ("a number for", json!(1e300)),
                ("a list for", json!([[]])),
                ("900,000 characters for", json!("x".repeat(900_000))),
            ] {
                let mut body: Value = serde_json::from_str(doe).expect("JSON");
                body[field] = value;
                let request = self.check_in(body.to_string().as_bytes());
                all.push(hostile(&format!("{what} {field}"), request, 400, "INVALID_ARGUMENT"));
            }
        }
        let guests = |guests: Value| {
            let lines = "content-type: application/json\r\nidempotency-key: k\r\n";
            self.post("/api/pms/v1/grand-hotel/guests/sync", lines, json!({ "guests": guests }).to_string().as_bytes())
        };
        all.push(hostile("a flood of guests", guests(json!(vec![json!({}); 100_000])), 400, "INVALID_ARGUMENT"));
        all.push(hostile("half a surrogate pair", self.check_in(br#"{"pmsGuestId":"\ud800"}"#), 400, "BAD_REQUEST"));
        all.push(hostile("no UTF-8", self.check_in(b"{\"pmsGuestId\":\"\xff\"}"), 400, "BAD_REQUEST"));
        all.push(hostile("deep JSON", self.check_in("[".repeat(1_000_000).as_bytes()), 400, "BAD_REQUEST"));
        all.push(hostile("a list", self.check_in(b"[]"), 400, "INVALID_ARGUMENT"));
        all.push(hostile(
            "more than a mebibyte",
            self.check_in(&vec![b' '; 1024 * 1024 + 1]),
            413,
            "PAYLOAD_TOO_LARGE",
        ));
        for slug in ["%00", "%ff", "%F0%9F%94%91", "..", "grand-hotel%00", &"x".repeat(8_000)] {
            let path = format!("/api/pms/v1/{slug}/guests/checkin");
            let request = self.post(&path, "content-type: application/json\r\nidempotency-key: k\r\n", doe.as_bytes());
            all.push(hostile(&format!("the hotel {slug:.20}"), request, 401, "UNAUTHORIZED"));
        }
        for (query, code) in [
            ("after=%00", "INVALID_ARGUMENT"),
            ("after=%ff%fe", "INVALID_ARGUMENT"),
            ("limit=%00", "INVALID_ARGUMENT"),
            ("limit=99999999999999999999", "INVALID_ARGUMENT"),
            ("limit=-1", "INVALID_ARGUMENT"),
            ("%00=%00&&&=&", "none"),
        ] {
            let bytes = format!(
                "GET /api/pms/v1/grand-hotel/guests?{query} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {}\r\n\r\n",
                self.0
            );
            all.push(hostile(query, bytes.into_bytes(), if code == "none" { 200 } else { 400 }, code));
        }
        all
    }
}

fn hostile(what: &str, bytes: Vec<u8>, status: u16, code: &'static str) -> Hostile {
    Hostile { what: what.to_owned(), bytes, status, code }
}
