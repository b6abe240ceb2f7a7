//! What a script cannot do.

use std::time::{Duration, Instant};

use super::*;

const SHORT: Limits =
    Limits { memory_bytes: 8 << 20, per_call: Duration::from_millis(100), setup: Duration::from_millis(100) };

fn text_of(body: &str) -> String {
    format!(
        "local M = {{}}\nfunction M.path() return 'p' end\nfunction M.tile(at)\nif at.z == 1 then return {{}} end\n{body}\nend\nreturn M"
    )
}

#[test]
fn a_script_that_does_not_end_is_stopped_and_the_state_lives_on() {
    let cases = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function deep() return pcall(deep) and deep() end\nwhile true do deep() end",
        "while true do xpcall(error, function() while true do end end) end",
        "local s = setmetatable({}, { __index = function(_, k) while true do end end })\nreturn s.x",
        "return boss.stack({ 0, 1 << 60 }, function() return {} end)",
        "table.sort({ 3, 2, 1 }, function() while true do end end)",
    ];
    for body in cases {
        let workshop = Workshop::script(&text_of(body));
        let scripts = Scripts::load_with(&workshop.job, SHORT).unwrap();
        let mut host = scripts.host(Arc::new(OneTiff)).unwrap();
        let began = Instant::now();
        let error = host.plan(Index::new(0, 0, 0, 0)).unwrap_err();
        assert!(matches!(error, ScriptError::Timeout { .. } | ScriptError::Memory { .. }), "{body}: {error}");
        assert!(began.elapsed() < Duration::from_secs(20), "{body}");
        host.plan(Index::new(0, 0, 1, 0)).unwrap_or_else(|error| panic!("{body}: {error}"));
    }
}

#[test]
fn a_script_that_does_not_end_while_it_is_loaded_is_stopped() {
    let workshop = Workshop::script("while true do end");
    let error = Scripts::load_with(&workshop.job, SHORT).err().unwrap();
    assert!(matches!(error, ScriptError::Timeout { .. }), "{error}");
    let workshop = Workshop::script("return { path = print, tile = print, setup = function() while true do end end }");
    let error = Scripts::load_with(&workshop.job, SHORT).unwrap().host(Arc::new(OneTiff)).err().unwrap();
    assert!(error.to_string().contains("in `setup`: it ran longer than 100ms"), "{error}");
}

#[test]
fn memory_is_bounded() {
    let cases = [
        "return ('x'):rep(1 << 30)",
        "local all = {}\nwhile true do all[#all + 1] = ('x'):rep(#all) end",
        "local s = 'x'\nwhile true do s = s .. s end",
    ];
    for body in cases {
        let workshop = Workshop::script(&text_of(body));
        let mut host = Scripts::load_with(&workshop.job, Limits { per_call: Duration::from_secs(30), ..SHORT })
            .unwrap()
            .host(Arc::new(OneTiff))
            .unwrap();
        let error = host.plan(Index::new(0, 0, 0, 0)).unwrap_err();
        assert!(matches!(error, ScriptError::Memory { limit_bytes: 8_388_608, .. }), "{body}: {error}");
        host.plan(Index::new(0, 0, 1, 0)).unwrap_or_else(|error| panic!("{body}: {error}"));
    }
}

#[test]
fn nothing_reaches_out_of_the_state() {
    let absent = "io debug package dofile loadfile collectgarbage coroutine string.dump os.execute os.remove os.getenv";
    for name in absent.split(' ') {
        let workshop = Workshop::script(&text_of(&format!("return {{ path = tostring({name}) }}")));
        assert_eq!(workshop.read(0, 0, 0).path, "nil", "{name}");
    }
    for (body, message) in [
        ("counter = 1", "`counter` would be a new global; write `local counter`"),
        ("setmetatable({}, { __gc = print })", "`__gc` is not available to scripts"),
        ("setmetatable({}, { __close = print })", "`__close` is not available to scripts"),
        ("setmetatable(_G, {})", "cannot change a protected metatable"),
        ("local f, why = load('\\27Lua')\nerror(why)", "attempt to load a binary chunk (mode is 't')"),
        ("return boss.path({ z = 1 }) .. nil", "attempt to concatenate a nil value"),
    ] {
        let error = Workshop::script(&text_of(body)).plan(0, 0, 0).unwrap_err();
        assert!(error.fault().unwrap().message.starts_with(message), "{body}: {error}");
    }
    let loads = Workshop::script(&text_of("return { path = load('return ...')('a') .. os.date('!%Y', 0) }"));
    assert_eq!(loads.read(0, 0, 0).path, "a1970");
}

#[test]
fn look_ups_do_not_count_as_the_scripts_time() {
    struct Slow;
    impl Lookup for Slow {
        fn info(&self, _: &str) -> Result<SourceInfo, LookupError> {
            unreachable!("the script does not ask")
        }
        fn exists(&self, _: &str) -> Result<bool, LookupError> {
            std::thread::sleep(Duration::from_millis(200));
            Ok(true)
        }
        fn list(&self, _: &str) -> Result<Vec<String>, LookupError> {
            unreachable!("the script does not ask")
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
