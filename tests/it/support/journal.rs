//! What a Boss wrote down that was served with `--journal`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file. It may still grow.
pub struct Journal {
    path: PathBuf,
}

/// How often each thing happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effects {
    pub received: usize,
    /// Received before.
    pub again: usize,
    pub stored: usize,
    pub deleted: usize,
}

impl Journal {
    pub fn of(path: &Path) -> Self {
        Journal { path: path.to_owned() }
    }

    /// How many objects have been stored so far.
    pub fn stored(&self) -> usize {
        self.text().matches(r#"{"effect":"stored""#).count()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map_while(|line| serde_json::from_str(line).ok()).collect()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// Fails if a message was deleted before each of its task's objects was stored, and indexed where there is an index.
    #[track_caller]
    pub fn nothing_was_acknowledged_before_it_was_stored(&self, has_index: bool) -> Effects {
        let mut counts = Effects::default();
        let mut tasks: HashMap<i64, Vec<String>> = HashMap::new();
        let (mut stored, mut indexed) = (HashSet::new(), HashSet::new());
        for line in self.lines() {
            let key = || line["key"].as_str().unwrap().to_owned();
            match line["effect"].as_str().unwrap() {
                "received" => {
                    counts.received += 1;
                    let keys = line["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned());
                    let before = tasks.insert(line["message"].as_i64().unwrap(), keys.collect());
                    counts.again += usize::from(before.is_some());
                }
                "stored" => {
                    counts.stored += 1;
                    stored.insert(key());
                }
                "indexed" => {
                    indexed.insert(key());
                }
                "asked" => {}
                _ => {
                    counts.deleted += 1;
                    for key in &tasks[&line["message"].as_i64().unwrap()] {
                        assert!(stored.contains(key), "{line} came before {key} was stored");
                        assert!(!has_index || indexed.contains(key), "{line} came before {key} was indexed");
                    }
                }
            }
        }
        counts
    }
}
