//! Test cases as scripts bring them along.

use super::*;

const PATHS: &str = "local M = {}
    function M.path(at)
      if at.z == 4 then return nil, 'lost' end
      return ('s%d.tif'):format(at.z)
    end
    function M.tile(at)
      if at.z == 9 then error('no section nine') end
      return { region = at.region, page = 2, select = { c = 1 } }
    end
    M.tests = {CASES}
    return M";

fn workshop(cases: &str) -> Workshop {
    Workshop::script(&PATHS.replace("{CASES}", &format!("{{ {cases} }}")))
}

/// What comes of each case: where it differs, or why it is no case.
fn outcomes(workshop: &Workshop) -> Vec<Result<Vec<Difference>, String>> {
    let scripts = Scripts::load(&workshop.job).unwrap();
    let mut host = scripts.host(Arc::new(OneTiff)).unwrap();
    let cases = scripts.cases(&host).unwrap();
    let outcome = |case: Case| {
        let expected = case.expected?;
        Ok(differences(&expected.answer, &host.plan(expected.at)))
    };
    cases.into_iter().map(outcome).collect()
}

#[test]
fn answers_as_expected_differ_in_nothing() {
    let workshop = workshop(
        "{ at = { z = 3 }, path = 's3.tif' },
         { at = { x = 1, y = 1, z = 3, t = 1 }, plan = { page = 2.0, region = { x = { 100, 200 } }, select = { c = 1 } } },
         { at = { z = 3 }, plan = { scale = 1, offset = 0, cast = 'exact', missing = 'error', gray = false } },
         { at = { z = 3 }, plan = tostring(boss.open('s3.tif', { page = 2, select = { c = 1 } }):crop({
           x = { 0, 100 }, y = { 0, 80 }, z = { 3, 4 } })) },
         { at = { z = 4 }, missing = true, name = 'the lost one' },
         { at = { z = 9 }, error = 'section nine' }",
    );
    assert_eq!(outcomes(&workshop), vec![Ok(vec![]); 6]);
}

#[test]
fn differences_are_told_by_field_as_lua_writes_them() {
    let cases = [
        ("{ at = { z = 3 }, path = 's4.tif' }", "path", "\"s4.tif\"", "\"s3.tif\""),
        ("{ at = { x = 1 }, plan = { region = { x = { 0, 100 } } } }", "plan.region.x", "{ 0, 100 }", "{ 100, 200 }"),
        (
            "{ at = {}, plan = { region = 'whole' } }",
            "plan.region",
            "\"whole\"",
            "{ x = { 0, 100 }, y = { 0, 80 }, z = { 0, 1 } }",
        ),
        ("{ at = {}, plan = { fill = 7 } }", "plan.fill", "7", "nil"),
        ("{ at = {}, plan = { select = { t = 1 } } }", "plan.select.t", "1", "nil"),
        ("{ at = {}, missing = true }", "answer", "nil and a reason", "a plan that reads \"s0.tif\""),
        ("{ at = { z = 4 }, path = 's4.tif' }", "answer", "a plan", "nil, \"lost\""),
        ("{ at = {}, error = 'x' }", "answer", "an error with `x` in it", "a plan that reads \"s0.tif\""),
        (
            "{ at = { z = 9 }, path = 's' }",
            "answer",
            "a plan",
            "an error: script `s.lua`, line 7, in `tile` at x 0, y 0, z 9: no section nine",
        ),
    ];
    for (case, field, expected, got) in cases {
        assert_eq!(outcomes(&workshop(case)), [Ok(vec![Difference::new(field, expected, got)])], "{case}");
    }
}

#[test]
fn steps_in_an_order_that_no_table_has_are_compared_as_steps() {
    let text = "return {
      path = function() return 'p' end,
      tile = function(at) return boss.open('a'):scale(2):paste(boss.open('b')):crop(at.region):rotate(90) end,
      tests = {
        { at = {}, plan = { path = 'a', steps = { { scale = { 2, 0 } }, { paste = { plan = { path = 'b' } } },
          { region = { x = { 0, 100 } } }, { rotate = 90 } } } },
        { at = {}, plan = { scale = 1 } },
      },
    }";
    let found = outcomes(&Workshop::script(text));
    assert_eq!(found, [Ok(vec![]), Ok(vec![Difference::new("plan.scale", "1", "nil")])]);
}

