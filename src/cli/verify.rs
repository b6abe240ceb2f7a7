//! `boss-ingest verify`: compare what the Boss holds with the source, or check a certificate again.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::VerifyArgs;
use super::connect::{Boss, for_sources, with_protocol};
use super::error::{CliError, Exit};
use super::{json_file, logging, prepare, signals};
use crate::config::Job;
use crate::engine::ledger::{Edition, Entry, JobOf, LedgerError, Reader};
use crate::engine::{Shutdown, default_cpu_threads};
use crate::lua::Scripts;
use crate::protocol::JobStatus;
use crate::report::{News, Report, count, grouped};
use crate::source::BossSettings;
use crate::verify::{BossSide, Certificate, Difference, Subject, Verification, VerifyError, verify};
use crate::volume::Index;

/// Runs the command.
///
/// # Errors
/// When the job file or a script cannot be used, the Boss cannot be read, or the certificate not be read or written.
pub async fn run(args: VerifyArgs) -> Result<Exit, CliError> {
    match (&args.check, &args.job, args.job_id) {
        (Some(path), ..) => check(path, &args).await,
        (None, Some(job), Some(id)) => compare(job, id, &args).await,
        // The parser asks for one or the other.
        _ => Ok(Exit::Failed),
    }
}

async fn compare(path: &Path, id: u64, args: &VerifyArgs) -> Result<Exit, CliError> {
    let job = prepare::load_job(path)?;
    let boss = Boss::local_or(args.local.as_deref(), &job.backend.base_url(), &args.token).await?;
    let ended = compare_with(&boss, job, id, args).await;
    boss.close().await;
    ended
}

async fn compare_with(boss: &Boss, job: Job, id: u64, args: &VerifyArgs) -> Result<Exit, CliError> {
    let status = boss.rest.status(id).await?.status;
    if status != JobStatus::Complete {
        eprintln!("warning: ingest job {id} is {status}; what the Boss has not ingested yet reads as 0 and differs");
    }
    let verification = verification(boss, job, id, args)?;
    let output = args.output.clone().unwrap_or_else(|| verification.journal.with_extension("certificate.json"));
    let (shutdown, progress) = (verification.shutdown.clone(), Arc::new(Progress::new()));
    signals::listen(shutdown.clone(), progress.clone());
    let verified = tokio::select! {
        verified = blocking(move || verify(&verification, &|done, of| progress.show(done, of))) => verified,
        () = shutdown.stopped() => Err(VerifyError::Stopped),
    };
    let certificate = match verified {
        Err(stopped @ VerifyError::Stopped) => {
            eprintln!("{stopped}");
            return Ok(Exit::Stopped);
        }
        verified => verified?,
    };
    json_file::write(&output, &certificate.to_json())?;
    eprint!("{}", summary(&certificate));
    eprintln!("certificate: {}", output.display());
    Ok(if certificate.equal { Exit::Done } else { Exit::BadTasks })
}

fn verification(boss: &Boss, job: Job, id: u64, args: &VerifyArgs) -> Result<Verification, CliError> {
    let memory_bytes = args.memory.unwrap_or_else(prepare::quarter_of_memory);
    let (scripts, job_of, folder) = (Scripts::load(&job)?, boss.job(id), logging::state_dir());
    Ok(Verification {
        known: known(&folder, &job_of, &Edition::new(&job, &scripts))?,
        sources: prepare::sources(&job, memory_bytes, &args.scratch, args.token.api_token.as_deref()),
        boss: boss.settings(&args.token)?,
        share: args.sample,
        seed: args.seed,
        memory_bytes,
        cpu_threads: args.cpu_threads.map_or_else(default_cpu_threads, usize::from),
        shutdown: Shutdown::new(),
        journal: folder.join(format!("{}.verify", job_of.file_stem())),
        subject: Subject { boss: job_of.boss, job: id },
        job,
        scripts,
    })
}

/// Runs what blocks on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VerifyError> + Send + 'static,
) -> Result<T, VerifyError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// The tasks that this machine's ledger has as bad or filled. Warns where tasks were stored with other scripts than these,
/// which may give other voxels.
fn known(folder: &Path, job: &JobOf, edition: &Edition) -> Result<HashMap<Index, Entry>, CliError> {
    std::fs::create_dir_all(folder).map_err(|source| CliError::Write { path: folder.to_owned(), source })?;
    let reader = match Reader::open(folder, job) {
        Err(LedgerError::Absent { .. }) => return Ok(HashMap::new()),
        reader => reader?,
    };
    if reader.edition()?.0 != *edition {
        eprintln!("warning: the scripts or the job file are others than those that tasks were last stored with");
    }
    let entries = reader.quarantined()?.into_iter().chain(reader.filled()?);
    Ok(entries.map(|entry| (entry.index, entry)).collect())
}

