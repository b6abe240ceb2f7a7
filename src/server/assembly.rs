//! Makes the cuboids of a full chunk out of its tiles, as the Boss's ingest worker does.
//!
//! Tiles are decoded, cast to the channel's voxel type, stacked by section, cut into cuboids and stored; cuboids that
//! exist are replaced. A tile that cannot be used is stored black and reported, as the Boss does; a tile of the wrong
//! size as well, which the Boss would store in the wrong place or choke on (boss-tools `ingest_lambda`).

use std::collections::BTreeMap;
use std::error::Error;

use super::active::ActiveJob;
use super::cast;
use super::error::StoreError;
use super::store::index::Chunk;
use super::store::objects::{CuboidAddress, Objects, read_if_there};
use crate::codec::{self, BloscSettings, CodecError};
use crate::volume::{Block, CUBOID, CuboidIndex, Grid, Index, Region, Size, Span};

/// Decoded tiles may be so much larger than 8 bytes a voxel.
const DECODING_SLACK: u64 = 1 << 20;

/// How the assembly of a chunk ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Assembled {
    /// Sections whose tiles were not there. Then nothing was stored.
    pub lost: Vec<i64>,
    /// Sections that were stored black, and why.
    pub black: BTreeMap<i64, String>,
}

#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a cuboid could not be compressed")]
    Compress(#[source] CodecError),
}

/// The assembly of one chunk.
pub struct Assembly<'a> {
    objects: &'a Objects,
    job: &'a ActiveJob,
    chunk: &'a Chunk,
    tile_size: Size,
    /// Rows of cuboids that are made together; a large tile is decoded once for each such band.
    band_rows: u64,
}

impl<'a> Assembly<'a> {
    /// Plans to hold about `memory_bytes` of voxels; one row of cuboids is held in any case.
    ///
    /// # Panics
    /// When the job has no tiles.
    pub fn new(objects: &'a Objects, job: &'a ActiveJob, chunk: &'a Chunk, memory_bytes: u64) -> Self {
        let Grid::Tiles(grid) = &job.spec.grid else { panic!("only tile jobs have chunks to assemble") };
        let tile_size = grid.tile_size.size();
        let row = row_bytes(job, tile_size);
        let band_rows = (memory_bytes / row).clamp(1, tile_size.y.div_ceil(CUBOID.y));
        Assembly { objects, job, chunk, tile_size, band_rows }
    }

    /// Bytes of voxels that are held at once: a band, a decoded tile and its cast form.
    pub fn memory_bytes(&self) -> u64 {
        let tile = self.tile_size.voxels() * self.job.dtype.size_bytes() as u64;
        self.band_rows * row_bytes(self.job, self.tile_size) + 2 * tile
    }

    /// Reads the tiles and stores the cuboids. Blocks its thread.
    pub fn run(&self) -> Result<Assembled, AssemblyError> {
        let mut assembled = Assembled::default();
        for band in (0..self.tile_size.y.div_ceil(CUBOID.y)).step_by(self.band_rows as usize) {
            let block = self.band(band * CUBOID.y, &mut assembled)?;
            if !assembled.lost.is_empty() {
                break;
            }
            self.store(band, &block)?;
        }
        Ok(assembled)
    }

    /// The voxels of all sections from row `top` of the tiles on, sixteen deep.
    fn band(&self, top: u64, assembled: &mut Assembled) -> Result<Block, AssemblyError> {
        let rows = (self.band_rows * CUBOID.y).min(self.tile_size.y - top);
        let mut band = Block::zeros(self.job.dtype, Size::new(self.tile_size.x, rows, CUBOID.z));
        for (layer, z) in self.chunk.sections().enumerate() {
            match self.tile(z)? {
                None => assembled.lost.push(z),
                Some(Ok(tile)) => band.paste(&tile, (0, -(top as i64), layer as i64)),
                Some(Err(why)) => {
                    assembled.black.insert(z, why);
                }
            }
        }
        Ok(band)
    }

    /// The tile of a section: `None` when it is not there, or why it is to be stored black.
    fn tile(&self, z: i64) -> Result<Option<Result<Block, String>>, StoreError> {
        let key = self.job.tile_key(Index { z, ..self.chunk.index }).to_string();
        let Some(bytes) = read_if_there(self.objects.tile(self.chunk.job, &key))? else { return Ok(None) };
        Ok(Some(self.decode(&bytes)))
    }

    fn decode(&self, bytes: &[u8]) -> Result<Block, String> {
        if bytes.is_empty() {
            return Err("Zero length tile".to_owned());
        }
        let limit_bytes = self.tile_size.voxels() * 8 + DECODING_SLACK;
        let tile = codec::decode(bytes, limit_bytes).map_err(|error| format!("OSError: {}", with_causes(&error)))?;
        if tile.size() != self.tile_size {
            let (found, wanted) = (tile.size(), self.tile_size);
            return Err(format!("Wrong size: {} x {} instead of {} x {}", found.x, found.y, wanted.x, wanted.y));
        }
        Ok(cast::wrapping(tile, self.job.dtype))
    }

    /// Cuts a band into cuboids and stores them. `first` is the band's first row of cuboids in the tile.
    fn store(&self, first: u64, band: &Block) -> Result<(), AssemblyError> {
        let size = band.size();
        for row in 0..size.y.div_ceil(CUBOID.y) {
            for column in 0..size.x.div_ceil(CUBOID.x) {
                let step = |index: u64, size| Span::step(index as i64, size);
                let voxels =
                    band.cut(&Region::new(step(column, CUBOID.x), step(row, CUBOID.y), Span::new(0, CUBOID.z as i64)));
                let frame = codec::compress(voxels.as_bytes(), self.job.dtype, &BloscSettings::default());
                self.objects
                    .write_cuboid(&self.address(column, first + row), &frame.map_err(AssemblyError::Compress)?)?;
            }
        }
        Ok(())
    }

    /// Where the cuboid at a column and row of the tile belongs.
    fn address(&self, column: u64, row: u64) -> CuboidAddress {
        let Index { x, y, z, t } = self.chunk.index;
        let at = |index: i64, tile: u64, cuboid: u64, offset: u64| {
            u64::try_from(index).unwrap_or_default() * tile.div_ceil(cuboid) + offset
        };
        let cuboid = CuboidIndex::new(
            at(x, self.tile_size.x, CUBOID.x, column),
            at(y, self.tile_size.y, CUBOID.y, row),
            u64::try_from(z).unwrap_or_default(),
        );
        CuboidAddress { ids: self.job.ids, resolution: self.job.resolution, t, cuboid }
    }
}

/// Bytes of one row of cuboids across a tile.
fn row_bytes(job: &ActiveJob, tile_size: Size) -> u64 {
    tile_size.x * CUBOID.y * CUBOID.z * job.dtype.size_bytes() as u64
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
