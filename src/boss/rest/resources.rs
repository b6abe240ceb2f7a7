//! Collections, coordinate frames, experiments and channels: what data in the Boss lies in.
//!
//! Each type is both the body that creates a resource and the reply that describes it; what only replies have is left
//! out. Names are unique at their level; the name in the URL counts.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Call, Rest};
use crate::boss::BossError;
use crate::protocol::HierarchyMethod;
use crate::volume::Dtype;

/// The Boss's code of "does not exist", with status 404.
const DOES_NOT_EXIST: u32 = 4000;

/// The root of all data of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub public: bool,
}

/// The bounds (half-open, in voxels at full resolution) and the voxel size of experiments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoordinateFrame {
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub x_start: i64,
    pub x_stop: i64,
    pub y_start: i64,
    pub y_stop: i64,
    pub z_start: i64,
    pub z_stop: i64,
    pub x_voxel_size: f64,
    pub y_voxel_size: f64,
    pub z_voxel_size: f64,
    /// `nanometers`, `micrometers`, `millimeters` or `centimeters`.
    pub voxel_unit: String,
}

/// One experiment of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// The name of the coordinate frame.
    pub coord_frame: String,
    pub num_hierarchy_levels: u64,
    pub hierarchy_method: HierarchyMethod,
    pub num_time_samples: u64,
    pub time_step: Option<f64>,
    /// `nanoseconds`, `microseconds`, `milliseconds` or `seconds`.
    pub time_step_unit: Option<String>,
    #[serde(default)]
    pub public: bool,
}

/// What the voxels of a channel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    Image,
    Annotation,
}

/// One channel of an experiment; all its voxels have one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(rename = "type")]
    pub kind: ChannelKind,
    pub datatype: Dtype,
    #[serde(default)]
    pub base_resolution: u64,
    #[serde(default)]
    pub default_time_sample: u64,
    /// Names of channels of the same experiment.
    #[serde(default)]
    pub sources: Vec<String>,
    #[serde(default)]
    pub related: Vec<String>,
    #[serde(default)]
    pub public: bool,
}

/// In each: `None` when it does not exist. Errors are the usual ones, and `NotFound` for a resource that waits to be
/// deleted or lies in nothing. A create is sent once.
impl Rest {
    pub async fn collection(&self, name: &str) -> Result<Option<Collection>, BossError> {
        self.look_up(&["v1", "collection", name]).await
    }

    pub async fn create_collection(&self, collection: &Collection) -> Result<Collection, BossError> {
        self.make(&["v1", "collection", &collection.name], collection).await
    }

    pub async fn coordinate_frame(&self, name: &str) -> Result<Option<CoordinateFrame>, BossError> {
        self.look_up(&["v1", "coord", name]).await
    }

    pub async fn create_coordinate_frame(&self, frame: &CoordinateFrame) -> Result<CoordinateFrame, BossError> {
        self.make(&["v1", "coord", &frame.name], frame).await
    }

    pub async fn experiment(&self, collection: &str, name: &str) -> Result<Option<Experiment>, BossError> {
        self.look_up(&["v1", "collection", collection, "experiment", name]).await
    }

    pub async fn create_experiment(&self, collection: &str, experiment: &Experiment) -> Result<Experiment, BossError> {
        self.make(&["v1", "collection", collection, "experiment", &experiment.name], experiment).await
    }

    pub async fn channel(&self, collection: &str, experiment: &str, name: &str) -> Result<Option<Channel>, BossError> {
        self.look_up(&["v1", "collection", collection, "experiment", experiment, "channel", name]).await
    }

    pub async fn create_channel(
        &self,
        collection: &str,
        experiment: &str,
        channel: &Channel,
    ) -> Result<Channel, BossError> {
        self.make(&["v1", "collection", collection, "experiment", experiment, "channel", &channel.name], channel).await
    }

