//! Sources without a file: patterns, noise and zeros, for trying out jobs and for places where there is no data.
//!
//! **Reads** `pattern://DTYPE`, `noise://DTYPE` and `zeros://DTYPE`. **Data types**: all, such as `pattern://uint16`.
//! **Regions**: each voxel is made from its position, in any box; there are no blocks. The volume has the axes `zyx` and no
//! end but that of the numbers; it begins at 0.

use std::sync::Arc;

use super::decoded::{check_read, check_selection};
use super::error::Unsupported;
use super::number::{Voxel, with_voxel};
use super::{Cast, RegionReader, Selection, SourceError, SourceInfo};
use crate::volume::{Block, Dtype, Region, Size};

/// What a generated volume holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// x + 7 · y + 101 · z, in the low bits of the voxel type.
    Pattern,
    /// A hash of the position: 1 to 253 for `uint8`, as the Python client's; 0 to below 1 for floats; else any value.
    Noise,
    Zeros,
}

/// A volume that is made from its voxels' positions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Generated {
    path: String,
    kind: Kind,
    dtype: Dtype,
    size: Size,
}

impl Generated {
    /// No volume of the Boss is larger.
    pub const SIZE: Size = Size::new(1 << 40, 1 << 40, 1 << 40);

    /// The volume that a path means; `None` for the paths of files.
    ///
    /// # Errors
    /// [`SourceError::NotSupported`] for what is no voxel type.
    pub fn find(path: &str) -> Result<Option<Self>, SourceError> {
        let Some((scheme, dtype)) = path.split_once("://") else { return Ok(None) };
        let kind = match scheme {
            "pattern" => Kind::Pattern,
            "noise" => Kind::Noise,
            "zeros" => Kind::Zeros,
            _ => return Ok(None),
        };
        let dtype = dtype.parse().map_err(|_| {
            let what = Unsupported::VoxelType(dtype.to_owned());
            SourceError::NotSupported { path: path.to_owned(), what }
        })?;
        Ok(Some(Generated { path: path.to_owned(), kind, dtype, size: Generated::SIZE }))
    }

    pub fn source_info(&self) -> SourceInfo {
        SourceInfo {
            path: self.path.clone(),
            format: match self.kind {
                Kind::Pattern => "pattern",
                Kind::Noise => "noise",
                Kind::Zeros => "zeros",
            },
            axes: "zyx".to_owned(),
            origin: (0, 0, 0),
            size: self.size,
            dtype: self.dtype,
            block: Size::new(1, 1, 1),
            decoded_channels: 1,
            channels: 1,
            pages: 1,
            file_bytes: 0,
            is_plain: false,
            others: Default::default(),
            is_paged: false,
            stack_axis: None,
            note: None,
        }
    }

    fn fill<To: Voxel>(&self, region: &Region, target: &mut Block, (x, y, z): (i64, i64, i64)) {
        let (width, height) = (target.size().x as usize, target.size().y as usize);
        for (layer, from_z) in (region.z.start..region.z.stop).enumerate() {
            for (row, from_y) in (region.y.start..region.y.stop).enumerate() {
                let first = ((z as usize + layer) * height + y as usize + row) * width + x as usize;
                let row = &mut target.as_bytes_mut()[first * To::BYTES..][..region.x.len() as usize * To::BYTES];
                let seed = mixed(from_z as u64 ^ mixed(from_y as u64));
                for (voxel, from_x) in row.chunks_exact_mut(To::BYTES).zip(region.x.start..) {
                    self.voxel::<To>(from_x, from_y, from_z, seed).store(voxel);
                }
            }
        }
    }

