//! Makes what a job names and a local Boss does not have yet: collection, coordinate frame, experiment, channel.

use super::error::CliError;
use super::prepare::Prepared;
use crate::boss::{Channel, ChannelKind, Collection, CoordinateFrame, Experiment, Rest};
use crate::protocol::HierarchyMethod;
use crate::volume::Dtype;

/// Creates the resources of the job that do not exist; gives the names of those it made.
///
/// The frame is the job's extent from 0 on, with voxels of 1 nanometre, as the job file says nothing of their size; the
/// channel has the voxel type of the first source that can be read.
///
/// # Errors
/// When no source can be read, or the Boss refuses.
pub async fn create_missing(rest: &Rest, prepared: &Prepared) -> Result<Vec<String>, CliError> {
    let database = &prepared.job.database;
    let (collection, experiment, channel) = (&database.collection, &database.experiment, &database.channel);
    if rest.channel(collection, experiment, channel).await?.is_some() {
        return Ok(Vec::new());
    }
    let dtype = channel_dtype(prepared.first_dtype()?)?;
    let mut made = Vec::new();
    if rest.collection(collection).await?.is_none() {
        rest.create_collection(&Collection { name: collection.clone(), description: String::new(), public: false })
            .await?;
        made.push(format!("collection `{collection}`"));
    }
    if rest.experiment(collection, experiment).await?.is_none() {
        let frame = frame(prepared);
        if rest.coordinate_frame(&frame.name).await?.is_none() {
            rest.create_coordinate_frame(&frame).await?;
            made.push(format!("coordinate frame `{}` of {}", frame.name, prepared.job.grid.extent().region()));
        }
        rest.create_experiment(collection, &self::experiment(prepared, frame.name)).await?;
        made.push(format!("experiment `{experiment}`"));
    }
    rest.create_channel(collection, experiment, &self::channel(prepared, dtype)).await?;
    made.push(format!("channel `{channel}` of {dtype}"));
    Ok(made)
}

/// The channel's voxel type for sources of this one. Cuboids of `uint32` can be stored but not read back.
pub fn channel_dtype(source: Dtype) -> Result<Dtype, CliError> {
    match source {
        Dtype::Uint8 | Dtype::Uint16 | Dtype::Uint64 => Ok(source),
        Dtype::Uint32 => Ok(Dtype::Uint64),
        dtype => Err(CliError::SourceDtype { dtype }),
    }
}

fn frame(prepared: &Prepared) -> CoordinateFrame {
    let (database, extent) = (&prepared.job.database, prepared.job.grid.extent());
    CoordinateFrame {
        name: format!("CF_{}_{}", database.collection, database.experiment),
        description: String::new(),
        x_start: 0,
        x_stop: extent.x.stop,
        y_start: 0,
        y_stop: extent.y.stop,
        z_start: 0,
        z_stop: extent.z.stop,
        x_voxel_size: 1.0,
        y_voxel_size: 1.0,
        z_voxel_size: 1.0,
        voxel_unit: "nanometers".to_owned(),
    }
}

fn experiment(prepared: &Prepared, coord_frame: String) -> Experiment {
    Experiment {
        name: prepared.job.database.experiment.clone(),
        description: String::new(),
        coord_frame,
        num_hierarchy_levels: 1,
        hierarchy_method: HierarchyMethod::Anisotropic,
        num_time_samples: prepared.job.grid.extent().t.stop.unsigned_abs(),
        time_step: None,
        time_step_unit: None,
        public: false,
    }
}

fn channel(prepared: &Prepared, datatype: Dtype) -> Channel {
    let kind = if datatype == Dtype::Uint64 { ChannelKind::Annotation } else { ChannelKind::Image };
    Channel {
        name: prepared.job.database.channel.clone(),
        description: String::new(),
        kind,
        datatype,
        base_resolution: u64::from(prepared.job.resolution),
        default_time_sample: 0,
        sources: Vec::new(),
        related: Vec::new(),
        public: false,
    }
}
