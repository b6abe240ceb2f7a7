//! A Lua state with the API in it, in which slots' scripts are loaded and their functions called.

use std::sync::Arc;
use std::time::Duration;

use mlua::chunk::ChunkMode;
use mlua::{FromLuaMulti, Function, IntoLuaMulti, Lua, LuaSerdeExt, Table, Value};
use serde_json::json;

use super::api::{self, Registered};
use super::fault::{Mistake, Place, explain, is_time_out, mistaken};
use super::library::Library;
use super::lookup::Lookup;
use super::sandbox::{self, TimedOut, Watch};
use super::scripts::Script;
use super::{Limits, ScriptError, params};
use crate::config::Job;
use crate::protocol::JobKind;
use crate::volume::{Extent, Index};

const PRELUDE: &str = include_str!("prelude.lua");

/// The state and what its errors are told with.
pub(super) struct State {
    pub lua: Lua,
    pub watch: Arc<Watch>,
    pub library: Arc<Library>,
    pub limits: Limits,
}

/// A slot's function, ready to be called.
pub(super) struct Hook {
    pub script: String,
    pub slot: &'static str,
    pub name: &'static str,
    /// Where it begins in the script.
    pub line: Option<usize>,
    pub function: Function,
    /// The table that the script returned.
    pub module: Table,
    pub params: Table,
}

impl Hook {
    pub fn place(&self, at: Option<Index>) -> Place<'_> {
        Place { script: &self.script, line: self.line, hook: Some(self.name), at }
    }
}

impl State {
    /// Runs a slot's script, and finds its hook.
    pub fn hook(&self, script: &Script) -> Result<Hook, ScriptError> {
        let place = Place { script: &script.name, line: None, hook: None, at: None };
        let failed = |error: mlua::Error| self.explain(&error, place);
        let chunk = self.lua.load(&*script.text).set_name(format!("={}", script.name)).set_mode(ChunkMode::Text);
        let load = chunk.into_function().map_err(failed)?;
        let Value::Table(module) = self.run(&load, (), self.limits.setup, place)? else {
            let mistake = Mistake::with_hint("it returns no table of functions", "end it with `return M`");
            return Err(mistaken(mistake, place, &self.library));
        };
        let missing = || ScriptError::MissingHook { script: script.name.clone(), slot: script.slot, hook: script.hook };
        let function = self.function(&module, script.hook, place)?.ok_or_else(missing)?;
        let params = self.check_params(script, &module)?;
        module.raw_set("params", &params).map_err(failed)?;
        let line = function.info().line_defined;
        let (script, slot, name) = (script.name.clone(), script.slot, script.hook);
        Ok(Hook { script, slot, name, line, function, module, params })
    }

    /// The slot's parameters as a Lua table, after a look at what the script declares.
    fn check_params(&self, script: &Script, module: &Table) -> Result<Table, ScriptError> {
        let place = Place { script: &script.name, line: None, hook: None, at: None };
        let failed = |error: mlua::Error| self.explain(&error, place);
        let mut values = script.params.clone();
        if let Value::Table(declaration) = module.raw_get("params").map_err(failed)? {
            let checked = params::check(&self.lua, &declaration, values).map_err(failed)?;
            let mut faults = checked.faults;
            if script.is_old_class {
                for unknown in &checked.unknown {
                    tracing::warn!("parameter of `{}`: {unknown}", script.slot);
                }
            } else {
                faults.extend(checked.unknown);
            }
            if !faults.is_empty() {
                return Err(ScriptError::Params { script: script.name.clone(), slot: script.slot, faults });
            }
            values = checked.params;
        }
        to_table(&self.lua, &values).map_err(failed)
    }

    /// A function of the script's table, if it is there.
    pub fn function(&self, module: &Table, name: &str, place: Place) -> Result<Option<Function>, ScriptError> {
        let read = self.watched(self.limits.setup, place, || module.get::<Value>(name))?;
        match read.map_err(|error| self.explain(&error, place))? {
            Value::Nil => Ok(None),
            Value::Function(function) => Ok(Some(function)),
            other => {
                let mistake = Mistake::wrong(format!("its `{name}` is a {}, not a function", other.type_name()));
                Err(mistaken(mistake, place, &self.library))
            }
        }
    }

