//! The ceiling of a volumetric upload: what is left when nothing is done but compress cuboids and put them.
//!
//! `cargo bench --bench ceiling -- JOB_FILE [AT_ONCE]`, with the Boss's token in `INTERN_TOKEN`, creates the job of a job file and
//! holds all its cuboids in memory. What it then measures has no queue, no source, no ledger and no second try: each cuboid is
//! compressed as `create` does it, on all cores, and put, so many at once. It prints one line for scripts. The job stays
//! unfinished. `benches/against_the_python_client/run.py` runs this beside the clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use boss_ingest::boss::{Endpoints, Http, JoinWait, Joined, Object, Rest, S3, SigningKeys, Timeouts, Token};
use boss_ingest::codec::{self, BloscSettings};
use boss_ingest::config::{self, Job};
use boss_ingest::engine::{default_cpu_threads, target};
use boss_ingest::lua::{Answer, Scripts};
use boss_ingest::protocol::{ChunkKey, CuboidMetadata, JoinReply, META_JSON, ResourceParameters, object_key};
use boss_ingest::source::Sources;
use boss_ingest::volume::{CuboidIndex, Dtype, Region, Task};
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};

/// Puts at once when it is not said: the best of 4 to 64 for a Boss on this machine. For one 50 ms away it is 32.
const AT_ONCE: usize = 12;

/// As much as `create` gives its sources on a small machine.
const CACHE_BYTES: u64 = 512 << 20;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [file, at_once @ ..] = &args[..] else {
        // `cargo bench` without names runs every bench.
        return eprintln!("ceiling: give a job file");
    };
    let at_once = at_once.first().map_or(AT_ONCE, |number| number.parse().expect("a number of puts"));
    let job = config::load(file.as_ref()).expect("the job file is sound").job;
    let token = Token::new(&std::env::var("INTERN_TOKEN").expect("a token in INTERN_TOKEN"), "INTERN_TOKEN");
    let http = Http::local(Timeouts::default()).expect("a client");
    let rest = Rest::with_http(&job.backend.base_url(), token.expect("the token is one"), http).expect("an address");
    let joined = Arc::new(Boss::join(&rest, &job).await);
    let cuboids = cut(&job, &joined.resource);
    let voxel_bytes: usize = cuboids.iter().map(|cuboid| cuboid.voxels.len()).sum();

    let (began, cpu) = (Instant::now(), cpu_time());
    let sent_bytes = joined.upload(cuboids, at_once).await;
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), (cpu_time() - cpu).as_secs_f64());
    println!(
        "{{\"seconds\": {seconds}, \"cpu_seconds\": {cpu}, \"voxel_bytes\": {voxel_bytes}, \"sent_bytes\": {sent_bytes}}}"
    );
}

/// A cuboid that is to be put.
struct Cuboid {
    key: String,
    metadata_chunk: String,
    voxels: Vec<u8>,
}

/// Reads every chunk, by the job's own script, and cuts it into cuboids.
fn cut(job: &Job, resource: &ResourceParameters) -> Vec<Cuboid> {
    let sources = Arc::new(Sources::new(job.dir.clone(), CACHE_BYTES));
    let scripts = Scripts::load(job).expect("the scripts are sound");
    let mut host = scripts.host(sources.clone()).expect("the scripts are sound");
    let (resolution, mut cuboids) = (job.resolution.into(), Vec::new());
    for task in job.grid.tasks() {
        let Task::Chunk { chunk: index, .. } = task else { panic!("only volumetric jobs have a ceiling") };
        let Ok(Answer::Plan(plan)) = host.plan(index) else { panic!("chunk {index} has no plan") };
        let block = sources.read(&plan, &target(&job.grid, resource.dtype, index)).expect("the volume is sound");
        let chunk = job.grid.region(index);
        let metadata_chunk = ChunkKey { num_tiles: 1, ids: resource.ids, resolution, index }.to_string();
        for cuboid in CuboidIndex::covering(&chunk.intersect(&job.grid.extent().region())) {
            let region: Region = cuboid.region().shift(-chunk.x.start, -chunk.y.start, -chunk.z.start);
            let voxels = block.cut(&region).into_bytes();
            let key = object_key(resource.ids, resolution, 0, cuboid);
            cuboids.push(Cuboid { key, metadata_chunk: metadata_chunk.clone(), voxels });
        }
    }
    cuboids
}

