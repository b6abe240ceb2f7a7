//! What came out: rows, notes, and the sentence at the end.

use std::hash::Hash;

use serde::Serialize;

use super::coverage::Coverage;
use super::problem::{Kind, Problem};
use super::seen::Seen;
use super::tour::Tour;
use super::uses::{Group, Groups, hash};
use super::{Settings, faults};
use crate::config::Job;
use crate::report::{count, grouped};
use crate::volume::Dtype;

/// Groups that a note lists.
const MOST_GROUPS: usize = 6;

/// What came out of a check.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// `tile` or `chunk`.
    pub noun: &'static str,
    /// Tasks that were looked at, and tasks of the whole job.
    pub looked_at: u64,
    pub tasks: u64,
    /// Files that the tasks read, or want to read.
    pub files: u64,
    /// By kind, then by first task.
    #[serde(rename = "findings")]
    pub problems: Vec<Problem>,
    /// Hits of problems that have no row, as there are too many.
    pub left_out: u64,
    pub coverage: Coverage,
    /// What is odd, and no problem.
    pub notes: Vec<String>,
    pub seconds: f64,
}

impl Outcome {
    /// Whether nothing is wrong.
    pub fn is_fine(&self) -> bool {
        self.problems.is_empty() && self.left_out == 0
    }

    /// `1 000 000 tiles over 1 000 files: all there`, or how many problems there are.
    pub fn verdict(&self) -> String {
        let mut tasks = count(self.tasks, self.noun);
        if self.looked_at != self.tasks {
            tasks = format!("{} of {tasks}", grouped(self.looked_at));
        }
        let over = format!("{tasks} over {}", count(self.files, "file"));
        match self.problems.len() as u64 {
            0 if self.left_out == 0 => format!("{over}: all there"),
            rows => format!("{} in {over}", count(rows, "problem")),
        }
    }
}

/// Draws the conclusions from all that was seen.
pub(super) fn outcome(mut seen: Seen, job: &Job, tour: &Tour, settings: &Settings, mut notes: Vec<String>) -> Outcome {
    let noun = job.grid.task_noun();
    seen.count_unsound();
    add_types(&mut seen, settings.dtype);
    add_sizes(&mut seen, job, tour.is_full());
    for used in seen.uses.values() {
        if let Some(problem) = used.problem(noun) {
            seen.problems.add(hash(&problem.file), problem);
        }
    }
    let is_complete = tour.is_full() && seen.tasks == tour.stops();
    let coverage = if is_complete { seen.reach.compare(&job.grid) } else { Coverage::default() };
    notes.extend(group_note("voxel types", &seen.types, |dtype| dtype.to_string()));
    notes.extend(group_note("image sizes", &seen.sizes, |(x, y)| format!("{x} × {y}")));
    if seen.filled > 0 {
        notes.push(format!("files are missing for {}, and the plans fill them", count(seen.filled, noun)));
    }
    if seen.tasks < tour.stops() {
        let left = count(tour.stops() - seen.tasks, noun);
        notes.push(format!("the script was stopped so often that {left} were not looked at"));
    }
    let (looked_at, files) = (seen.tasks, seen.files());
    let (problems, left_out) = seen.problems.into_sorted();
    Outcome { noun, looked_at, tasks: job.grid.count(), files, problems, left_out, coverage, notes, seconds: 0.0 }
}

/// Files of another voxel type than the channel's, or than most others.
fn add_types(seen: &mut Seen, channel: Option<Dtype>) {
    let Some(most) = channel.or_else(|| seen.types.largest()) else { return };
    let mut found = Vec::new();
    for (dtype, group) in seen.types.sorted() {
        let is_right = if channel.is_some() { holds(most, dtype) } else { dtype == most };
        if is_right {
            continue;
        }
        let others =
            if channel.is_some() { format!("the channel is {most}") } else { format!("most files have {most}") };
        let hint = "convert the file, or say with `cast` and `scale` in the plan how its values become the channel's";
        found.extend(rows(group, Kind::WrongType, hint, |path| format!("`{path}` has {dtype} voxels, {others}")));
    }
    add_counted(seen, found);
}

