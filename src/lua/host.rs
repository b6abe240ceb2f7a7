//! One Lua state with both slots' scripts in it.

use std::sync::Arc;

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, Value};

use super::convert::{self, Draft, Returned};
use super::fault::{Mistake, Place, explain, mistaken};
use super::library::Library;
use super::lookup::Lookup;
use super::sandbox;
use super::scripts::Script;
use super::state::{Hook, State, prelude};
use super::{Limits, ScriptError};
use crate::config::Job;
use crate::source::{Plan, ReadPlan};
use crate::volume::{Grid, Index, Region, Span};

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

/// What the path slot says of one index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathAnswer {
    /// A path or URL; empty where the other slot's plans name theirs.
    Path(String),
    /// There is no data.
    Missing { reason: String },
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
                let convert = || convert::returned(&table, region);
                let returned = self.state.watched(self.state.limits.per_call, place, convert)?;
                let returned = returned.map_err(|mistake| self.mistaken(mistake, place))?;
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

    /// Which file or URL the path slot names for `index`.
    ///
    /// # Errors
    /// As [`Host::plan`].
    pub fn path(&mut self, index: Index) -> Result<PathAnswer, ScriptError> {
        let (path, reason) = self.ask(&self.path, index)?;
        self.named(path, &reason, index)
    }

    /// Asks the path slot where the plan leaves the path open.
    fn complete(&self, returned: Returned, index: Index, region: Region) -> Result<Answer, ScriptError> {
        match returned {
            Returned::Read(draft) => {
                let ask = || self.ask(&self.path, index);
                Ok(match self.with_path(*draft, index, ask)? {
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
        let (path, reason) = ask()?;
        match self.named(path, &reason, index)? {
            PathAnswer::Path(path) if path.is_empty() => {
                let message = "`path` returned an empty string, and the plan has no `path` either";
                Err(self.mistaken(Mistake::with_hint(message, PATH_HINT), self.path.place(Some(index))))
            }
            PathAnswer::Path(path) => Ok(Ok(draft.with_path(path))),
            PathAnswer::Missing { reason } => Ok(Err(Answer::Missing { reason })),
        }
    }

    /// What a path hook returned.
    fn named(&self, path: Value, reason: &Value, index: Index) -> Result<PathAnswer, ScriptError> {
        let wrong =
            |message: String| self.mistaken(Mistake::with_hint(message, PATH_HINT), self.path.place(Some(index)));
        match path {
            Value::Nil => Ok(PathAnswer::Missing { reason: reason_text(reason) }),
            Value::String(path) => match path.to_str() {
                Ok(path) => Ok(PathAnswer::Path(path.to_owned())),
                Err(_) => Err(wrong("`path` returned a string that is not UTF-8 text".to_owned())),
            },
            other => Err(wrong(format!("`path` returned a {}", other.type_name()))),
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
    pub(super) fn inspect(&self) -> (&Lua, mlua::Table) {
        let methods =
            self.state.lua.named_registry_value(super::state::PLAN_METHODS).expect("the prelude registered them");
        (&self.state.lua, methods)
    }

    /// The scripts of both slots: name, `class`, and what the script's table has as `tests`.
    pub(super) fn tests<'a>(&self, classes: [&'a str; 2]) -> Result<[(String, &'a str, Value); 2], ScriptError> {
        let tests = |hook: &Hook| {
            let place = Place { script: &hook.script, line: None, hook: None, at: None };
            hook.module.raw_get::<Value>("tests").map_err(|error| self.state.explain(&error, place))
        };
        let [path, data] = classes;
        Ok([(self.path.script.clone(), path, tests(&self.path)?), (self.data.script.clone(), data, tests(&self.data)?)])
    }

    /// Runs a file that lies beside a script; gives its name as messages have it, and what it returns.
    pub(super) fn run_beside(&self, name: &str, text: Arc<str>) -> Result<(String, Value), ScriptError> {
        let name = self.state.library.add(name, text.clone());
        let place = Place { script: &name, line: None, hook: None, at: None };
        let chunk = self.state.lua.load(&*text).set_name(format!("={name}")).set_mode(ChunkMode::Text);
        let load = chunk.into_function().map_err(|error| self.state.explain(&error, place))?;
        match self.state.run(&load, (), self.state.limits.setup, place)? {
            Value::Nil => Err(self.no_list(&name, "nil")),
            tests => Ok((name, tests)),
        }
    }

    /// What holds a script's test cases is no list.
    pub(super) fn no_list(&self, script: &str, found: &str) -> ScriptError {
        let place = Place { script, line: None, hook: None, at: None };
        let mistake = Mistake::with_hint(
            format!("its test cases are a {found}, not a list"),
            "write them as `{ { at = { z = 0 }, path = \"…\" } }`; a file beside the script returns that list",
        );
        self.mistaken(mistake, place)
    }

    pub(super) fn lua(&self) -> &Lua {
        &self.state.lua
    }

    fn mistaken(&self, mistake: Mistake, place: Place) -> ScriptError {
        mistaken(mistake, place, &self.state.library)
    }
}

fn missing(reason: &Value) -> Answer {
    Answer::Missing { reason: reason_text(reason) }
}

fn reason_text(reason: &Value) -> String {
    match reason {
        Value::String(text) => text.to_string_lossy(),
        _ => "the script gave no reason".to_owned(),
    }
}

const PATH_HINT: &str = "return a path or URL as a string, or `nil, \"reason\"`";
