//! `boss-ingest inspect`: what a file or volume is.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::args::InspectArgs;
use super::error::{CliError, Exit};
use super::figures::values;
use super::prepare::{quarter_of_memory, remote};
use crate::report::{grouped, human_bytes};
use crate::source::{Colour, Inspection, Part, Sample, SourceInfo, SourceRef, Sources};
use crate::volume::Size;

/// Decoded blocks that are kept while one section is read.
const CACHE_BYTES: u64 = 64 << 20;

/// Runs the command.
///
/// # Errors
/// When the source cannot be read, or the answer not be written.
pub fn run(args: &InspectArgs) -> Result<Exit, CliError> {
    let sources = Sources::new(PathBuf::new(), CACHE_BYTES).with_limit(quarter_of_memory());
    let sources = sources.with_remote(remote(None, None));
    let found = match sources.inspect(&source(args)) {
        Ok(found) => found,
        Err(error) if args.json => {
            print(&format!("{}\n", Value::Object(CliError::from(error).json())))?;
            return Ok(Exit::BadTasks);
        }
        Err(error) => return Err(error.into()),
    };
    print(&if args.json { format!("{}\n", Value::Object(object(args, &found))) } else { text(args, &found) })?;
    Ok(Exit::Done)
}

fn print(text: &str) -> Result<(), CliError> {
    std::io::stdout().write_all(text.as_bytes()).map_err(CliError::Output)
}

fn source(args: &InspectArgs) -> SourceRef {
    SourceRef {
        format: args.format.clone(),
        page: args.page,
        dataset: args.dataset.clone(),
        level: args.level,
        colour: args.channel.map_or(Colour::None, Colour::Channel),
        ..SourceRef::new(&args.source)
    }
}

/// One line for each fact.
fn text(args: &InspectArgs, found: &Inspection) -> String {
    let mut text = format!("{}\n", args.source);
    let mut line = |name: &str, value: String| text += &format!("  {name:<11} {value}\n");
    match &found.part {
        None => line("arrays", format!("{}, look at one of them with --dataset:", found.contents.arrays.len())),
        Some(Part { info, sample }) => {
            facts(info).into_iter().for_each(|(name, value)| line(name, value));
            if let Some(compression) = &found.contents.compression {
                line("compression", compression.clone());
            }
            if found.contents.levels > 1 {
                line("levels", format!("{}, of which this is {}", found.contents.levels, args.level.unwrap_or(0)));
            }
            line("file", human_bytes(info.file_bytes));
            let Sample { region, at, statistics } = sample;
            let at: String = at.iter().map(|(axis, at)| format!(", {axis} {at}")).collect();
            line("sample", values(statistics).replace('\n', &format!("\n{:14}", "")));
            line("", format!("at {region}{at}"));
            if found.contents.arrays.len() > 1 {
                line("arrays", format!("{} in all:", found.contents.arrays.len()));
            }
        }
    }
    if found.contents.arrays.len() > 1 || found.part.is_none() {
        found.contents.arrays.iter().for_each(|array| line("", array.clone()));
    }
    text
}

fn facts(info: &SourceInfo) -> Vec<(&'static str, String)> {
    let lengths: Vec<String> =
        info.axes.chars().rev().map(|axis| format!("{axis} {}", grouped(info.length(axis)))).collect();
    let mut facts = vec![
        ("format", info.format.to_owned()),
        ("axes", format!("{} (slowest first)", info.axes)),
        ("size", lengths.join(", ")),
        ("voxels", format!("{}, {} decoded", info.dtype, human_bytes(decoded_bytes(info)))),
    ];
    if info.origin != (0, 0, 0) {
        let (x, y, z) = info.origin;
        facts.push(("first voxel", format!("at x {x}, y {y}, z {z}")));
    }
    let Size { x, y, z } = info.block;
    facts.push((
        "blocks",
        if info.block == info.size { "one".to_owned() } else { format!("{x} × {y} × {z} (x, y, z)") },
    ));
    if info.pages > 1 {
        facts.push(("pages", grouped(info.pages)));
    }
    if let Some(note) = &info.note {
        facts.push(("note", note.to_string()));
    }
    if info.channels > 1 {
        facts.push(("channels", info.channels.to_string()));
    }
    facts
}

/// Bytes of all values on all axes.
fn decoded_bytes(info: &SourceInfo) -> u64 {
    let lengths = info.axes.chars().map(|axis| info.length(axis));
    lengths.fold(info.dtype.size_bytes() as u64, u64::saturating_mul)
}

fn object(args: &InspectArgs, found: &Inspection) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| _ = object.insert(name.to_owned(), value);
    put("path", json!(args.source));
    put("arrays", json!(found.contents.arrays));
    let Some(Part { info, sample }) = &found.part else { return object };
    let Size { x, y, z } = info.block;
    let shape: Vec<u64> = info.axes.chars().map(|axis| info.length(axis)).collect();
    put("format", json!(info.format));
    put("axes", json!(info.axes));
    put("shape", json!(shape));
    put("dtype", json!(info.dtype));
    put("origin", json!({"x": info.origin.0, "y": info.origin.1, "z": info.origin.2}));
    put("block", json!({"x": x, "y": y, "z": z}));
    put("compression", json!(found.contents.compression));
    put("levels", json!(found.contents.levels.max(1)));
    put("pages", json!(info.pages));
    put("channels", json!(info.channels));
    put("note", json!(info.note));
    put("file_bytes", json!(info.file_bytes));
    let at: Map<String, Value> = sample.at.iter().map(|(axis, at)| (axis.to_string(), json!(at))).collect();
    put("sample", json!({"region": sample.region, "at": at, "statistics": sample.statistics}));
    object
}
