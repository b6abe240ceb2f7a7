//! Tables from value to value.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Keys below this are kept in an array.
const DENSE: i64 = 1 << 16;

/// What values become. A value without an entry stays as it is, which is what merging a few ids wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lut(Arc<Tables>);

#[derive(Debug, PartialEq, Eq)]
struct Tables {
    /// By value, from 0 on.
    dense: Vec<i64>,
    sparse: HashMap<i64, i64>,
    entries: BTreeMap<i64, i64>,
}

impl Lut {
    pub fn new(entries: BTreeMap<i64, i64>) -> Self {
        let end = entries.range(0..DENSE).next_back().map_or(0, |(key, _)| key + 1);
        let dense = (0..end).map(|value| entries.get(&value).copied().unwrap_or(value)).collect();
        let sparse = entries.iter().filter(|(key, _)| !(0..end).contains(*key)).map(|(key, value)| (*key, *value));
        let sparse = sparse.collect();
        Lut(Arc::new(Tables { dense, sparse, entries }))
    }

    /// What a value becomes.
    pub fn get(&self, value: i128) -> i128 {
        let Ok(key) = i64::try_from(value) else { return value };
        let dense = usize::try_from(key).ok().and_then(|key| self.0.dense.get(key));
        dense.or_else(|| self.0.sparse.get(&key)).map_or(value, |found| i128::from(*found))
    }

    pub fn entries(&self) -> &BTreeMap<i64, i64> {
        &self.0.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_an_entry_stay() {
        let lut = Lut::new([(0, 255), (3, 7), (100_000, 5), (-2, 2), (i64::MAX, 1)].into());
        let cases = [(0, 255), (1, 1), (3, 7), (4, 4), (100_000, 5), (-2, 2), (-1, -1), (i128::from(i64::MAX), 1)];
        for (value, expected) in cases {
            assert_eq!(lut.get(value), expected, "{value}");
        }
        assert_eq!(lut.get(i128::from(u64::MAX)), i128::from(u64::MAX));
    }
}
