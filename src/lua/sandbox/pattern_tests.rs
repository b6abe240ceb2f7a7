//! Our patterns are Lua's: thousands of random ones, through Lua's own library and through ours.

use std::time::Duration;

use mlua::{Function, Lua, LuaString, MultiValue, Table, Value};

use super::*;

const PIECES: &[&str] = &[
    "a", "b", "c", ".", "%a", "%d", "%s", "%S", "%W", "%p", "%x", "%c", "%g", "%u", "%l", "%z", "%.", "%%", "%-",
    "[ab]", "[^a]", "[a-c]", "[%a_]", "[]]", "[^]]", "[a-]", "[%]]", "[", "]", "[^", "[a-%%]", "%", "(", ")", "()",
    "(a)", "(.-)", "(a*", ")", "%1", "%2", "%0", "%9", "%b()", "%bab", "%b", "%f[a]", "%f[%W]", "%f[^a]", "%f", "^",
    "$", "*", "+", "-", "?", "\0", "\u{e9}", "1", " ", "_", "-", "(%w+)", "(%d+)%.",
];
const LETTERS: &[u8] = b"aaabbc01 .()[]%-_^$A\0\t\xc3\xa9";
const REPLACEMENTS: &[&str] = &["", "x", "%0", "<%0>", "%1", "%2%1", "%", "%%", "%x", "a%", "\0", "%9"];

/// Calls a function and shows all that it gives, or its error. With the positions that Lua puts before messages left out.
const SHOW: &str = r#"
local name, s, p, third, fourth = ...
local function show(...)
  local values = table.pack(...)
  for i = 1, values.n do values[i] = math.type(values[i]) == nil and type(values[i]) .. ":" .. tostring(values[i]) or values[i] end
  return table.concat(values, "|")
end
local function all()
  local found = {}
  for a, b in string.gmatch(s, p, third) do found[#found + 1] = show(a, b) end
  return table.concat(found, ";")
end
local replacements = {
  gsub_function = function(...) local n = select('#', ...) if n > 1 then return show(...) end return n == 1 and ... end,
  gsub_table = { a = "1", b = false, c = 7, ["0"] = {}, [1] = "one", [2] = "two" },
}
local call = {
  find = function() return string.find(s, p, third, fourth) end,
  match = function() return string.match(s, p, third) end,
  gmatch = all,
  gsub = function() return string.gsub(s, p, third, fourth) end,
  gsub_function = function() return string.gsub(s, p, replacements.gsub_function, fourth) end,
  gsub_table = function() return string.gsub(s, p, replacements.gsub_table, fourth) end,
}
local result = table.pack(pcall(call[name]))
if result[1] then return show(table.unpack(result, 2, result.n)) end
return "error: " .. tostring(result[2]):gsub("^[^:]*:%d+: ", "")
"#;

struct Both {
    lua: Function,
    ours: Function,
    _states: (Lua, Lua),
}

impl Both {
    fn new() -> Both {
        let (real, (ours, watch)) = (Lua::new(), new_state(&Limits::default()).unwrap());
        watch.start(Duration::from_secs(3600));
        let load = |lua: &Lua| lua.load(SHOW).set_name("=show").into_function().unwrap();
        Both { lua: load(&real), ours: load(&ours), _states: (real, ours) }
    }

    fn compare(&self, name: &str, subject: &[u8], pattern: &[u8], third: Value, fourth: Value) -> String {
        let call = |function: &Function| {
            let lua = if std::ptr::eq(function, &self.lua) { &self._states.0 } else { &self._states.1 };
            let text = |bytes: &[u8]| Value::String(lua.create_string(bytes).unwrap());
            // Texts belong to a state of their own.
            let moved = |value: &Value| match value {
                Value::String(string) => text(&string.as_bytes()),
                other => other.clone(),
            };
            let arguments =
                [text(name.as_bytes()), text(subject), text(pattern), moved(&third), moved(&fourth)].into_iter();
            function.call::<LuaString>(arguments.collect::<MultiValue>()).unwrap().to_string_lossy()
        };
        let (expected, found) = (call(&self.lua), call(&self.ours));
        let shown = (String::from_utf8_lossy(subject), String::from_utf8_lossy(pattern));
        assert_eq!(found, expected, "{name} of {shown:?} with {third:?}, {fourth:?}");
        expected
    }
}

fn pick<'a, T>(random: &mut fastrand::Rng, of: &'a [T]) -> &'a T {
    &of[random.usize(..of.len())]
}

