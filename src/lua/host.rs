//! One Lua state with both slots' scripts in it.

use std::sync::Arc;
use std::time::Duration;

use mlua::chunk::ChunkMode;
use mlua::serde::SerializeOptions;
use mlua::{FromLuaMulti, Function, IntoLuaMulti, Lua, LuaSerdeExt, Table, Value};
use serde_json::json;

use super::convert::{self, Draft, Returned};
use super::fault::{Mistake, Place, explain, mistaken};
use super::library::Library;
use super::lookup::Lookup;
use super::sandbox::{self, Watch};
use super::scripts::Script;
use super::{Limits, ScriptError, api, params};
use crate::config::Job;
use crate::protocol::JobKind;
use crate::source::{Plan, ReadPlan};
use crate::volume::{Extent, Grid, Index, Region, Span};

const PRELUDE: &str = include_str!("prelude.lua");

/// One Lua state with both slots' scripts in it. Not shared: each worker has its own.
pub struct Host {
    state: State,
    grid: Grid,
    path: Hook,
    data: Hook,
    /// `call(hook, x, y, z, t)` and `section_path(z)` of `prelude.lua`.
    call: Function,
    section_path: Function,
}

/// What a script says of one task.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Plan(Plan),
    /// There is no data for this task.
    Missing {
        reason: String,
    },
}

/// The state and what its errors are told with.
struct State {
    lua: Lua,
    watch: Arc<Watch>,
    library: Arc<Library>,
    limits: Limits,
}

/// A slot's function, ready to be called.
struct Hook {
    script: String,
    slot: &'static str,
    name: &'static str,
    /// Where it begins in the script.
    line: Option<usize>,
    function: Function,
    /// The table that the script returned.
    module: Table,
    params: Table,
}

impl Host {
    /// A state with both scripts loaded, and their `setup` not yet called.
    pub(super) fn load(
        job: &Job,
        path: &Script,
        data: &Script,
        library: Arc<Library>,
        lookup: Arc<dyn Lookup>,
        limits: Limits,
    ) -> Result<Host, ScriptError> {
        let place = Place { script: &data.name, line: None, hook: None, at: None };
        let failed = |error: mlua::Error| explain(&error, place, &library, &limits);
        let (lua, watch) = sandbox::new_state(&limits).map_err(failed)?;
        let prelude = prelude(&lua, job, library.clone(), lookup, watch.clone()).map_err(failed)?;
        let get = |name: &str| prelude.raw_get::<Function>(name).map_err(failed);
        let (call, section_path, set_path_hook) = (get("call")?, get("section_path")?, get("set_path_hook")?);

        let state = State { lua, watch, library: library.clone(), limits };
        state.watch.start(limits.setup);
        let (path, data) = (state.hook(path)?, state.hook(data)?);
        set_path_hook.call::<()>(&path.function).map_err(failed)?;
        Ok(Host { state, grid: job.grid, path, data, call, section_path })
    }

    /// Calls both scripts' `setup(params, job)`.
    pub(super) fn set_up(&mut self) -> Result<(), ScriptError> {
        for hook in [&self.path, &self.data] {
            let place = Place { line: None, hook: Some("setup"), ..hook.place(None) };
            let Some(setup) = self.state.function(&hook.module, "setup", place)? else { continue };
            let job = self.state.job_table(hook.slot).map_err(|error| self.state.explain(&error, place))?;
            self.state.run::<()>(&setup, (&hook.params, job), self.state.limits.setup, place)?;
        }
        Ok(())
    }

    /// What to read for the tile or chunk at `index`.
    ///
    /// # Errors
    /// [`ScriptError::Runtime`], `WrongReturn`, `UnknownPlanKey`, `Timeout` and `Memory`. The host can be used further
    /// after each of them.
    pub fn plan(&mut self, index: Index) -> Result<Answer, ScriptError> {
        let place = self.data.place(Some(index));
        match self.ask(&self.data, index)? {
            (Value::Nil, reason) => Ok(missing(&reason)),
            (Value::Table(table), _) => {
                let region = self.grid.region(index);
                let returned = convert::returned(&table, region).map_err(|mistake| self.mistaken(mistake, place))?;
                self.complete(returned, index, region)
            }
            (other, _) => {
                let message = format!("`{}` returned a {}; it must return a plan", self.data.name, other.type_name());
                let hint =
                    "return a table such as `{ path = \"s0001.tif\", region = at.region }`, or `nil, \"reason\"`";
                Err(self.mistaken(Mistake::with_hint(message, hint), place))
            }
        }
    }

    /// Asks the path slot where the plan leaves the path open.
    fn complete(&self, returned: Returned, index: Index, region: Region) -> Result<Answer, ScriptError> {
        match returned {
            Returned::Read(draft) => {
                let ask = || self.ask(&self.path, index);
                Ok(match self.with_path(draft, index, ask)? {
                    Ok(plan) => Answer::Plan(Plan::Read(plan)),
                    Err(missing) => missing,
                })
            }
            Returned::Stack { z, sections } => {
                self.check_stack(z, index, region)?;
                let mut plans = Vec::with_capacity(sections.len());
                for (draft, section) in sections.into_iter().zip(z.start..) {
                    match self.with_path(draft, index, || self.ask_section(section, index))? {
                        Ok(plan) => plans.push(plan),
                        Err(missing) => return Ok(missing),
                    }
                }
                Ok(Answer::Plan(Plan::Stack { z, sections: plans }))
            }
        }
    }

