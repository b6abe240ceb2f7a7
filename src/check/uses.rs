//! Which files a job reads, and whether it reads something twice. Remembers a little for each file, nothing for each task.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::problem::{Kind, Problem, order};
use crate::source::{SourceRead, SourceRef};
use crate::volume::{Index, Region, Span};

/// What tells one image from another: file, page, array, level, positions and channel.
pub(super) fn key(read: &SourceRead) -> u64 {
    let SourceRef { path, page, dataset, level, axes, select, colour, .. } = read.source;
    // Of a file with one page, the first page is all of it.
    let page = if read.info.pages == 1 { None } else { *page };
    hash(&(path, page, dataset, level, axes, select, colour))
}

pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// How one image is read.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub first: Index,
    pub tasks: u64,
    is_flat: bool,
    /// The sections and time samples that it is read for.
    z: Span,
    t: Span,
    /// Voxels that are read, counted as often as they are read, and the box around them.
    voxels: u64,
    bounds: Region,
    /// The path of a file of which something is read twice.
    twice: Option<Box<str>>,
}

impl Use {
    /// One task at `index` that reads a box for the section `z`.
    pub fn new(index: Index, z: i64, read: &SourceRead) -> Self {
        let (z, t) = (Span::one(z), Span::one(index.t));
        let (is_flat, voxels, bounds) = (read.info.is_flat(), read.region.size().voxels(), read.region);
        Use { first: index, tasks: 1, is_flat, z, t, voxels, bounds, twice: None }
    }

    /// Takes in other tasks that read the same image, of this path.
    pub fn merge(&mut self, other: &Use, path: &str) {
        if order(Some(other.first)) < order(Some(self.first)) {
            self.first = other.first;
        }
        self.tasks += other.tasks;
        (self.z, self.t) = (hull(self.z, other.z), hull(self.t, other.t));
        self.voxels = self.voxels.saturating_add(other.voxels);
        self.bounds = self.bounds.hull(&other.bounds);
        if self.twice.is_none() {
            self.twice.clone_from(&other.twice);
        }
        if self.twice.is_none() && self.reads_twice() {
            self.twice = Some(path.into());
        }
    }

    /// More voxels than there are in the box around all of them: some were read twice.
    fn reads_twice(&self) -> bool {
        let is_shared = self.t.len() > 1 || (self.is_flat && self.z.len() > 1);
        is_shared || self.voxels > self.bounds.size().voxels()
    }

    /// What is wrong with it, if something is.
    pub fn problem(&self, noun: &str) -> Option<Problem> {
        let path = self.twice.as_deref()?;
        let (reason, hint) = if self.is_flat && self.z.len() > 1 {
            let reason =
                format!("`{path}` is read for several sections, from z {} to {}", self.z.start, self.z.stop - 1);
            (reason, "let the path depend on `at.z`, or the plan's `page`")
        } else if self.t.len() > 1 {
            let reason =
                format!("`{path}` is read for several time samples, t {} to {}", self.t.start, self.t.stop - 1);
            (reason, "let the path, or the plan's `select`, depend on `at.t`")
        } else {
            let reason = format!("several {noun}s read the same voxels of `{path}`");
            (reason, "cut the image with `region = at.region`, or let the path depend on `at.x` and `at.y`")
        };
        Some(Problem {
            kind: Kind::Duplicate,
            task: Some(self.first),
            file: Some(path.to_string()),
            reason,
            hint: Some(hint.to_owned()),
            tasks: self.tasks,
            excerpt: String::new(),
        })
    }
}

fn hull(a: Span, b: Span) -> Span {
    Span::new(a.start.min(b.start), a.stop.max(b.stop))
}

/// Names kept of each group of files that are alike.
const MOST_NAMED: usize = 10_000;

/// Files that are alike in one respect, such as the voxel type.
pub(super) struct Groups<K>(HashMap<K, Group>);

pub(super) struct Group {
    pub files: u64,
    first: Index,
    /// Keys and paths.
    pub named: Vec<(u64, Box<str>)>,
}

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Groups(HashMap::new())
    }
}

impl<K: Hash + Eq + Copy> Groups<K> {
    pub fn add(&mut self, group: K, first: Index, key: u64, path: &str) {
        let group = self.0.entry(group).or_insert(Group { files: 0, first, named: Vec::new() });
        group.files += 1;
        if order(Some(first)) < order(Some(group.first)) {
            group.first = first;
        }
        if group.named.len() < MOST_NAMED {
            group.named.push((key, path.into()));
        }
    }

