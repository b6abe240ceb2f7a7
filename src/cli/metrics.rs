//! `--metrics ADDR`: the counts of a run over HTTP, for Prometheus.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::error::CliError;
use crate::report::{Counting, prometheus};

/// The server; it ends when this is dropped.
pub struct Metrics(JoinHandle<()>);

impl Metrics {
    /// Serves `/metrics` at `address`, and says where.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve(address: SocketAddr, counts: Arc<Counting>) -> Result<Self, CliError> {
        let failed = |source| CliError::Metrics { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        eprintln!("metrics for Prometheus: http://{}/metrics", socket.local_addr().map_err(failed)?);
        let page = move || {
            let text = prometheus::metrics(&counts.progress());
            async move { ([(header::CONTENT_TYPE, prometheus::CONTENT_TYPE)], text) }
        };
        let server = axum::serve(socket, Router::new().route("/metrics", get(page))).into_future();
        let task = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::warn!(%error, "metrics are served no more");
            }
        });
        Ok(Metrics(task))
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.0.abort();
    }
}
