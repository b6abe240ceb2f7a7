//! What the author of a script reads when it fails.

use super::*;

/// The error of a tile hook with this body.
fn failure(body: &str) -> ScriptError {
    let text =
        format!("local M = {{}}\nfunction M.path(at) return 'p' end\nfunction M.tile(at)\n  {body}\nend\nreturn M\n");
    Workshop::script(&text).plan(3, 1, 17).unwrap_err()
}

#[test]
fn an_error_names_script_line_hook_and_tile_and_shows_the_lines() {
    let error = failure("return { path = at.q .. '.tif' }");
    let expected = "script `s.lua`, line 4, in `tile` at x 3, y 1, z 17: \
                    attempt to concatenate a nil value (field 'q')";
    assert_eq!(error.to_string(), expected);
    let excerpt = "    3 | function M.tile(at)\n  >   4 |   return { path = at.q .. '.tif' }\n      5 | end";
    assert_eq!(error.fault().unwrap().excerpt().trim_start(), excerpt.trim_start());
    let hint = error.hint().unwrap();
    assert!(hint.starts_with("to try it alone: boss-ingest try ") && hint.ends_with("job.json --at x=3,y=1,z=17"));
}

#[test]
fn wrong_plans_are_told_by_field() {
    let cases = [
        ("return { pth = 'a' }", "a plan has no key `pth`", Some("did you mean `path`?")),
        ("return 'a.tif'", "`tile` returned a string; it must return a plan", Some("return a table such as `{ path")),
        ("return { page = 1.5 }", "the plan's `page` is 1.5; it must be an integer", Some("`//` divides")),
        ("return { page = -1 }", "the plan's `page` is -1; it must be 0 or more", None),
        ("return { path = 7 }", "the plan's `path` is 7; it must be a string", None),
        ("return { path = '' }", "the plan's `path` is empty", None),
        (
            "return { cast = 'rap' }",
            "the plan's `cast` is `rap`; it must be `exact` or `saturate` or `wrap`",
            Some("did you mean `wrap`?"),
        ),
        ("return { axes = 'yy' }", "the plan's `axes` is \"yy\"; it must be letters of `tczyx`, each once", None),
        ("return { select = { q = 1 } }", "the plan's `select` names the axis `q`; axes are x, y, z, t, c", None),
        (
            "return { region = 'all' }",
            "the plan's `region` is \"all\"; it must be a box such as `at.region`, or \"whole\"",
            None,
        ),
        (
            "return { region = { x = { 0, 4 } } }",
            "the plan's `region.y` is a nil; it must be a range such as `{ 0, 512 }`",
            None,
        ),
        (
            "return { region = { x = { 4, 0 }, y = { 0, 1 } } }",
            "the plan's `region.x` stops before it starts: 4..0",
            None,
        ),
        ("return { scale = 0 / 0 }", "the plan's `scale` is NaN; it must be a finite number", None),
        ("return { range = 9 }", "the plan's `range` is 9; it must be two values such as `{ 120, 4000 }`", None),
        ("return { range = { 9 } }", "`range` has 1 values; it is `{ lo, hi }`", None),
        ("return { range = { 9, 9 } }", "`range` goes from 9 to 9; the lower value comes first", None),
        ("return { 'a' }", "a plan is a table with named fields, but it has the key 1", None),
        (
            "return boss.stack({ 17, 19 }, function() return {} end)",
            "the stack has sections z 17..19, but the chunk is z 17..18",
            Some("stack over"),
        ),
    ];
    for (body, message, hint) in cases {
        let error = failure(body);
        let fault = error.fault().unwrap();
        let line = if body.contains("pth") { 4 } else { 3 };
        assert_eq!((fault.message.as_str(), fault.line, fault.hook), (message, Some(line), Some("tile")), "{body}");
        match hint {
            Some(hint) => assert!(error.hint().unwrap().starts_with(hint), "{body}: {:?}", error.hint()),
            None => assert_eq!(error.hint(), None, "{body}"),
        }
    }
}

#[test]
fn wrong_calls_are_told_at_their_line() {
    let cases = [
        ("return boss.path()..7 .. nil", "attempt to concatenate a nil value"),
        ("return boss.path(7)", "`boss.path` takes a table such as `{ z = 7 }`, not number"),
        ("return boss.path({ w = 7 })", "`boss.path` knows no index `w`; there are `x`, `y`, `z` and `t`"),
        ("return boss.path({ z = 7.5 })", "`boss.path` takes integers, but `z` is 7.5"),
        ("return boss.stack(7, print)", "`boss.stack` takes a range of sections such as `at.region.z`"),
        (
            "return boss.stack({ 0, 1 }, function() return 'a' end)",
            "section z 0 of a stack is a string; it must be a plan such as `{ path = … }`",
        ),
        ("return boss.info('b.tif')", "`boss.info` of `b.tif`: there is no such file"),
        (
            "return template.expand('<q>', 1)",
            "`<q>` is no token; there are `<>`, `<o:N>` (offset), `<p:M>` (padding), `<o:Np:M>`, `<x>`, `<y>`, `<z>`",
        ),
        ("require('../x')", "`../x` is no name of a module; modules lie beside the job file, as in `lib.names`"),
        ("error('mine')", "mine"),
        ("error({})", "table"),
    ];
    for (body, message) in cases {
        let error = failure(body);
        assert!(matches!(error, ScriptError::Runtime(_)), "{body}: {error:?}");
        let fault = error.fault().unwrap();
        assert!(fault.message.starts_with(message), "{body}: {}", fault.message);
        assert!(matches!(fault.line, Some(3 | 4)) && fault.script == "s.lua", "{body}: {error}");
    }
}

