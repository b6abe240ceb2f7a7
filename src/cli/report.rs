//! `boss-ingest report`: what this machine wrote down of a job.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Value, json};

use super::args::ReportArgs;
use super::connect::job_of;
use super::error::{CliError, Exit};
use super::{logging, manifest};
use crate::engine::ledger::{Entry, JobOf, Reader, time};
use crate::report::{count, grouped, human_bytes};

/// Runs the command. It asks no Boss.
///
/// # Errors
/// When this machine has no ledger of the job, or it cannot be read.
pub fn run(args: &ReportArgs) -> Result<Exit, CliError> {
    let job = job_of(&args.job.boss, args.job.id)?;
    let reader = Reader::open(&logging::state_dir(), &job)?;
    let text = if args.json { format!("{:#}\n", json(&job, &reader)?) } else { text(&job, &reader)? };
    std::io::stdout().write_all(text.as_bytes()).map_err(CliError::Output)?;
    Ok(if reader.quarantined()?.is_empty() { Exit::Done } else { Exit::BadTasks })
}

fn json(job: &JobOf, reader: &Reader) -> Result<Value, CliError> {
    let mut report = json!({"boss": job.boss, "job": job.id, "stored_by_this_machine": reader.counts()?});
    let more = manifest::of_ledger(reader, &reader.filled()?)?;
    report.as_object_mut().expect("it is an object").extend(more.as_object().expect("so is this").clone());
    Ok(report)
}

fn text(job: &JobOf, reader: &Reader) -> Result<String, CliError> {
    let (counts, changes) = (reader.counts()?, reader.edition()?.1);
    let (bad, filled, changed) = (reader.quarantined()?, reader.filled()?, reader.changed_sources()?);
    let mut text = format!("ingest job {} of {}, as this machine saw it\n", job.id, job.boss);
    let (tasks, objects) = (count(counts.tasks, "task"), count(counts.objects, "object"));
    text += &format!("  stored      {tasks} as {objects}, {}\n", human_bytes(counts.sent_bytes));
    text += &format!(
        "  bad         {} in quarantine, {} filled\n",
        grouped(bad.len() as u64),
        grouped(filled.len() as u64)
    );
    if changes > 0 {
        text += &format!("  changes     scripts or job file changed {}, and that was accepted\n", times(changes));
    }
    for (nth, run) in reader.runs()?.iter().enumerate() {
        let name = if nth == 0 { "runs" } else { "" };
        let ended = match (run.ended_s, &run.ending) {
            (Some(ended), Some(ending)) => format!("{}, {ending}", time(ended)),
            _ => "still running, or killed".to_owned(),
        };
        text += &format!("  {name:<10}  {} to {ended} (process {})\n", time(run.started_s), run.pid);
    }
    text += &section("in quarantine", &bad);
    text += &section("filled", &filled);
    if !changed.is_empty() {
        text += &format!("\n{} changed during the job\n", count(changed.len() as u64, "source"));
        changed.iter().for_each(|(path, noticed)| text += &format!("  {path}  noticed {}\n", time(*noticed)));
    }
    text += &format!("\nledger: {}\n", reader.path().display());
    Ok(text)
}

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

/// Tasks that are shown of each cause; `--json` has them all.
const SHOWN: usize = 10;

/// Bad tasks by what they share: file, reason, hint and fill. What is said of a file is said once.
fn section(title: &str, entries: &[Entry]) -> String {
    let Some(first) = entries.first() else { return String::new() };
    let mut text = format!("\n{} {title}\n", count(entries.len() as u64, &first.kind));
    let mut groups: Vec<(&Entry, Vec<&Entry>)> = Vec::new();
    for entry in entries {
        let same = |other: &Entry| {
            (&other.file, &other.reason, &other.hint) == (&entry.file, &entry.reason, &entry.hint)
                && other.fill == entry.fill
        };
        match groups.iter_mut().find(|(first, _)| same(first)) {
            Some((_, group)) => group.push(entry),
            None => groups.push((entry, vec![entry])),
        }
    }
    for (first, group) in groups {
        let _ = writeln!(text, "  {}", first.file.as_deref().unwrap_or("no file"));
        let indented = |text: &str| text.trim_end().replace('\n', "\n           ");
        let _ = writeln!(text, "    reason {}", indented(&first.reason));
        let hint = first.hint.as_deref().filter(|_| first.fill.is_none());
        if let Some(hint) = hint {
            let _ = writeln!(text, "    hint   {}", indented(hint));
        }
        if let Some(fill) = first.fill {
            let _ =
                writeln!(text, "    fill   {fill}; to replace it, mend the file and ingest its cuboids with a new job");
        }
        for entry in group.iter().take(SHOWN) {
            let _ = writeln!(text, "    {} {}", entry.kind, entry.index);
        }
        if group.len() > SHOWN {
            let _ = writeln!(text, "    … and {} more; `--json` lists them all", group.len() - SHOWN);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Index;

    #[test]
    fn tasks_of_one_cause_stand_together() {
        let entry = |x, file: &str| Entry {
            kind: "tile".to_owned(),
            index: Index::new(x, 0, 7, 0),
            file: Some(file.to_owned()),
            reason: format!("`{file}` is damaged\nit ends early"),
            hint: Some("copy it again".to_owned()),
            tries: 3,
            fill: None,
        };
        let mut entries: Vec<Entry> = (0..12).map(|x| entry(x, "a.png")).collect();
        entries.insert(3, entry(50, "b.png"));
        let text = section("in quarantine", &entries);
        assert!(text.starts_with(
            "\n13 tiles in quarantine\n  a.png\n    reason `a.png` is damaged\n           it ends early\n"
        ));
        assert_eq!(text.matches("copy it again").count(), 2);
        assert!(text.contains("… and 2 more") && text.contains("    tile x 50, y 0, z 7\n"), "{text}");
        assert_eq!(section("filled", &[]), "");
    }
}
