//! What counts as a script's time.

use std::time::Duration;

use super::*;

const SHORT: Limits =
    Limits { memory_bytes: 8 << 20, per_call: Duration::from_millis(100), setup: Duration::from_millis(100) };

fn text_of(body: &str) -> String {
    format!(
        "local M = {{}}\nfunction M.path() return 'p' end\nfunction M.tile(at)\nif at.z == 1 then return {{}} end\n{body}\nend\nreturn M"
    )
}

#[test]
fn look_ups_do_not_count_as_the_scripts_time() {
    struct Slow;
    impl Lookup for Slow {
        fn info(&self, _: &SourceRef) -> Result<Arc<SourceInfo>, LookupError> {
            unreachable!("the script does not ask")
        }
        fn exists(&self, _: &str) -> Result<bool, LookupError> {
            std::thread::sleep(Duration::from_millis(200));
            Ok(true)
        }
        fn list(&self, _: &str) -> Result<Vec<String>, LookupError> {
            unreachable!("the script does not ask")
        }

        fn text(&self, _: &str) -> Result<Arc<str>, LookupError> {
            unreachable!()
        }

        fn scalars(&self, _: &SourceRef) -> Result<Vec<Number>, LookupError> {
            unreachable!()
        }
    }
    let workshop = Workshop::script(&text_of("boss.exists('a')\nfor i = 1, 100000 do end\nreturn {}"));
    let mut host = Scripts::load_with(&workshop.job, SHORT).unwrap().host(Arc::new(Slow)).unwrap();
    host.plan(Index::new(0, 0, 0, 0)).unwrap();
}

#[test]
fn a_path_hook_that_asks_itself_without_end_is_an_error() {
    let text = "return { path = function(at) return boss.path(at) end, tile = function() return {} end }";
    let text = text.replace("return boss.path(at)", "return 'a' .. boss.path(at)");
    let error = Workshop::script(&text).plan(0, 0, 0).unwrap_err();
    assert!(!matches!(error, ScriptError::WrongReturn { .. }), "{error}");
}
