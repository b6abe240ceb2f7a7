//! What the author of a script reads, word for word, for each way in which a script or its plan can be wrong.

use std::fmt::Write as _;

use boss_ingest::volume::Dtype;
use serde_json::{Value, json};

use crate::support::{Bench, TestVolume, settings};

/// A name, the body of `M.tile`, and the parameters that the job file gives.
type Case = (&'static str, &'static str, Value);

fn cases() -> Vec<Case> {
    let none = || json!({});
    vec![
        ("runtime error", "  local row = at.row\n  return { path = 's/' .. row .. '.png' }", none()),
        ("syntax error", "  return { path = 's/0.png', region = = at.region }", none()),
        ("wrong return type", "  return 's/0.png'", none()),
        ("unknown plan key", "  return {\n    path = 's/0.png',\n    regoin = at.region,\n  }", none()),
        ("unknown method", "  local plan = boss.open('s/0.png')\n  return plan:mirror('x')", none()),
        ("unknown parameter", "  return {}", json!({"foldr": "s"})),
        ("region of the wrong size", "  return { region = { x = { 0, 9 }, y = { 0, 9 } } }", none()),
        (
            "region outside",
            "  local x, y = at.region.x, at.region.y\n  return { region = { x = { x[1] + 600, x[2] + 600 }, y = y } }",
            none(),
        ),
        ("cast that does not fit", "  return { region = at.region, scale = 2 }", none()),
        ("missing file", "  return { path = 's/9.png', region = at.region }", none()),
        ("no data", "  return nil, 'the knife slipped'", none()),
        ("forgotten local", "  plan = { region = at.region }\n  return plan", none()),
        ("forbidden library", "  return io.open('/etc/passwd')", none()),
        ("endless loop", "  while true do end", none()),
        ("too much memory", "  local all = {}\n  for n = 1, 1e9 do all[n] = n end", none()),
    ]
}

#[test]
fn every_mistake_is_told_with_its_line_and_what_to_do() {
    let bench = Bench::new();
    TestVolume::new(Dtype::Uint8, 700, 500, 1).write_section(&bench.file("s/0.png"), 0, 0);
    let mut told = String::new();
    for (name, body, params) in cases() {
        let script = format!(
            "local M = {{ params = {{ folder = 'string?' }} }}\nfunction M.path() return 's/0.png' end\n\
             function M.tile(at)\n{body}\nend\nreturn M\n"
        );
        write_case(&bench, &script, params);
        let ended = bench.run(&["try", "job.json", "--dtype", "uint8"]);
        assert!(matches!(ended.code, Some(2 | 3)), "{name}: {:?}\n{}", ended.code, ended.stderr);
        writeln!(told, "## {name}: exit {}\n{}", ended.code.unwrap(), ended.stderr).unwrap();
    }
    write_case(&bench, "return { path = function() return 's/0.png' end }", json!({}));
    let ended = bench.run(&["try", "job.json"]).expect_code(2);
    writeln!(told, "## missing hook: exit 2\n{}", ended.stderr).unwrap();
    settings(&bench).bind(|| insta::assert_snapshot!(told));
}

fn write_case(bench: &Bench, script: &str, params: Value) {
    bench.write("paths.lua", script);
    let extent = json!({"x": [0, 700], "y": [0, 500], "z": [0, 1], "t": [0, 1]});
    let slot = |params: Value| json!({"class": "paths.lua", "params": params});
    bench.write_tile_job("localhost", extent, [512, 512], slot(json!({})), slot(params));
}