    /// One voxel; `seed` is a hash of y and z.
    fn voxel<To: Voxel>(&self, x: i64, y: i64, z: i64, seed: u64) -> To {
        let value = match self.kind {
            Kind::Zeros => 0,
            Kind::Pattern => x + 7 * y + 101 * z,
            Kind::Noise => {
                let noise = mixed(seed ^ x as u64);
                match self.dtype {
                    Dtype::Uint8 => (noise % 253 + 1) as i64,
                    dtype if dtype.is_float() => {
                        let unit = (noise >> 40) as f64 / (1 << 24) as f64;
                        return To::from_real(unit, Cast::Saturate).expect("every number saturates");
                    }
                    _ => noise as i64,
                }
            }
        };
        To::from_integer(value.into(), Cast::Wrap).expect("every integer wraps")
    }
}

impl RegionReader for Generated {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        let info = self.source_info();
        check_selection(&info, selection)?;
        Ok(Arc::new(info))
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let info = self.info(selection)?;
        check_read(&info, region, target, at)?;
        with_voxel!(self.dtype, To => self.fill::<To>(region, target, at));
        Ok(())
    }

    fn held_bytes(&self) -> u64 {
        0
    }
}

/// A hash in which each bit depends on all bits (the finalizer of SplitMix64, Steele et al. 2014).
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::super::conformance::voxels_are_right;
    use super::*;
    use crate::volume::Span;

    /// A volume small enough to be read whole.
    fn small(path: &str) -> Generated {
        Generated { size: Size::new(23, 11, 5), ..Generated::find(path).unwrap().unwrap() }
    }

    #[test]
    fn patterns_are_made_from_positions() {
        for dtype in Dtype::ALL {
            let pattern = small(&format!("pattern://{dtype}"));
            voxels_are_right(&pattern, &Selection::default(), |x, y, z| x + 7 * y + 101 * z);
            voxels_are_right(&small(&format!("zeros://{dtype}")), &Selection::default(), |_, _, _| 0);
        }
    }

    #[test]
    fn noise_is_the_same_at_the_same_place() {
        let wanted = |x, y, z| {
            let value = mixed(mixed(z as u64 ^ mixed(y as u64)) ^ x as u64);
            move |bits: u32| (value & (u64::MAX >> (64 - bits))) as i64
        };
        for (dtype, bits) in [(Dtype::Uint16, 16), (Dtype::Int32, 32), (Dtype::Uint64, 64)] {
            let noise = small(&format!("noise://{dtype}"));
            voxels_are_right(&noise, &Selection::default(), |x, y, z| wanted(x, y, z)(bits));
        }
    }

    #[test]
    fn noise_of_8_bits_is_1_to_253() {
        let noise = small("noise://uint8");
        let whole = Region::of_size(noise.size);
        let block = noise.read(&Selection::default(), &whole).unwrap();
        assert!(block.as_bytes().iter().all(|value| (1..=253).contains(value)));
        let mut values = block.as_bytes().to_vec();
        values.sort_unstable();
        values.dedup();
        assert!(values.len() > 240, "{} values", values.len());
    }

    #[test]
    fn volumes_have_no_end() {
        let pattern = Generated::find("pattern://uint64").unwrap().unwrap();
        let far = Region::new(Span::one(1 << 39), Span::one(3), Span::one(1_000_000));
        let block = pattern.read(&Selection::default(), &far).unwrap();
        assert_eq!(block.as_bytes(), ((1u64 << 39) + 21 + 101_000_000).to_le_bytes());
        assert!(pattern.read(&Selection::default(), &far.shift(0, -4, 0)).is_err());
    }

    #[test]
    fn what_is_no_voxel_type_is_refused() {
        assert_eq!(Generated::find("sections/s0.png").unwrap(), None);
        assert_eq!(Generated::find("s3://bucket/key").unwrap(), None);
        let error = Generated::find("noise://uint12").unwrap_err();
        assert_eq!(error.to_string(), "`noise://uint12` names no voxel type, `uint12`");
        assert_eq!(error.hint().unwrap(), "voxel types are `uint8`, `uint16`, `uint64` and so on");
    }
}
