//! The reference page `docs/lua.md`: the words of `reference.md`, with the tables made from the types file, the limits
//! and the built-in scripts. Types, page and what is registered cannot differ; tests see to it.

use std::fmt::Write as _;

use super::Limits;
use super::builtin::{BUILTINS, OLD_CLASSES};
use super::editor::TYPES;
use super::header::Part;
use super::stubs::{self, Kind, Stub, Typed};

/// The page's words. A line `{{word name}}` stands for what [`piece`] makes.
const WORDS: &str = include_str!("reference.md");

/// The text of `docs/lua.md`.
pub fn reference() -> String {
    let stubs = stubs::read(TYPES);
    let mut page = String::new();
    for line in WORDS.lines() {
        match line.strip_prefix("{{").and_then(|line| line.strip_suffix("}}")) {
            Some(order) => page += &piece(order, &stubs),
            None => page += &format!("{}\n", with_limits(line)),
        }
    }
    page
}

/// What stands for `{{order}}`.
fn piece(order: &str, stubs: &[Stub]) -> String {
    match order.split_once(' ') {
        Some(("fields", class)) => fields(class, stubs),
        Some(("functions", prefix)) => functions(prefix, stubs),
        Some(("other", "types")) => other_types(stubs),
        Some(("built-in", "scripts")) => builtins(),
        Some(("old", "classes")) => old_classes(),
        _ => panic!("`reference.md` asks for `{{{{{order}}}}}`, which nothing makes"),
    }
}

fn with_limits(line: &str) -> String {
    let limits = Limits::default();
    line.replace("{{memory}}", &format!("{} MiB", limits.memory_bytes >> 20))
        .replace("{{per call}}", &seconds(limits.per_call))
        .replace("{{setup}}", &seconds(limits.setup))
}

fn seconds(time: std::time::Duration) -> String {
    match time.as_secs_f64() {
        1.0 => "one second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}

/// A table of the class's fields.
fn fields(class: &str, stubs: &[Stub]) -> String {
    let found = stubs.iter().find(|stub| stub.name == class);
    let Some(Stub { kind: Kind::Class(fields), .. }) = found else {
        panic!("the types file has no class `{class}` with fields");
    };
    let has_defaults = fields.iter().any(|field| !field.about_and_default().1.is_empty());
    let mut table = String::from(if has_defaults {
        "| field | type | default | meaning |\n|---|---|---|---|\n"
    } else {
        "| field | type | meaning |\n|---|---|---|\n"
    });
    for field in fields {
        let (about, default) = field.about_and_default();
        let default = if has_defaults { format!(" {} |", cell(&default)) } else { String::new() };
        let _ = writeln!(table, "| `{}` | `{}` |{default} {} |", field.name, cell(&field.kind), cell(&about));
    }
    table
}

/// Each function whose name begins with `prefix`: how it is called, what it does, what it takes and gives.
fn functions(prefix: &str, stubs: &[Stub]) -> String {
    let mut text = String::new();
    for stub in stubs.iter().filter(|stub| stub.name.starts_with(prefix)) {
        let Kind::Function { params, returns } = &stub.kind else { continue };
        let name = stub.name.replace("PlanObject:", "plan:");
        let called: Vec<String> = params.iter().map(Typed::title).collect();
        let _ = write!(text, "#### `{name}({})`\n\n{}\n", called.join(", "), stub.about.join("\n\n"));
        let mut lines: Vec<String> = params.iter().map(described).collect();
        // Every method of a plan gives a plan.
        if !returns.is_empty() && !stub.name.starts_with("PlanObject:") {
            lines.push(format!("gives {}", returns.iter().map(given).collect::<Vec<_>>().join(", ")));
        }
        if !lines.is_empty() {
            let _ = writeln!(text, "\n- {}", lines.join("\n- "));
        }
        text.push('\n');
    }
    assert!(!text.is_empty(), "the types file has no function `{prefix}…`");
    text.truncate(text.trim_end().len() + 1);
    text
}

/// The types that the page's words do not show by name.
fn other_types(stubs: &[Stub]) -> String {
    let is_shown = |stub: &&Stub| WORDS.contains(&format!("{{{{fields {}}}}}", stub.name));
    let mut text = String::new();
    for stub in stubs.iter().filter(|stub| !is_shown(stub)) {
        let kind = match &stub.kind {
            Kind::Alias(kind) => format!("`{kind}`. "),
            Kind::Class(fields) => {
                let fields: Vec<String> = fields.iter().map(described).collect();
                format!("a table: {}. ", fields.join("; "))
            }
            Kind::Function { .. } => continue,
        };
        let _ = writeln!(text, "- **`{}`**: {kind}{}", stub.name, stub.about.join(" "));
    }
    text
}

/// Every built-in script: its slots, its comment, its parameters.
fn builtins() -> String {
    let mut text = String::new();
    for script in BUILTINS {
        let slots: Vec<String> = script.slots.iter().map(|slot| format!("`{slot}`")).collect();
        let _ = write!(text, "### `{}`\n\nFor {}.\n\n", script.name, slots.join(" and "));
        for part in script.header().parts() {
            match part {
                Part::Paragraph(paragraph) => text += &format!("{paragraph}\n\n"),
                Part::Block(block) => {
                    let language = if block.starts_with('"') && block.contains(": {") { "json" } else { "text" };
                    text += &format!("```{language}\n{block}\n```\n\n");
                }
            }
        }
        let params = stubs::read(script.text).into_iter().find_map(|stub| match stub.kind {
            Kind::Class(fields) if stub.name.ends_with("Params") => Some(fields),
            _ => None,
        });
        for param in params.into_iter().flatten() {
            let _ = writeln!(text, "- {}", described(&param));
        }
        text.truncate(text.trim_end().len());
        text += "\n\n";
    }
    text.truncate(text.trim_end().len() + 1);
    text
}

fn old_classes() -> String {
    let mut table = String::from("| class | slot | built-in | parameters that it means |\n|---|---|---|---|\n");
    for old in OLD_CLASSES {
        let presets: Vec<String> = old.presets().iter().map(|(key, value)| format!("`\"{key}\": {value}`")).collect();
        let _ = writeln!(table, "| `{}` | `{}` | `{}` | {} |", old.name, old.slot, old.builtin, presets.join(", "));
    }
    table
}

impl Typed {
    fn title(&self) -> String {
        format!("{}{}", self.name, if self.is_optional { "?" } else { "" })
    }
}

fn given(result: &Typed) -> String {
    let name = if result.name.is_empty() { String::new() } else { format!(" {}", result.name) };
    format!("`{}`{name}{}", result.kind, if result.is_optional { " or nil" } else { "" })
}

/// Such as `page` (`integer`, 0 unless given): page of the file.
fn described(typed: &Typed) -> String {
    let (about, default) = typed.about_and_default();
    let about = if about.is_empty() { String::new() } else { format!(": {about}") };
    let presence = match (typed.is_optional, default.is_empty()) {
        (_, false) => format!("; {default} by default"),
        (true, true) => "; may be left out".to_owned(),
        (false, true) => String::new(),
    };
    format!("`{}` (`{}`{presence}){about}", typed.name, typed.kind)
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
