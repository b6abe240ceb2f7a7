//! `boss.info`, `scalars`, `exists`, `list`, `read_text`, `read_json`: a look at the user's data while planning.

use std::fmt::Write as _;
use std::sync::Arc;

use mlua::{Lua, LuaSerdeExt, Table, Value};

use super::super::convert;
use super::super::lookup::{Lookup, LookupError};
use super::super::sandbox::Watch;
use super::{glob, lua_options};
use crate::source::{Number, SourceInfo, SourceRef};
use crate::volume::Span;

/// The look-ups, and the clock that stands still while they run.
#[derive(Clone)]
struct Looker {
    lookup: Arc<dyn Lookup>,
    watch: Arc<Watch>,
}

/// The table `boss`, with the look-ups in it.
pub(super) fn register(lua: &Lua, lookup: Arc<dyn Lookup>, watch: Arc<Watch>) -> mlua::Result<Table> {
    let looker = Looker { lookup, watch };
    let boss = lua.create_table()?;

    let look = looker.clone();
    let info = move |lua: &Lua, (path, fields): (String, Option<Table>)| {
        let source = source(&path, fields)?;
        info_table(lua, &*look.ask("info", &path, |lookup| lookup.info(&source))?)
    };
    boss.raw_set("info", lua.create_function(info)?)?;

    let look = looker.clone();
    let scalars = move |lua: &Lua, (path, dataset): (String, Option<String>)| {
        let source = SourceRef { dataset, ..SourceRef::new(path.as_str()) };
        let values = look.ask("scalars", &path, |lookup| lookup.scalars(&source))?;
        lua.create_sequence_from(values.into_iter().map(|value| match value {
            Number::Integer(integer) => i64::try_from(integer).map_or(Value::Number(integer as f64), Value::Integer),
            Number::Real(real) => Value::Number(real),
        }))
    };
    boss.raw_set("scalars", lua.create_function(scalars)?)?;

    let look = looker.clone();
    let exists = move |_: &Lua, path: String| look.ask("exists", &path, |lookup| lookup.exists(&path));
    boss.raw_set("exists", lua.create_function(exists)?)?;

    let look = looker.clone();
    let list = move |_: &Lua, (dir, pattern): (String, Option<String>)| {
        let mut names = look.ask("list", &dir, |lookup| lookup.list(&dir))?;
        names.retain(|name| pattern.as_deref().is_none_or(|pattern| glob::matches(pattern, name)));
        names.sort();
        Ok(names)
    };
    boss.raw_set("list", lua.create_function(list)?)?;

    let look = looker.clone();
    let read_text =
        move |lua: &Lua, path: String| lua.create_string(&*look.ask("read_text", &path, |lookup| lookup.text(&path))?);
    boss.raw_set("read_text", lua.create_function(read_text)?)?;

    let read_json = move |lua: &Lua, path: String| {
        let text = looker.ask("read_json", &path, |lookup| lookup.text(&path))?;
        let parsed = serde_json::from_str::<serde_json::Value>(&text);
        let value = parsed.map_err(|error| failed("read_json", &path, Box::new(error)))?;
        lua.to_value_with(&value, lua_options())
    };
    boss.raw_set("read_json", lua.create_function(read_json)?)?;
    Ok(boss)
}

impl Looker {
    fn ask<T>(
        &self,
        function: &str,
        path: &str,
        ask: impl FnOnce(&dyn Lookup) -> Result<T, LookupError>,
    ) -> mlua::Result<T> {
        self.watch.pause(|| ask(&*self.lookup)).map_err(|error| failed(function, path, error))
    }
}

/// The source that a path and the fields of a plan mean.
fn source(path: &str, fields: Option<Table>) -> mlua::Result<SourceRef> {
    let Some(fields) = fields else { return Ok(SourceRef::new(path)) };
    let draft = convert::draft(&fields, Span::one(0)).map_err(|mistake| mistake.in_call(None))?;
    Ok(draft.with_path(path.to_owned()).source)
}

/// `{ format, axes, shape = { x = …, y = … }, origin = { x = …, y = …, z = … }, dtype, pages, channels }`.
fn info_table(lua: &Lua, info: &SourceInfo) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("format", info.format)?;
    table.raw_set("axes", info.axes.as_str())?;
    table.raw_set("dtype", info.dtype.name())?;
    table.raw_set("pages", info.pages)?;
    table.raw_set("channels", info.channels)?;
    let lengths = info.axes.chars().map(|axis| (axis.to_string(), info.length(axis)));
    table.raw_set("shape", lua.create_table_from(lengths)?)?;
    let (x, y, z) = info.origin;
    table.raw_set("origin", lua.create_table_from([("x", x), ("y", y), ("z", z)])?)?;
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
