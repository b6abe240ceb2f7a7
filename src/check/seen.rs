//! What was seen of a job, and how the finds of its workers come together. Grows with the files, not with the tasks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::coverage::Reach;
use super::faults;
use super::problem::{Problem, Problems};
use super::uses::{self, Groups, Use};
use crate::source::{SourceInfo, SourceRead, SourceRef};
use crate::volume::{Dtype, Index};

/// What one worker saw of the few tasks that it took at once.
#[derive(Default)]
pub(super) struct Run {
    pub tasks: u64,
    pub problems: Problems,
    pub reach: Reach,
    /// Tasks whose source is not there, which the plan allows.
    pub filled: u64,
    pub paths: HashSet<u64>,
    uses: HashMap<u64, RunUse>,
}

struct RunUse {
    use_: Use,
    source: SourceRef,
    info: Arc<SourceInfo>,
    /// Whether the plan says how the source's values come to the channel's.
    converts: bool,
}

/// What all workers saw.
#[derive(Default)]
pub(super) struct Seen {
    pub tasks: u64,
    pub problems: Problems,
    pub reach: Reach,
    pub filled: u64,
    paths: HashSet<u64>,
    pub uses: HashMap<u64, Use>,
    /// The voxel types of images whose plans do not convert them.
    pub types: Groups<Dtype>,
    /// Width and height of 2D images.
    pub sizes: Groups<(u64, u64)>,
    /// Images whose files do not go on to their end, or cannot be decoded.
    unsound: Vec<(u64, Problem)>,
}

/// Problems of files that are kept before their tasks are counted.
const MOST_UNSOUND: usize = 10_000;

/// An image that nobody saw before.
pub(super) struct Fresh {
    pub key: u64,
    pub source: SourceRef,
    pub task: Index,
    /// Whether nobody saw another page of its file before.
    pub is_new_file: bool,
}

impl Run {
    /// Notes that the task at `index` reads a box for the section `z`.
    pub fn read(&mut self, index: Index, z: i64, read: &SourceRead, converts: bool) {
        let one = Use::new(index, z, read);
        let key = uses::key(read);
        match self.uses.get_mut(&key) {
            Some(known) => known.use_.merge(&one, &read.source.path),
            None => {
                let (source, info) = (read.source.clone(), Arc::clone(&read.info));
                self.uses.insert(key, RunUse { use_: one, source, info, converts });
            }
        }
    }
}

impl Seen {
    /// Takes in what a worker saw; gives the images that are new.
    pub fn absorb(&mut self, run: Run) -> Vec<Fresh> {
        self.tasks += run.tasks;
        self.filled += run.filled;
        self.problems.merge(run.problems);
        self.reach.merge(run.reach);
        self.paths.extend(run.paths);
        let mut fresh = Vec::new();
        for (key, RunUse { use_, source, info, converts }) in run.uses {
            if let Some(known) = self.uses.get_mut(&key) {
                known.merge(&use_, &source.path);
                continue;
            }
            self.group(key, use_.first, &info, converts);
            let (task, is_new_file) = (use_.first, self.paths.insert(uses::hash(&source.path)));
            self.uses.insert(key, use_);
            fresh.push(Fresh { key, source, task, is_new_file });
        }
        fresh
    }

    /// A file whose header was sound, and whose rest is not. It hits all tasks that read it.
    pub fn unsound(&mut self, key: u64, problem: Problem) {
        if self.unsound.len() < MOST_UNSOUND {
            self.unsound.push((key, problem));
        }
    }

    /// Rows for the files that are not sound, now that all tasks are counted.
    pub fn count_unsound(&mut self) {
        for (key, mut problem) in std::mem::take(&mut self.unsound) {
            if let Some(known) = self.uses.get(&key) {
                (problem.task, problem.tasks) = (Some(known.first), known.tasks);
            }
            self.problems.add(faults::about(&problem), problem);
        }
    }

    /// Files that the job reads, or wants to read.
    pub fn files(&self) -> u64 {
        self.paths.len() as u64
    }

    fn group(&mut self, key: u64, first: Index, info: &SourceInfo, converts: bool) {
        if !converts {
            self.types.add(info.dtype, first, key, &info.path);
        }
        if info.is_flat() {
            self.sizes.add((info.size.x, info.size.y), first, key, &info.path);
        }
    }
}