#[test]
fn sections_of_a_stack_are_compared_one_by_one() {
    let text = "return {
      path = function(at) return 'p' .. at.z end,
      chunk = function(at) return boss.stack({ 16, 18 }, function() return { page = 1 } end) end,
      tests = {
        { at = { z = 1 }, plan = { z = { 16, 18 }, sections = { { path = 'p16' }, { path = 'p18', page = 1 } } } },
        { at = { z = 1 }, plan = { sections = { {} } } },
        { at = { z = 1 }, path = 'p16' },
      },
    }";
    let workshop = Workshop::chunks("s.lua", "s.lua").with("s.lua", text);
    let found = outcomes(&workshop);
    assert_eq!(found[0], Ok(vec![Difference::new("plan.sections[2].path", "\"p18\"", "\"p17\"")]));
    assert_eq!(found[1].as_ref().unwrap()[0].field, "plan.sections");
    assert_eq!(found[2].as_ref().unwrap()[0].got, "a stack of 2 sections, each with its path");
}

#[test]
fn a_broken_case_is_told_and_the_others_go_on() {
    let cases = [
        ("{ at = {}, pth = 's' }", "a case has no key `pth`; did you mean `path`?"),
        ("{ at = { w = 1 }, path = 's' }", "`at` has no key `w`; there are `x`, `y`, `z`, `t`"),
        ("{ at = { x = 1.5 }, path = 's' }", "`at.x` is 1.5; it must be an integer"),
        ("{ at = 7, path = 's' }", "`at` is 7; it must be a table such as `{ x = 0, y = 0, z = 7 }`"),
        ("{ path = 's' }", "a case says where, such as `at = { x = 0, y = 0, z = 7 }`"),
        ("{ at = {}, plan = { regoin = 'whole' } }", "a plan has no key `regoin`; did you mean `region`?"),
        ("{ at = {} }", "it expects nothing; give `path`, `plan`, `checksum`, `missing` or `error`"),
        ("{ at = {}, path = 's', missing = true }", "`missing` and `error` each stand alone: there is no plan then"),
        ("{ at = {}, missing = false }", "`missing` is false; it must be true, or left out"),
        (
            "{ at = {}, plan = boss.open('a') }",
            "`plan` is a plan object; write its fields as a table, or the text that `tostring` makes of it",
        ),
        ("7", "a case is a table such as `{ at = { z = 0 }, path = … }`, not 7"),
        ("{ at = {}, path = 7 }", "`path` is 7; it must be a string"),
    ];
    for (case, message) in cases {
        let found = outcomes(&workshop(&format!("{case}, {{ at = {{}}, path = 's0.tif' }}")));
        assert_eq!(found, [Err(message.to_owned()), Ok(vec![])], "{case}");
    }
    let found = outcomes(&workshop("{ at = {}, path = print }"));
    assert!(found[0].as_ref().unwrap_err().starts_with("it holds what no case can"), "{found:?}");
}

#[test]
fn cases_may_lie_beside_the_script_and_both_slots_are_looked_at() {
    let tile = "return { tile = function() return {} end, tests = { { at = {}, plan = { page = 1 } } } }";
    let workshop = Workshop::tiles("names/p.lua", "t.lua")
        .with("names/p.lua", "return { path = function(at) return 'p' .. at.z end }")
        .with("names/p_test.lua", "return { { at = { z = 2 }, path = 'p2' } }")
        .with("t.lua", tile);
    let scripts = Scripts::load(&workshop.job).unwrap();
    let cases = scripts.cases(&scripts.host(Arc::new(OneTiff)).unwrap()).unwrap();
    let places: Vec<_> = cases.iter().map(|case| (case.script.as_str(), case.number)).collect();
    assert_eq!(places, [("names/p_test.lua", 1), ("t.lua", 1)]);
}

#[test]
fn a_list_that_is_none_is_an_error_of_its_file() {
    let list = |workshop: &Workshop| {
        let scripts = Scripts::load(&workshop.job).unwrap();
        scripts.cases(&scripts.host(Arc::new(OneTiff)).unwrap()).unwrap_err()
    };
    let text = "return { path = print, tile = print, tests = 'all' }";
    assert_eq!(list(&Workshop::script(text)).to_string(), "script `s.lua`: its test cases are a string, not a list");
    let beside = Workshop::script("return { path = print, tile = print }").with("s_test.lua", "local M = {}");
    assert_eq!(list(&beside).to_string(), "script `s_test.lua`: its test cases are a nil, not a list");
    let syntax = Workshop::script("return { path = print, tile = print }").with("s_test.lua", "return {");
    assert!(matches!(list(&syntax), ScriptError::Syntax(_)));
}
