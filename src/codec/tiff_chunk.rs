//! One strip or tile of a TIFF page: read, unpacked, and the wanted part of it put where it belongs.

use std::io::{Read, Seek, SeekFrom};

use ::tiff::decoder::ChunkType;
use ::tiff::tags::Tag;

use super::colour::{Mix, weigh_planes, ycbcr_to_rgb};
use super::samples::{expand_row, native_to_little, packed_row_bytes};
use super::tiff::TiffFile;
use super::tiff_page::{FORMAT, Page, damaged};
use super::{CodecError, memory};
use crate::volume::{Block, Region, Size};

/// Where the voxels of a strip or tile belong.
pub(super) struct Place {
    /// The voxels of the page that the strip or tile holds.
    pub whole: Region,
    /// Those of them that are wanted.
    pub part: Region,
    /// From the page to the target, in voxels; z is the target's layer.
    pub shift: (i64, i64, i64),
}

impl<R: Read + Seek> TiffFile<R> {
    /// Decodes strip or tile `number`, in planar pages that of the first plane that is needed, and copies what is wanted.
    pub(super) fn read_chunk(
        &mut self,
        number: u32,
        (page, mix): (&Page, Option<Mix>),
        place: &Place,
        target: &mut Block,
    ) -> Result<(), CodecError> {
        let Place { whole, part, shift } = place;
        let item = page.header.dtype.size_bytes();
        let row_bytes = target.size().x as usize * item;
        let first = ((shift.2 as usize * target.size().y as usize) + (part.y.start + shift.1) as usize) * row_bytes;
        let is_stored = page.bits >= 8 && page.samples() == 1 && mix != Some(Mix::Luma);
        if part == whole && is_stored && whole.x.len() == target.size().x {
            // The rows of a strip as wide as the target lie there as they are in the file.
            let rows = &mut target.as_bytes_mut()[first..first + part.y.len() as usize * row_bytes];
            return self.decode(number, page, whole.size(), rows);
        }
        let chunk = self.decode_apart(number, (page, mix), whole.size())?;
        let chunk_row = whole.x.len() as usize * item;
        let from = (part.x.start - whole.x.start) as usize * item;
        let to = (part.x.start + shift.0) as usize * item;
        let length = part.x.len() as usize * item;
        let skipped = (part.y.start - whole.y.start) as usize;
        let rows = target.as_bytes_mut()[first..].chunks_mut(row_bytes).take(part.y.len() as usize);
        for (row, source) in rows.zip(chunk.chunks(chunk_row).skip(skipped)) {
            row[to..to + length].copy_from_slice(&source[from..from + length]);
        }
        Ok(())
    }

    /// Decodes a strip or tile of `size` into its own memory, one value for each voxel.
    fn decode_apart(
        &mut self,
        number: u32,
        (page, mix): (&Page, Option<Mix>),
        size: Size,
    ) -> Result<Vec<u8>, CodecError> {
        let voxel_bytes = size.voxels().saturating_mul(page.header.dtype.size_bytes() as u64);
        match mix {
            Some(Mix::Luma) if page.is_planar => self.decode_planes(number, page, size, voxel_bytes),
            Some(mix) if !page.is_planar => self.decode_mixed(number, (page, mix), size, voxel_bytes),
            _ if page.bits >= 8 => {
                let mut voxels = memory::zeros(FORMAT, voxel_bytes, self.limit_bytes)?;
                self.decode(number, page, size, &mut voxels)?;
                Ok(voxels)
            }
            _ => self.decode_packed(number, page, size, voxel_bytes),
        }
    }

    /// Decodes samples of which several share a byte.
    fn decode_packed(&mut self, number: u32, page: &Page, size: Size, voxel_bytes: u64) -> Result<Vec<u8>, CodecError> {
        let mut voxels = memory::zeros(FORMAT, voxel_bytes, self.limit_bytes)?;
        let row_bytes = packed_row_bytes(size.x, page.bits);
        let mut packed = memory::zeros(FORMAT, row_bytes.saturating_mul(size.y), self.limit_bytes)?;
        self.decode(number, page, size, &mut packed)?;
        for (row, packed) in voxels.chunks_mut(size.x as usize).zip(packed.chunks(row_bytes as usize)) {
            expand_row(packed, page.bits, row);
        }
        Ok(voxels)
    }

