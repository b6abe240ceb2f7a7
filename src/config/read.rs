//! The job file's sections, read in their order into the parts of a job.
//!
//! What is required follows the Boss's two schemas and `BossValidatorV02`. A v0.1 file with `"ingest_type":
//! "volumetric"` is honoured, as the Python client does; its schema asks for `tile_size` and `tile_processor` all the
//! same, and the rules for `chunk_size` and `chunk_processor` hold for it too, as the Boss cannot make its queue without.

use std::path::PathBuf;

use serde_json::Value;

use super::finding::Findings;
use super::job::{Backend, Database, Job, Protocol, Schema, Slot};
use super::rules;
use super::section::Section;
use crate::protocol::JobKind;
use crate::volume::{Extent, Grid};

const TOP: &[&str] = &["schema", "client", "database", "ingest_job"];
const SCHEMA: &[&str] = &["name", "validator"];
const CLIENT: &[&str] = &["backend", "path_processor", "tile_processor", "chunk_processor"];
const BACKEND: &[&str] = &["name", "class", "host", "protocol"];
const PROCESSOR: &[&str] = &["class", "params"];
const DATABASE: &[&str] = &["collection", "experiment", "channel"];
const INGEST_JOB: &[&str] = &["ingest_type", "resolution", "extent", "tile_size", "chunk_size"];
const EXTENT: &[&str] = &["x", "y", "z", "t"];

const KINDS: &[(&str, JobKind)] = &[("tile", JobKind::Tile), ("volumetric", JobKind::Volumetric)];

/// The highest level of detail for which the Boss has a cuboid size (spdb `CUBOIDSIZE`).
const HIGHEST_RESOLUTION: i64 = 12;

/// All that a job is made of, but for the file's own path and text.
pub(super) struct Parts {
    schema: Schema,
    client: Client,
    database: Database,
    ingest_job: IngestJob,
}

impl Parts {
    pub fn into_job(self, path: PathBuf, text: String) -> Job {
        Job {
            dir: path.parent().map(PathBuf::from).unwrap_or_default(),
            path,
            text,
            schema: self.schema,
            backend: self.client.backend,
            path_processor: self.client.path_processor,
            data_processor: self.client.data_processor,
            database: self.database,
            resolution: self.ingest_job.resolution,
            kind: self.ingest_job.kind,
            grid: self.ingest_job.grid,
        }
    }
}

struct Client {
    backend: Backend,
    path_processor: Slot,
    data_processor: Slot,
}

struct IngestJob {
    resolution: u8,
    kind: JobKind,
    grid: Grid,
}

/// Which of the parts that not every job has this job must have.
#[derive(Clone, Copy)]
struct Needs {
    tile: bool,
    chunk: bool,
}

/// Reads the whole document. `None` when a part could not be read; why is in `findings`, which may hold errors otherwise.
pub(super) fn read(root: &Value, findings: &Findings) -> Option<Parts> {
    let top = Section::new(String::new(), root, TOP, findings)?;
    let rules = top.section("schema", SCHEMA).and_then(|section| schema(&section));
    let schema = rules.as_ref().map(|rules| rules.schema);
    let client = top.section("client", CLIENT);
    let database = top.section("database", DATABASE).and_then(|section| database(&section));
    let ingest_job = top.section("ingest_job", INGEST_JOB);

    let kind = ingest_job.as_ref().and_then(|section| kind(section, rules));
    let needs = Needs {
        tile: schema == Some(Schema::V01) || kind == Some(JobKind::Tile),
        chunk: kind == Some(JobKind::Volumetric),
    };
    let client = client.and_then(|section| read_client(&section, kind, needs));
    let ingest_job = ingest_job.and_then(|section| read_ingest_job(&section, kind, needs));
    Some(Parts { schema: schema?, client: client?, database: database?, ingest_job: ingest_job? })
}

/// Which rules the file asks for. Schema and validator are named apart, and may be of different versions.
#[derive(Clone, Copy)]
struct Rules {
    schema: Schema,
    validator: Schema,
}

