//! Every script that we hand out says what it is for, in a comment that a reader and `scripts list` understand.

use std::path::PathBuf;

use mlua::Lua;

use super::*;

/// Every script in `folder` and below, but for the types.
fn scripts_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().unwrap() != "types" {
            found.extend(scripts_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "lua") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_script_is_lua_and_says_its_api_what_it_does_and_for_which_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scripts = ["scripts", "examples"].map(|folder| scripts_below(&root.join(folder))).concat();
    assert!(scripts.len() > BUILTINS.len(), "found {scripts:?}");
    for path in scripts {
        let (name, text) = (path.display(), fs::read_to_string(&path).unwrap());
        Lua::new().load(&text).into_function().unwrap_or_else(|error| panic!("{name}: {error}"));
        let header = Header::of(&text);
        assert_eq!(header.api, Some(1), "{name} begins with `--- @boss-api 1`");
        assert!(header.summary().ends_with('.'), "{name} says in one sentence what it does: {:?}", header.summary());
        assert!(!header.blocks().is_empty(), "{name} shows a folder or a job file, in lines indented by two spaces");
    }
}

#[test]
fn the_job_file_shown_by_a_built_in_is_one_that_it_can_be_named_in() {
    for script in BUILTINS {
        let blocks = script.header().blocks();
        let shown = blocks.iter().find(|block| block.starts_with('"') && block.contains("_processor\": "));
        let shown = shown.unwrap_or_else(|| panic!("{} shows its part of a job file", script.name));
        let slots: Value =
            serde_json::from_str(&format!("{{{shown}}}")).unwrap_or_else(|error| panic!("{shown}: {error}"));
        let class = |slot: &str| slots[slot]["class"].as_str();
        let path = class("path_processor").unwrap_or("z_stack");
        let (data_slot, workshop) = match class("chunk_processor") {
            Some(chunk) => ("chunk_processor", Workshop::chunks(path, chunk)),
            None => ("tile_processor", Workshop::tiles(path, class("tile_processor").unwrap_or("image"))),
        };
        let named = [Some(path), class(data_slot)];
        assert!(named.contains(&Some(script.name)), "{} is named in {shown}", script.name);
        let workshop = workshop.path_params(slots["path_processor"]["params"].clone());
        let workshop = workshop.data_params(slots[data_slot]["params"].clone());
        workshop.host().unwrap_or_else(|error| panic!("{}: {error}", script.name));
    }
}