    /// Calls into Lua with a time limit.
    pub fn run<R: FromLuaMulti>(
        &self,
        function: &Function,
        arguments: impl IntoLuaMulti,
        limit: Duration,
        place: Place,
    ) -> Result<R, ScriptError> {
        self.watch.start(limit);
        let result = function.call::<R>(arguments);
        let was_over = self.watch.settle(&self.lua).map_err(|error| self.explain(&error, place))?;
        match result {
            // What failed on the way out of the script hides why it was left.
            Err(error) if was_over && !is_time_out(&error) => {
                Err(self.explain(&mlua::Error::external(TimedOut), place))
            }
            result => result.map_err(|error| self.explain(&error, place)),
        }
    }

    /// Does something in Rust that may call into Lua, such as reading a table with a metatable; with a time limit.
    pub fn watched<T>(&self, limit: Duration, place: Place, ask: impl FnOnce() -> T) -> Result<T, ScriptError> {
        self.watch.start(limit);
        let result = ask();
        if self.watch.settle(&self.lua).map_err(|error| self.explain(&error, place))? {
            return Err(self.explain(&mlua::Error::external(TimedOut), place));
        }
        Ok(result)
    }

    pub fn explain(&self, error: &mlua::Error, place: Place) -> ScriptError {
        explain(error, place, &self.library, &self.limits)
    }

    /// The second argument of `setup`: a fresh copy, so that no slot changes the other's.
    pub fn job_table(&self, slot: &str) -> mlua::Result<Table> {
        let copy = copy_of(&self.lua, &self.lua.named_registry_value(JOB)?)?;
        copy.raw_set("slot", slot)?;
        Ok(copy)
    }
}

/// A table with the same values, and copies of the tables among them.
fn copy_of(lua: &Lua, table: &Table) -> mlua::Result<Table> {
    let copy = lua.create_table()?;
    for pair in table.pairs::<Value, Value>() {
        match pair? {
            (key, Value::Table(inner)) => copy.raw_set(key, copy_of(lua, &inner)?)?,
            (key, value) => copy.raw_set(key, value)?,
        }
    }
    Ok(copy)
}

/// The registry's key of the job's table.
const JOB: &str = "boss.job";

/// The registry's key of the methods of plan objects.
#[cfg(test)]
pub(super) const PLAN_METHODS: &str = "boss.plan_methods";

/// Fills a new state with the API; gives the functions that the host calls.
pub(super) fn prelude(
    lua: &Lua,
    job: &Job,
    library: Arc<Library>,
    lookup: Arc<dyn Lookup>,
    watch: Arc<Watch>,
) -> mlua::Result<Table> {
    let Registered { boss, rust } = api::register(lua, library, lookup, watch)?;
    let job = to_table(lua, &job_values(job))?;
    lua.set_named_registry_value(JOB, &job)?;
    let host: Table = lua.load(PRELUDE).set_name("=prelude").set_mode(ChunkMode::Text).call((boss, job, rust))?;
    #[cfg(test)]
    lua.set_named_registry_value(PLAN_METHODS, host.raw_get::<Table>("plan_methods")?)?;
    sandbox::lock_globals(lua)?;
    Ok(host)
}

/// What scripts are told of the job.
fn job_values(job: &Job) -> serde_json::Map<String, serde_json::Value> {
    let Extent { x, y, z, t } = job.grid.extent();
    let size = job.grid.task_size();
    let (kind, size_name) = match job.kind {
        JobKind::Tile => ("tile", "tile_size"),
        JobKind::Volumetric => ("volumetric", "chunk_size"),
    };
    let values = json!({
        "kind": kind,
        "dir": job.dir.to_string_lossy(),
        "resolution": job.resolution,
        "collection": job.database.collection,
        "experiment": job.database.experiment,
        "channel": job.database.channel,
        "extent": {"x": x, "y": y, "z": z, "t": t},
        "task_size": size,
        size_name: size,
    });
    let serde_json::Value::Object(values) = values else { unreachable!("it is written as an object") };
    values
}

fn to_table(lua: &Lua, values: &serde_json::Map<String, serde_json::Value>) -> mlua::Result<Table> {
    let value = lua.to_value_with(values, api::lua_options())?;
    lua.unpack(value)
}
