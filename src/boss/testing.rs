//! Small servers on free ports that play the Boss's answers, for the tests of this layer.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Rest, RetryPolicy, SigningKeys, Token};
use crate::protocol::Credentials;

/// Retries that a test can wait for.
pub const QUICK: RetryPolicy = RetryPolicy {
    first_pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(20),
    give_up_after: Duration::from_secs(3),
};

/// A running server; ends when dropped.
pub struct Serving {
    pub origin: String,
    pub _task: Task,
}

/// A task that ends when dropped.
pub struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves `router` on a free port.
pub async fn serve(router: Router) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = axum::serve(listener, router).into_future();
    Serving { origin, _task: Task(tokio::spawn(async move { server.await.unwrap() })) }
}

/// Answers each connection's first request with raw bytes, then closes it. `answer` gets the connection's number.
pub async fn serve_raw(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let accept = async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 65_536]).await;
            let _ = stream.write_all(&answer(number)).await;
        }
    };
    Serving { origin, _task: Task(tokio::spawn(accept)) }
}

/// An address at which nobody listens.
pub async fn closed_origin() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A Boss that gives these answers in turn, the last one for ever, and notes what it was asked.
pub struct Played {
    pub rest: Rest,
    pub asked: Arc<Mutex<Vec<String>>>,
    _server: Serving,
}

pub async fn play(answers: &[(u16, &str)]) -> Played {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let answers: Vec<(u16, String)> = answers.iter().map(|(status, body)| (*status, body.to_string())).collect();
    let noted = asked.clone();
    let answer = async move |method: Method, uri: Uri, body: String| -> Response {
        let mut noted = noted.lock().unwrap();
        noted.push(format!("{method} {uri} {body}").trim_end().to_owned());
        let (status, body) = answers[(noted.len() - 1).min(answers.len() - 1)].clone();
        (StatusCode::from_u16(status).unwrap(), body).into_response()
    };
    let server = serve(Router::new().fallback(answer)).await;
    let token = Token::new("s3cr3t", "test").unwrap();
    let rest = Rest::new(&server.origin, token).unwrap().with_policy(QUICK);
    Played { rest, asked, _server: server }
}

impl Played {
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The keys that tests sign with.
pub fn keys() -> SigningKeys {
    SigningKeys::new(&Credentials {
        access_key: "AKIA".to_owned(),
        secret_key: "s3cr3t".to_owned(),
        security_token: None,
    })
}