fn schema(section: &Section) -> Option<Rules> {
    let schema = section.one_of("name", &[("boss-v0.1-schema", Schema::V01), ("boss-v0.2-schema", Schema::V02)]);
    let validator =
        section.one_of("validator", &[("BossValidatorV01", Schema::V01), ("BossValidatorV02", Schema::V02)]);
    Some(Rules { schema: schema?, validator: validator? })
}

fn kind(section: &Section, rules: Option<Rules>) -> Option<JobKind> {
    let newer = rules.is_some_and(|rules| rules.schema == Schema::V02 || rules.validator == Schema::V02);
    if newer || section.has("ingest_type") { section.one_of("ingest_type", KINDS) } else { Some(JobKind::Tile) }
}

fn read_client(section: &Section, kind: Option<JobKind>, needs: Needs) -> Option<Client> {
    let backend = section.section("backend", BACKEND).and_then(|section| backend(&section));
    let path_processor = slot(section, "path_processor", true);
    let tile_processor = slot(section, "tile_processor", needs.tile);
    let chunk_processor = slot(section, "chunk_processor", needs.chunk);
    let data_processor = match kind? {
        JobKind::Tile => tile_processor,
        JobKind::Volumetric => chunk_processor,
    };
    Some(Client { backend: backend?, path_processor: path_processor?, data_processor: data_processor? })
}

fn backend(section: &Section) -> Option<Backend> {
    section.string("name");
    section.one_of("class", &[("BossBackend", ())]);
    let host = section.string("host").and_then(|host| check_host(section, host));
    let protocol = section.one_of("protocol", &[("https", Protocol::Https), ("http", Protocol::Http)]);
    Some(Backend { host: host?, protocol: protocol? })
}

fn check_host(section: &Section, host: &str) -> Option<String> {
    if host.contains(|c: char| c == '/' || c == '@' || c == '?' || c == '#' || c.is_whitespace()) {
        let hint = "give only the name, such as `api.bossdb.io`; `protocol` says `https` or `http`";
        section.error("host", format!("is `{host}`, which is not a host name"), Some(hint.to_owned()));
        return None;
    }
    Some(host.to_owned())
}

/// A processor's class and parameters. One that the job does not need may be absent, but not wrong: the Boss checks it.
fn slot(section: &Section, name: &'static str, needed: bool) -> Option<Slot> {
    if !needed && !section.has(name) {
        return None;
    }
    let section = section.section(name, PROCESSOR)?;
    let (class, params) = (section.string("class"), section.object("params"));
    Some(Slot { name, class: class?.to_owned(), params: params?.clone() })
}

fn database(section: &Section) -> Option<Database> {
    let name = |key| section.string(key).map(str::to_owned);
    let (collection, experiment, channel) = (name("collection"), name("experiment"), name("channel"));
    Some(Database { collection: collection?, experiment: experiment?, channel: channel? })
}

fn read_ingest_job(section: &Section, kind: Option<JobKind>, needs: Needs) -> Option<IngestJob> {
    let resolution = resolution(section);
    let extent = section.section("extent", EXTENT).and_then(|section| extent(&section));
    let tile_size = rules::tile_size(section, needs.tile);
    let chunk_size = rules::chunk_size(section, needs.chunk);
    let grid = match kind? {
        JobKind::Tile => rules::tiles(section, extent?, tile_size?),
        JobKind::Volumetric => rules::chunks(section, extent?, chunk_size?),
    };
    Some(IngestJob { resolution: resolution?, kind: kind?, grid })
}

fn resolution(section: &Section) -> Option<u8> {
    let resolution = section.integer("resolution")?;
    if !(0..=HIGHEST_RESOLUTION).contains(&resolution) {
        section.error("resolution", format!("is {resolution}; it must be from 0 to {HIGHEST_RESOLUTION}"), None);
        return None;
    }
    u8::try_from(resolution).ok()
}

fn extent(section: &Section) -> Option<Extent> {
    let (x, y, z, t) = (section.span("x"), section.span("y"), section.span("z"), section.span("t"));
    Some(Extent { x: x?, y: y?, z: z?, t: t? })
}
