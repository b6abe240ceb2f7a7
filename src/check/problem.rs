//! What is wrong with a job: one row for each problem and file, however many tasks it hits.

use std::collections::HashMap;

use serde::Serialize;

use crate::volume::Index;

/// Rows that are kept of each kind; what comes after them is only counted.
const MOST_ROWS: usize = 10_000;

/// What sort of problem it is, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The job file breaks a rule.
    Job,
    /// A script failed, or gave no plan.
    Script,
    /// A plan contradicts itself, its task or its source.
    Plan,
    /// A script says that there is no data.
    NoData,
    /// A file is not there.
    Missing,
    /// A file is there and cannot be read.
    Unreadable,
    /// A file breaks its format, or ends too early.
    Damaged,
    /// A file is none that is read here.
    NotSupported,
    /// An image does not have the size that the job counts on, or that most others have.
    WrongSize,
    /// Voxels are of another type than most others', or do not fit in the channel.
    WrongType,
    /// Voxels of one file are read for several places.
    Duplicate,
}

impl Kind {
    /// As a table says it.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Job => "job file",
            Kind::Script => "script",
            Kind::Plan => "plan",
            Kind::NoData => "no data",
            Kind::Missing => "missing",
            Kind::Unreadable => "unreadable",
            Kind::Damaged => "damaged",
            Kind::NotSupported => "not supported",
            Kind::WrongSize => "wrong size",
            Kind::WrongType => "wrong type",
            Kind::Duplicate => "duplicate",
        }
    }
}

/// One problem of one file, or of a script or the job file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub kind: Kind,
    /// The first tile or chunk that it hits.
    #[serde(rename = "tile")]
    pub task: Option<Index>,
    pub file: Option<String>,
    pub reason: String,
    pub hint: Option<String>,
    /// How many tiles or chunks it hits.
    pub tasks: u64,
    /// The failing lines of a script.
    #[serde(skip)]
    pub excerpt: String,
}

/// Problems by kind and what they are about.
#[derive(Default)]
pub(super) struct Problems {
    rows: HashMap<(Kind, u64), Problem>,
    kept: HashMap<Kind, usize>,
    left_out: u64,
}

impl Problems {
    /// Adds a problem; `about` tells rows of a kind apart. The words of the first task stay.
    pub fn add(&mut self, about: u64, problem: Problem) {
        if let Some(row) = self.rows.get_mut(&(problem.kind, about)) {
            let tasks = row.tasks + problem.tasks;
            if order(problem.task) < order(row.task) {
                *row = problem;
            }
            row.tasks = tasks;
            return;
        }
        let kept = self.kept.entry(problem.kind).or_default();
        if *kept >= MOST_ROWS {
            self.left_out += problem.tasks.max(1);
            return;
        }
        *kept += 1;
        self.rows.insert((problem.kind, about), problem);
    }

    pub fn contains(&self, kind: Kind, about: u64) -> bool {
        self.rows.contains_key(&(kind, about))
    }

    pub fn merge(&mut self, other: Problems) {
        self.left_out += other.left_out;
        for ((_, about), problem) in other.rows {
            self.add(about, problem);
        }
    }

    /// By kind, then by first task; and how many hits of tasks have no row.
    pub fn into_sorted(self) -> (Vec<Problem>, u64) {
        let mut rows: Vec<Problem> = self.rows.into_values().collect();
        rows.sort_by(|a, b| (a.kind, order(a.task)).cmp(&(b.kind, order(b.task))).then_with(|| a.file.cmp(&b.file)));
        (rows, self.left_out)
    }
}

/// The order in which tasks are looked at; problems of no task come first.
pub(super) fn order(task: Option<Index>) -> Option<(i64, i64, i64, i64)> {
    task.map(|Index { x, y, z, t }| (t, z, y, x))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(x: i64, reason: &str) -> Problem {
        let (task, file, hint) = (Some(Index::new(x, 0, 0, 0)), None, None);
        Problem { kind: Kind::Missing, task, file, reason: reason.to_owned(), hint, tasks: 1, excerpt: String::new() }
    }

    #[test]
    fn tasks_with_one_problem_are_one_row_which_tells_of_the_first() {
        let (mut all, mut other) = (Problems::default(), Problems::default());
        all.add(7, problem(3, "third"));
        other.add(7, problem(1, "first"));
        other.add(8, problem(0, "another file"));
        all.merge(other);
        let (rows, left_out) = all.into_sorted();
        let told: Vec<_> = rows.iter().map(|row| (row.reason.as_str(), row.tasks)).collect();
        assert_eq!((told, left_out), (vec![("another file", 1), ("first", 2)], 0));
    }

    #[test]
    fn rows_are_bounded_and_the_rest_is_counted() {
        let mut all = Problems::default();
        for about in 0..MOST_ROWS as u64 + 5 {
            all.add(about, problem(0, "gone"));
        }
        let (rows, left_out) = all.into_sorted();
        assert_eq!((rows.len(), left_out), (MOST_ROWS, 5));
    }
}
