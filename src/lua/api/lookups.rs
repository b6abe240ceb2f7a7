//! `boss.info`, `boss.exists`, `boss.list`: a look at the user's data while planning.

use std::fmt::Write as _;
use std::sync::Arc;

use mlua::{Lua, Table};

use super::super::lookup::{Lookup, LookupError, SourceInfo};
use super::super::sandbox::Watch;
use super::glob;

/// The table `boss`, with the look-ups in it.
pub(super) fn register(lua: &Lua, lookup: Arc<dyn Lookup>, watch: Arc<Watch>) -> mlua::Result<Table> {
    let boss = lua.create_table()?;
    let (source, clock) = (lookup.clone(), watch.clone());
    let info = move |lua: &Lua, path: String| {
        let info = clock.pause(|| source.info(&path)).map_err(|error| failed("info", &path, error))?;
        info_table(lua, &info)
    };
    boss.raw_set("info", lua.create_function(info)?)?;

    let (source, clock) = (lookup.clone(), watch.clone());
    let exists = move |_: &Lua, path: String| {
        clock.pause(|| source.exists(&path)).map_err(|error| failed("exists", &path, error))
    };
    boss.raw_set("exists", lua.create_function(exists)?)?;

    let list = move |_: &Lua, (dir, pattern): (String, Option<String>)| {
        let mut names = watch.pause(|| lookup.list(&dir)).map_err(|error| failed("list", &dir, error))?;
        names.retain(|name| pattern.as_deref().is_none_or(|pattern| glob::matches(pattern, name)));
        names.sort();
        Ok(names)
    };
    boss.raw_set("list", lua.create_function(list)?)?;
    Ok(boss)
}

/// `{ format, axes, shape = { x = …, y = … }, dtype, pages }`.
fn info_table(lua: &Lua, info: &SourceInfo) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("format", info.format.as_str())?;
    table.raw_set("axes", info.axes.as_str())?;
    table.raw_set("dtype", info.dtype.name())?;
    table.raw_set("pages", info.pages)?;
    let lengths = info.axes.chars().map(String::from).zip(info.shape.iter().copied());
    table.raw_set("shape", lua.create_table_from(lengths)?)?;
    Ok(table)
}

fn failed(function: &str, path: &str, error: LookupError) -> mlua::Error {
    let mut message = format!("`boss.{function}` of `{path}`: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(message, ": {error}");
        cause = error.source();
    }
    mlua::Error::runtime(message)
}