/// A job that was made and joined.
struct Boss {
    reply: JoinReply,
    resource: ResourceParameters,
    s3: S3,
    keys: SigningKeys,
    cores: Semaphore,
}

impl Boss {
    async fn join(rest: &Rest, job: &Job) -> Boss {
        let id = rest.create(&job.text).await.expect("the job is created").id;
        let wait = JoinWait { pause: Duration::from_millis(20), ..JoinWait::default() };
        let Ok(Joined::Ready(reply)) = rest.join_until_ready(id, wait, |_| ()).await else { panic!("no keys") };
        let resource = reply.resource_parameters().expect("the reply describes the channel");
        let keys = SigningKeys::new(reply.credentials.as_ref().expect("the reply has keys"));
        let s3 = S3::new(rest.http().clone(), Endpoints::local(rest.base_url()).expect("an address"));
        Boss { reply: *reply, resource, s3, keys, cores: Semaphore::new(default_cpu_threads()) }
    }

    /// Compresses and puts them all; gives the bytes that were sent.
    async fn upload(self: &Arc<Self>, cuboids: Vec<Cuboid>, at_once: usize) -> usize {
        let (cuboids, next) = (Arc::new(cuboids), Arc::new(AtomicUsize::new(0)));
        let mut working = JoinSet::new();
        for _ in 0..at_once {
            let (boss, cuboids, next) = (self.clone(), cuboids.clone(), next.clone());
            working.spawn(async move {
                let (mut frame, mut sent_bytes) = (Vec::new(), 0);
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= cuboids.len() {
                        return sent_bytes;
                    }
                    let put = boss.compress_and_put(cuboids.clone(), at, frame);
                    let len;
                    (frame, len) = put.await;
                    sent_bytes += len;
                }
            });
        }
        working.join_all().await.into_iter().sum()
    }

    /// `frame` is a buffer from the last call, and comes back; with it, the bytes that were sent.
    async fn compress_and_put(&self, cuboids: Arc<Vec<Cuboid>>, at: usize, mut frame: Vec<u8>) -> (Vec<u8>, usize) {
        let (ingest_job, parameters) = (self.reply.ingest_job.id, &self.reply.parameters());
        let chunk_key = &cuboids[at].metadata_chunk;
        let metadata = CuboidMetadata { ingest_job, chunk_key, parameters }.to_json();
        let (bucket, key) = (self.reply.ingest_bucket_name.clone().expect("a bucket"), cuboids[at].key.clone());
        let (core, dtype) = (self.cores.acquire().await.expect("it is never closed"), self.resource.dtype);
        let compressed = spawn_blocking(move || {
            let len = compress(&cuboids[at].voxels, dtype, &mut frame);
            let body = Bytes::copy_from_slice(&frame[..len]);
            (frame, Object::new(&bucket, &key, body, &[(META_JSON, &metadata)]).expect("key and metadata are sound"))
        });
        let (frame, object) = compressed.await.expect("compressing ends well");
        drop(core);
        self.s3.put(&object, &self.keys).await.expect("the Boss takes the cuboid");
        (frame, object.size_bytes() as usize)
    }
}

fn compress(voxels: &[u8], dtype: Dtype, frame: &mut Vec<u8>) -> usize {
    frame.resize(codec::frame_bytes(voxels.len()), 0);
    codec::compress_into(voxels, dtype, &BloscSettings::default(), frame).expect("a cuboid can be compressed")
}

/// User and system time of this process so far.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [fields[11], fields[12]].iter().map(|field| field.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}
