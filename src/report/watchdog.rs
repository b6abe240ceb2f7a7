//! Sees when nothing moves although tasks are held, and says once where they stick.

use std::time::{Duration, Instant};

use super::{Pulse, human_duration};

/// Watches the pulses of a run. Clocks are handed in.
#[derive(Debug)]
pub struct Watchdog {
    patience: Duration,
    steps: u64,
    since: Option<Instant>,
    has_said: bool,
}

/// Where tasks stick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    pub stage: &'static str,
    /// Tasks in that stage.
    pub tasks: u64,
    /// How long nothing has moved.
    pub since: Duration,
    /// What that means.
    pub meaning: String,
}

/// What a look at a pulse came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Nothing has moved for the time that was handed in; said once.
    Stuck(Stuck),
    /// It moves again, after so long.
    Moves { after: Duration },
}

impl Watchdog {
    pub fn new(patience: Duration) -> Self {
        Watchdog { patience, steps: 0, since: None, has_said: false }
    }

    /// Takes in a pulse; tells what is to be told.
    pub fn look(&mut self, pulse: &Pulse, now: Instant) -> Option<Watched> {
        let (steps, since) = (pulse.steps(), *self.since.get_or_insert(now));
        let still = now.duration_since(since);
        if steps != self.steps || pulse.held() == 0 {
            self.steps = steps;
            self.since = Some(now);
            return std::mem::take(&mut self.has_said).then_some(Watched::Moves { after: still });
        }
        if still < self.patience || self.has_said {
            return None;
        }
        self.has_said = true;
        // Those behind the stage wait for it; it is the last one that works on anything.
        let stage = pulse.stages.iter().rev().find(|stage| stage.working > 0)?;
        let meaning = meaning(stage.name, pulse.away);
        Some(Watched::Stuck(Stuck { stage: stage.name, tasks: stage.working, since: still, meaning }))
    }
}

/// What it means when tasks stick in a stage.
fn meaning(stage: &str, away: Option<&str>) -> String {
    match (stage, away) {
        ("upload" | "index" | "acknowledge", Some(service)) => format!("{service} does not answer; it is asked again"),
        ("plan", _) => "the script does not end, or all threads are busy".to_owned(),
        ("read", _) => "the disk or server with the sources does not answer, or memory is short".to_owned(),
        ("pack" | "compress", _) => "all threads are busy, or the machine is overloaded".to_owned(),
        ("upload", _) => "S3 takes no more; is the network there?".to_owned(),
        ("record", _) => "the disk with the state directory does not answer".to_owned(),
        _ => "SQS does not answer".to_owned(),
    }
}

impl Watched {
    /// As it is told; `noun` is `tile` or `chunk`.
    pub fn sentence(&self, noun: &str) -> String {
        match self {
            Watched::Stuck(stuck) => stuck.sentence(noun),
            Watched::Moves { after } => format!("it moves again after {}", human_duration(*after)),
        }
    }
}

impl Stuck {
    /// ``12 tiles wait in `upload`, nothing has moved for 1 min 0 s: …``
    fn sentence(&self, noun: &str) -> String {
        let Stuck { stage, tasks, since, meaning } = self;
        let verb = if *tasks == 1 { "waits" } else { "wait" };
        let (tasks, since) = (super::count(*tasks, noun), human_duration(*since));
        format!("{tasks} {verb} in `{stage}`, nothing has moved for {since}: {meaning}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::StageNow;

    fn pulse(stages: &[(&'static str, u64, u64)]) -> Pulse {
        let stage =
            |&(name, working, done): &(&'static str, u64, u64)| StageNow { name, working, done, ..StageNow::default() };
        Pulse { stages: stages.iter().map(stage).collect(), ..Pulse::default() }
    }

    #[test]
    fn tasks_that_stick_are_told_once_and_so_is_their_going_on() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut dog = Watchdog::new(Duration::from_secs(60));
        let moving = pulse(&[("read", 3, 10), ("upload", 12, 7)]);
        assert_eq!(dog.look(&moving, at(0)), None);
        assert_eq!(dog.look(&moving, at(59)), None);
        let Some(Watched::Stuck(stuck)) = dog.look(&moving, at(60)) else { panic!("it sticks") };
        assert_eq!(
            stuck.sentence("tile"),
            "12 tiles wait in `upload`, nothing has moved for 1 min 0 s: S3 takes no more; is the network there?"
        );
        assert_eq!(dog.look(&moving, at(61)), None, "it is said once");
        let on = pulse(&[("read", 3, 10), ("upload", 11, 8)]);
        assert_eq!(dog.look(&on, at(75)), Some(Watched::Moves { after: Duration::from_secs(75) }));
        assert_eq!(dog.look(&on, at(134)), None);
        assert!(matches!(dog.look(&on, at(135)), Some(Watched::Stuck(_))), "it counts from the last step");
    }

    /// A chunk of a hundred cuboids takes minutes on a slow line.
    #[test]
    fn a_large_task_moves_with_each_object() {
        let start = Instant::now();
        let mut dog = Watchdog::new(Duration::from_secs(60));
        for seconds in 0..600 {
            let stage = StageNow { name: "upload", working: 1, parts: seconds / 30, ..StageNow::default() };
            let slow = Pulse { stages: vec![stage], ..Pulse::default() };
            assert_eq!(dog.look(&slow, start + Duration::from_secs(seconds)), None);
        }
    }

    #[test]
    fn waiting_for_tasks_is_no_fault() {
        let start = Instant::now();
        let mut dog = Watchdog::new(Duration::from_secs(60));
        for seconds in 0..600 {
            let idle = pulse(&[("read", 0, 10), ("upload", 0, 10)]);
            assert_eq!(dog.look(&idle, start + Duration::from_secs(seconds)), None);
        }
    }

    #[test]
    fn a_service_that_is_away_is_named() {
        let away = Pulse { away: Some("S3"), ..pulse(&[("upload", 1, 0)]) };
        let mut dog = Watchdog::new(Duration::ZERO);
        let Some(Watched::Stuck(stuck)) = dog.look(&away, Instant::now()) else { panic!("it sticks") };
        assert!(stuck.sentence("chunk").starts_with("1 chunk waits in `upload`"), "{stuck:?}");
        assert_eq!(stuck.meaning, "S3 does not answer; it is asked again");
    }
}
