//! The cutout service: voxels of a box, put together from cuboids.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use rusqlite::Connection;

use super::Call;
use super::error::{Code, RestError};
use super::ranges::CutoutRequest;
use crate::codec::{self, BloscSettings};
use crate::server::channel::{Channel, Described, Missing};
use crate::server::error::StoreError;
use crate::server::reading;
use crate::server::site::Site;
use crate::volume::Span;

const BLOSC: &str = "application/blosc";

pub async fn handle(call: &Call<'_>, path: &[&str]) -> Result<Response, RestError> {
    let [c, e, ch, ranges @ ..] = path else { return Err(RestError::NoSuchPage) };
    let request = CutoutRequest::read(ranges).ok_or(RestError::NoSuchPage)?;
    if call.method != Method::GET {
        return Err(call.method_not_allowed());
    }
    accepts_blosc(&call.headers)?;
    let channel = find_channel(call.site, [*c, *e, *ch]).await?;
    let (times, bytes) = request.check(&channel)?;
    let frame = read(call.site.clone(), channel, request, times, bytes).await?;
    Ok(Response::builder()
        .status(StatusCode::OK)
        .header(CONTENT_TYPE, BLOSC)
        .body(Body::from(frame))
        .expect("the reply's headers are well formed"))
}

/// Blosc is the default and the one form that is written.
fn accepts_blosc(headers: &HeaderMap) -> Result<(), RestError> {
    let Some(accept) = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()) else { return Ok(()) };
    let media_type = |part: &str| part.split(';').next().unwrap_or_default().trim().to_lowercase();
    let accepted = accept.split(',').map(media_type).any(|it| [BLOSC, "application/*", "*/*", ""].contains(&&*it));
    if accepted { Ok(()) } else { Err(RestError::NotAcceptable) }
}

async fn find_channel(site: &Site, names: [&str; 3]) -> Result<Channel, RestError> {
    let names = names.map(str::to_owned);
    let find = move |connection: &Connection| {
        let [c, e, ch] = &names;
        match Described::find(connection, [c, e, ch])? {
            Ok(described) => Ok(described.channel()?),
            Err(missing) => Err(not_found(missing, &names)),
        }
    };
    site.store.read(find).await
}

fn not_found(missing: Missing, [c, e, ch]: &[String; 3]) -> RestError {
    let message = match missing {
        Missing::Collection => format!("Collection {c} not found"),
        Missing::Experiment => format!("Experiment {e} not found"),
        Missing::Channel => format!("Channel {ch} not found"),
    };
    RestError::boss(Code::ResourceNotFound, message)
}

/// The voxels as one Blosc frame, `[t, z, y, x]`.
async fn read(
    site: Arc<Site>,
    channel: Channel,
    request: CutoutRequest,
    times: Span,
    bytes: u64,
) -> Result<Vec<u8>, RestError> {
    // The voxels, their compressed form, and the cuboids that are being read.
    let shared = site.clone();
    let _memory = shared.cutout_memory.take(bytes.saturating_mul(2)).await;
    let read = move || {
        let mut voxels = Vec::new();
        for t in times.start..times.stop {
            let block = reading::region(&site.objects, &channel, request.resolution, t, &request.region)?;
            if times.len() == 1 {
                voxels = block.into_bytes();
            } else {
                voxels.extend_from_slice(block.as_bytes());
            }
        }
        codec::compress(&voxels, channel.dtype, &BloscSettings::default()).map_err(reading::ReadError::Codec)
    };
    let frame = tokio::task::spawn_blocking(read).await.map_err(|_| StoreError::Closed)?;
    frame.map_err(|error| match error {
        reading::ReadError::Store(error) => error.into(),
        error => RestError::boss(Code::BossSystemError, error.to_string()),
    })
}
