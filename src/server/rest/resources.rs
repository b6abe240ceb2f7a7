//! Collections, coordinate frames, experiments and channels: create, read, list.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::Call;
use super::auth::LOCAL_USER;
use super::error::{Code, RestError, json_reply};
use super::fields::Fields;
use crate::server::error::StoreError;
use crate::server::store::resources::{self, Resource, ResourceKind};

/// A resource as its URL names it: its kind, and the names from the outermost on.
struct Address {
    kind: ResourceKind,
    parents: Vec<String>,
    /// `None` for the list of all.
    name: Option<String>,
}

pub async fn handle(call: &Call<'_>, path: &[&str]) -> Result<Response, RestError> {
    let address = Address::read(path).ok_or(RestError::NoSuchPage)?;
    match (&call.method, &address.name) {
        (&Method::GET, None) => list(call, address).await,
        (&Method::GET, Some(_)) => read(call, address).await,
        (&Method::POST, Some(_)) => create(call, address).await,
        _ => Err(call.method_not_allowed()),
    }
}

impl Address {
    fn read(path: &[&str]) -> Option<Address> {
        let (kind, parents, name): (_, &[&str], Option<&&str>) = match path {
            ["coord", name @ ..] if name.len() < 2 => (ResourceKind::CoordFrame, &[], name.first()),
            ["collection", name @ ..] if name.len() < 2 => (ResourceKind::Collection, &[], name.first()),
            ["collection", c, "experiment", name @ ..] if name.len() < 2 => {
                (ResourceKind::Experiment, &[*c], name.first())
            }
            ["collection", c, "experiment", e, "channel", name @ ..] if name.len() < 2 => {
                (ResourceKind::Channel, &[*c, *e], name.first())
            }
            _ => return None,
        };
        let parents = parents.iter().map(|name| (*name).to_owned()).collect();
        Some(Address { kind, parents, name: name.map(|name| (*name).to_owned()) })
    }

    /// The id of what the resource lies in; 0 for the outermost.
    fn parent(&self, connection: &Connection) -> Result<u64, RestError> {
        let mut parent = 0;
        for (kind, name) in [ResourceKind::Collection, ResourceKind::Experiment].into_iter().zip(&self.parents) {
            parent = resources::find(connection, kind, parent, name)?.ok_or_else(|| missing(name))?.id;
        }
        Ok(parent)
    }

    /// What lies inside resources of this kind, and the word for the list of it.
    fn children(&self) -> Option<(ResourceKind, &'static str)> {
        match self.kind {
            ResourceKind::Collection => Some((ResourceKind::Experiment, "experiments")),
            ResourceKind::Experiment => Some((ResourceKind::Channel, "channels")),
            ResourceKind::CoordFrame | ResourceKind::Channel => None,
        }
    }

    fn list_word(&self) -> &'static str {
        match self.kind {
            ResourceKind::Collection => "collections",
            ResourceKind::CoordFrame => "coords",
            ResourceKind::Experiment => "experiments",
            ResourceKind::Channel => "channels",
        }
    }

    /// The resource as the Boss describes it: with the names of what lies inside.
    fn describe(&self, connection: &Connection, mut resource: Resource) -> Result<Value, StoreError> {
        if let Some((kind, word)) = self.children() {
            resource.body[word] = json!(resources::names(connection, kind, resource.id)?);
        }
        Ok(resource.body)
    }
}

fn missing(name: &str) -> RestError {
    RestError::boss(Code::ResourceNotFound, format!("{name} does not exist."))
}

async fn list(call: &Call<'_>, address: Address) -> Result<Response, RestError> {
    let word = address.list_word();
    let list = move |connection: &Connection| {
        Ok::<_, RestError>(resources::names(connection, address.kind, address.parent(connection)?)?)
    };
    Ok(json_reply(StatusCode::OK, &json!({word: call.site.store.read(list).await?})))
}

async fn read(call: &Call<'_>, address: Address) -> Result<Response, RestError> {
    let read = move |connection: &Connection| {
        let (parent, name) = (address.parent(connection)?, address.name.as_deref().unwrap_or_default());
        let found = resources::find(connection, address.kind, parent, name)?.ok_or_else(|| missing(name))?;
        Ok::<_, RestError>(address.describe(connection, found)?)
    };
    Ok(json_reply(StatusCode::OK, &call.site.store.read(read).await?))
}

