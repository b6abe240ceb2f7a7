//! A task as text: one line for each step, in their order.

use super::super::args::TryArgs;
use super::super::figures::{percent, values};
use super::picture::{self, Canvas};
use super::trial::{Chosen, ChosenBy, Header, PathSaid, Reading, Trial, Upload};
use crate::lua::PathAnswer;
use crate::report::{count, human_bytes};
use crate::source::{Plan, SourceInfo};
use crate::volume::{Region, Size};

/// Boxes that are listed before "and so many more".
const SHOWN_BOXES: usize = 4;

/// Sources that are listed where a plan reads many.
const SHOWN_SOURCES: usize = 8;

/// All that is known of the task.
pub fn text(trial: &Trial, args: &TryArgs, canvas: Option<Canvas>) -> String {
    let first = if args.at.is_none() { ", the first of the job" } else { "" };
    let mut text = format!("{} {}{first}\n", trial.job.grid.task_noun(), trial.index);
    let mut line = |name: &str, value: String| {
        let value = value.replace('\n', &format!("\n{:12}", ""));
        text += &format!("  {name:<9} {}\n", value.trim_end());
    };
    line("region", format!("{} of `{}`", trial.region, trial.job.database));
    line("required", required(trial));
    if let Some(path) = trial.path.as_ref().filter(|path| !path.is_missing() || trial.missing.is_none()) {
        line("path", said(path, trial.plan.as_ref()));
    }
    if let Some(reason) = &trial.missing {
        line("missing", missing(reason, trial.job.grid.task_noun()));
    }
    if let Some(plan) = &trial.plan {
        line("plan", plan.to_string());
    }
    sources(&trial.sources).into_iter().for_each(|(name, value)| line(name, value));
    if let (Some(dtype), Some(result)) = (trial.dtype, &trial.result) {
        result_lines(result, dtype).into_iter().for_each(|(name, value)| line(name, value));
    }
    if let Some(upload) = &trial.upload {
        line("upload", uploaded(upload));
    }
    if let Some(output) = &trial.output {
        line("written", format!("`{}`", output.display()));
    }
    line("took", took(&trial.seconds));
    if let (Some(canvas), Some(result)) = (canvas, &trial.result) {
        text += &picture::draw(&result.traced.block, &trial.required, &canvas);
    }
    text
}

/// In the channel's voxels, as the region.
fn required(trial: &Trial) -> String {
    if trial.required.is_empty() {
        return "nothing, as it lies outside the extent".to_owned();
    }
    if trial.required == Region::of_size(trial.job.grid.task_size()) {
        return "all of it".to_owned();
    }
    let Region { x, y, z } = trial.region;
    format!("{}; the rest of it lies outside the extent", trial.required.shift(x.start, y.start, z.start))
}

fn said(path: &PathSaid, plan: Option<&Plan>) -> String {
    let note = |path: &str| match plan {
        Some(plan) if plan.sources().iter().all(|source| source.path != path) => ", which the plan does not read",
        _ => "",
    };
    match path {
        PathSaid::Answer(PathAnswer::Path(path)) if path.is_empty() => "the plan's business".to_owned(),
        PathSaid::Answer(PathAnswer::Path(path)) => format!("{path}{}", note(path)),
        PathSaid::Answer(PathAnswer::Missing { reason }) => format!("none: {}", reason_or(reason)),
        PathSaid::Failed(error) => format!("none, as the path slot fails, but the plan does without: {error}"),
    }
}

fn missing(reason: &str, noun: &str) -> String {
    let reason = reason_or(reason);
    format!("{reason}\nthe script says that there is no data; a run uploads the rest and lists this {noun} at its end")
}

fn reason_or(reason: &str) -> &str {
    if reason.is_empty() { "no reason given" } else { reason }
}

/// A lone source in full; of several the first and the last, and all that are not like the first.
fn sources(all: &[Header]) -> Vec<(&'static str, String)> {
    let (first, last) = match all {
        [] => return Vec::new(),
        [one] => return vec![("source", header(one))],
        [first, .., last] => (first, last),
    };
    let mut lines = vec![format!("{}, from `{}` to `{}`", all.len(), first.path, last.path), header(first)];
    let odd: Vec<&Header> = all.iter().filter(|one| !alike(first, one)).collect();
    lines.extend(odd.iter().take(SHOWN_SOURCES).map(|one| match &one.info {
        Ok(_) => format!("but `{}` is {}", one.path, header(one)),
        Err(_) => format!("but {}", header(one)),
    }));
    if odd.len() > SHOWN_SOURCES {
        lines.push(format!("… and {} more that differ", odd.len() - SHOWN_SOURCES));
    }
    vec![("sources", lines.join("\n"))]
}

