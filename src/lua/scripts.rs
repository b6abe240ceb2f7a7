//! The scripts of a job, found and read once.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::host::Host;
use super::library::{Library, ScriptFiles};
use super::lookup::{Lookup, NotYet};
use super::resolve::resolve;
use super::{Limits, ScriptError};
use crate::config::{Job, Slot};
use crate::protocol::JobKind;

/// The scripts of a job. Cheap to clone; each worker makes its own [`Host`] of it.
#[derive(Clone)]
pub struct Scripts(Arc<Inner>);

struct Inner {
    job: Job,
    path: Script,
    data: Script,
    library: Arc<Library>,
    limits: Limits,
    hash: String,
}

/// The script of one slot.
pub(super) struct Script {
    /// As the library knows it.
    pub name: String,
    pub text: Arc<str>,
    pub params: Map<String, Value>,
    /// The slot's name.
    pub slot: &'static str,
    /// The function that the slot calls.
    pub hook: &'static str,
    pub is_old_class: bool,
}

impl Scripts {
    /// Finds both slots' scripts, and loads them once to see that they are Lua, have the slot's hook and take the slot's
    /// parameters. `setup` is not called yet.
    ///
    /// # Errors
    /// Every [`ScriptError`] but those of a single task.
    pub fn load(job: &Job) -> Result<Scripts, ScriptError> {
        Scripts::load_with(job, Limits::default())
    }

    /// As [`Scripts::load`], with other limits.
    pub fn load_with(job: &Job, limits: Limits) -> Result<Scripts, ScriptError> {
        Scripts::load_noting(job, limits, &ScriptFiles::default())
    }

    /// As [`Scripts::load_with`], and notes the files of both scripts, and those of every module when it is asked for, in
    /// `files`, also where loading fails.
    pub fn load_noting(job: &Job, limits: Limits, files: &ScriptFiles) -> Result<Scripts, ScriptError> {
        let library = Arc::new(Library::new(&job.path, &job.dir).noting(files.clone()));
        let data_hook = match job.kind {
            JobKind::Tile => "tile",
            JobKind::Volumetric => "chunk",
        };
        let path = script(job, &library, &job.path_processor, "path")?;
        let data = script(job, &library, &job.data_processor, data_hook)?;
        Host::load(job, &path, &data, library.clone(), Arc::new(NotYet), limits)?;
        let hash = library.hash();
        Ok(Scripts(Arc::new(Inner { job: job.clone(), path, data, library, limits, hash })))
    }

    /// A digest over all scripts' texts in 32 hex digits: both slots' and the modules that they `require` when loaded.
    pub fn hash(&self) -> &str {
        &self.0.hash
    }

    /// The `class` of the path slot and of the other slot, as the job file has them.
    pub(super) fn classes(&self) -> [&str; 2] {
        let job = &self.0.job;
        [&job.path_processor.class, &job.data_processor.class]
    }

    /// The job file's folder.
    pub(super) fn dir(&self) -> &Path {
        &self.0.job.dir
    }

    /// A new Lua state with both slots set up, for one worker. `lookup` answers the scripts' questions about the data.
    ///
    /// # Errors
    /// What the scripts' `setup` fails with.
    pub fn host(&self, lookup: Arc<dyn Lookup>) -> Result<Host, ScriptError> {
        let Inner { job, path, data, library, limits, .. } = &*self.0;
        let mut host = Host::load(job, path, data, library.clone(), lookup, *limits)?;
        host.set_up()?;
        Ok(host)
    }
}

fn script(job: &Job, library: &Library, slot: &Slot, hook: &'static str) -> Result<Script, ScriptError> {
    if slot.class.ends_with(".lua") {
        library.note(&slot.class);
    }
    let resolved = resolve(slot, &job.dir)?;
    Ok(Script {
        name: library.add(&resolved.name, resolved.text.clone()),
        text: resolved.text,
        params: resolved.params,
        slot: slot.name,
        hook,
        is_old_class: resolved.is_old_class,
    })
}
