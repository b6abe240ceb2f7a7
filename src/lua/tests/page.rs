//! The reference page: made from the types file, and every example on it runs.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::lua::stubs::{self, Kind};
use crate::source::Sources;

const PAGE: &str = "docs/lua.md";

fn page_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)
}

#[test]
fn the_page_is_what_the_types_file_makes() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(page_file(), reference()).unwrap();
    }
    let found = fs::read_to_string(page_file()).unwrap();
    let differs = found.lines().zip(reference().lines()).position(|(found, made)| found != made);
    assert!(
        found == reference(),
        "{PAGE} differs from line {:?} on; renew it with `UPDATE_DOCS=1 cargo test --lib lua::tests::page`",
        differs.map(|line| line + 1)
    );
}

#[test]
fn everything_that_the_types_file_describes_is_on_the_page() {
    let page = reference();
    for stub in stubs::read(crate::lua::editor::TYPES) {
        let shown = match &stub.kind {
            Kind::Function { .. } => format!("#### `{}(", stub.name.replace("PlanObject:", "plan:")),
            Kind::Class(fields) => format!("`{}", fields[0].name),
            Kind::Alias(_) => format!("**`{}`**", stub.name),
        };
        assert!(page.contains(&shown), "{} should be on the page as {shown}", stub.name);
        assert!(!stub.about.is_empty(), "{} has no word said about it", stub.name);
    }
}

#[test]
fn the_page_has_every_function_that_slots_call_and_every_key_of_a_test_case() {
    let page = reference();
    for (slot, hook) in [("path", "path"), ("tile", "tile"), ("chunk", "chunk")] {
        assert!(page.contains(&format!("| `{slot}_processor` | `{hook}(at)` |")), "{slot}");
    }
    assert!(page.contains("| each | `setup(params, job)` |"));
    for key in crate::lua::cases::KEYS {
        assert!(page.contains(&format!("\n| `{key}` |")), "{key}");
    }
}

#[test]
fn no_piece_of_the_page_was_left_out() {
    assert!(!reference().contains("{{"), "every `{{…}}` of reference.md is filled in");
}

/// A fenced block of the page.
struct Fenced {
    language: String,
    text: String,
}

fn fenced(page: &str) -> Vec<Fenced> {
    let mut parts = page.split("\n```");
    parts.next();
    let mut blocks = Vec::new();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').unwrap();
        blocks.push(Fenced { language: language.to_owned(), text: format!("{text}\n") });
    }
    blocks
}

/// A job with the script in each slot that it has a function for, and built-ins in the other.
fn workshop_of(script: &str, job_text: Option<&str>) -> Workshop {
    let class = |hook: &str, builtin: &'static str| {
        if script.contains(&format!("function M.{hook}(")) { "paths.lua" } else { builtin }
    };
    let path = class("path", "z_stack");
    let workshop = if script.contains("function M.chunk(") {
        Workshop::chunks(path, "paths.lua")
    } else {
        Workshop::tiles(path, class("tile", "image"))
    };
    let slots: Value = serde_json::from_str(&format!("{{{}}}", job_text.unwrap_or_default())).unwrap();
    let workshop = match &slots["path_processor"]["params"] {
        Value::Null => workshop,
        params => workshop.path_params(params.clone()),
    };
    workshop.with("paths.lua", script)
}

/// Runs the script's own cases, as `boss-ingest test` does.
fn run_cases(workshop: &Workshop) -> usize {
    let scripts = Scripts::load(&workshop.job).unwrap();
    let sources = Arc::new(Sources::new(workshop.job.dir.clone(), 1 << 20));
    let mut host = scripts.host(sources).unwrap();
    let cases = scripts.cases(&host).unwrap();
    for case in &cases {
        let expected = case.expected.as_ref().unwrap();
        assert_eq!(differences(&expected.answer, &host.plan(expected.at)), [], "{case:?}");
    }
    cases.len()
}

#[test]
fn every_script_on_the_page_passes_its_own_tests() {
    let page = reference();
    let blocks = fenced(&page);
    let mut scripts = 0;
    for (nth, block) in blocks.iter().enumerate() {
        if block.language != "lua" || !block.text.contains("return M\n") {
            continue;
        }
        let next = blocks.get(nth + 1).filter(|next| next.language == "json").map(|next| next.text.as_str());
        assert!(run_cases(&workshop_of(&block.text, next)) > 0, "{}", block.text);
        scripts += 1;
    }
    assert!(scripts >= 4, "found {scripts} scripts");
}

#[test]
fn every_plan_on_the_page_reads_voxels() {
    let page = reference();
    let blocks = fenced(&page);
    let plans: Vec<_> =
        blocks.iter().filter(|block| block.language == "lua" && !block.text.contains("return M\n")).collect();
    assert!(plans.len() >= 3);
    for block in plans {
        let text = format!("return {{ path = print, tile = function(at)\n{}end }}", block.text);
        let workshop = Workshop::tiles("paths.lua", "paths.lua").with("paths.lua", &text);
        fs::create_dir_all(workshop.job.dir.join("sections")).unwrap();
        let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images/strips_lzw_8_le.tif");
        for name in ["s0001.tif", "s0002.tif"] {
            fs::copy(&image, workshop.job.dir.join("sections").join(name)).unwrap();
        }
        let plan = workshop.read(0, 0, 0);
        // The image is smaller than a tile, as at the far edge of a job.
        let required = Region::new(Span::new(0, 8), Span::new(0, 8), Span::one(0));
        let target = Target { size: Size::new(100, 80, 1), dtype: Dtype::Uint8, required };
        let sources = Sources::new(workshop.job.dir.clone(), 1 << 20);
        let voxels =
            sources.read(&Plan::Read(plan.clone()), &target).unwrap_or_else(|error| panic!("{error}: {plan:?}"));
        assert!(!voxels.is_zero(), "{plan:?}");
    }
}