    fn check_stack(&self, z: Span, index: Index, region: Region) -> Result<(), ScriptError> {
        let place = self.data.place(Some(index));
        if !region.z.covers(z) {
            let message = format!("the stack has sections z {z}, but the chunk is z {}", region.z);
            let hint = "stack over `at.region.z`, or a part of it";
            return Err(self.mistaken(Mistake::with_hint(message, hint), place));
        }
        Ok(())
    }

    fn with_path(
        &self,
        draft: Draft,
        index: Index,
        ask: impl FnOnce() -> Result<(Value, Value), ScriptError>,
    ) -> Result<Result<ReadPlan, Answer>, ScriptError> {
        if let Some(path) = draft.path.clone() {
            return Ok(Ok(draft.with_path(path)));
        }
        let wrong = |message: String| {
            let hint = "return a path or URL as a string, or `nil, \"reason\"`";
            self.mistaken(Mistake::with_hint(message, hint), self.path.place(Some(index)))
        };
        match ask()? {
            (Value::Nil, reason) => Ok(Err(missing(&reason))),
            (Value::String(path), _) => match path.to_str() {
                Ok(path) if !path.is_empty() => Ok(Ok(draft.with_path(path.to_owned()))),
                Ok(_) => Err(wrong("`path` returned an empty string".to_owned())),
                Err(_) => Err(wrong("`path` returned a string that is not UTF-8 text".to_owned())),
            },
            (other, _) => Err(wrong(format!("`path` returned a {}", other.type_name()))),
        }
    }

    fn ask(&self, hook: &Hook, index: Index) -> Result<(Value, Value), ScriptError> {
        let Index { x, y, z, t } = index;
        let limit = self.state.limits.per_call;
        self.state.run(&self.call, (&hook.function, x, y, z, t), limit, hook.place(Some(index)))
    }

    fn ask_section(&self, z: i64, index: Index) -> Result<(Value, Value), ScriptError> {
        self.state.run(&self.section_path, z, self.state.limits.per_call, self.path.place(Some(Index { z, ..index })))
    }

    /// The state, and the methods of plan objects, for a test of what is registered.
    #[cfg(test)]
    pub(super) fn inspect(&self) -> (&Lua, Table) {
        let methods = self.state.lua.named_registry_value(PLAN_METHODS).expect("the prelude registered them");
        (&self.state.lua, methods)
    }

    fn mistaken(&self, mistake: Mistake, place: Place) -> ScriptError {
        mistaken(mistake, place, &self.state.library)
    }
}

impl Hook {
    fn place(&self, at: Option<Index>) -> Place<'_> {
        Place { script: &self.script, line: self.line, hook: Some(self.name), at }
    }
}

impl State {
    /// Runs a slot's script, and finds its hook.
    fn hook(&self, script: &Script) -> Result<Hook, ScriptError> {
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
    fn function(&self, module: &Table, name: &str, place: Place) -> Result<Option<Function>, ScriptError> {
        match module.get::<Value>(name).map_err(|error| self.explain(&error, place))? {
            Value::Nil => Ok(None),
            Value::Function(function) => Ok(Some(function)),
            other => {
                let mistake = Mistake::wrong(format!("its `{name}` is a {}, not a function", other.type_name()));
                Err(mistaken(mistake, place, &self.library))
            }
        }
    }

    /// Calls into Lua with a time limit.
    fn run<R: FromLuaMulti>(
        &self,
        function: &Function,
        arguments: impl IntoLuaMulti,
        limit: Duration,
        place: Place,
    ) -> Result<R, ScriptError> {
        self.watch.start(limit);
        let result = function.call::<R>(arguments);
        self.watch.settle(&self.lua).map_err(|error| self.explain(&error, place))?;
        result.map_err(|error| self.explain(&error, place))
    }

    fn explain(&self, error: &mlua::Error, place: Place) -> ScriptError {
        explain(error, place, &self.library, &self.limits)
    }

    /// The second argument of `setup`: a fresh copy, so that no slot changes the other's.
    fn job_table(&self, slot: &str) -> mlua::Result<Table> {
        let job: Table = self.lua.named_registry_value(JOB)?;
        let copy = self.lua.create_table()?;
        for pair in job.pairs::<Value, Value>() {
            let (key, value) = pair?;
            copy.raw_set(key, value)?;
        }
        copy.raw_set("slot", slot)?;
        Ok(copy)
    }
}

/// The registry's key of the job's table.
const JOB: &str = "boss.job";

/// The registry's key of the methods of plan objects.
#[cfg(test)]
const PLAN_METHODS: &str = "boss.plan_methods";

/// Fills a new state with the API; gives the functions that the host calls.
fn prelude(
    lua: &Lua,
    job: &Job,
    library: Arc<Library>,
    lookup: Arc<dyn Lookup>,
    watch: Arc<Watch>,
) -> mlua::Result<Table> {
    let boss = api::register(lua, library, lookup, watch)?;
    let job = to_table(lua, &job_values(job))?;
    lua.set_named_registry_value(JOB, &job)?;
    let host: Table = lua.load(PRELUDE).set_name("=prelude").set_mode(ChunkMode::Text).call((boss, job))?;
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
    let options =
        SerializeOptions::new().set_array_metatable(false).serialize_none_to_null(false).serialize_unit_to_null(false);
    let value = lua.to_value_with(values, options)?;
    lua.unpack(value)
}

fn missing(reason: &Value) -> Answer {
    let reason = match reason {
        Value::String(text) => text.to_string_lossy(),
        _ => "the script gave no reason".to_owned(),
    };
    Answer::Missing { reason }
}
