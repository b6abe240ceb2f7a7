//! `boss-ingest scripts`: the built-in scripts, and the API's types for editors.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::args::ScriptsCommand;
use super::error::{CliError, Exit};
use crate::lua::{BUILTINS, Builtin, StandsFor, TYPES, TYPES_FILE, luarc};

/// Runs the command.
///
/// # Errors
/// When there is no script of that name, or a file cannot be written.
pub fn run(command: ScriptsCommand) -> Result<Exit, CliError> {
    match command {
        ScriptsCommand::List { json: false } => print(&table())?,
        ScriptsCommand::List { json: true } => print(&format!("{:#}\n", listed()))?,
        ScriptsCommand::Show { name } => show(&name)?,
        ScriptsCommand::Types { dir } => write_types(&dir)?,
    }
    Ok(Exit::Done)
}

fn table() -> String {
    let slots = |script: &Builtin| {
        let slots: Vec<&str> = script.slots.iter().map(|slot| slot.trim_end_matches("_processor")).collect();
        slots.join(", ")
    };
    let name_width = BUILTINS.iter().map(|script| script.name.len()).max().unwrap_or(0);
    let slots_width = BUILTINS.iter().map(|script| slots(script).len()).max().unwrap_or(0);
    let mut text = format!("{:<name_width$}  {:<slots_width$}  summary\n", "name", "slots");
    for script in BUILTINS {
        let (name, slots, summary) = (script.name, slots(script), script.header().summary());
        text += &format!("{name:<name_width$}  {slots:<slots_width$}  {summary}\n");
    }
    text
}

fn listed() -> Value {
    let scripts = BUILTINS
        .iter()
        .map(|script| json!({"name": script.name, "slots": script.slots, "summary": script.header().summary()}));
    scripts.collect()
}

fn show(name: &str) -> Result<(), CliError> {
    let found = Builtin::find(name)?;
    if let Some(old) = &found.old_class {
        eprintln!("{}", stands_for(found.builtin.name, old));
    }
    print(found.builtin.text)
}

fn stands_for(builtin: &str, old: &StandsFor) -> String {
    let presets: Vec<String> = old.presets.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
    let presets = if presets.is_empty() { String::new() } else { format!(", with `{}`", presets.join(", ")) };
    format!("the built-in `{builtin}` stands for `{}`{presets}", old.class)
}

fn write_types(dir: &Path) -> Result<(), CliError> {
    write(&dir.join(TYPES_FILE), TYPES)?;
    let path = dir.join(".luarc.json");
    let failed = |source| CliError::Write { path: path.clone(), source };
    let before = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(source) => return Err(failed(source)),
    };
    match luarc(before.as_deref()).map_err(|source| CliError::Luarc { path: path.clone(), source })? {
        Some(text) if before.is_none() => write(&path, &text)?,
        Some(text) => {
            fs::write(&path, text).map_err(failed)?;
            eprintln!("added to `{}` what was missing", path.display());
        }
        None => eprintln!("left `{}` as it is: it names the types already", path.display()),
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    fs::write(path, text).map_err(failed)?;
    eprintln!("wrote `{}`", path.display());
    Ok(())
}

fn print(text: &str) -> Result<(), CliError> {
    std::io::stdout().write_all(text.as_bytes()).map_err(CliError::Output)
}