/// Images of whole sections that are not as large as most others.
fn add_sizes(seen: &mut Seen, job: &Job, is_full: bool) {
    let (extent, images) = (job.grid.extent(), seen.uses.len() as u64);
    let Some((x, y)) = seen.sizes.largest() else { return };
    let groups = seen.sizes.sorted();
    let is_most = groups.first().is_some_and(|(_, group)| 2 * group.files > images);
    // Where an image is one tile of many, those at the edges may be smaller.
    if !is_full || !is_most || images > extent.z.len().saturating_mul(extent.t.len()) {
        return;
    }
    let mut found = Vec::new();
    for ((own_x, own_y), group) in groups.into_iter().skip(1) {
        let reason = |path: &str| format!("`{path}` is {own_x} × {own_y} voxels, most images are {x} × {y}");
        found.extend(rows(group, Kind::WrongSize, "compare the image with its neighbours", reason));
    }
    found.retain(|(_, problem)| !seen.problems.contains(problem.kind, faults::about(problem)));
    add_counted(seen, found);
}

fn rows(group: &Group, kind: Kind, hint: &str, reason: impl Fn(&str) -> String) -> Vec<(u64, Problem)> {
    let row = |(key, path): &(u64, Box<str>)| {
        let (file, hint) = (Some(path.to_string()), Some(hint.to_owned()));
        (*key, Problem { kind, task: None, file, reason: reason(path), hint, tasks: 0, excerpt: String::new() })
    };
    group.named.iter().map(row).collect()
}

/// Adds rows of images with the tasks that read them.
fn add_counted(seen: &mut Seen, rows: Vec<(u64, Problem)>) {
    for (key, problem) in rows {
        let (task, tasks) = seen.uses.get(&key).map_or((None, 0), |used| (Some(used.first), used.tasks));
        seen.problems.add(faults::about(&problem), Problem { task, tasks, ..problem });
    }
}

/// What the images are, where they are not all alike.
fn group_note<K: Hash + Eq + Copy>(what: &str, groups: &Groups<K>, name: impl Fn(K) -> String) -> Option<String> {
    let sorted = groups.sorted();
    if sorted.len() < 2 {
        return None;
    }
    let shown =
        sorted.iter().take(MOST_GROUPS).map(|(key, group)| format!("{} ({})", name(*key), count(group.files, "image")));
    let mut text = format!("{what}: {}", shown.collect::<Vec<_>>().join(", "));
    if sorted.len() > MOST_GROUPS {
        text += &format!(" and {} more", sorted.len() - MOST_GROUPS);
    }
    Some(text)
}

/// Whether every value of `source` is one of `channel`.
fn holds(channel: Dtype, source: Dtype) -> bool {
    let unsigned = |dtype| matches!(dtype, Dtype::Uint8 | Dtype::Uint16 | Dtype::Uint32 | Dtype::Uint64);
    let signed = |dtype: Dtype| !dtype.is_float() && !unsigned(dtype);
    let wider = channel.size_bytes() > source.size_bytes();
    channel == source
        || (unsigned(source) && unsigned(channel) && wider)
        || (signed(channel) && !source.is_float() && wider)
        || (channel.is_float() && source.size_bytes() < channel.size_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_holds_another_when_no_value_is_lost() {
        use Dtype::{Float32, Int8, Int16, Uint8, Uint16, Uint64};
        for (channel, source) in [(Uint8, Uint8), (Uint16, Uint8), (Uint64, Uint16), (Int16, Uint8), (Int16, Int8)] {
            assert!(holds(channel, source), "{channel} {source}");
        }
        for (channel, source) in [(Uint8, Uint16), (Uint16, Int8), (Int8, Uint8), (Uint64, Float32), (Int16, Uint16)] {
            assert!(!holds(channel, source), "{channel} {source}");
        }
    }
}
