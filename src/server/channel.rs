//! What jobs and cutouts need to know of a channel and of what it lies in.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::error::StoreError;
use super::store::resources::{self, Resource, ResourceKind};
use crate::protocol::ProjectIds;
use crate::volume::{Dtype, Region, Span};

#[derive(Clone, Debug)]
pub struct Channel {
    pub ids: ProjectIds,
    pub dtype: Dtype,
    pub base_resolution: u64,
    pub default_time_sample: i64,
    pub num_hierarchy_levels: u64,
    pub num_time_samples: i64,
    /// The coordinate frame, in voxels of the finest level.
    pub frame: Region,
}

/// What was not found on the way to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Collection,
    Experiment,
    Channel,
}

/// The stored descriptions from which a [`Channel`] is read.
pub struct Described {
    collection: Resource,
    experiment: Resource,
    channel: Resource,
    frame: Resource,
}

impl Described {
    pub fn find(connection: &Connection, [c, e, ch]: [&str; 3]) -> Result<Result<Described, Missing>, StoreError> {
        let find = |kind, parent, name: &str| resources::find(connection, kind, parent, name);
        let Some(collection) = find(ResourceKind::Collection, 0, c)? else { return Ok(Err(Missing::Collection)) };
        let Some(experiment) = find(ResourceKind::Experiment, collection.id, e)? else {
            return Ok(Err(Missing::Experiment));
        };
        let Some(channel) = find(ResourceKind::Channel, experiment.id, ch)? else { return Ok(Err(Missing::Channel)) };
        let frame = experiment.body["coord_frame"].as_str().unwrap_or_default();
        let frame = find(ResourceKind::CoordFrame, 0, frame)?.ok_or(DAMAGED)?;
        Ok(Ok(Described { collection, experiment, channel, frame }))
    }

    pub fn channel(&self) -> Result<Channel, StoreError> {
        self.read().ok_or(DAMAGED)
    }

    fn read(&self) -> Option<Channel> {
        let (experiment, channel, frame) = (&self.experiment.body, &self.channel.body, &self.frame.body);
        let span = |start: &str, stop: &str| Some(Span::new(frame[start].as_i64()?, frame[stop].as_i64()?));
        Some(Channel {
            ids: ProjectIds::new(self.collection.id, self.experiment.id, self.channel.id),
            dtype: channel["datatype"].as_str()?.parse().ok()?,
            base_resolution: channel["base_resolution"].as_u64()?,
            default_time_sample: channel["default_time_sample"].as_i64()?,
            num_hierarchy_levels: experiment["num_hierarchy_levels"].as_u64()?,
            num_time_samples: experiment["num_time_samples"].as_i64()?,
            frame: Region::new(span("x_start", "x_stop")?, span("y_start", "y_stop")?, span("z_start", "z_stop")?),
        })
    }

    /// The `resource` of join replies, which goes into the metadata of every object.
    pub fn resource(&self) -> Value {
        let (experiment, channel, frame) = (&self.experiment.body, &self.channel.body, &self.frame.body);
        let [c, e, ch] =
            [&self.collection, &self.experiment, &self.channel].map(|it| it.body["name"].as_str().unwrap_or_default());
        json!({
            "boss_key": format!("{c}&{e}&{ch}"),
            "lookup_key": format!("{}&{}&{}", self.collection.id, self.experiment.id, self.channel.id),
            "channel": {
                "type": channel["type"],
                "datatype": channel["datatype"],
                "base_resolution": channel["base_resolution"],
            },
            "experiment": {
                "num_hierarchy_levels": experiment["num_hierarchy_levels"],
                "hierarchy_method": experiment["hierarchy_method"],
            },
            "coord_frame": {
                "x_voxel_size": frame["x_voxel_size"],
                "y_voxel_size": frame["y_voxel_size"],
                "z_voxel_size": frame["z_voxel_size"],
            },
        })
    }
}

const DAMAGED: StoreError = StoreError::Damaged { what: "a channel's description" };
