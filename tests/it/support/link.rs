//! A link to a server that can be taken down: a proxy that then refuses, and drops what it carries.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A proxy on a free port; ends when dropped.
pub struct Link {
    address: String,
    is_up: Arc<watch::Sender<bool>>,
    accepting: JoinHandle<()>,
}

impl Link {
    /// A link that is up, to `127.0.0.1:4711`.
    pub async fn to(server: &str) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let is_up = Arc::new(watch::channel(true).0);
        let accepting = tokio::spawn(accept(listener, server.to_owned(), is_up.clone()));
        Link { address, is_up, accepting }
    }

    pub fn host(&self) -> &str {
        &self.address
    }

    pub fn set_up(&self, is_up: bool) {
        self.is_up.send_replace(is_up);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: String, is_up: Arc<watch::Sender<bool>>) {
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        let (mut state, server) = (is_up.subscribe(), server.clone());
        tokio::spawn(async move {
            if !*state.borrow_and_update() {
                return;
            }
            let Ok(mut server) = TcpStream::connect(server).await else { return };
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => {}
                _ = state.wait_for(|is_up| !is_up) => {}
            }
        });
    }
}
