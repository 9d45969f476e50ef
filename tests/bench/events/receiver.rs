//! A receiver of webhooks on a thread of its own, so that its CPU time can be told from the sender's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::ground::cpu;

/// Answers everything with 200 and counts it.
pub struct Receiver {
    pub url: String,
    received: Arc<AtomicUsize>,
    /// Of its thread.
    stat: String,
}

impl Receiver {
    pub async fn start() -> Self {
        let received = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&received);
        let (started, starting) = oneshot::channel();
        // It ends with the program.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let thread = fs::read_link("/proc/thread-self").map(|path| path.display().to_string());
                let url = format!("http://{}/", listener.local_addr().expect("an address"));
                started.send((url, thread.unwrap_or_default())).expect("somebody waits");
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(answer(stream, Arc::clone(&counter)));
                }
            });
        });
        let (url, thread) = starting.await.expect("it starts");
        Self { url, received, stat: format!("/proc/{thread}/stat") }
    }

    /// How many webhooks have arrived.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }

    /// CPU seconds that it has used.
    pub fn cpu(&self) -> f64 {
        cpu(&self.stat)
    }
}

async fn answer(mut stream: TcpStream, received: Arc<AtomicUsize>) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(4096);
    loop {
        bytes.clear();
        // The sender ends a webhook's body with two braces and nothing behind them.
        while !bytes.ends_with(b"}}") {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        }
        received.fetch_add(1, Ordering::Relaxed);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
}
