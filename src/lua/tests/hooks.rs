//! What hooks get and what they may return.

use super::*;
use crate::source::{Axis, Cast, Colour, Encode, Lut, MissingRule};

#[test]
fn one_file_serves_both_slots_with_each_slots_params() {
    let workshop = Workshop::script(
        "local M = {}
         function M.setup(params, job) M.values = params; M.slot = job.slot end
         function M.path(at) return ('%s/%d_%d_%d_%d.png'):format(M.values.root, at.x, at.y, at.z, at.t) end
         function M.tile(at) return { region = at.region, format = M.values.format .. ' ' .. M.slot } end
         return M",
    );
    let workshop = workshop.path_params(json!({"root": "d", "ingest_job": {}})).data_params(json!({"format": "png"}));
    let plan = workshop.read(2, 1, 7);
    assert_eq!(plan.source.path, "d/2_1_7_0.png");
    assert_eq!(plan.source.format.as_deref(), Some("png tile_processor"));
    assert_eq!(plan.steps, [region((200, 300), (80, 160), (7, 8))]);
}

#[test]
fn every_plan_field_arrives() {
    let workshop = Workshop::script(
        "return { path = function() return 'unused' end, tile = function(at)
           return { path = 'a', format = 'tiff', page = 3, dataset = 'main/raw', level = 2, axes = 'tzyx',
             select = { t = 4 }, channel = 1, flip = 'xz', rotate = -90, lut = { [0] = 5 },
             paste = { { plan = { path = 'b', gray = true, fill = 3 }, x = 100, y = -2 } },
             region = { x = { -5, 10.0 }, y = { 0, 4 } }, fill = 7, missing = 'fill',
             scale = 0.5, offset = 2, range = { 10, 250.5 }, cast = 'saturate', encode = 'tiff' }
         end }",
    );
    let source = SourceRef {
        format: Some("tiff".to_owned()),
        page: Some(3),
        dataset: Some("main/raw".to_owned()),
        level: Some(2),
        axes: Some("tzyx".to_owned()),
        select: [('t', 4)].into(),
        colour: Colour::Channel(1),
        missing: MissingRule::Fill,
        ..SourceRef::new("a")
    };
    let mut pasted = ReadPlan { fill: Some(3.0), ..ReadPlan::new("b") };
    pasted.source.colour = Colour::Gray;
    let steps = vec![
        Step::Flip(Axis::X),
        Step::Flip(Axis::Z),
        Step::Rotate(3),
        Step::Paste { plan: Box::new(pasted), at: [100, -2, 0] },
        region((-5, 10), (0, 4), (7, 8)),
        Step::Lut(Lut::new([(0, 5)].into())),
        Step::Scale { factor: 0.5, offset: 2.0 },
        Step::Range { lo: 10.0, hi: 250.5 },
    ];
    let (fill, cast, encode) = (Some(7.0), Some(Cast::Saturate), Some(Encode::Tiff));
    assert_eq!(workshop.read(0, 0, 7), ReadPlan { source, steps, fill, cast, encode });
}

#[test]
fn methods_give_the_same_plan_as_the_table_and_leave_the_old_one_as_it_is() {
    let methods = Workshop::script(
        "return { path = function() end, tile = function(at)
           local plan = boss.open('a', { fill = 1 })
           plan:crop('whole'):page(9):flip('y')
           return plan:page(1):page(2):dataset('d'):level(1):axes('zyx'):select({ c = 1 }):channel(2):missing('fill')
             :format('tiff'):encode('png'):pad(5):flip('x'):rotate(180):paste(boss.open('b'):gray(), { x = 7 })
             :crop(at.region):lut({ [3] = 4 }):cast('wrap', 2, 3):range(-1, 9)
         end }",
    );
    let table = Workshop::script(
        "return { path = function() end, tile = function(at)
           return { path = 'a', fill = 5, page = 2, dataset = 'd', level = 1, axes = 'zyx', select = { c = 1 },
             channel = 2, missing = 'fill', format = 'tiff', encode = 'png', flip = 'x', rotate = 180,
             paste = { plan = { path = 'b', gray = true }, x = 7 }, region = at.region, lut = { [3] = 4 },
             cast = 'wrap', scale = 2, offset = 3, range = { -1, 9 } }
         end }",
    );
    assert_eq!(methods.read(1, 1, 3), table.read(1, 1, 3));
}

#[test]
fn what_nobody_cut_is_cut_to_the_task_at_the_end() {
    let steps = |plan: &str| {
        let script = format!("return {{ path = function() return 'p' end, tile = function(at) return {plan} end }}");
        Workshop::script(&script).read(1, 0, 3).steps
    };
    let here = region((100, 200), (0, 80), (3, 4));
    assert_eq!(steps("{}"), std::slice::from_ref(&here));
    assert_eq!(steps("{ flip = 'x' }"), [Step::Flip(Axis::X), here.clone()]);
    assert_eq!(steps("boss.open('a'):crop(at.region):flip('x')"), [here, Step::Flip(Axis::X)]);
    assert_eq!(steps("boss.open('a'):crop('whole')"), [Step::Whole]);
}

#[test]
fn plans_are_shown_as_the_lua_that_makes_them() {
    let workshop = Workshop::script(
        "return { path = function() end, tile = function(at)
           return { path = tostring(boss.open('a.tif', { page = 2 }):crop({ x = { 0, 9 }, y = { 1, 2 } }):rotate(90)) }
         end }",
    );
    let expected = "boss.open(\"a.tif\", { page = 2 }):crop({ x = {0, 9}, y = {1, 2}, z = {0, 1} }):rotate(90)";
    assert_eq!(workshop.read(0, 0, 0).source.path, expected);
}

