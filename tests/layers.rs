//! Imports point down. This table says which layer may import which; a file that imports another fails the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the crate, and the modules that it may import besides itself.
const LAYERS: [(&str, &[&str]); 14] = [
    ("volume", &[]),
    ("codec", &["volume"]),
    ("protocol", &["volume"]),
    ("report", &["volume"]),
    ("config", &["volume", "protocol"]),
    ("boss", &["volume", "protocol"]),
    ("source", &["volume", "codec", "protocol", "config"]),
    ("lua", &["volume", "protocol", "config", "source"]),
    ("server", &["volume", "codec", "protocol", "report", "config"]),
    ("engine", &["volume", "codec", "protocol", "report", "config", "boss", "source", "lua"]),
    ("check", &["volume", "codec", "report", "config", "source", "lua", "engine"]),
    ("preview", &["volume", "report", "config", "source", "lua", "engine"]),
    ("verify", &["volume", "config", "source", "lua", "engine"]),
    (
        "cli",
        &[
            "volume", "codec", "protocol", "report", "config", "boss", "source", "lua", "server", "engine", "check",
            "preview", "verify",
        ],
    ),
];

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The modules named behind `crate::` in a source text, comments left out.
fn imports(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap()).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            let group = group.split_once("};").map_or(group, |(group, _)| group);
            found.extend(group.split([',', '\n']).map(|item| item.trim().split("::").next().unwrap().to_owned()));
        } else {
            found
                .push(part.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap().to_owned());
        }
    }
    found.retain(|name| LAYERS.iter().any(|(layer, _)| layer == name));
    found
}

#[test]
fn imports_point_down() {
    let table: BTreeMap<&str, &[&str]> = LAYERS.into_iter().collect();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for (layer, allowed) in table {
        for file in rust_files(&src.join(layer)) {
            checked += 1;
            for name in imports(&fs::read_to_string(&file).unwrap()) {
                if name != layer && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{} imports `{name}`", file.strip_prefix(&src).unwrap().display()));
                }
            }
        }
    }
    assert!(checked > 50, "the table covers the crate's files, found {checked}");
    assert!(wrong.is_empty(), "imports that do not point down:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_is_in_the_table() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let modules: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut layers: Vec<&str> = LAYERS.iter().map(|(layer, _)| *layer).collect();
    layers.sort_unstable();
    assert_eq!(modules, layers);
}

#[test]
fn grouped_and_nested_imports_are_seen() {
    let text =
        "use crate::{boss::Session,\n engine::run};\nfn f() { crate::lua::x() } // crate::server is not imported";
    assert_eq!(imports(text), ["boss", "engine", "lua"]);
}