    /// The group of most files; of equal ones that with the job's first.
    pub fn largest(&self) -> Option<K> {
        let ahead = |group: &Group| (group.files, std::cmp::Reverse(order(Some(group.first))));
        self.0.iter().max_by_key(|(_, group)| ahead(group)).map(|(key, _)| *key)
    }

    /// Every group, the largest first.
    pub fn sorted(&self) -> Vec<(K, &Group)> {
        let mut groups: Vec<_> = self.0.iter().map(|(key, group)| (*key, group)).collect();
        groups.sort_by_key(|(_, group)| (std::cmp::Reverse(group.files), order(Some(group.first))));
        groups
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::{ReadPlan, Selection, SourceInfo, SourceRef, Sources};
    use crate::volume::Size;

    fn info(z: u64) -> Arc<SourceInfo> {
        let images = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
        let info = Sources::new(images, 0).info("grey8.png").unwrap();
        let axes = if z == 1 { "yx" } else { "zyx" };
        Arc::new(SourceInfo { axes: axes.to_owned(), size: Size::new(61, 37, z), pages: z, ..(*info).clone() })
    }

    /// A task's position, and the ranges of x and z that it reads.
    type Reading = (Index, (i64, i64), (i64, i64));

    /// The use of an image by these tasks.
    fn used(depth: u64, tasks: &[Reading]) -> Option<String> {
        let (source, info) = (ReadPlan::new("a.tif").source, info(depth));
        let one = |(index, x, z): &Reading| {
            let region = Region::new(Span::new(x.0, x.1), Span::new(0, 37), Span::new(z.0, z.1));
            let read = SourceRead {
                source: &source,
                selection: Selection::default(),
                info: info.clone(),
                region,
                place: region,
            };
            Use::new(*index, index.z, &read)
        };
        let mut all = one(&tasks[0]);
        tasks[1..].iter().for_each(|task| all.merge(&one(task), "a.tif"));
        all.problem("tile").map(|problem| problem.reason)
    }

    #[test]
    fn what_is_read_twice_is_told_and_what_is_not_passes() {
        let at = |x, z| Index::new(x, 0, z, 0);
        let late = Index::new(0, 0, 0, 4);
        let cases = [
            (1, vec![(at(0, 3), (0, 32), (0, 1)), (at(1, 3), (32, 61), (0, 1))], None),
            (
                1,
                vec![(at(0, 3), (0, 32), (0, 1)), (at(0, 5), (0, 32), (0, 1))],
                Some("`a.tif` is read for several sections, from z 3 to 5"),
            ),
            (
                1,
                vec![(at(0, 3), (0, 61), (0, 1)), (at(1, 3), (0, 61), (0, 1))],
                Some("several tiles read the same voxels of `a.tif`"),
            ),
            (9, vec![(at(0, 3), (0, 32), (3, 4)), (at(0, 5), (0, 32), (5, 6))], None),
            (
                9,
                vec![(at(0, 0), (0, 32), (3, 4)), (late, (0, 32), (3, 4))],
                Some("`a.tif` is read for several time samples, t 0 to 4"),
            ),
        ];
        for (depth, tasks, expected) in cases {
            assert_eq!(used(depth, &tasks).as_deref(), expected, "{tasks:?}");
        }
    }

    #[test]
    fn the_first_page_of_one_is_the_whole_file() {
        let info = info(1);
        let whole = SourceRef::new("a.png");
        let page = SourceRef { page: Some(0), ..whole.clone() };
        let channel = SourceRef { level: Some(1), ..whole.clone() };
        let keys = [&whole, &page, &channel].map(|source| {
            let region = info.region();
            key(&SourceRead { source, selection: Selection::default(), info: info.clone(), region, place: region })
        });
        assert!(keys[0] == keys[1] && keys[0] != keys[2]);
    }

    #[test]
    fn of_groups_of_one_size_the_one_with_the_first_file_leads() {
        let mut groups = Groups::default();
        for (z, group) in [(3, 'b'), (1, 'a'), (5, 'b'), (4, 'a')] {
            groups.add(group, Index::new(0, 0, z, 0), z as u64, "p");
        }
        assert_eq!(groups.largest(), Some('a'));
        assert_eq!(
            groups.sorted().iter().map(|(key, group)| (*key, group.files)).collect::<Vec<_>>(),
            [('a', 2), ('b', 2)]
        );
    }
}
