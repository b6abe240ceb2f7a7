//! A preview in words: what was read, and a table of what was flagged.

use super::Facts;
use crate::preview::{Flag, Kind};
use crate::report::count;
use crate::volume::Index;

/// Rows of the table; a job in which everything is wrong is not told line by line.
const MOST_ROWS: usize = 40;

/// The text for standard output.
pub fn text(facts: &Facts) -> String {
    let Facts { job, sampling, dtype, findings, picture } = facts;
    let (extent, noun) = (job.grid.extent(), job.grid.task_noun());
    let sections = format!("{} of {}", sampling.sections.len(), count(extent.z.len(), "section"));
    let read = format!("{} of {}, {sections}", sampling.tasks().len(), count(job.grid.count(), noun));
    let contrast = findings.contrast.map_or("none: ids are shown in colours".to_owned(), |shown| shown.to_string());
    let lines = [
        ("picture", picture.display().to_string()),
        ("channel", job.database.to_string()),
        ("extent", extent.to_string()),
        ("read", read),
        ("voxels", dtype.to_string()),
        ("contrast", contrast),
    ];
    let head = lines.map(|(name, value)| format!("{name:<8}  {value}\n")).concat();
    if findings.flags.is_empty() {
        return head + "\nnothing is flagged\n";
    }
    format!("{head}\n{}", table(&findings.flags, noun))
}

/// Flags of the same section for the same reason.
struct Row<'a> {
    z: Option<i64>,
    kind: Kind,
    reason: &'a str,
    tasks: Vec<Index>,
}

fn rows(flags: &[Flag]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row> = Vec::new();
    for flag in flags {
        let (z, kind, reason) = (flag.z, flag.trouble.kind, flag.trouble.reason.as_str());
        let same = rows.iter_mut().find(|row| (row.z, row.kind, row.reason) == (z, kind, reason));
        match same {
            Some(row) => row.tasks.extend(flag.task),
            None => rows.push(Row { z, kind, reason, tasks: flag.task.into_iter().collect() }),
        }
    }
    rows
}

fn table(flags: &[Flag], noun: &str) -> String {
    let rows = rows(flags);
    let cells: Vec<[String; 4]> = rows.iter().take(MOST_ROWS).map(|row| cells(row, noun)).collect();
    let heads = ["z", noun, "flag", "why"].map(str::to_owned);
    let width = |column: usize| {
        let all = cells.iter().chain([&heads]);
        all.map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let [z, task, flag] = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [at, tile, name, why] in [&heads].into_iter().chain(&cells) {
        text += &format!("{at:>z$}  {tile:<task$}  {name:<flag$}  {why}\n");
    }
    if rows.len() > MOST_ROWS {
        text += &format!("and {} more; `--json` has them all\n", rows.len() - MOST_ROWS);
    }
    text
}

fn cells(row: &Row, noun: &str) -> [String; 4] {
    let z = row.z.map_or("all".to_owned(), |z| z.to_string());
    let tasks = match row.tasks.as_slice() {
        [] => "whole section".to_owned(),
        [one] => format!("x {}, y {}", one.x, one.y),
        several => count(several.len() as u64, noun),
    };
    [z, tasks, row.kind.name().to_owned(), row.reason.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::Trouble;

    fn flag(z: Option<i64>, x: Option<i64>, kind: Kind, reason: &str) -> Flag {
        Flag { z, task: x.map(|x| Index::new(x, 1, z.unwrap_or(0), 0)), trouble: Trouble::new(kind, reason) }
    }

    #[test]
    fn tiles_of_a_section_with_one_reason_share_a_row() {
        let flags = [
            flag(None, Some(3), Kind::Empty, "every voxel is 0"),
            flag(Some(7), None, Kind::Shifted, "by about x +40, y +0 voxels against its neighbours"),
            flag(Some(12), Some(0), Kind::Unreadable, "`a.png` is damaged"),
            flag(Some(12), Some(1), Kind::Unreadable, "`a.png` is damaged"),
        ];
        insta::assert_snapshot!(table(&flags, "tile"), @r"
          z  tile           flag        why
        all  x 3, y 1       empty       every voxel is 0
          7  whole section  shifted     by about x +40, y +0 voxels against its neighbours
         12  2 tiles        unreadable  `a.png` is damaged
        ");
    }

    #[test]
    fn a_long_table_is_cut() {
        let flags: Vec<Flag> = (0..60).map(|z| flag(Some(z), None, Kind::Missing, "no file")).collect();
        let table = table(&flags, "tile");
        assert!(table.ends_with("and 20 more; `--json` has them all\n") && table.lines().count() == 42, "{table}");
    }
}