#[test]
fn nil_and_a_reason_mean_that_there_is_no_data() {
    let cases = [
        ("return {}", "return nil, 'the knife slipped'", "the knife slipped"),
        ("return nil, 'no such section'", "return { path = 'a' }", "no such section"),
        ("return nil", "return { path = 'a' }", "the script gave no reason"),
    ];
    for (tile_or_plan, path_or_reason, reason) in cases {
        let by_tile = format!("return {{ path = function() end, tile = function(at) {path_or_reason} end }}");
        let by_path = format!("return {{ path = function(at) {tile_or_plan} end, tile = function() return {{}} end }}");
        let text = if path_or_reason.contains("nil") { by_tile } else { by_path };
        let answer = Workshop::script(&text).plan(0, 0, 3).unwrap();
        assert_eq!(answer, Answer::Missing { reason: reason.to_owned() });
    }
}

#[test]
fn a_stack_has_one_plan_per_section_with_paths_from_the_path_slot() {
    let workshop = Workshop::chunks("p.lua", "c.lua")
        .with("p.lua", "return { path = function(at) return ('%d-%d-%d'):format(at.x, at.y, at.z) end }")
        .with(
            "c.lua",
            "return { chunk = function(at)
               return boss.stack({ 17, 20 }, function(z)
                 if z == 18 then return boss.open(boss.path({ z = z + 100 }), { page = 2 }) end
                 return {}
               end)
             end }",
        );
    let Answer::Plan(Plan::Stack { z, sections }) = workshop.plan(2, 1, 1).unwrap() else { panic!("no stack") };
    assert_eq!(z, Span::new(17, 20));
    let paths: Vec<_> = sections.iter().map(|plan| plan.source.path.as_str()).collect();
    assert_eq!(paths, ["2-1-17", "2-1-118", "2-1-19"]);
    assert_eq!(sections[1].source.page, Some(2));
    assert_eq!(sections[2].steps, [region((200, 300), (80, 160), (19, 20))]);
}

#[test]
fn a_stack_without_a_section_is_a_chunk_without_data() {
    let workshop = Workshop::chunks("p.lua", "c.lua")
        .with("p.lua", "return { path = function(at) return at.z ~= 5 and 'p' or nil, 'lost' end }")
        .with(
            "c.lua",
            "return { chunk = function(at) return boss.stack(at.region.z, function(z)
               local path, reason = boss.path({ z = z })
               if not path then return nil, reason end
               return { path = path }
             end) end }",
        );
    assert_eq!(workshop.plan(0, 0, 0).unwrap(), Answer::Missing { reason: "section z 5: lost".to_owned() });
}

#[test]
fn the_path_slot_can_be_asked_for_any_index() {
    let workshop = Workshop::script(
        "local M = {}
         function M.path(at) return table.concat({ at.x, at.y, at.z, at.t, at.region.x[1], at.region.z[2] }, ' ') end
         function M.tile(at) return { path = boss.path({ x = 9, z = 4 }) .. ' | ' .. boss.path({}) } end
         return M",
    );
    assert_eq!(workshop.read(1, 2, 3).source.path, "9 2 4 0 900 5 | 1 2 3 0 100 4");
}

#[test]
fn scripts_can_look_at_the_data() {
    let workshop = Workshop::script(
        "return { path = function() end, tile = function()
           local info = boss.info('a.tif')
           local names = boss.list('.', 's*.tif')
           local json = boss.read_json('n.json')
           assert(json.name == 'n.json' and json.lost[2] == 5 and json.none == nil and #boss.read_text('x') > 40)
           assert(boss.scalars('s')[2] == 0.5 and boss.scalars('s', 'd')[2] == 1.5 and boss.scalars('s')[1] == 7)
           assert(boss.info('a.tif', { page = 2 }).channels == 1)
           return { path = table.concat({ info.format, info.axes, info.shape.x, info.dtype, info.pages,
             tostring(boss.exists('b.tif')), names[1], names[2], #names }, ' ') }
         end }",
    );
    assert_eq!(workshop.read(0, 0, 0).source.path, "tiff zyx 100 uint16 7 false s1.tif s2.tif 2");
}

#[test]
fn modules_beside_the_job_run_once_and_are_part_of_the_hash() {
    let text = "local names = require('lib.names')
       require('lib.names').count = names.count + 1
       return { path = function(at) return names.name(at.z) .. names.count end, tile = function() return {} end }";
    let workshop = Workshop::script(text)
        .with("lib/names.lua", "return { count = 0, name = function(z) return 'n' .. z .. '-' end }");
    // Both slots load the script, and the module ran once.
    assert_eq!(workshop.read(0, 0, 4).source.path, "n4-2");
    let before = Scripts::load(&workshop.job).unwrap().hash().to_owned();
    let workshop = workshop.with("lib/names.lua", "return { count = 0, name = function(z) return 'm' .. z end }");
    assert_ne!(Scripts::load(&workshop.job).unwrap().hash(), before);
}

#[test]
fn hosts_can_go_to_other_threads() {
    let workshop = Workshop::script("return { path = function() return 'p' end, tile = function() return {} end }");
    let mut host = workshop.host().unwrap();
    let plan = std::thread::spawn(move || host.plan(Index::new(0, 0, 0, 0)).unwrap()).join().unwrap();
    assert!(matches!(plan, Answer::Plan(_)));
}