fn header(header: &Header) -> String {
    match &header.info {
        Ok(info) => describe(info),
        Err(error) if header.may_lack => format!("{error}; the plan fills its place"),
        Err(error) => error.to_string(),
    }
}

fn alike(a: &Header, b: &Header) -> bool {
    let shape = |info: &SourceInfo| (info.format, info.axes.clone(), info.size, info.dtype, info.channels, info.pages);
    match (&a.info, &b.info) {
        (Ok(a), Ok(b)) => shape(a) == shape(b),
        _ => a.path == b.path,
    }
}

/// `png, 512 × 512 voxels of uint8 (axes yx), decoded whole, 205.2 kB`.
fn describe(info: &SourceInfo) -> String {
    let mut parts = vec![format!("{info} (axes {})", info.axes)];
    if info.pages > 1 {
        parts.push(count(info.pages, "page"));
    }
    if info.channels > 1 {
        parts.push(count(info.channels, "channel"));
    }
    parts.push(human_bytes(info.file_bytes));
    parts.join(", ")
}

fn result_lines(result: &Reading, dtype: Chosen) -> Vec<(&'static str, String)> {
    let (block, statistics) = (&result.traced.block, &result.statistics);
    let Size { x, y, z } = block.size();
    let by = match dtype.by {
        ChosenBy::User => "as `--dtype` says",
        ChosenBy::FirstSource => "the first source's type, as there is no `--dtype`",
        ChosenBy::Nobody => "a guess, as there is no source and no `--dtype`",
    };
    let mut lines = vec![
        ("result", format!("{z} × {y} × {x} (z, y, x) of {}, {by}", dtype.dtype)),
        ("padded", boxes(&result.traced.padded(), block.size(), "with 0")),
    ];
    let filled = result.traced.filled();
    if !filled.is_empty() {
        lines.push(("filled", boxes(&filled, block.size(), "by the plan")));
    }
    lines.push(("values", values(statistics)));
    lines.push(("checksum", format!("{} (MD5 of the voxels, little-endian, x fastest)", result.checksum)));
    lines
}

/// `43.8 % with 0: x 61..96, y 0..64, z 0..1; … (from its first voxel on)`.
fn boxes(boxes: &[Region], of: Size, how: &str) -> String {
    if boxes.is_empty() {
        return "nothing".to_owned();
    }
    if boxes == [Region::of_size(of)] {
        return format!("all of it {how}");
    }
    let voxels: u64 = boxes.iter().map(|one| one.size().voxels()).sum();
    let mut shown: Vec<String> = boxes.iter().take(SHOWN_BOXES).map(Region::to_string).collect();
    if boxes.len() > SHOWN_BOXES {
        shown.push(format!("… {} more", boxes.len() - SHOWN_BOXES));
    }
    let share = percent(voxels as f64 / of.voxels() as f64);
    format!("{share} {how}: {} (counted from its first voxel)", shown.join("; "))
}

fn uploaded(upload: &Upload) -> String {
    let Upload { as_is, format, bytes } = upload;
    let bytes = human_bytes(*bytes as u64);
    if *as_is {
        format!("the file itself, byte for byte: {format}, {bytes}")
    } else {
        format!("encoded anew as {format}, {bytes}")
    }
}

fn took(seconds: &[(&'static str, f64)]) -> String {
    let each = seconds.iter().map(|(step, seconds)| match seconds {
        seconds if *seconds < 1.0 => format!("{step} {:.1} ms", seconds * 1000.0),
        seconds => format!("{step} {seconds:.1} s"),
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_timed_in_units_that_suit_them() {
        assert_eq!(
            took(&[("plan", 0.00004), ("read", 0.25), ("write", 12.0)]),
            "plan 0.0 ms, read 250.0 ms, write 12.0 s"
        );
    }
}
