//! The binary as a process.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// A process that runs; killed when dropped.
pub struct Running {
    child: Option<Child>,
}

/// What a process left behind.
#[derive(Debug)]
pub struct Ended {
    /// `None` when it was killed.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The command, with a home and a state directory inside `folder` and no token or endpoint of the caller's.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_boss-ingest"));
    command.args(args).current_dir(folder).env_clear().env("HOME", folder).env("COLUMNS", "100");
    command.env("XDG_STATE_HOME", folder.join("state"));
    command
}

impl Running {
    pub fn start(folder: &Path, args: &[&str], answers: &str) -> Self {
        let mut command = command(folder, args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that asks nothing may be gone before it is answered.
        let _ = child.stdin.take().unwrap().write_all(answers.as_bytes());
        Running { child: Some(child) }
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        let killed = Command::new("kill").args(["-INT", &self.pid().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// Waits for the end, and kills what takes longer.
    pub fn finish_within(self, limit: Duration) -> Ended {
        let pid = self.pid().to_string();
        let (ending, ended) = mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
        });
        let ended = self.finish();
        drop(ending);
        watch.join().unwrap();
        ended
    }

    /// Waits for the end; also gives the most memory that the process had, in bytes.
    pub fn finish_measured(self) -> (Ended, u64) {
        let status = format!("/proc/{}/status", self.pid());
        let watch = std::thread::spawn(move || {
            let mut peak = 0;
            while let Ok(text) = std::fs::read_to_string(&status) {
                let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                let Some(kib) = line.and_then(|line| line.trim().strip_suffix(" kB")) else { break };
                peak = peak.max(kib.parse::<u64>().unwrap() * 1024);
                std::thread::sleep(Duration::from_millis(10));
            }
            peak
        });
        let ended = self.finish();
        (ended, watch.join().unwrap())
    }

    pub fn finish(mut self) -> Ended {
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Ended {
    /// Fails with all that the program said, unless it ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The number in `stored N tiles here`.
    pub fn stored(&self) -> u64 {
        let line = self.stderr.lines().find_map(|line| line.strip_prefix("stored ")).expect("the summary has counts");
        let digits: String =
            line.chars().take_while(|c| c.is_ascii_digit() || *c == ' ').filter(|c| *c != ' ').collect();
        digits.parse().unwrap()
    }

    /// The id in `created ingest job N`.
    pub fn job_id(&self) -> String {
        let line =
            self.stderr.lines().find_map(|line| line.strip_prefix("created ingest job ")).expect("an id is told");
        line.split(|c: char| !c.is_ascii_digit()).next().unwrap().to_owned()
    }
}