    async fn look_up<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Option<T>, BossError> {
        let call = Call::get(path.iter().copied());
        match self.call(&call).await {
            Ok(answer) => self.read(&call, &answer).map(Some),
            Err(BossError::NotFound { code: Some(DOES_NOT_EXIST), .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn make<T: DeserializeOwned + Serialize>(&self, path: &[&str], resource: &T) -> Result<T, BossError> {
        let body = serde_json::to_string(resource).expect("resources are plain JSON");
        let call = Call { repeatable: false, ..Call::post(path.iter().copied(), Some(body)) };
        let answer = self.call(&call).await?;
        self.read(&call, &answer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::play;
    use super::*;

    #[tokio::test]
    async fn a_channel_is_read_or_reported_missing() {
        let boss = play(&[
            (
                200,
                r#"{"name": "ch", "public": false, "description": "", "experiment": "e", "default_time_sample": 0,
                    "type": "annotation", "base_resolution": 1, "datatype": "uint64", "creator": "me", "sources": ["em"],
                    "downsample_status": "NOT_DOWNSAMPLED", "related": [], "storage_type": "spdb", "bucket": null,
                    "cv_path": null}"#,
            ),
            (404, r#"{"status": 404, "code": 4000, "message": "ch does not exist."}"#),
            (404, r#"{"status": 404, "code": 4005, "message": "This Resource has been marked for deletion"}"#),
        ])
        .await;
        let channel = boss.rest.channel("c", "e", "ch").await.unwrap().unwrap();
        assert_eq!((channel.kind, channel.datatype), (ChannelKind::Annotation, Dtype::Uint64));
        assert_eq!((channel.base_resolution, channel.sources), (1, vec!["em".to_owned()]));
        assert_eq!(boss.rest.channel("c", "e", "ch").await.unwrap(), None);
        assert!(matches!(boss.rest.channel("c", "e", "ch").await, Err(BossError::NotFound { code: Some(4005), .. })));
        assert_eq!(boss.asked()[0], "GET /v1/collection/c/experiment/e/channel/ch");
    }

    #[tokio::test]
    async fn names_from_job_files_cannot_leave_their_place_in_the_address() {
        let boss = play(&[(404, r#"{"status": 404, "code": 4000, "message": "no"}"#)]).await;
        assert_eq!(boss.rest.collection("a/../b?x=1#y").await.unwrap(), None);
        assert_eq!(boss.asked()[0], "GET /v1/collection/a%2F..%2Fb%3Fx=1%23y");
    }

    #[tokio::test]
    async fn a_frame_is_created_with_all_its_fields() {
        let frame = CoordinateFrame {
            name: "f".to_owned(),
            description: String::new(),
            x_start: 0,
            x_stop: 2050,
            y_start: 0,
            y_stop: 1030,
            z_start: 0,
            z_stop: 37,
            x_voxel_size: 4.0,
            y_voxel_size: 4.5,
            z_voxel_size: 40.0,
            voxel_unit: "nanometers".to_owned(),
        };
        let boss = play(&[(201, &serde_json::to_string(&frame).unwrap())]).await;
        assert_eq!(boss.rest.create_coordinate_frame(&frame).await.unwrap(), frame);
        assert_eq!(
            boss.asked(),
            [
                r#"POST /v1/coord/f {"name":"f","description":"","x_start":0,"x_stop":2050,"y_start":0,"y_stop":1030,"z_start":0,"z_stop":37,"x_voxel_size":4.0,"y_voxel_size":4.5,"z_voxel_size":40.0,"voxel_unit":"nanometers"}"#
            ]
        );
    }

    #[tokio::test]
    async fn what_exists_already_is_an_error_of_the_server() {
        let boss = play(&[(400, r#"{"status": 400, "code": 1003, "message": "{'name': ['already exists']}"}"#)]).await;
        let collection = Collection { name: "c".to_owned(), description: String::new(), public: false };
        let error = boss.rest.create_collection(&collection).await.unwrap_err();
        assert!(matches!(error, BossError::Rejected { code: Some(1003), .. }), "{error:?}");
    }
}
