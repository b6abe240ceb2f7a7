//! Judges that are not ours: Python programs in `tests/foreign`, with the packages of its `requirements.txt`.

use std::path::Path;
use std::process::Command;

/// Python with these packages, named as `import` does, between commas. `None`, said aloud, where they lack; in CI, and where
/// `BOSS_INGEST_PYTHON` names a Python, a judge that lacks is a failure.
pub fn python(packages: &str) -> Option<String> {
    let named = std::env::var("BOSS_INGEST_PYTHON").ok();
    let is_due = named.is_some() || std::env::var_os("CI").is_some();
    let python = named.unwrap_or_else(|| "python3".to_owned());
    let probe = Command::new(&python).args(["-c", &format!("import {packages}")]).output();
    if probe.is_ok_and(|probe| probe.status.success()) {
        return Some(python);
    }
    assert!(!is_due, "`{python}` lacks some of {packages}; see tests/foreign/requirements.txt");
    println!("left out: `{python}` lacks some of {packages}; see tests/foreign/requirements.txt");
    None
}

/// Runs a script of `tests/foreign`, which must end well; gives what it said.
pub fn run(python: &str, script: &str, args: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(script);
    let judged = Command::new(python).arg(script).args(args).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&judged.stdout), String::from_utf8_lossy(&judged.stderr));
    assert!(judged.status.success(), "{text}");
    println!("{text}");
    text
}