    /// Decodes samples of which several lie side by side.
    fn decode_mixed(
        &mut self,
        number: u32,
        (page, mix): (&Page, Mix),
        size: Size,
        voxel_bytes: u64,
    ) -> Result<Vec<u8>, CodecError> {
        let bytes = voxel_bytes.saturating_mul(u64::from(page.samples()));
        let mut samples = memory::zeros(FORMAT, bytes, self.limit_bytes)?;
        self.decode(number, page, size, &mut samples)?;
        if page.is_ycbcr {
            ycbcr_to_rgb(&mut samples);
        }
        mix.apply(page.header.dtype, page.samples(), &mut samples);
        Ok(samples)
    }

    /// Decodes the red, green and blue of planar pages one after the other, and weighs them.
    fn decode_planes(&mut self, number: u32, page: &Page, size: Size, plane_bytes: u64) -> Result<Vec<u8>, CodecError> {
        let mut planes = memory::zeros(FORMAT, plane_bytes.saturating_mul(3), self.limit_bytes)?;
        for (plane, target) in (0..).zip(planes.chunks_mut(plane_bytes as usize)) {
            let number = u32::try_from(page.chunks_per_plane().saturating_mul(plane).saturating_add(u64::from(number)));
            let number = number.map_err(|error| CodecError::damaged(FORMAT, error))?;
            self.decode(number, page, size, target)?;
        }
        weigh_planes(page.header.dtype, &mut planes);
        Ok(planes)
    }

    /// Decodes a strip or tile of `size` voxels into `target`, row by row, all its samples, little-endian; packed below 8 bits.
    fn decode(&mut self, number: u32, page: &Page, size: Size, target: &mut [u8]) -> Result<(), CodecError> {
        if let Some(layout) = &page.lzw {
            let compressed = self.compressed(number)?;
            return layout.decode(&compressed, page.bits, size, target, self.limit_bytes);
        }
        if page.is_planar {
            self.decode_of_plane(number, target)?;
        } else {
            self.decoder.read_chunk_bytes(number, target).map_err(damaged)?;
        }
        if page.bits >= 8 {
            native_to_little(target, page.header.dtype.size_bytes());
        }
        Ok(())
    }

    /// Decodes a strip or tile of a planar page. The library (0.11.3) forgets that the lowest tiles of the second and later
    /// planes are cut at the image's edge, and wants room for all their rows.
    fn decode_of_plane(&mut self, number: u32, target: &mut [u8]) -> Result<(), CodecError> {
        let needed = self.decoder.image_chunk_buffer_layout(number).map_err(damaged)?.len;
        if needed <= target.len() {
            return self.decoder.read_chunk_bytes(number, target).map_err(damaged);
        }
        let mut rows = memory::zeros(FORMAT, needed as u64, self.limit_bytes)?;
        self.decoder.read_chunk_bytes(number, &mut rows).map_err(damaged)?;
        target.copy_from_slice(&rows[..target.len()]);
        Ok(())
    }

    /// The bytes of a strip or tile as the file holds them.
    fn compressed(&mut self, number: u32) -> Result<Vec<u8>, CodecError> {
        if self.chunks.is_none() {
            let tags = match self.decoder.get_chunk_type() {
                ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
                ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
            };
            let offsets = self.decoder.get_tag_u64_vec(tags.0).map_err(damaged)?;
            let lengths = self.decoder.get_tag_u64_vec(tags.1).map_err(damaged)?;
            self.chunks = Some(offsets.into_iter().zip(lengths).collect());
        }
        let place = self.chunks.as_ref().and_then(|chunks| chunks.get(number as usize)).copied();
        let (offset, length) = place.ok_or_else(|| CodecError::damaged(FORMAT, "a strip or tile is not there"))?;
        let stream = self.decoder.inner();
        let mut bytes = Vec::new();
        let read = stream.seek(SeekFrom::Start(offset)).and_then(|_| stream.take(length).read_to_end(&mut bytes));
        read.map_err(|error| CodecError::io(FORMAT, error))?;
        Ok(bytes)
    }
}