#[test]
fn wrong_plans_are_told_at_the_line_that_makes_them() {
    let cases = [
        ("return boss.open('a'):rotat(90)", "a plan has no method `rotat`", Some("did you mean `rotate`?")),
        (
            "return boss.open('a'):rotate(45)",
            "the plan's `rotate` is 45; it must be degrees clockwise: 90, 180 or 270",
            None,
        ),
        ("return boss.open(7)", "the plan's `path` is 7; it must be a string", None),
        ("return boss.open('a', { pgae = 1 })", "a plan has no key `pgae`", Some("did you mean `page`?")),
        (
            "return {\n    path = 'p',\n    regoin = at.region }",
            "a plan has no key `regoin`",
            Some("did you mean `region`?"),
        ),
        ("return boss.open('a'):channel(1):gray()", "the plan has both `channel` and `gray`; one", None),
        ("return boss.open('a'):paste({ page = 1 })", "a plan that is pasted needs a `path` of its own", None),
        ("return boss.open('a'):paste({ path = 'b' }, { x = 0.5 })", "the plan's `paste.x` is 0.5;", Some("`//`")),
        ("return boss.open('a'):flip('w')", "the plan's `flip` is \"w\"; it must be axes to mirror", None),
        ("return boss.open('a'):lut({ a = 1 })", "the plan's `lut` is \"a\"; it must be an integer", None),
    ];
    for (body, message, hint) in cases {
        let error = failure(&format!("local _\n  {body}"));
        let fault = error.fault().unwrap();
        let line = if body.contains("regoin") { 7 } else { 5 };
        assert!(fault.message.starts_with(message), "{body}: {}", fault.message);
        let gray = body.contains("gray");
        assert!(gray || fault.line == Some(line), "{body}: {error}");
        assert!(fault.source_lines.iter().any(|(number, _)| Some(*number) == fault.line), "{body}");
        assert!(hint.is_none_or(|hint| error.hint().unwrap().starts_with(hint)), "{body}: {:?}", error.hint());
    }
}

#[test]
fn a_script_that_is_no_lua_is_told_when_it_is_loaded() {
    let error = Workshop::script("local M = {}\nM.path = = 1\n").host().err().unwrap();
    assert!(matches!(error, ScriptError::Syntax(_)));
    assert_eq!(error.to_string(), "script `s.lua`, line 2: unexpected symbol near '='");
}

#[test]
fn a_script_without_the_hook_or_without_a_table_is_told() {
    let error = Workshop::script("return { path = function() end }").host().err().unwrap();
    assert_eq!(error.to_string(), "the script `s.lua` in `tile_processor` has no function `tile`");
    let error = Workshop::script("local M = {}").host().err().unwrap();
    assert_eq!(error.to_string(), "script `s.lua`: it returns no table of functions");
    assert_eq!(error.hint().unwrap(), "end it with `return M`");
    let error = Workshop::tiles("sections", "image").host().err().unwrap();
    assert!(matches!(error, ScriptError::MissingHook { hook: "path", .. }));
}

#[test]
fn an_unknown_class_names_the_nearest_and_shows_how_to_begin() {
    let cases = [
        ("zstack", Some("z_stack")),
        ("path.lua", Some("paths.lua")),
        ("ingestclient.plugins.stack.ZIndexStackPathProcesor", Some("ZindexStackPathProcessor")),
        ("mylab.plugins.Microscope", None),
    ];
    for (class, expected) in cases {
        let workshop = Workshop::tiles(class, "image").with("paths.lua", "return {}");
        let error = workshop.host().err().unwrap();
        let ScriptError::UnknownClass { nearest, .. } = &error else { panic!("{error}") };
        assert_eq!(nearest.as_deref(), expected, "{class}");
        assert!(error.hint().unwrap().contains("function M.path(at)"));
    }
}

#[test]
fn parameters_that_a_script_declares_are_checked() {
    let workshop = Workshop::tiles("z_stack", "image").path_params(json!({"rootdir": "d", "base_filename": 7}));
    let error = workshop.host().err().unwrap();
    let expected = "the parameters of `path_processor` do not suit the script `built-in z_stack`: \
                    `base_filename` is 7; it must be a string; `root_dir` is missing; it is a string; \
                    `rootdir` is not known; did you mean `root_dir`?";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn errors_inside_the_path_slot_name_that_slot() {
    let workshop = Workshop::tiles("p.lua", "t.lua")
        .with("p.lua", "local function name(z)\n  return z .. nil\nend\nreturn { path = function(at)\n  return (name(at.z))\nend }")
        .with("t.lua", "return { tile = function(at)\n  return { path = boss.path({ z = 2 }) }\nend }");
    let error = workshop.plan(0, 0, 0).unwrap_err();
    let fault = error.fault().unwrap();
    assert_eq!((fault.script.as_str(), fault.line), ("p.lua", Some(2)), "{error}");
    let calls: Vec<_> = fault.calls.iter().map(|call| call.split(": ").next().unwrap()).collect();
    assert_eq!(calls, ["p.lua:2", "p.lua:5", "t.lua:2"]);
}