async fn check(path: &Path, args: &VerifyArgs) -> Result<Exit, CliError> {
    let certificate = Certificate::read(path)?;
    let is_folder = args.host.is_none() && !certificate.boss.contains("://");
    match args.local.clone().or_else(|| is_folder.then(|| PathBuf::from(&certificate.boss))) {
        // A certificate may come from anybody; it makes no Boss where there is none.
        Some(dir) if !dir.join("token").exists() => Err(VerifyError::NoLocalBoss { dir }.into()),
        Some(dir) => {
            let boss = Boss::local_or(Some(&dir), &certificate.boss, &args.token).await?;
            let ended = check_with(boss.settings(&args.token)?, certificate, args).await;
            boss.close().await;
            ended
        }
        None => check_with(named_boss(&certificate, args), certificate, args).await,
    }
}

/// The Boss that the user names, with the token that is looked for as always; else that of the certificate, which gets no
/// token unless it is the public one: the host in it may be anybody's.
fn named_boss(certificate: &Certificate, args: &VerifyArgs) -> BossSettings {
    let public = BossSettings::default();
    match &args.host {
        Some(host) => for_sources(&with_protocol(host), args.token.api_token.as_deref()),
        None if certificate.boss == public.url => for_sources(&public.url, args.token.api_token.as_deref()),
        None => BossSettings { url: certificate.boss.clone(), ..public },
    }
}

async fn check_with(settings: BossSettings, certificate: Certificate, args: &VerifyArgs) -> Result<Exit, CliError> {
    let memory_bytes = args.memory.unwrap_or_else(prepare::quarter_of_memory);
    let cpu_threads = args.cpu_threads.map_or_else(default_cpu_threads, usize::from);
    let (certificate, changed) = blocking(move || {
        let side = BossSide::open(settings, &certificate.database())?;
        let (progress, of) = (Progress::new(), certificate.blocks.len() as u64);
        let changed = certificate.check(&side, (memory_bytes, cpu_threads), &|done| progress.show(done, of))?;
        Ok((certificate, changed))
    })
    .await?;
    eprintln!("the certificate is as it was written on {}; it says:", certificate.ended);
    eprint!("{}", summary(&certificate));
    for block in changed.iter().take(SHOWN) {
        eprintln!("error: the Boss now holds other voxels at {}, t {}", block.region, block.t);
    }
    if changed.len() > SHOWN {
        eprintln!("… and in {} more", count((changed.len() - SHOWN) as u64, "block"));
    }
    let (all, changed) = (certificate.blocks.len(), changed.len());
    eprintln!("{} of {} as they were", grouped((all - changed) as u64), count(all as u64, "block"));
    Ok(if changed == 0 && certificate.equal { Exit::Done } else { Exit::BadTasks })
}

/// Differences, and tasks that were not compared, that are shown; the certificate has more.
const SHOWN: usize = 10;

fn summary(certificate: &Certificate) -> String {
    let Certificate { voxels, sample, .. } = certificate;
    let mut text = String::new();
    for difference in certificate.differences.iter().take(SHOWN) {
        let Difference { x, y, z, t, boss, source } = difference;
        text += &format!("error: voxel x {x}, y {y}, z {z}, t {t} is {boss} in the Boss and {source} in the source\n");
    }
    for task in certificate.not_compared.iter().take(SHOWN) {
        let why = if task.quarantined { "in quarantine" } else { "not compared" };
        text += &format!("error: {} is {why}: {}\n", task.index, task.reason.lines().next().unwrap_or_default());
    }
    let more = certificate.not_compared.len().saturating_sub(SHOWN);
    if more > 0 {
        text += &format!("… and {} more that were not compared\n", grouped(more as u64));
    }
    let compared = count(voxels.compared, "voxel");
    text += &format!("compared {compared} in {} of {}", grouped(sample.blocks), count(sample.of, "block"));
    if sample.blocks < sample.of {
        text += &format!(" (seed {})", sample.seed);
    }
    text += &match voxels.differing {
        0 => ": all equal\n".to_owned(),
        differing => format!(": {} differ\n", grouped(differing)),
    };
    if voxels.filled > 0 {
        text += &format!("{} are of tiles that were filled\n", count(voxels.filled, "voxel"));
    }
    if voxels.not_compared > 0 {
        text += &format!("{} could not be compared\n", count(voxels.not_compared, "voxel"));
    }
    text
}

/// A bar on a terminal, else a line now and then.
struct Progress {
    bar: ProgressBar,
    told: Mutex<Instant>,
}

/// Time between two lines of progress where nobody watches.
const LINES: Duration = Duration::from_secs(30);

impl Progress {
    fn new() -> Self {
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr_with_hz(5),
            false => ProgressDrawTarget::hidden(),
        };
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {pos} of {len} blocks, {eta} left");
        let bar =
            ProgressBar::with_draw_target(Some(0), target).with_style(style.expect("the template is well-formed"));
        Progress { bar, told: Mutex::new(Instant::now()) }
    }

    fn show(&self, done: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(done);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if self.bar.is_hidden() && told.elapsed() >= LINES {
            *told = Instant::now();
            eprintln!("{} of {} compared", grouped(done), count(of, "block"));
        }
    }
}

impl Report for Progress {
    fn tell(&self, news: News) {
        if let News::Phase(text) = news {
            self.bar.suspend(|| eprintln!("{text}"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
