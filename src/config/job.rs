//! A job, resolved: what the rest of the program knows of the job file.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::protocol::JobKind;
use crate::volume::Grid;

/// A job that can be run.
#[derive(Clone, Debug)]
pub struct Job {
    /// The job file, absolute.
    pub path: PathBuf,
    /// The folder of the job file, absolute. Scripts and data with relative paths are looked for here.
    pub dir: PathBuf,
    /// The file's own content, unchanged: this is what the Boss is sent when the job is created.
    pub text: String,
    pub schema: Schema,
    pub backend: Backend,
    /// Which file holds a tile or section.
    pub path_processor: Slot,
    /// What is read for a task: `tile_processor` in a tile job, `chunk_processor` in a volumetric one.
    pub data_processor: Slot,
    pub database: Database,
    /// As the file says. The Boss ignores it and takes the channel's base resolution.
    pub resolution: u8,
    pub kind: JobKind,
    pub grid: Grid,
}

/// The version of the Boss's ingest schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    V01,
    V02,
}

/// The Boss that the job belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Name or address, with `:port` where it is not the protocol's own.
    pub host: String,
    pub protocol: Protocol,
}

impl Backend {
    /// Such as `https://api.bossdb.io`, with no slash at the end.
    pub fn base_url(&self) -> String {
        format!("{}://{}", self.protocol, self.host)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Https,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Http => "http",
            Protocol::Https => "https",
        })
    }
}

/// One place of the job file that names a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// `path_processor`, `tile_processor` or `chunk_processor`.
    pub name: &'static str,
    /// A `.lua` file, the name of a built-in script, or a class of the Python client.
    pub class: String,
    /// The script's own parameters, as they stand in the file.
    pub params: Map<String, Value>,
}

/// Where the data goes, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    pub collection: String,
    pub experiment: String,
    pub channel: String,
}

impl fmt::Display for Database {
    /// Such as `collection/experiment/channel`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.collection, self.experiment, self.channel)
    }
}