async fn create(call: &Call<'_>, address: Address) -> Result<Response, RestError> {
    let posted = call.json()?;
    let create = move |connection: &Connection| {
        let (parent, name) = (address.parent(connection)?, address.name.as_deref().unwrap_or_default());
        let body = body(connection, &address, parent, &posted)?;
        let id = resources::insert(connection, address.kind, parent, name, &body)?;
        let taken = || RestError::boss(Code::InvalidPostArgument, "{'name': ['This name is already taken.']}");
        Ok::<_, RestError>(address.describe(connection, Resource { id: id.ok_or_else(taken)?, body })?)
    };
    Ok(json_reply(StatusCode::CREATED, &call.site.store.write(create).await?))
}

/// What a resource of this kind is described by, with the defaults for what was not posted.
fn body(connection: &Connection, address: &Address, parent: u64, posted: &Value) -> Result<Value, RestError> {
    let mut fields = Fields::of(address.name.as_deref().unwrap_or_default(), posted)?;
    let outer = address.parents.last().map(String::as_str).unwrap_or_default();
    match address.kind {
        ResourceKind::Collection => collection(&mut fields),
        ResourceKind::CoordFrame => coord_frame(&mut fields),
        ResourceKind::Experiment => {
            let frame = posted["coord_frame"].as_str().unwrap_or_default();
            if !frame.is_empty() {
                resources::find(connection, ResourceKind::CoordFrame, 0, frame)?.ok_or_else(|| missing(frame))?;
            }
            experiment(&mut fields, outer, frame);
        }
        ResourceKind::Channel => {
            let siblings = resources::names(connection, ResourceKind::Channel, parent)?;
            channel(&mut fields, outer, &siblings);
        }
    }
    fields.finish()
}

fn collection(fields: &mut Fields) {
    fields.flag("public");
    fields.description();
    fields.set("creator", LOCAL_USER.into());
}

fn coord_frame(fields: &mut Fields) {
    fields.description();
    for bound in ["x_start", "x_stop", "y_start", "y_stop", "z_start", "z_stop"] {
        fields.integer(bound, None, i32::MIN);
    }
    for size in ["x_voxel_size", "y_voxel_size", "z_voxel_size"] {
        fields.positive_number(size);
    }
    fields.choice("voxel_unit", None, &["nanometers", "micrometers", "millimeters", "centimeters"]);
}

fn experiment(fields: &mut Fields, collection: &str, frame: &str) {
    fields.flag("public");
    fields.description();
    fields.set("collection", collection.into());
    fields.choice("coord_frame", None, &[frame]);
    fields.integer("num_hierarchy_levels", Some(1.into()), 1);
    fields.choice("hierarchy_method", Some("anisotropic"), &["anisotropic", "isotropic"]);
    fields.integer("num_time_samples", Some(1.into()), 1);
    fields.integer("time_step", Some(Value::Null), i32::MIN);
    // Null would be as right, but the Boss's Python library cannot read it.
    fields.choice("time_step_unit", Some("seconds"), &["nanoseconds", "microseconds", "milliseconds", "seconds"]);
    fields.set("creator", LOCAL_USER.into());
}

fn channel(fields: &mut Fields, experiment: &str, siblings: &[String]) {
    fields.flag("public");
    fields.description();
    fields.set("experiment", experiment.into());
    fields.integer("default_time_sample", Some(0.into()), 0);
    fields.choice("type", None, &["image", "annotation"]);
    fields.integer("base_resolution", Some(0.into()), 0);
    fields.choice("datatype", None, &["uint8", "uint16", "uint32", "uint64"]);
    fields.set("creator", LOCAL_USER.into());
    fields.names("sources", siblings);
    fields.choice("downsample_status", Some("NOT_DOWNSAMPLED"), &["NOT_DOWNSAMPLED"]);
    fields.names("related", siblings);
    fields.choice("storage_type", Some("spdb"), &["spdb"]);
    fields.set("bucket", Value::Null);
    fields.set("cv_path", Value::Null);
}
