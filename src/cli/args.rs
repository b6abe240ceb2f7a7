//! The arguments of every command, and the help that teaches them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::amounts::{parse_bytes, parse_rate, parse_seconds, parse_size};
use super::check::CheckArgs;
use super::listener::ProgressKind;
use super::preview::{At, parse_at, parse_contrast, parse_voxel_size};
use super::r#try::{Output, parse_at as parse_index};
use crate::codec::BloscSettings;
use crate::engine::OnBadTile;
use crate::preview::VoxelSize;
use crate::verify::Share;
use crate::volume::{Dtype, Index};

/// Move microscopy volumes into the Boss.
#[derive(Debug, Parser)]
#[command(
    name = "boss-ingest",
    version,
    max_term_width = 100,
    after_help = "\
A job is a JSON file; Lua scripts beside it say which file holds which tile. Try it without any account:

  boss-ingest create examples/em_stack/job.json --local my-boss

Exit codes: 0 done or declined, 1 failed, 2 wrong arguments, job file or script,
            3 some tiles could not be read and wait for you, 130 stopped by Ctrl-C"
)]
pub struct Cli {
    #[command(flatten)]
    pub logging: LoggingArgs,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the built-in scripts, copy one, or get the script API's types for your editor.
    Scripts(ScriptsArgs),
    /// Look at a file or volume: what it is, how large, which voxels.
    Inspect(InspectArgs),
    /// Read one tile or chunk and show every step, with no Boss and no upload.
    Try(TryArgs),
    /// Run the test cases of a job's scripts.
    Test(TestArgs),
    /// Look at a job before it is created: its script on every tile, its files, its extent. Uploads nothing.
    Check(CheckArgs),
    /// Draw a job's data as one picture, before anything is uploaded.
    Preview(PreviewArgs),
    /// Create the job of a job file, upload its data, and complete it.
    Create(CreateArgs),
    /// Work on a job that exists: from another machine, or again after a stop.
    Join(JoinArgs),
    /// Show how far a job is, once or until it is complete.
    Status(StatusArgs),
    /// Read a job's data back, compare it with the source voxel for voxel, and write a certificate.
    Verify(VerifyArgs),
    /// Tell what this machine wrote down of a job: bad tiles with reasons, counts, sources that changed, runs.
    Report(ReportArgs),
    /// List your jobs.
    List(BossArgs),
    /// Complete a job whose data is all uploaded.
    Complete(CompleteArgs),
    /// Cancel a job; what is already ingested stays.
    Cancel(ConfirmedJobArgs),
    /// Serve a local Boss: REST, SQS and S3 on one port, its data in a folder.
    Serve(ServeArgs),
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LoggingArgs {
    /// Write the log to this file instead of one in your state directory.
    #[arg(short, long, value_name = "FILE", global = true)]
    pub log_file: Option<PathBuf>,
    /// How much to log.
    #[arg(short = 'v', long, value_name = "LEVEL", default_value = "info", ignore_case = true, global = true)]
    pub log_level: LogLevel,
}

/// The words of the Python client's `--log-level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogLevel {
    Critical,
    Error,
    Warning,
    Info,
    Debug,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  boss-ingest create job.json --local my-boss      on a Boss of your own, below the folder my-boss
  boss-ingest create job.json                      on the Boss that the job file names
  boss-ingest create job.json --yes 2> log.txt     with no questions, for scripts")]
pub struct CreateArgs {
    /// The job file.
    pub job: PathBuf,
    /// Use a Boss of your own with its data in this folder, made if it is not there. Needs no account and no network.
    #[arg(long, value_name = "DIR")]
    pub local: Option<PathBuf>,
    #[command(flatten)]
    pub token: TokenArgs,
    #[command(flatten)]
    pub upload: UploadArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Run it on as many machines as you like, each with the same job file:
  boss-ingest join job.json -j 23

Stop it with Ctrl-C and run it again whenever you like: nothing is lost, nothing is stored twice.")]
pub struct JoinArgs {
    /// The job file that created the job.
    pub job: PathBuf,
    /// The job's id, as `create` printed it.
    #[arg(short, long, value_name = "ID")]
    pub job_id: u64,
    /// The job is on the Boss of your own in this folder.
    #[arg(long, value_name = "DIR")]
    pub local: Option<PathBuf>,
    /// Go on though the scripts, or the job file, are others than those that tasks were stored with.
    #[arg(long)]
    pub accept_changes: bool,
    #[command(flatten)]
    pub token: TokenArgs,
    #[command(flatten)]
    pub upload: UploadArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Reads headers and a few voxels of the middle, and changes nothing:
  boss-ingest inspect sections/s0001.tif
  boss-ingest inspect stack.h5                        lists its arrays
  boss-ingest inspect stack.h5 --dataset main/raw
  boss-ingest inspect s3://bucket/em.zarr --level 2
  boss-ingest inspect em.mrc --json | jq .shape

Exit codes: 0 it can be read, 2 wrong arguments, 3 it is missing, damaged or not supported")]
pub struct InspectArgs {
    /// A file, the folder of a volume, or the URL of either.
    pub source: String,
    /// Which array of several, by its path inside.
    #[arg(long, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Which level of detail; 0 is the finest.
    #[arg(long, value_name = "N")]
    pub level: Option<u64>,
    /// Which page of a file with several, counted from 0.
    #[arg(long, value_name = "N")]
    pub page: Option<u64>,
    /// Which channel of several, counted from 0.
    #[arg(long, value_name = "N")]
    pub channel: Option<u64>,
    /// The format's name [default: by content].
    #[arg(long, value_name = "NAME")]
    pub format: Option<String>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  boss-ingest try job.json                             the job's first tile or chunk
  boss-ingest try job.json --at x=3,y=1,z=120          this one, by its indices as messages show them
  boss-ingest try job.json --at z=120 -o tile.npy      its voxels, for numpy
  boss-ingest try job.json --watch                     again whenever you save the script

Exit codes: 0 read, 2 wrong arguments, job file or script, 3 the data is missing or bad")]
pub struct TryArgs {
    /// The job file. Sizes and extents that `create` would refuse for their alignment are warnings here.
    pub job: PathBuf,
    /// Which tile or chunk, by its indices; those left out are 0 [default: the job's first].
    #[arg(long, value_name = "x=3,y=1,z=120[,t=0]", value_parser = parse_index)]
    pub at: Option<Index>,
    /// The channel's voxel type, such as uint16 [default: the first source's].
    #[arg(long, value_name = "TYPE")]
    pub dtype: Option<Dtype>,
    /// Write the voxels to this file, as the Boss would store them: .npy, .tif, .png (tiles) or .raw (little-endian, x fastest).
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<Output>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// Do it again whenever the job file or a script is saved, until Ctrl-C.
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub scratch: ScratchArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The picture has cuts along xy, xz and yz with their axes, and below them the sections by z.
Flagged are sections and tiles that are missing, unreadable or empty, and sections much unlike
their neighbours: brighter, darker, swapped, shifted or mirrored. Nothing is sent anywhere.

Examples:
  boss-ingest preview job.json                        writes job-preview.png in this folder
  boss-ingest preview job.json --voxel-size 4,4,40 -o p.png
  boss-ingest preview job.json --at x=2000,y=1500,z=117 --tasks 5000
  boss-ingest preview job.json --json | jq .findings.flags

Exit codes: 0 nothing is flagged, 2 wrong arguments, job file or script,
            3 something is flagged (the picture is written all the same)")]
pub struct PreviewArgs {
    /// The job file.
    pub job: PathBuf,
    /// The picture to write, over an older one [default: the job file's name with -preview.png, in this folder].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the cuts meet, in voxels, such as x=100,z=7; t chooses the time sample [default: the middle, the first t].
    #[arg(long, value_name = "x=N,y=N,z=N", value_parser = parse_at)]
    pub at: Option<At>,
    /// Read at most so many tiles or chunks, evenly spread over the job.
    #[arg(long, value_name = "N", default_value = "512", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub tasks: u64,
    /// The values shown black and white [default: the 0.5 and 99.5 percentiles].
    #[arg(long, value_name = "LOW,HIGH", value_parser = parse_contrast, allow_hyphen_values = true)]
    pub contrast: Option<(f64, f64)>,
    /// The size of a voxel in nanometres: cuts are then drawn to scale.
    #[arg(long, value_name = "X,Y,Z", value_parser = parse_voxel_size)]
    pub voxel_size: Option<VoxelSize>,
    /// The channel's voxel type, such as uint8 [default: that of the first source].
    #[arg(long, value_name = "TYPE")]
    pub dtype: Option<Dtype>,
    /// Write everything that was found to standard output as JSON.
    #[arg(long)]
    pub json: bool,
    /// Memory for voxels, such as 800MB or 2GiB [default: a quarter of the machine's].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    #[command(flatten)]
    pub scratch: ScratchArgs,
    /// Threads that read and decode [default: one for each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub cpu_threads: Option<u16>,
}

/// Where decoded images go that memory has no room for.
#[derive(Clone, Debug, Default, Args)]
pub struct ScratchArgs {
    /// Keep decoded images that memory has no room for in this folder [default: one in your cache directory].
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// The most that may lie there, such as 200GB, or 0 for nothing [default: a quarter of what is free].
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub scratch_size: Option<u64>,
}

#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Your API token. Without it: INTERN_TOKEN, then ~/.intern/intern.cfg, then ./token.json.
    #[arg(short, long, value_name = "TOKEN", hide_env_values = true)]
    pub api_token: Option<String>,
}

#[derive(Debug, Args)]
pub struct YesArgs {
    /// Answer yes to every question.
    #[arg(short, long, visible_short_alias = 'f', visible_alias = "force")]
    pub yes: bool,
}

/// How a run tells what it does.
#[derive(Clone, Debug, Args)]
pub struct TellingArgs {
    /// How to show progress: `auto`, as a `bar` or `lines` on standard error, `json` lines on standard output, or `none`.
    #[arg(long, value_name = "HOW", value_enum, default_value_t, hide_possible_values = true)]
    pub progress: ProgressKind,
    /// Serve the counts to Prometheus at this address, under /metrics, such as 127.0.0.1:9100.
    #[arg(long, value_name = "HOST:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Say where tasks stick when nothing has moved for so many seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds)]
    pub stall_after: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Upload")]
pub struct UploadArgs {
    /// Leave the job uncompleted when everything is uploaded.
    #[arg(short, long)]
    pub manual_complete: bool,
    /// What to do with a tile or chunk whose file or script is at fault: `stop` the run, `quarantine` it and go on, or
    /// `fill=V` its voxels where the file is missing or damaged. All three are told at the end.
    #[arg(long, value_name = "WHAT", default_value = "quarantine")]
    pub on_bad_tile: OnBadTile,
    #[command(flatten)]
    pub yes: YesArgs,
    /// Memory for voxels, such as 800MB or 2GiB [default: a quarter of the machine's].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    #[command(flatten)]
    pub telling: TellingArgs,
    #[command(flatten)]
    pub scratch: ScratchArgs,
    /// How cuboids are compressed: zstd, lz4 or blosclz, with level and shuffle if wanted, such as zstd:3:bytes.
    #[arg(long, value_name = "CODEC", default_value = "zstd")]
    pub codec: BloscSettings,
    /// Send cuboids outside the extent, too: zeros over what the channel may hold there.
    #[arg(long)]
    pub all_cuboids: bool,
    /// Uploads in flight at once [default: found by trying].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub uploads: Option<u16>,
    /// Send at most so much a second, such as 50MB.
    #[arg(long, value_name = "SIZE", value_parser = parse_rate)]
    pub max_bandwidth: Option<u64>,
    /// Make at most so many requests to S3 and SQS a second.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_rps: Option<u64>,
    /// Threads that decode and compress [default: one for each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub cpu_threads: Option<u16>,
}

/// Which Boss a command speaks to.
#[derive(Debug, Args)]
pub struct BossArgs {
    /// The Boss: a host such as api.bossdb.io, or an address such as http://10.0.0.7:8090.
    #[arg(long, value_name = "HOST", default_value = "api.bossdb.io", conflicts_with_all = ["local", "job"])]
    pub host: String,
    /// The Boss of your own in this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "job")]
    pub local: Option<PathBuf>,
    /// The Boss that this job file names.
    #[arg(long, value_name = "FILE")]
    pub job: Option<PathBuf>,
    #[command(flatten)]
    pub token: TokenArgs,
}

#[derive(Debug, Args)]
pub struct JobIdArgs {
    /// The job's id, as `create` printed it.
    pub id: u64,
    #[command(flatten)]
    pub boss: BossArgs,
}

#[derive(Debug, Args)]
#[command(override_usage = "\
boss-ingest verify JOB -j ID [OPTIONS]
       boss-ingest verify --check CERTIFICATE [OPTIONS]")]
#[command(after_help = "\
Examples:
  boss-ingest verify job.json -j 7                 every voxel
  boss-ingest verify job.json -j 7 --sample 1%     a share of the blocks, spread over the job
  boss-ingest verify --check certificate.json      the Boss against a certificate, without the source

Stop it and run it again: it goes on where it was.

Exit codes: 0 all equal, 3 something differs or could not be compared, 1 failed, 2 wrong job file or script")]
pub struct VerifyArgs {
    /// The job file.
    #[arg(required_unless_present = "check", requires = "job_id")]
    pub job: Option<PathBuf>,
    /// The job's id, as `create` printed it.
    #[arg(short, long, value_name = "ID", required_unless_present = "check")]
    pub job_id: Option<u64>,
    /// Check a certificate: that nobody changed it, and that the Boss holds what it held then.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["job", "job_id", "sample", "seed", "output"])]
    pub check: Option<PathBuf>,
    /// The Boss to check it against, such as api.example.org. Without it, it is the one that the certificate names, which gets
    /// your token only if it is api.bossdb.io.
    #[arg(long, value_name = "HOST", conflicts_with_all = ["job", "local"])]
    pub host: Option<String>,
    /// How much to compare: `all`, or a share of the job's blocks such as `1%`.
    #[arg(long, value_name = "SHARE", default_value_t = Share::All)]
    pub sample: Share,
    /// Draw the sample by this number, which the certificate names [default: any].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write the certificate to this file instead of one in your state directory.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The job is on the Boss of your own in this folder.
    #[arg(long, value_name = "DIR")]
    pub local: Option<PathBuf>,
    #[command(flatten)]
    pub token: TokenArgs,
    /// Memory for voxels, such as 800MB or 2GiB [default: a quarter of the machine's].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    #[command(flatten)]
    pub scratch: ScratchArgs,
    /// Threads that read and compare [default: one for each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub cpu_threads: Option<u16>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  boss-ingest report 7 --job job.json          of the Boss that the job file names
  boss-ingest report 1 --local my-boss --json

Exit codes: 0 no tile is in quarantine, 3 some are, 1 this machine has no ledger of the job")]
pub struct ReportArgs {
    #[command(flatten)]
    pub job: JobIdArgs,
    /// Print everything as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  boss-ingest status 23
  boss-ingest status 23 --watch                   until it is complete; what runs on this host, too
  boss-ingest status 23 --watch --json | jq .left_s

Exit codes: 0 told, or watched until complete, 1 cancelled or refused, 130 stopped by Ctrl-C")]
pub struct StatusArgs {
    #[command(flatten)]
    pub job: JobIdArgs,
    /// Go on until the job is complete, showing what changes.
    #[arg(short, long)]
    pub watch: bool,
    /// Print JSON instead of text: one object, or one a line with `--watch`.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CompleteArgs {
    #[command(flatten)]
    pub job: JobIdArgs,
    #[command(flatten)]
    pub yes: YesArgs,
    /// How to show progress: `auto`, as a `bar` or `lines` on standard error, `json` lines on standard output, or `none`.
    #[arg(long, value_name = "HOW", value_enum, default_value_t, hide_possible_values = true)]
    pub progress: ProgressKind,
}

#[derive(Debug, Args)]
pub struct ConfirmedJobArgs {
    #[command(flatten)]
    pub job: JobIdArgs,
    #[command(flatten)]
    pub yes: YesArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  boss-ingest scripts list
  boss-ingest scripts show z_stack > paths.lua     to copy one and change it
  boss-ingest scripts types                        so that your editor knows the functions")]
pub struct ScriptsArgs {
    #[command(subcommand)]
    pub command: ScriptsCommand,
}

#[derive(Debug, Subcommand)]
pub enum ScriptsCommand {
    /// List the built-in scripts.
    List {
        /// As JSON: name, slots and summary of each.
        #[arg(long)]
        json: bool,
    },
    /// Print a built-in script, ready to be copied.
    Show {
        /// Its name, or the name of a class of the Python client.
        name: String,
    },
    /// Write the script API's types, and the setting that makes lua-language-server find them.
    Types {
        /// The folder of the job file.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
The cases are in a table `tests` of a script, or in a file beside it: `paths_test.lua` for `paths.lua`.

  M.tests = {
    { at = { x = 0, y = 0, z = 7 }, path = \"sections/s0008.tif\" },
    { at = { z = 12 }, missing = true },
  }

Exit codes: 0 all passed, 1 some failed, 2 there are none, or the job file or a script is wrong")]
pub struct TestArgs {
    /// The job file.
    pub job: PathBuf,
    /// The channel's voxel type, for checksums [default: that of the source].
    #[arg(long, value_name = "TYPE")]
    pub dtype: Option<Dtype>,
    /// Print the results as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  boss-ingest serve my-boss --listen 127.0.0.1:8090
  boss-ingest join job.json -j 1 --local my-boss       on the same machine
  export INTERN_TOKEN=...                              on others: the text of my-boss/token")]
pub struct ServeArgs {
    /// The folder of the local Boss; made if it is not there.
    pub dir: PathBuf,
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// How long a job lets its queues settle before it is completed, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = parse_seconds)]
    pub completion_wait: Duration,
    /// How long a worker may keep a task before another gets it, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = parse_seconds)]
    pub visibility: Duration,
    /// Let go wrong what this JSON file asks for: refusals, delays, cut connections; see docs/faults.md.
    #[arg(long, value_name = "FILE", help_heading = "For tests")]
    pub faults: Option<PathBuf>,
    /// Write down what is stored and deleted, one JSON line for each effect.
    #[arg(long, value_name = "FILE", help_heading = "For tests")]
    pub journal: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
