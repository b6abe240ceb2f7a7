//! Images with several values per voxel, of which one is taken, or their grey made.
//!
//! Values are taken as they are stored: no gamma, no colour profile, no blending with alpha. Grey is weighted as Pillow's mode
//! `L` does it, which is ITU-R BT.601 in 16-bit fixed point: `(19595 · red + 38470 · green + 7471 · blue + 32768) / 65536`,
//! rounded down. All integer types use the same numbers, in arithmetic wide enough that nothing wraps, so half values round
//! up; floats use `weight / 65536` in float64, and round once to their own type.
//!
//! Source: `src/libImaging/Convert.c` of Pillow, macro `L24`, <https://github.com/python-pillow/Pillow>.

use super::{CodecError, Feature};
use crate::volume::Dtype;

/// What the values of one voxel are, in their stored order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    Grey,
    GreyAlpha,
    /// So many, the first three of them red, green and blue; often the fourth is alpha.
    Rgb(u16),
    /// So many of which only the microscope knows what they are.
    Several(u16),
}

/// Which value is wanted of each voxel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// This channel, counted from 0.
    Channel(u64),
    /// `(19595 · red + 38470 · green + 7471 · blue + 32768) / 65536`, rounded down for integers, as Pillow's mode `L`; floats
    /// are not rounded. Alpha is left out; beside a grey it leaves the grey.
    Gray,
}

/// How one value per voxel comes out of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mix {
    /// The sample with this number.
    One(usize),
    /// The first three samples, weighted.
    Luma,
}

impl Channels {
    /// Values per voxel.
    pub fn count(self) -> u16 {
        match self {
            Channels::Grey => 1,
            Channels::GreyAlpha => 2,
            Channels::Rgb(count) | Channels::Several(count) => count,
        }
    }

    /// Whether [`Pick::Gray`] means something.
    pub fn has_gray(self) -> bool {
        !matches!(self, Channels::Several(_))
    }

    /// What to do with the samples; `None` for a grey image, which stays as it is.
    ///
    /// # Errors
    /// [`CodecError::NotSupported`] where nothing was picked of several channels, or what is not there.
    pub(super) fn mix(self, format: &'static str, pick: Option<Pick>) -> Result<Option<Mix>, CodecError> {
        let refused = |feature| Err(CodecError::unsupported(format, feature));
        let count = self.count();
        match (pick, self) {
            (Some(Pick::Channel(channel)), _) if channel >= u64::from(count) => {
                refused(Feature::NoChannel { channel, channels: count })
            }
            (_, Channels::Grey) => Ok(None),
            (None, _) => refused(Feature::Channels(count)),
            (Some(Pick::Channel(channel)), _) => Ok(Some(Mix::One(channel as usize))),
            (Some(Pick::Gray), Channels::GreyAlpha) => Ok(Some(Mix::One(0))),
            (Some(Pick::Gray), Channels::Rgb(_)) => Ok(Some(Mix::Luma)),
            (Some(Pick::Gray), Channels::Several(_)) => refused(Feature::NoGray(count)),
        }
    }
}

impl Mix {
    /// Makes little-endian samples, `channels` side by side for each voxel, into one value for each voxel.
    pub fn apply(self, dtype: Dtype, channels: u16, samples: &mut Vec<u8>) {
        let bytes = self.apply_to(dtype, channels, samples);
        samples.truncate(bytes);
        samples.shrink_to_fit();
    }

    /// The same at the front of a slice; gives the number of bytes there.
    pub fn apply_to(self, dtype: Dtype, channels: u16, samples: &mut [u8]) -> usize {
        let (item, channels) = (dtype.size_bytes(), usize::from(channels));
        let count = samples.len() / (item * channels);
        match self {
            Mix::One(channel) => keep_one(samples, item, count, item * channels, item * channel),
            Mix::Luma => weigh(dtype, samples, count, item * channels, item),
        }
        count * item
    }
}

/// Makes three planes, red, green and blue one behind the other, into one.
pub(super) fn weigh_planes(dtype: Dtype, planes: &mut Vec<u8>) {
    let (item, plane) = (dtype.size_bytes(), planes.len() / 3);
    weigh(dtype, planes, plane / item, item, plane);
    planes.truncate(plane);
}

