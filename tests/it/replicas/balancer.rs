//! One address for several servers: connections in turn, nothing sticky, and a server that does not accept is left out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::{PATIENCE, Serving, eventually};

/// Runs until it is dropped.
pub(super) struct Balancer {
    pub(super) url: String,
    shared: Arc<Mutex<Shared>>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// Addresses of the servers in rotation, the next one first.
    rotation: Vec<String>,
    /// Connections by server: all that there were, and those that are open.
    connections: BTreeMap<String, (usize, usize)>,
    /// When a server was first found not to accept.
    noticed: Option<Instant>,
}

fn address(server: &Serving) -> String {
    server.url.strip_prefix("http://").expect("a URL").to_owned()
}

impl Balancer {
    pub(super) async fn over(servers: &[&Serving]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::<Mutex<Shared>>::default();
        let sharing = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                tokio::spawn(pass(client, Arc::clone(&sharing)));
            }
        });
        let balancer = Self { url, shared, accepting };
        for server in servers {
            balancer.take_in(server);
        }
        balancer
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no panic")
    }

    pub(super) fn take_in(&self, server: &Serving) {
        self.shared().rotation.push(address(server));
    }

    /// Sends nothing more to a server, and waits until nobody uses it through here.
    pub(super) async fn take_out(&self, server: &Serving) {
        let address = address(server);
        self.shared().rotation.retain(|other| *other != address);
        eventually(PATIENCE, "its connections end", async || self.shared().connections[&address].1 == 0).await;
    }

    /// Connections that a server has had through here.
    pub(super) fn connections(&self, server: &Serving) -> usize {
        self.shared().connections[&address(server)].0
    }

    /// When a server was first found not to accept.
    pub(super) fn noticed(&self) -> Option<Instant> {
        self.shared().noticed
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut client: TcpStream, shared: Arc<Mutex<Shared>>) {
    loop {
        let next = {
            let mut shared = shared.lock().expect("no panic");
            if shared.rotation.is_empty() {
                return;
            }
            shared.rotation.rotate_left(1);
            let next = shared.rotation.last().expect("one is there").clone();
            let (all, open) = shared.connections.entry(next.clone()).or_default();
            (*all, *open) = (*all + 1, *open + 1);
            next
        };
        let connected = TcpStream::connect(&next).await;
        let accepted = connected.is_ok();
        if let Ok(mut server) = connected {
            // A connection that breaks is the end of it for both.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        let mut shared = shared.lock().expect("no panic");
        shared.connections.get_mut(&next).expect("it was counted").1 -= 1;
        if accepted {
            return;
        }
        shared.noticed.get_or_insert_with(Instant::now);
        shared.rotation.retain(|other| *other != next);
    }
}