#[test]
fn random_patterns_give_what_luas_own_library_gives() {
    let both = Both::new();
    let mut random = fastrand::Rng::with_seed(54);
    let texts = Lua::new();
    let (mut matches, mut errors) = (0, 0);
    for _ in 0..12_000 {
        let subject: Vec<u8> = (0..random.usize(..14)).map(|_| *pick(&mut random, LETTERS)).collect();
        let pattern: String = (0..random.usize(..6)).map(|_| *pick(&mut random, PIECES)).collect();
        let name = *pick(&mut random, &["find", "match", "gmatch", "gsub", "gsub_function", "gsub_table"]);
        let init = if random.bool() { Value::Nil } else { Value::Integer(random.i64(-16..16)) };
        let (third, fourth) = match name {
            "find" => (init, Value::Boolean(random.u8(..8) == 0)),
            "match" | "gmatch" => (init, Value::Nil),
            _ => {
                let replacement = texts.create_string(pick(&mut random, REPLACEMENTS)).unwrap();
                let most = if random.bool() { Value::Nil } else { Value::Integer(random.i64(-1..4)) };
                (Value::String(replacement), most)
            }
        };
        let shown = both.compare(name, &subject, pattern.as_bytes(), third, fourth);
        errors += usize::from(shown.starts_with("error"));
        matches += usize::from(!shown.starts_with("error") && !shown.is_empty() && shown != "nil:nil");
    }
    // The comparison means something only when both happen.
    assert!(matches > 2_000 && errors > 1_000, "{matches} matches, {errors} errors");
}

#[test]
fn odd_arguments_give_what_luas_own_library_gives() {
    let both = Both::new();
    let deep = "a?".repeat(250);
    let many = "()".repeat(33);
    let nested = format!("{}a{}", "(".repeat(32), ")".repeat(32));
    let lots = "a".repeat(300);
    for pattern in
        [deep.as_str(), &many, &nested, "a-b", ".-.-b", "", "(a)(b", "%f", "[a", "^^a", "^", "$", "a$", "(a*(b*))%2"]
    {
        for name in ["find", "match", "gmatch", "gsub_function"] {
            for init in [0, 1, -1, 5, 301, 302, -300, -301, i64::MIN, i64::MAX] {
                both.compare(name, lots.as_bytes(), pattern.as_bytes(), Value::Integer(init), Value::Nil);
            }
        }
    }
    for value in [Value::Boolean(true), Value::Number(1.5), Value::Number(2.0), Value::Number(f64::NAN)] {
        for name in ["find", "match", "gmatch"] {
            both.compare(name, b"aab", b"a", value.clone(), Value::Nil);
        }
        both.compare("gsub", b"aab", b"a", value.clone(), Value::Nil);
        both.compare("gsub_function", b"aab", b"a", Value::Nil, value);
    }
}

#[test]
fn numbers_stand_for_their_texts() {
    let (lua, _watch) = new_state(&Limits::default()).unwrap();
    let string: Table = lua.globals().get("string").unwrap();
    let found: (i64, i64) = string.get::<Function>("find").unwrap().call((1234, 23, "2")).unwrap();
    assert_eq!(found, (2, 3));
    let replaced: String = string.get::<Function>("gsub").unwrap().call((12.5, "%.", 7)).unwrap();
    assert_eq!(replaced, "1275");
}
