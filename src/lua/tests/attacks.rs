//! Scripts that do their worst. Each ends soon, with a message; then the same host plans the next task.

use std::time::{Duration, Instant};

use super::*;

const LIMITS: Limits =
    Limits { memory_bytes: 16 << 20, per_call: Duration::from_millis(200), setup: Duration::from_millis(400) };

/// What a call may take past its limit. Generous, for tests run side by side and without optimisation.
const SLACK: Duration = Duration::from_secs(3);

const TIME: &str = "it ran longer than 200ms";
const MEMORY: &str = "it took more than 16 MiB of memory";

/// A script whose `tile` does its worst at z 0, and makes a plan elsewhere with what it may have broken.
fn script(body: &str) -> String {
    format!(
        "local M = {{}}
         function M.path(at) return path.join('a', (('s%02d.tif'):format(at.z):gsub('s', 't'))) end
         function M.tile(at)
           if at.z == 0 then
             {body}
           end
           return boss.open(boss.path({{}}), {{ page = #table.concat({{ 'a', 'b' }}) }}):crop(at.region)
         end
         return M"
    )
}

/// The message that `body` ends with.
fn attack(body: &str) -> String {
    attack_within(LIMITS, body)
}

fn attack_within(limits: Limits, body: &str) -> String {
    let workshop = Workshop::script(&script(body));
    let mut host = Scripts::load_with(&workshop.job, limits).unwrap().host(Arc::new(OneTiff)).unwrap();
    let began = Instant::now();
    let error = host.plan(Index::new(0, 0, 0, 0)).err().unwrap_or_else(|| panic!("it was let through: {body}"));
    let (took, text) = (began.elapsed(), error.to_string());
    assert!(took < limits.per_call + SLACK, "{took:?}: {body}");
    assert!(text.starts_with("script `s.lua`") && text.len() < 4000, "{text}");
    for z in [1, 2] {
        match host.plan(Index::new(0, 0, z, 0)) {
            Ok(Answer::Plan(Plan::Read(plan))) => assert_eq!(plan.source.path, format!("a/t0{z}.tif"), "{body}"),
            other => panic!("after {body}: {other:?}"),
        }
    }
    println!("{:5} ms  {}\n          → {text}", took.as_millis(), body.replace('\n', " "));
    error.fault().unwrap().message.clone()
}

fn assert_all(attacks: &[(&str, &str)]) {
    for (body, expected) in attacks {
        let message = attack(body);
        assert!(message.starts_with(expected), "{body}\n  expected {expected}\n  found    {message}");
    }
}

#[test]
fn scripts_that_do_not_end_run_out_of_time() {
    for body in [
        "while true do end",
        "repeat until false",
        "::again:: goto again",
        "for i = 1, math.maxinteger do end",
        "for x = 0, 1e300 do end",
        "while true do pcall(error) end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(pcall, error) end",
        "local function deep() return pcall(deep) and deep() end while true do deep() end",
        "while true do xpcall(error, function() while true do end end) end",
        "xpcall(function() error('a') end, function() while true do end end)",
        "return setmetatable({}, { __index = function() while true do end end }).x",
        "setmetatable({}, { __newindex = function() while true do end end }).x = 1",
        "return tostring(setmetatable({}, { __tostring = function() while true do end end }))",
        "return ('%s'):format(setmetatable({}, { __tostring = function() while true do end end }))",
        "return #setmetatable({}, { __len = function() while true do end end })",
        "return {} .. setmetatable({}, { __concat = function() while true do end end })",
        "for _ in pairs(setmetatable({}, { __pairs = function() while true do end end })) do end",
        "for _ in setmetatable({}, { __call = function() return 1 end }) do end",
        "local m = { __lt = function() while true do end end } table.sort({ setmetatable({}, m), setmetatable({}, m) })",
        "table.sort({ 3, 2, 1 }, function() while true do end end)",
        "return ('a'):gsub('a', function() while true do end end)",
        "return ('a'):gsub('a', setmetatable({}, { __index = function() while true do end end }))",
        "for _ in ipairs(setmetatable({}, { __index = function() return 1 end })) do end",
        "return boss.stack({ 0, 1 << 60 }, function() while true do end end)",
        "while true do setmetatable({}, { __index = function() end }) end",
        "error(setmetatable({}, { __tostring = function() while true do end end }))",
        "while true do load('return 1')() end",
        "while true do load(('a = 1 '):rep(5e5)) end",
        "while true do local s = ('x'):rep(4e6) end",
        "local s = ('x'):rep(4e6) while true do local t = s .. 'x' end",
        "local s = ('x'):rep(4e6) while true do local t = s:upper() end",
        "local s = ('x'):rep(2e6) local t = ('x'):rep(1e6) .. ('x'):rep(1e6) while s <= t do end",
        "local s, t, all = ('x'):rep(2e6), ('x'):rep(1e6) .. ('x'):rep(1e6), {}
           for i = 1, 100000 do all[i] = i % 2 == 0 and s or t end table.sort(all)",
    ] {
        assert!(attack(body).starts_with(TIME), "{body}");
    }
}

#[test]
fn closers_that_do_not_end_are_stopped() {
    let endless = "local m = {} local value = setmetatable({}, m) m.__close = function() while true do end end ";
    for rest in [
        "do local x <close> = value end",
        "do local x <close> = value error('a') end",
        "local x <close> = value while true do end",
        "while true do pcall(function() local x <close> = value error('a') end) end",
        "for _ in next, {}, nil, value do end",
    ] {
        assert!(attack(&format!("{endless}{rest}")).starts_with(TIME), "{rest}");
    }
}

#[test]
fn patterns_that_try_everything_run_out_of_time() {
    for call in [
        "find((p):rep(20) .. 'b')",
        "match((p):rep(20) .. 'b')",
        "gmatch((p):rep(20) .. 'b')()",
        "gsub((p):rep(20) .. 'b', '')",
        "gsub((p):rep(20) .. 'b', print)",
        "gsub((p):rep(20) .. 'b', {})",
    ] {
        for piece in [".-", ".*", "a*", "a?.-", "[%w_]-", "(.-)"] {
            assert!(attack(&format!("local p = '{piece}' return ('a'):rep(30000):{call}")).starts_with(TIME), "{call}");
        }
    }
    for body in [
        "return ('('):rep(1e6):find('%b()')",
        "return ('a'):rep(1e6):find(('a'):rep(5e5) .. 'b', 1, true)",
        "return ('a'):rep(1e6):find('[' .. ('b'):rep(1e6) .. ']')",
        "return (('a'):rep(1e6) .. 'b'):find('(a*)%1c')",
        "while true do pcall(string.find, ('a'):rep(30000), ('.-'):rep(20) .. 'b') end",
    ] {
        assert!(attack(body).starts_with(TIME), "{body}");
    }
    assert_all(&[("return ('a'):rep(300000):find(('a?'):rep(300000) .. 'b')", "pattern too complex")]);
}

#[test]
fn memory_runs_out_before_the_machines_does() {
    for body in [
        "return ('x'):rep(1e9)",
        "return ('x'):rep(1 << 60)",
        "return (''):rep(1e9, ', ')",
        "local all = {} while true do all[#all + 1] = ('x'):rep(#all) end",
        "local all = {} for i = 1, 1e9 do all[i] = i end",
        "local all = {} for i = 1, 1e9 do all[i] = {} end",
        "local all = {} for i = 1, 1e9 do all[i] = function() return i end end",
        "local s = 'x' while true do s = s .. s end",
        "local s = ('x'):rep(9e6) return ('%s%s%s'):format(s, s, s)",
        "local s = ('x'):rep(3e6) return table.concat({ s, s, s, s, s, s })",
        "return string.pack('c' .. (1 << 30), 'x')",
        "local s = ('x'):rep(1e6) return s:gsub('x', ('y'):rep(1000))",
        "local s = ('x'):rep(1e6) return s:gsub('x', function() return ('y'):rep(1000) end)",
        "local s = ('x'):rep(1e6) return s:gsub('^.*$', ('%0'):rep(1000))",
        "local s = ('%'):rep(6e6) return s:gsub('%%', '%0%0%0%0')",
        "return utf8.char(table.unpack((function() local t = {} for i = 1, 9e5 do t[i] = 0x7fffffff end return t end)()))",
        "local function pile(...) return pile(1, ...) end return pile()",
        "return load('return {' .. ('1,'):rep(1e6) .. '}')()",
    ] {
        let message = attack(body);
        let other = ["resulting string too large", "stack overflow", "too many results", TIME, "a path"];
        assert!(message.starts_with(MEMORY) || other.iter().any(|text| message.contains(text)), "{body}: {message}");
    }
}

#[test]
fn recursion_without_end_is_a_stack_overflow() {
    for body in [
        "local function f(n) return 1 + f(n + 1) end return f(0)",
        "local t = {} setmetatable(t, { __index = function(_, k) return t[k .. 'x'] end }) return t.x",
        "local t = {} setmetatable(t, { __index = function(_, k) return t[k] end }) return t.x",
        "local t = setmetatable({}, {}) getmetatable(t).__tostring = function() return tostring(t) end return tostring(t)",
        "local t = setmetatable({}, {}) getmetatable(t).__concat = function(a, b) return a .. b end return t .. 'x'",
        "local function f() return (('a'):gsub('a', f)) end return f()",
        "local function f() return (('a'):gsub('.', { a = f() })) end return f()",
        "local function f() table.sort({ 1, 2, 3 }, f) end f()",
        "local function f() return select(2, pcall(f)) + 1 end error((f()))",
        "local function f() local _, m = pcall(f) error(m, 0) end f()",
        "local function f() return load('return ...')(f()) end return f()",
        "local function f() for _ in pairs(setmetatable({}, { __pairs = f })) do end end f()",
        "local s = 'return ' .. ('('):rep(1000) .. '1' .. (')'):rep(1000) error(select(2, load(s)))",
        "local s = 'x=' .. ('{'):rep(100000) error(select(2, load(s)))",
        "local function f(at) return boss.stack({ 0, 1 }, f) end return f()",
    ] {
        // Without optimisation it takes its time to get so deep.
        let message = attack_within(Limits { per_call: Duration::from_secs(20), ..LIMITS }, body);
        let is_told = message.contains("overflow") || message.starts_with(MEMORY);
        assert!(is_told || message.contains("attempt to"), "{body}: {message}");
    }
}

#[test]
fn arguments_that_would_run_for_ever_are_refused() {
    assert_all(&[
        ("return table.move({}, 1, 1e15, 2)", "`table.move` over more than 4194304 positions"),
        ("return table.move({}, 1, '1000000000', 2)", "`table.move` over more than 4194304 positions"),
        ("return table.move({}, math.mininteger, math.maxinteger, 2)", "`table.move` over more than"),
        ("return table.concat({}, '', 1, 1e15)", "`table.concat` over more than"),
        (
            "return table.concat(setmetatable({}, { __index = rawlen, __len = function() return 1 << 60 end }))",
            "`table.concat` over more than",
        ),
        ("return table.unpack({}, 1, 1e8)", "too many results to unpack"),
        ("return table.unpack({}, 1, 1e18)", "too many results to unpack"),
        ("return select(-1 << 62, 1)", "bad argument #1 to 'select' (index out of range)"),
        ("return ('x'):rep(5e6):byte(1, -1)", "stack overflow (string slice too long)"),
        ("return utf8.codepoint(('x'):rep(5e6), 1, -1)", "stack overflow (string slice too long)"),
        ("return utf8.char(-1)", "bad argument #1 to 'char' (value out of range)"),
        ("return ('%1000d'):format(1)", "invalid conversion specification: '%1000d'"),
        (
            "return ('x'):rep(1, 2, 3) .. ('x'):rep(-1) .. (''):rep(1e18) .. (''):rep('1e18', '') .. nil",
            "attempt to conc",
        ),
        ("return os.date(('%c'):rep(1e6))", "the format of `os.date` is longer than 1000 bytes"),
        ("return os.date('%Ez')", "bad argument #1 to 'date' (invalid conversion specifier '%Ez')"),
        ("return os.date('*t', 1 << 62)", "date result cannot be represented in this installation"),
        ("return os.time({ year = 1e18, month = 1, day = 1 })", "field 'year' is out-of-bound"),
        ("return os.time({})", "field 'year' missing in date table"),
        ("return math.random(0, -1)", "bad argument #1 to 'random' (interval is empty)"),
        ("table.sort({ 1, 2, 3, 4 }, function() return true end)", "invalid order function for sorting"),
        ("table.sort({ 1, 'a' })", "attempt to compare"),
        ("table.sort({ 1, 2 }, 7)", "bad argument #2 to 'sort' (function expected, got number)"),
        ("table.insert({}, 1 << 60, 1)", "bad argument #2 to 'insert' (position out of bounds)"),
        ("table.insert({}, 1, 2, 3)", "wrong number of arguments to 'insert'"),
        ("table.remove({}, 1 << 60)", "bad argument #2 to 'remove' (position out of bounds)"),
        ("table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 1)", TIME),
        ("table.remove(setmetatable({}, { __metatable = 1, __len = function() return 1 << 60 end }), 1)", TIME),
    ]);
}

#[test]
fn what_is_not_there_is_told_by_name() {
    let absent = "io debug coroutine package dofile loadfile collectgarbage warn os.execute os.exit os.getenv os.remove \
                  os.rename os.tmpname os.clock string.dump";
    for name in absent.split_whitespace() {
        let message = attack(&format!("return {name}('x')"));
        assert_eq!(message, format!("`{name}` is not available to scripts"));
    }
    assert_all(&[
        ("io.open('/etc/passwd')", "`io` is not available to scripts"),
        ("debug.sethook()", "`debug` is not available to scripts"),
        ("coroutine.wrap(function() while true do end end)()", "`coroutine` is not available to scripts"),
        ("return pth.join('a')", "`pth` is neither a local nor a global; did you mean `path`?"),
        ("return something_else", "`something_else` is neither a local nor a global"),
        ("return _G.bosss", "`bosss` is neither a local nor a global; did you mean `boss`?"),
        ("return unpack({})", "`unpack` is neither a local nor a global; did you mean `table.unpack`?"),
        ("return boss.opne('a')", "`boss` has no `opne`; did you mean `open`?"),
        ("return path.jion('a')", "`path` has no `jion`; did you mean `join`?"),
        ("return (' a '):trim()", "`string` has no `trim`"),
        ("error(select(2, load('\\27Lua')))", "attempt to load a binary chunk (mode is 't')"),
        ("error(select(2, load('return 1', 'x', 'b')), 0)", "bytecode is not available to scripts; `load` takes text"),
        ("error(select(2, load(('--'):rep(3e6))), 0)", "the text is larger than 4 MiB"),
        ("setmetatable({}, { __gc = print })", "`__gc` is not available to scripts"),
        ("setmetatable({}, { __close = print })", "`__close` is not available to scripts"),
    ]);
}

#[test]
fn what_is_shared_cannot_be_changed() {
    assert_all(&[
        ("counter = 1", "`counter` would be a new global; write `local counter`"),
        ("_G.counter = 1", "`counter` would be a new global"),
        ("type = nil", "the global `type` cannot be changed; write `local type`"),
        ("boss = {}", "the global `boss` cannot be changed"),
        ("load('boss = {}')()", "load:1: the global `boss` cannot be changed"),
        ("string.format = print", "`string` cannot be changed; write a local function instead of `string.format`"),
        ("function string.trim() end", "`string` cannot be changed; write a local function instead of `string.trim`"),
        ("table.concat = nil", "`table` cannot be changed"),
        ("math.floor = print", "`math` cannot be changed"),
        ("boss.path = print", "`boss` cannot be changed"),
        ("path.join = print", "`path` cannot be changed"),
        ("getmetatable('').__index = nil", "attempt to index a boolean value"),
        ("setmetatable('', {})", "bad argument #1 to 'setmetatable' (table expected, got string)"),
        ("setmetatable(_G, {})", "cannot change a protected metatable"),
        ("setmetatable(string, nil)", "cannot change a protected metatable"),
        ("getmetatable(_G).__index = nil", "attempt to index a boolean value"),
        ("getmetatable(boss.open('a')).__index = nil", "attempt to index a boolean value"),
        ("rawset(_G, 'x', 1)", "what the program gives to scripts cannot be changed"),
        ("rawset(string, 'format', print)", "what the program gives to scripts cannot be changed"),
        ("table.insert(string, print)", "`string` cannot be changed"),
        ("table.move({ 1 }, 1, 1, 1, boss)", "`boss` cannot be changed"),
        ("local _, t = pairs(string) t.format = print", "`string` cannot be changed"),
        ("local _ENV = { boss = boss } boss.path = 1", "`boss` cannot be changed"),
        ("local next, t = pairs(_G) t.string = nil", "the global `string` cannot be changed"),
    ]);
}

#[test]
fn the_usual_ways_to_look_around_still_work() {
    let looks = "local seen = {}
      for name in pairs(string) do seen[#seen + 1] = name end
      for name in pairs(_G) do seen[#seen + 1] = name end
      assert(#seen > 30 and rawget(_G, 'jit') == nil and rawget(_G, 'boss') == boss and _G._G == _G)
      assert(next(string) and rawget(string, 'trim') == nil and type(rawget(string, 'rep')) == 'function')
      assert(select(2, pcall(error, { code = 7 })).code == 7 and select(2, pcall(error)) == nil)
      assert(select(2, pcall(string.find, 'a', '[')) == \"malformed pattern (missing ']')\")
      assert(select(2, xpcall(error, function(e) return e.code end, { code = 7 })) == 7)
      assert(select('#', pcall(function() return nil, nil end)) == 3)
      local list = setmetatable({ 1, 2, 3 }, {})
      table.insert(list, 2, 9) assert(table.concat(list, ' ') == '1 9 2 3' and table.remove(list, 1) == 1)
      assert(table.concat(list, ' ') == '9 2 3' and table.remove(list, 3) == 3 and #list == 2)
      local env = {} load('x = 1', 'x', 't', env)() assert(env.x == 1)
      assert(load('return ...')(3) == 3 and load('return +') == nil and os.date('!%Y', 0) == '1970')
      local words = {} for word in ('a b  c'):gmatch('%a') do words[#words + 1] = word end
      assert(#words == 3 and ('a.b'):gsub('%.', { ['.'] = '-' }) == 'a-b' and ('x'):rep(3, ',') == 'x,x,x')
      table.sort(words, function(a, b) return a > b end) assert(words[1] == 'c')
      return { path = 'fine' }";
    assert_eq!(Workshop::script(&script(looks)).read(0, 0, 0).source.path, "fine");
}

#[test]
fn errors_of_any_kind_are_told() {
    assert_all(&[
        ("error()", "nil"),
        ("error(nil)", "nil"),
        ("error(42)", "42"),
        ("error({})", "table: "),
        ("error(setmetatable({}, { __tostring = function() return 'mine' end }))", "mine"),
        ("error(setmetatable({}, { __tostring = function() error('again') end }))", ""),
        ("error(setmetatable({}, { __tostring = function() return 7 end }))", "7"),
        ("error(('x'):rep(2e6))", "xxxxx"),
        ("error(('x'):rep(14e6))", ""),
        ("error('\\255\\254')", ""),
        ("assert(false)", "assertion failed!"),
        ("local ok, e = pcall(string.find, 'a', '[') error(e)", "malformed pattern (missing ']')"),
    ]);
}

#[test]
fn a_script_that_does_not_end_while_it_is_loaded_or_set_up_is_stopped() {
    for (text, expected) in [
        ("while true do end", "it ran longer than 400ms"),
        ("return setmetatable({}, { __index = function() while true do end end })", "it ran longer than 400ms"),
        ("local s = 'x' while true do s = s .. s end", MEMORY),
        ("return os.execute('ls')", "`os.execute` is not available to scripts"),
    ] {
        let workshop = Workshop::script(text);
        let began = Instant::now();
        let error = Scripts::load_with(&workshop.job, LIMITS).err().unwrap();
        assert!(began.elapsed() < LIMITS.setup * 2 + SLACK, "{text}");
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    let workshop = Workshop::script("return { path = print, tile = print, setup = function() while true do end end }");
    let error = Scripts::load_with(&workshop.job, LIMITS).unwrap().host(Arc::new(OneTiff)).err().unwrap();
    assert!(error.to_string().contains("in `setup`: it ran longer than 400ms"), "{error}");
}

#[test]
fn what_a_hook_returns_is_read_without_running_the_script() {
    let body = "return setmetatable({ path = 'own' }, { __index = function() while true do end end })";
    assert_eq!(Workshop::script(&script(body)).read(0, 0, 0).source.path, "own");
}

#[test]
fn plans_pasted_into_themselves_are_refused() {
    assert_all(&[
        ("local p = { path = 'a' } p.paste = { plan = p } return p", "plans are pasted into each other deeper than 8"),
        ("local p = { path = 'a' } p.paste = { plan = p } return { paste = p.paste, path = 'b' }", "plans are pasted"),
        (
            "local p = { path = 'a' } p.paste = { plan = p } return boss.open('b', p)",
            "plans are pasted into each other",
        ),
        (
            "local p = { path = 'a' }
             for i = 1, 7 do local l = {} for k = 1, 30 do l[k] = { plan = p } end p = { path = 'a', paste = l } end
             return p",
            "plans are pasted into each other",
        ),
        ("return { path = ('x'):rep(1e6) }", "the plan's `path` is longer than 65536 bytes"),
    ]);
}

#[test]
fn one_slots_script_does_not_reach_the_others() {
    let path = "local M = {}
      function M.setup(params, job) M.z = job.extent.z end
      function M.path(at) return ('%d-%d'):format(M.z[2], at.z) end
      return M";
    let tile = "local M = {}
      function M.setup(params, job)
        job.extent.z[2] = 99
        job.task_size.x = 0
        for _, change in ipairs({
          function() string.format = nil end, function() getmetatable('').__index = {} end,
          function() rawset(string, 'format', nil) end, function() boss.path = nil end,
        }) do assert(not pcall(change)) end
      end
      function M.tile(at) at.z = 7 at.region.x[1] = -5 return {} end
      return M";
    let workshop = Workshop::tiles("p.lua", "t.lua").with("p.lua", path).with("t.lua", tile);
    assert_eq!(workshop.read(1, 0, 3).source.path, "20-3");
    let workshop = Workshop::tiles("t.lua", "p.lua").with("t.lua", tile).with("p.lua", path);
    assert!(workshop.host().is_err(), "the slots' scripts were taken for each other");
}

#[test]
fn modules_come_from_the_jobs_folder_only() {
    let required = |name: &str| attack(&format!("return require({name})"));
    for name in ["'../../etc/passwd'", "'/etc/passwd'", "'a\\0b'", "'..'", "''", "'lib/names'"] {
        assert!(required(name).contains("no name of a module"), "{name}");
    }
    assert!(required("'nothing'").starts_with("the module `nothing` cannot be read"), "{}", required("'nothing'"));
    let long = required("('a'):rep(1e6)");
    assert_eq!(long, "a module's name has at most 1000 bytes, not 1000000");
}

#[test]
#[cfg(unix)]
fn modules_that_are_no_scripts_are_refused() {
    let large = format!("return '{}'", "ü".repeat(50 << 20));
    let workshop = Workshop::script(
        "local M = {}
         function M.path() return 'p' end
         local names = { 'own', 'one', 'large', 'folder', 'pipe', 'endless', 'linked', 'bytes' }
         function M.tile(at) require(names[at.z + 1]) return {} end
         return M",
    )
    .with("own.lua", "return require('own')")
    .with("one.lua", "return require('other')")
    .with("other.lua", "return require('one')")
    .with("large.lua", &large)
    .with("folder.lua/x", "")
    .with("endless.lua", "while true do end");
    let dir = workshop.dir.path();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("names.lua"), "return { 1 }").unwrap();
    std::os::unix::fs::symlink(outside.path().join("names.lua"), dir.join("linked.lua")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.join("pipe.lua")).unwrap();
    fs::write(dir.join("bytes.lua"), b"\xff\xfe").unwrap();
    let mut host = Scripts::load_with(&workshop.job, LIMITS).unwrap().host(Arc::new(OneTiff)).unwrap();
    let mut plan = |z| host.plan(Index::new(0, 0, z, 0)).map_err(|error| error.fault().unwrap().message.clone());
    assert_eq!(plan(0).unwrap_err(), "the module `own` needs itself, through `require`");
    assert_eq!(plan(1).unwrap_err(), "the module `one` needs itself, through `require`");
    assert!(plan(2).unwrap_err().contains("larger than 4 MiB"), "{}", plan(2).unwrap_err());
    for (z, name) in [(3, "folder"), (4, "pipe")] {
        let expected = format!("the module `{name}` cannot be read: it is no file (`{name}.lua`)");
        assert_eq!(plan(z).unwrap_err(), expected);
    }
    assert_eq!(plan(5).unwrap_err(), TIME);
    // The user's own link is followed: labs share modules so.
    assert!(plan(6).is_ok());
    assert!(plan(7).unwrap_err().contains("UTF-8"), "{}", plan(7).unwrap_err());
    assert!(plan(6).is_ok());
}

#[test]
fn modules_that_need_each_other_deeper_and_deeper_are_an_error() {
    let mut workshop = Workshop::script(&script("return require('m1')"));
    for nth in 1..400 {
        workshop = workshop.with(&format!("m{nth}.lua"), &format!("return require('m{}')", nth + 1));
    }
    let mut host = Scripts::load_with(&workshop.job, LIMITS).unwrap().host(Arc::new(OneTiff)).unwrap();
    let error = host.plan(Index::new(0, 0, 0, 0)).unwrap_err();
    assert!(error.to_string().contains("overflow"), "{error}");
    host.plan(Index::new(0, 0, 1, 0)).unwrap();
}

#[test]
fn texts_made_by_the_programs_own_functions_are_bounded() {
    assert_all(&[
        ("local s = ('x'):rep(1e6) local t = {} for i = 1, 1e5 do t[i] = s end path.join(table.unpack(t))", "a path"),
        ("return template.expand(('<p:255>'):rep(1e6), 1)", "a name pattern"),
        (
            "local s = ('x'):rep(1e6) local t = {} for i = 1, 1e5 do t[i] = s end print(table.unpack(t)) error('fine')",
            "fine",
        ),
        (
            "local t = setmetatable({}, { __tostring = function() return ('x'):rep(1e6) end }) while true do print(t) end",
            TIME,
        ),
    ]);
}
