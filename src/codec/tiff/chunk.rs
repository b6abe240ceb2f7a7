//! One strip or tile of a TIFF page: from packed bytes to voxels in their place.

use half::f16;

use super::super::colour::{Pick, weigh_planes, ycbcr_to_rgb};
use super::super::samples::{expand_row, swap_bytes, unpack_row};
use super::super::{CodecError, memory};
use super::page::Compression;
use super::predictor::{undo_differences, undo_floating_point};
use super::{FORMAT, Page, jpeg, packed};
use crate::volume::{Block, Dtype, Region, Size};

/// Where the rows of a strip or tile belong.
pub struct Rows<'a> {
    /// From the first voxel of the first row on.
    bytes: &'a mut [u8],
    /// Bytes from one row to the next.
    stride: usize,
}

impl<'a> Rows<'a> {
    /// The place of `part` of a page in a block, in which the page's first voxel is at `shift`.
    pub fn of(block: &'a mut Block, part: Region, shift: (i64, i64, i64)) -> Self {
        let Size { x: width, y: height, .. } = block.size();
        let item = block.dtype().size_bytes();
        let first = ((shift.2 as u64 * height) + (part.y.start + shift.1) as u64) * width;
        let first = (first + (part.x.start + shift.0) as u64) as usize * item;
        Rows { bytes: &mut block.as_bytes_mut()[first..], stride: width as usize * item }
    }

    /// The first `count` rows of `length` bytes.
    pub fn each(&mut self, count: usize, length: usize) -> impl Iterator<Item = &mut [u8]> {
        self.bytes.chunks_mut(self.stride).take(count).map(move |row| &mut row[..length])
    }

    /// All bytes of `count` rows of `length` bytes, if they lie side by side.
    pub fn joined(&mut self, count: usize, length: usize) -> Option<&mut [u8]> {
        (self.stride == length || count == 1).then(|| &mut self.bytes[..count * length])
    }
}

impl Page {
    /// Decodes a strip or tile, of which the image has `size` voxels. `chunks` are its bytes as the file holds them, of which
    /// there are several where [`parts`](Page::parts) gives several; none where it is left out, which means 0.
    ///
    /// # Errors
    /// [`CodecError::Damaged`], [`CodecError::NotSupported`] for what cannot be picked, and [`CodecError::LimitsExceeded`] for a
    /// strip or tile that needs more than `limit_bytes`.
    pub fn decode(
        &self,
        chunks: &[Vec<u8>],
        pick: Option<Pick>,
        size: Size,
        mut rows: Rows<'_>,
        limit_bytes: u64,
    ) -> Result<(), CodecError> {
        let mix = self.header.channels.mix(FORMAT, pick)?;
        let item = self.header.dtype.size_bytes();
        let (count, length) = (size.y as usize, size.x as usize * item);
        if let [_, _, _] = chunks {
            let plane_bytes = size.voxels().saturating_mul(item as u64);
            let mut planes = memory::zeros(FORMAT, plane_bytes.saturating_mul(3), limit_bytes)?;
            for (chunk, plane) in chunks.iter().zip(planes.chunks_mut(plane_bytes as usize)) {
                self.decode_plane(chunk, size, &mut Rows { bytes: plane, stride: length }, limit_bytes)?;
            }
            weigh_planes(self.header.dtype, &mut planes);
            copy(&planes, length, &mut rows, count, length);
            return Ok(());
        }
        let chunk = chunks.first().map_or(&[][..], Vec::as_slice);
        match mix {
            Some(mix) if !self.is_planar => {
                let mut samples = self.decode_samples(chunk, size, limit_bytes)?;
                if self.is_ycbcr {
                    ycbcr_to_rgb(&mut samples);
                }
                mix.apply(self.header.dtype, self.samples(), &mut samples);
                copy(&samples, length, &mut rows, count, length);
                Ok(())
            }
            _ => self.decode_plane(chunk, size, &mut rows, limit_bytes),
        }
    }

    /// Decodes a strip or tile into a block of its own.
    ///
    /// # Errors
    /// As [`decode`](Page::decode).
    pub fn decode_apart(
        &self,
        chunks: &[Vec<u8>],
        pick: Option<Pick>,
        size: Size,
        limit_bytes: u64,
    ) -> Result<Block, CodecError> {
        let dtype = self.header.dtype;
        let bytes = size.voxels().saturating_mul(dtype.size_bytes() as u64);
        let mut voxels = memory::zeros(FORMAT, bytes, limit_bytes)?;
        let rows = Rows { bytes: &mut voxels, stride: size.x as usize * dtype.size_bytes() };
        self.decode(chunks, pick, size, rows, limit_bytes)?;
        Ok(Block::from_bytes(dtype, size, voxels).expect("made for this size"))
    }

