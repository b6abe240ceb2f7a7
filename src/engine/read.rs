//! The stage that reads the voxels which a plan names.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::budget::Memory;
use super::buffers::Buffers;
use super::columns::Columns;
use super::cpu::Cpu;
use super::pipeline::Stage;
use super::task::{Loaded, Planned, Voxels};
use super::triage::{Failed, TaskError};
use crate::source::{Plan, SourceError, Sources, Target};
use crate::volume::{Dtype, Grid, Index};

/// Tasks that are read over a network at once, within the memory budget. Each waits for round trips, of which some 30 in flight
/// fill most lines.
pub const NETWORK_TASKS: usize = 32;

/// Reads sources on CPU threads, remote ones on more threads than there are CPUs, within the memory budget.
pub struct ReadStage {
    sources: Arc<Sources>,
    grid: Grid,
    dtype: Dtype,
    memory: Memory,
    cpu: Cpu,
    /// Threads for tasks that wait for a network far longer than they compute.
    network: Cpu,
    /// Places for tasks whose sources are on this machine.
    near: Arc<Semaphore>,
}

impl Stage for ReadStage {
    type In = Planned;
    type Out = Loaded;
    const NAME: &str = "read";

    /// Waits for memory, then reads.
    async fn process(&self, task: Planned) -> Result<Loaded, Failed> {
        let Planned { ticket, plan } = task;
        let (plan, sources) = (Arc::new(plan), self.sources.clone());
        let is_far = sources.is_remote(&plan);
        let near = async { self.near.acquire().await.expect("places are never closed") };
        let _place = if is_far { None } else { Some(near.await) };
        let (costed, target) = (plan.clone(), target(&self.grid, self.dtype, ticket.index));
        let threads = if is_far { &self.network } else { &self.cpu };
        let decode_bytes = threads.run(move || sources.decode_cost(&costed, &target)).await;
        let permit = self.memory.budget.acquire(decode_bytes.saturating_add(self.task_bytes())).await;
        let (sources, grid, buffers) = (self.sources.clone(), self.grid, self.memory.buffers.clone());
        match threads.run(move || read(&sources, &grid, &plan, &target, &buffers)).await {
            Ok(voxels) => Ok(Loaded { ticket, voxels, permit }),
            Err(error) => Err(Failed { ticket, error: TaskError::Source(error) }),
        }
    }
}

impl ReadStage {
    /// Works on at most `near` tasks at once whose sources are on this machine.
    pub fn new(sources: Arc<Sources>, (grid, dtype): (Grid, Dtype), memory: Memory, cpu: Cpu, near: usize) -> Self {
        let (network, near) = (Cpu::new(NETWORK_TASKS), Arc::new(Semaphore::new(near)));
        ReadStage { sources, grid, dtype, memory, cpu, network, near }
    }

    /// What a task holds at most besides decoding: its voxels, and its objects, as data may not compress.
    fn task_bytes(&self) -> u64 {
        self.grid.task_size().voxels().saturating_mul(2 * self.dtype.size_bytes() as u64)
    }
}

/// What the task at `index` needs of its sources.
pub fn target(grid: &Grid, dtype: Dtype, index: Index) -> Target {
    let region = grid.region(index);
    let inside = region.intersect(&grid.extent().region());
    let required = inside.shift(-region.x.start, -region.y.start, -region.z.start);
    Target { size: grid.task_size(), dtype, required }
}

fn read(
    sources: &Sources,
    grid: &Grid,
    plan: &Plan,
    target: &Target,
    buffers: &Buffers,
) -> Result<Voxels, SourceError> {
    match grid {
        Grid::Chunks(_) => {
            let columns = Columns::regions(target.size);
            let blocks = sources.read_parts(plan, target, columns, |bytes| buffers.take(bytes).into_vec())?;
            Ok(Voxels::Chunk(Columns::new(target.size, blocks)))
        }
        Grid::Tiles(_) => {
            let encode = match plan {
                Plan::Read(plan) => plan.encode,
                Plan::Stack { .. } => None,
            };
            Ok(Voxels::Tile(sources.read_tile(plan, target)?, encode))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Extent, Region, Size, Span, TileGrid, TileSize};

    #[test]
    fn only_the_part_of_a_tile_inside_the_extent_is_required() {
        let extent = Extent { x: Span::new(0, 700), y: Span::new(0, 512), z: Span::new(0, 3), t: Span::new(0, 1) };
        let grid = Grid::Tiles(TileGrid { extent, tile_size: TileSize { x: 512, y: 512 } });
        let target = target(&grid, Dtype::Uint16, Index::new(1, 0, 2, 0));
        assert_eq!(target.size, Size::new(512, 512, 1));
        assert_eq!(target.required, Region::new(Span::new(0, 188), Span::new(0, 512), Span::new(0, 1)));
    }
}
