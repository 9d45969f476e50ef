//! What the application logs while a test runs.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Once;

use serde_json::Value;

type Lines = Rc<RefCell<Vec<u8>>>;

thread_local! {
    static CAPTURING: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

/// Catches the log of this thread, on which a test's runtime runs everything.
pub struct LogLines(Lines);

impl LogLines {
    pub fn capture() -> Self {
        // One subscriber for all tests: those that come and go with a test miss lines of other threads' call sites.
        static ONCE: Once = Once::new();
        ONCE.call_once(|| tracing_subscriber::fmt().json().flatten_event(true).with_writer(|| Sink).init());
        let lines = Lines::default();
        CAPTURING.set(Some(Rc::clone(&lines)));
        Self(lines)
    }

    /// Everything, as it was written.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).expect("text")
    }

    /// The lines of requests.
    pub fn requests(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.filter(|line: &Value| line["message"] == "request").collect()
    }
}

impl Drop for LogLines {
    fn drop(&mut self) {
        CAPTURING.set(None);
    }
}

/// Keeps what the thread of a capturing test writes and lets the rest go.
struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CAPTURING.with_borrow(|lines| lines.iter().for_each(|lines| lines.borrow_mut().extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