    /// Decodes one sample for each voxel.
    fn decode_plane(&self, chunk: &[u8], size: Size, rows: &mut Rows<'_>, limit_bytes: u64) -> Result<(), CodecError> {
        let (count, length) = (size.y as usize, size.x as usize * self.header.dtype.size_bytes());
        let stored_row = self.stored_row();
        if stored_row == length as u64
            && self.is_stored_as_voxels()
            && let Some(target) = rows.joined(count, length)
        {
            return self.fill(chunk, target, limit_bytes);
        }
        let stored_bytes = stored_row.saturating_mul(size.y);
        let mut stored = memory::zeros(FORMAT, stored_bytes, limit_bytes)?;
        self.fill(chunk, &mut stored, limit_bytes)?;
        for (row, stored) in rows.each(count, length).zip(stored.chunks_exact(stored_row as usize)) {
            self.put_row(stored, row);
        }
        Ok(())
    }

    /// Decodes all samples of each voxel, side by side.
    fn decode_samples(&self, chunk: &[u8], size: Size, limit_bytes: u64) -> Result<Vec<u8>, CodecError> {
        let samples = u64::from(self.samples());
        let row = size.x.saturating_mul(samples).saturating_mul(self.header.dtype.size_bytes() as u64);
        let mut all = memory::zeros(FORMAT, row.saturating_mul(size.y), limit_bytes)?;
        let wide = Size { x: size.x * samples, ..size };
        let mut rows = Rows { bytes: &mut all, stride: row as usize };
        self.decode_plane(chunk, wide, &mut rows, limit_bytes)?;
        Ok(all)
    }

    /// Fills `target` with stored rows, whose samples become little-endian; those of several bits in a byte stay packed.
    fn fill(&self, chunk: &[u8], target: &mut [u8], limit_bytes: u64) -> Result<(), CodecError> {
        let stored_row = self.stored_row() as usize;
        if chunk.is_empty() {
            target.fill(0);
        } else if self.compression == Compression::Jpeg {
            let tables = self.jpeg_tables.as_deref();
            jpeg::decode(chunk, tables, (self.stored_width, self.samples()), target, limit_bytes)?;
        } else if self.is_reversed {
            let turned: Vec<u8> = chunk.iter().map(|byte| byte.reverse_bits()).collect();
            packed::unpack(self.compression, &turned, target)?;
        } else {
            packed::unpack(self.compression, chunk, target)?;
        }
        if self.needs_finish() {
            target.chunks_exact_mut(stored_row).for_each(|row| self.finish_row(row));
        }
        Ok(())
    }

    pub(super) fn needs_finish(&self) -> bool {
        self.predictor != 1 || self.is_inverted || (self.is_big_endian && self.bits > 8)
    }

    /// Makes little-endian samples of a stored row.
    pub(super) fn finish_row(&self, row: &mut [u8]) {
        let is_in_bytes = matches!(self.bits, 8 | 16 | 32 | 64);
        let item = if is_in_bytes { usize::from(self.bits / 8) } else { 1 };
        let samples = usize::from(self.samples());
        match self.predictor {
            3 => undo_floating_point(row, item, samples),
            predictor => {
                if self.is_big_endian {
                    swap_bytes(row, item);
                }
                if predictor == 2 {
                    undo_differences(row, item, samples);
                }
            }
        }
        if self.is_inverted {
            row.iter_mut().for_each(|byte| *byte = !*byte);
        }
    }

    fn is_stored_as_voxels(&self) -> bool {
        usize::from(self.bits) == 8 * self.header.dtype.size_bytes()
    }

    /// Makes voxels of as many of a stored row's samples as `row` has room for.
    fn put_row(&self, stored: &[u8], row: &mut [u8]) {
        match (self.bits, self.header.dtype) {
            (bits @ ..=7, _) => expand_row(stored, bits, row),
            (bits @ 9..=15, _) => unpack_row(stored, bits, row),
            (16, Dtype::Float32) => {
                for (voxel, half) in row.as_chunks_mut::<4>().0.iter_mut().zip(stored.as_chunks::<2>().0) {
                    *voxel = f16::from_le_bytes(*half).to_f32().to_le_bytes();
                }
            }
            _ => row.copy_from_slice(&stored[..row.len()]),
        }
    }
}

fn copy(from: &[u8], from_row: usize, rows: &mut Rows<'_>, count: usize, length: usize) {
    for (row, from) in rows.each(count, length).zip(from.chunks_exact(from_row)) {
        row.copy_from_slice(&from[..length]);
    }
}