/// Moves the `item` bytes at `first` of every `stride` bytes to the front, `count` times.
fn keep_one(samples: &mut [u8], item: usize, count: usize, stride: usize, first: usize) {
    fn moved<const N: usize>(samples: &mut [u8], count: usize, stride: usize, first: usize) {
        for n in 0..count {
            let sample: [u8; N] = sample(samples, n * stride + first);
            samples[n * N..][..N].copy_from_slice(&sample);
        }
    }
    match item {
        1 => moved::<1>(samples, count, stride, first),
        2 => moved::<2>(samples, count, stride, first),
        4 => moved::<4>(samples, count, stride, first),
        8 => moved::<8>(samples, count, stride, first),
        _ => unreachable!("voxels have 1, 2, 4 or 8 bytes"),
    }
}

/// Weighs the three samples that lie `gap` bytes apart from every `stride` bytes on, and writes the results to the front.
fn weigh(dtype: Dtype, samples: &mut [u8], count: usize, stride: usize, gap: usize) {
    macro_rules! integers {
        ($type:ty, $wide:ty) => {
            weigh_with(samples, count, stride, gap, |rgb| {
                let [red, green, blue] = rgb.map(|bytes| <$wide>::from(<$type>::from_le_bytes(bytes)));
                (((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16) as $type).to_le_bytes()
            })
        };
    }
    macro_rules! floats {
        ($type:ty) => {
            weigh_with(samples, count, stride, gap, |rgb| {
                let [red, green, blue] = rgb.map(|bytes| f64::from(<$type>::from_le_bytes(bytes)));
                let sum = red * (19595.0 / 65536.0) + green * (38470.0 / 65536.0) + blue * (7471.0 / 65536.0);
                (sum as $type).to_le_bytes()
            })
        };
    }
    match dtype {
        Dtype::Uint8 => integers!(u8, u32),
        Dtype::Int8 => integers!(i8, i32),
        Dtype::Uint16 => integers!(u16, u64),
        Dtype::Int16 => integers!(i16, i64),
        Dtype::Uint32 => integers!(u32, u64),
        Dtype::Int32 => integers!(i32, i64),
        Dtype::Uint64 => integers!(u64, u128),
        Dtype::Int64 => integers!(i64, i128),
        Dtype::Float32 => floats!(f32),
        Dtype::Float64 => floats!(f64),
    }
}

fn weigh_with<const N: usize>(
    samples: &mut [u8],
    count: usize,
    stride: usize,
    gap: usize,
    gray: impl Fn([[u8; N]; 3]) -> [u8; N],
) {
    for n in 0..count {
        let value = gray([0, gap, 2 * gap].map(|offset| sample(samples, n * stride + offset)));
        samples[n * N..][..N].copy_from_slice(&value);
    }
}

fn sample<const N: usize>(samples: &[u8], at: usize) -> [u8; N] {
    *samples[at..].first_chunk().expect("counted from the length of the samples")
}

/// Makes full-range YCbCr, as JPEG has it, RGB, with libjpeg's numbers (JFIF 1.02, and `jdcolor.c` of libjpeg).
pub(super) fn ycbcr_to_rgb(samples: &mut [u8]) {
    // The fixed-point constants of `build_ycc_rgb_table`: 1.402, 1.772, 0.71414 and 0.34414 times 65536.
    const HALF: i32 = 1 << 15;
    for voxel in samples.as_chunks_mut::<3>().0 {
        let [luma, blue, red] = voxel.map(i32::from);
        let (blue, red) = (blue - 128, red - 128);
        let green = (HALF - 22554 * blue - 46802 * red) >> 16;
        let rgb = [luma + ((91881 * red + HALF) >> 16), luma + green, luma + ((116130 * blue + HALF) >> 16)];
        *voxel = rgb.map(|value| value.clamp(0, 255) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One voxel of red, green, blue and alpha, in the low bytes of `values`.
    fn gray(dtype: Dtype, values: [i128; 4]) -> Vec<u8> {
        let bytes = values.map(|value| value.to_le_bytes()[..dtype.size_bytes()].to_vec());
        let mut samples = bytes.concat();
        Mix::Luma.apply(dtype, 4, &mut samples);
        samples
    }

    #[test]
    fn the_grey_of_equal_colours_is_their_value_in_every_integer_type() {
        for dtype in Dtype::ALL.into_iter().filter(|dtype| !dtype.is_float()) {
            let bits = 8 * dtype.size_bytes() as u32;
            for value in [0, 1, (1 << (bits - 1)) - 1, 1 << (bits - 1), (1 << bits) - 1] {
                let expected = &i128::to_le_bytes(value)[..dtype.size_bytes()];
                assert_eq!(gray(dtype, [value, value, value, 77]), expected, "{value} of {dtype}");
            }
        }
    }

    #[test]
    fn grey_is_weighted_and_rounded_as_pillow_does() {
        // `Image.new("RGB", (1, 1), colour).convert("L")`
        let cases = [([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29), ([1, 1, 0], 1), ([10, 200, 90], 131)];
        for ([red, green, blue], expected) in cases {
            assert_eq!(gray(Dtype::Uint8, [red, green, blue, 9]), [expected]);
        }
        assert_eq!(gray(Dtype::Int16, [-1000, 0, 0, 0]), (-299i16).to_le_bytes());
    }

    #[test]
    fn floats_are_weighted_without_rounding_to_whole_numbers() {
        let mut samples = [0.5f32, -2.0, 4.0].map(f32::to_le_bytes).concat();
        Mix::Luma.apply(Dtype::Float32, 3, &mut samples);
        assert_eq!(samples, ((0.5 * 19595.0 - 2.0 * 38470.0 + 4.0 * 7471.0) / 65536.0f64 as f32).to_le_bytes());
        let mut large = [f64::MAX; 3].map(f64::to_le_bytes).concat();
        Mix::Luma.apply(Dtype::Float64, 3, &mut large);
        assert!(f64::from_le_bytes(large.try_into().unwrap()).is_finite());
    }

    #[test]
    fn one_channel_is_taken_as_it_is() {
        for channel in 0..3 {
            let mut samples: Vec<u8> = (0..24).collect();
            Mix::One(channel).apply(Dtype::Uint16, 3, &mut samples);
            let expected: Vec<u8> =
                (0..4).flat_map(|n| [6 * n + 2 * channel as u8, 6 * n + 2 * channel as u8 + 1]).collect();
            assert_eq!(samples, expected);
        }
    }

    #[test]
    fn planes_give_the_same_grey_as_voxels() {
        let mut voxels: Vec<u8> = (0..60).map(|n| n * 4 % 251).collect();
        let mut planes: Vec<u8> = (0..3)
            .flat_map(|channel| voxels.chunks(6).flat_map(move |rgb| [rgb[2 * channel], rgb[2 * channel + 1]]))
            .collect();
        Mix::Luma.apply(Dtype::Uint16, 3, &mut voxels);
        weigh_planes(Dtype::Uint16, &mut planes);
        assert_eq!(planes, voxels);
    }

    #[test]
    fn what_is_not_there_cannot_be_picked() {
        let cases = [
            (Channels::Rgb(3), None, "3 channels"),
            (Channels::Rgb(3), Some(Pick::Channel(3)), "no channel 3, but 0 to 2"),
            (Channels::Grey, Some(Pick::Channel(1)), "no channel 1, but 0 to 0"),
            (Channels::Several(2), Some(Pick::Gray), "2 channels of unknown colours"),
        ];
        for (channels, pick, expected) in cases {
            let error = channels.mix("tiff", pick).unwrap_err();
            assert_eq!(error.to_string(), format!("tiff data with {expected} is not supported"));
        }
        assert_eq!(Channels::Grey.mix("png", Some(Pick::Gray)).unwrap(), None);
        assert_eq!(Channels::GreyAlpha.mix("png", Some(Pick::Gray)).unwrap(), Some(Mix::One(0)));
    }
}
