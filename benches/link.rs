//! A slow link: hands bytes on between clients and a server, each way half of a round trip late.
//!
//! `cargo bench --bench link -- HOST:PORT MILLISECONDS` prints the address at which clients reach the server. It
//! delays what is sent and does not slow it down: as many bytes may be on their way as a long fast line holds.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Pieces that may be on their way, of so many bytes at most.
const PIECES: usize = 256;
const PIECE_BYTES: usize = 256 << 10;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let (server, millis) = match words.as_slice() {
        [server, millis] => (server.clone(), millis.parse::<u64>().expect("milliseconds are a number")),
        // `cargo bench` runs every bench; without a server there is nothing to link.
        _ => return eprintln!("link: give HOST:PORT and MILLISECONDS"),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("it is bound"));
    let half = Duration::from_millis(millis) / 2;
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        tokio::spawn(link(client, server.clone(), half));
    }
}

async fn link(client: TcpStream, server: String, half: Duration) {
    // Making a connection is a round trip of its own.
    tokio::time::sleep(half * 2).await;
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::spawn(pass(from_client, to_server, half));
    pass(from_server, to_client, half).await;
}

/// Hands on what one side says, late, until it says no more.
async fn pass(mut from: impl AsyncRead + Unpin + Send + 'static, mut to: impl AsyncWrite + Unpin, half: Duration) {
    let (pieces, mut late) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let reading = tokio::spawn(async move {
        loop {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            match from.read_buf(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {
                    if pieces.send((Instant::now() + half, piece)).await.is_err() {
                        return;
                    }
                }
            }
        }
    });
    while let Some((at, piece)) = late.recv().await {
        sleep_until(at).await;
        if to.write_all(&piece).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
    reading.abort();
}
