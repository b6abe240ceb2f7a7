//! The numbers in a cutout's URL, and the checks that the Boss makes on them.

use super::error::{Code, RestError};
use crate::server::channel::Channel;
use crate::volume::{Region, Span};

/// The largest cutout in bytes of voxels (520 MiB); a `uint64` channel gives four times as much (boss `bossspatialdb`).
const MAX_CUTOUT_BYTES: u64 = 545_259_520;

/// What a cutout's URL asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct CutoutRequest {
    pub resolution: u64,
    pub region: Region,
    /// `None` when the URL has no time range: the reply then has no time axis.
    pub times: Option<Span>,
}

impl CutoutRequest {
    /// Reads `RES/X0:X1/Y0:Y1/Z0:Z1[/T0:T1]`; `None` when it is no such path.
    pub fn read(path: &[&str]) -> Option<Self> {
        let (resolution, x, y, z, t) = match path {
            [resolution, x, y, z] => (resolution, x, y, z, None),
            [resolution, x, y, z, t] => (resolution, x, y, z, Some(span(t)?)),
            _ => return None,
        };
        if resolution.len() != 1 {
            return None;
        }
        let region = Region::new(span(x)?, span(y)?, span(z)?);
        Some(CutoutRequest { resolution: resolution.parse().ok()?, region, times: t })
    }

    /// Checks the request against the channel, in the Boss's order. Gives the time samples to read and their bytes.
    pub fn check(&self, channel: &Channel) -> Result<(Span, u64), RestError> {
        let times = self.check_times(channel)?;
        let levels = channel.base_resolution..channel.base_resolution + channel.num_hierarchy_levels;
        if !levels.contains(&self.resolution) {
            let message = format!("Invalid resolution {}", self.resolution);
            return Err(RestError::boss(Code::TypeError, message));
        }
        self.check_region(channel)?;
        let bytes = self.region.size().voxels().saturating_mul(times.len());
        let bytes = bytes.saturating_mul(channel.dtype.size_bytes() as u64);
        let counted = if channel.dtype.size_bytes() == 8 { bytes / 4 } else { bytes };
        if counted > MAX_CUTOUT_BYTES || bytes > crate::codec::BLOSC_MAX_BYTES {
            return Err(RestError::boss(Code::RequestTooLarge, "Cutout request is too large: more than 520 MiB"));
        }
        Ok((times, bytes))
    }

    /// Off by one at the far end, as in the Boss.
    fn check_times(&self, channel: &Channel) -> Result<Span, RestError> {
        let Some(times) = self.times else { return Ok(Span::one(channel.default_time_sample)) };
        let samples = channel.num_time_samples;
        if times.start > samples || times.stop > samples + 1 || times.is_empty() {
            return Err(RestError::boss(Code::InvalidUrl, format!("Invalid time range {times}")));
        }
        Ok(times)
    }

    fn check_region(&self, channel: &Channel) -> Result<(), RestError> {
        if !self.region.is_empty() && channel.frame.covers(&self.region) {
            return Ok(());
        }
        let Region { x, y, z } = self.region;
        let text = |span: Span| format!("{}:{}", span.start, span.stop);
        let at = format!("{}/{}/{}/{}", self.resolution, text(x), text(y), text(z));
        Err(RestError::boss(Code::InvalidCutoutArgs, format!("Incorrect cutout arguments {at}")))
    }
}

/// Reads `START:STOP`.
fn span(text: &str) -> Option<Span> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    let (start, stop) = text.split_once(':')?;
    Some(Span::new(number(start)?, number(stop)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ProjectIds;
    use crate::volume::Dtype;

    fn channel(dtype: Dtype) -> Channel {
        Channel {
            ids: ProjectIds::new(1, 1, 1),
            dtype,
            base_resolution: 0,
            default_time_sample: 0,
            num_hierarchy_levels: 3,
            num_time_samples: 2,
            frame: Region::new(Span::new(0, 2048), Span::new(0, 1500), Span::new(0, 9000)),
        }
    }

    #[test]
    fn requests_are_checked_in_the_order_of_the_boss() {
        let cases = [
            ("0/0:3/0:2/0:4", Dtype::Uint8, Ok((1, 24))),
            ("0/0:3/0:2/0:4/1:2", Dtype::Uint16, Ok((1, 48))),
            ("0/0:3/0:2/0:4/0:3", Dtype::Uint16, Ok((3, 144))),
            ("2/0:2048/0:1500/0:9", Dtype::Uint8, Ok((1, 27_648_000))),
            ("0/0:1024/0:1024/0:520", Dtype::Uint8, Ok((1, 545_259_520))),
            ("0/0:1024/0:1024/0:521", Dtype::Uint8, Err(413)),
            ("0/0:512/0:1024/0:511", Dtype::Uint64, Ok((1, 2_143_289_344))),
            ("0/0:3/0:2/0:4/1:1", Dtype::Uint8, Err(400)),
            ("0/0:3/0:2/0:4/0:4", Dtype::Uint8, Err(400)),
            ("3/0:3/0:2/0:4", Dtype::Uint8, Err(400)),
            ("0/0:2049/0:2/0:4", Dtype::Uint8, Err(400)),
            ("0/3:3/0:2/0:4", Dtype::Uint8, Err(400)),
        ];
        for (path, dtype, expected) in cases {
            let request = CutoutRequest::read(&path.split('/').collect::<Vec<_>>()).unwrap();
            let found = request.check(&channel(dtype)).map(|(times, bytes)| (times.len(), bytes));
            assert_eq!(found.map_err(|error| error.response().status().as_u16()), expected, "{path}");
        }
    }

    #[test]
    fn other_paths_are_no_cutouts() {
        for path in ["0/0:3/0:2", "10/0:3/0:2/0:4", "0/-1:3/0:2/0:4", "0/a:3/0:2/0:4", "0/0:3/0:2/0", "0/+1:3/0:2/0:4"]
        {
            assert_eq!(CutoutRequest::read(&path.split('/').collect::<Vec<_>>()), None, "{path}");
        }
    }
}
