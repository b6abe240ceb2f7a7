//! Finding chunks in shards with few and large requests: indexes are kept, and chunks that lie together are read together.

use std::ops::Range;
use std::sync::Arc;

use super::INFO;
use super::grid::Cell;
use super::info::Scale;
use super::objects::Objects;
use super::sharding::{ENTRY, Index, MOST_INDEX_BYTES, Minishard, Sharding, morton};
use crate::source::SourceError;
use crate::source::cache::Cache;
use crate::source::parallel::each;

/// Indexes of each of the two kinds that are kept.
const MOST_KEPT: usize = 4096;

/// Entries of a shard's first index that are read at once.
const PAGE_ENTRIES: u64 = 4096;

/// Chunks of one shard with no more bytes between them are read at once: a request to a store takes as long as some ten times
/// as many.
const GAP_BYTES: u64 = 64 << 10;

/// The most bytes that several chunks together are read at once with.
const TOGETHER_BYTES: u64 = 2 << 20;

/// The indexes of a volume's shards.
pub(super) struct Shards {
    /// Parts of first indexes, by level, shard and number; `None` where there is no shard.
    pages: Cache<(usize, u64, u64), Option<Vec<u8>>>,
    indexes: Cache<(usize, Minishard), Index>,
}

/// The bytes of a chunk in a shard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub shard: u64,
    pub range: Range<u64>,
}

/// Chunks that are read with one request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Together {
    pub shard: u64,
    pub range: Range<u64>,
    /// The chunks and their bytes in the shard, from the first on.
    pub chunks: Vec<(Cell, Range<u64>)>,
}

impl Shards {
    /// Keeps indexes of up to so many bytes.
    pub fn new(bytes: u64) -> Self {
        Shards { pages: Cache::new(bytes / 2, MOST_KEPT), indexes: Cache::new(bytes / 2, MOST_KEPT) }
    }

    /// Where the chunks lie; `None` for those that no shard has.
    pub fn places(
        &self,
        objects: &Objects,
        (level, scale, sharding): (usize, &Scale, &Sharding),
        cells: &[Cell],
    ) -> Result<Vec<(Cell, Option<Place>)>, SourceError> {
        let number = |cell: &Cell| {
            let number = morton(scale.cells(), *cell);
            number.ok_or_else(|| objects.damaged(INFO, "it has more chunks than shards can hold".into()))
        };
        let numbers: Vec<u64> = cells.iter().map(number).collect::<Result<_, _>>()?;
        let mut minishards: Vec<Minishard> = numbers.iter().map(|number| sharding.minishard(*number)).collect();
        minishards.sort_unstable();
        minishards.dedup();
        let index = |minishard: &Minishard| self.index(objects, (level, scale, sharding), *minishard);
        let indexes = each(&minishards, objects.width(), index)?;
        let place = |(cell, number): (&Cell, u64)| {
            let minishard = sharding.minishard(number);
            let at = minishards.binary_search(&minishard).expect("every chunk's minishard is listed");
            (*cell, indexes[at].get(&number).map(|range| Place { shard: minishard.shard, range: range.clone() }))
        };
        Ok(cells.iter().zip(numbers).map(place).collect())
    }

    fn index(
        &self,
        objects: &Objects,
        (level, scale, sharding): (usize, &Scale, &Sharding),
        minishard: Minishard,
    ) -> Result<Arc<Index>, SourceError> {
        let file = scale.path(&sharding.file(minishard.shard));
        self.indexes.get(&(level, minishard), || {
            let index = self.read_index(objects, (level, &file, sharding), minishard)?;
            let weight = index.len() as u64 * size_of::<(u64, Range<u64>)>() as u64;
            Ok((Arc::new(index), weight))
        })
    }

    /// The chunks of a minishard; none where there is no shard.
    fn read_index(
        &self,
        objects: &Objects,
        (level, file, sharding): (usize, &str, &Sharding),
        minishard: Minishard,
    ) -> Result<Index, SourceError> {
        let flaw = |flaw| objects.damaged(file, flaw);
        let (page, entries) = (minishard.number / PAGE_ENTRIES, sharding.minishards());
        let first = page * PAGE_ENTRIES;
        let range = first * ENTRY..(first + PAGE_ENTRIES).min(entries) * ENTRY;
        let page = self.pages.get(&(level, minishard.shard, page), || {
            let part = objects.part(file, Some(range), PAGE_ENTRIES * ENTRY)?;
            let bytes = part.map(|part| part.bytes);
            let weight = bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
            Ok::<_, SourceError>((Arc::new(bytes), weight))
        })?;
        let Some(page) = &*page else { return Ok(Index::new()) };
        let place = sharding.place(page, minishard.number - first).map_err(flaw)?;
        if place.is_empty() {
            return Ok(Index::new());
        }
        let index = objects.part(file, Some(place), MOST_INDEX_BYTES)?;
        index.map_or(Ok(Index::new()), |index| sharding.index(&index.bytes).map_err(flaw))
    }
}

/// Puts chunks that lie together in one shard, or nearly, into one request each.
pub(super) fn together(mut places: Vec<(Cell, Place)>) -> Vec<Together> {
    places.sort_unstable_by_key(|(_, place)| (place.shard, place.range.start));
    let mut all: Vec<Together> = Vec::new();
    for (cell, Place { shard, range }) in places {
        let is_near = |last: &&mut Together| {
            let end = last.range.end.max(range.end);
            let gap = range.start.saturating_sub(last.range.end);
            last.shard == shard && gap <= GAP_BYTES && end - last.range.start <= TOGETHER_BYTES
        };
        match all.last_mut().filter(is_near) {
            Some(last) => {
                last.range.end = last.range.end.max(range.end);
                last.chunks.push((cell, range));
            }
            None => all.push(Together { shard, range: range.clone(), chunks: vec![(cell, range)] }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_that_lie_together_are_read_together() {
        let places = [
            (3, 1, 300..400),
            (1, 0, 100..200),
            (0, 0, 0..100),
            (2, 0, 200 + GAP_BYTES..300 + GAP_BYTES),
            (4, 1, 500 + GAP_BYTES..600 + GAP_BYTES),
            (5, 1, 600 + GAP_BYTES..600 + GAP_BYTES + TOGETHER_BYTES),
        ];
        let places = places.map(|(n, shard, range)| ((n, 0, 0), Place { shard, range })).into();
        let all = together(places);
        let cells: Vec<Vec<u64>> =
            all.iter().map(|part| part.chunks.iter().map(|(cell, _)| cell.0).collect()).collect();
        assert_eq!(cells, [vec![0, 1, 2], vec![3], vec![4], vec![5]]);
        assert_eq!((all[0].shard, all[0].range.clone()), (0, 0..300 + GAP_BYTES));
    }
}
