//! The types file for editors and what is registered are one set.

use std::collections::BTreeSet;

use mlua::{Lua, Table, Value};

use super::*;
use crate::lua::api::plans::METHODS;
use crate::lua::convert::PLAN_KEYS;
use crate::lua::sandbox::behind;

const TYPES: &str = include_str!("../../../scripts/types/boss.lua");

#[test]
fn the_types_file_describes_every_function_and_no_other() {
    let workshop = Workshop::script("return { path = function() end, tile = function() end }");
    let host = workshop.host().unwrap();
    let (lua, methods) = host.inspect();
    let mut registered = BTreeSet::new();
    for table in ["boss", "path", "template", "log"] {
        let functions = behind(&lua.globals().get(table).unwrap());
        registered.extend(names(&functions).map(|name| format!("{table}.{name}")));
    }
    registered.extend(names(&methods).map(|name| format!("PlanObject:{name}")));
    let described: BTreeSet<String> =
        TYPES.lines().filter_map(|line| line.strip_prefix("function ")?.split('(').next()).map(str::to_owned).collect();
    assert_eq!(described, registered);
    assert_eq!(names(&methods).collect::<BTreeSet<_>>(), METHODS.map(str::to_owned).into());
}

#[test]
fn the_types_file_describes_every_key_of_a_plan_and_no_other() {
    let class = TYPES.split("---@class boss.Plan\n").nth(1).unwrap();
    let fields = class.lines().map_while(|line| line.strip_prefix("---@field "));
    let described: BTreeSet<&str> = fields.map(|field| field.split('?').next().unwrap()).collect();
    assert_eq!(described, PLAN_KEYS.into());
}

#[test]
fn the_types_file_describes_the_job_and_the_index() {
    let workshop = Workshop::script(
        "local seen = {}
         local function keys(what, table) for key in pairs(table) do seen[what .. '.' .. key] = true end end
         return {
           setup = function(params, job) keys('Job', job) end,
           path = function(at) keys('Index', at); keys('Index', boss.info('a.tif')); return 'p' end,
           tile = function(at)
             boss.path({})
             local list = {}
             for key in pairs(seen) do list[#list + 1] = key end
             return { path = table.concat(list, ' ') }
           end,
         }",
    );
    let plan = workshop.read(0, 0, 0);
    for key in plan.source.path.split(' ') {
        let field = key.split('.').nth(1).unwrap();
        assert!(TYPES.contains(&format!("---@field {field}")), "{key}");
    }
}

#[test]
fn the_types_file_is_lua() {
    Lua::new().load(TYPES).exec().unwrap();
}

fn names(table: &Table) -> impl Iterator<Item = String> {
    table.pairs::<String, Value>().map(|pair| pair.unwrap().0)
}
