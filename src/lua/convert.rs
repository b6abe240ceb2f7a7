//! From the table that a hook returns to a plan, with every key and type checked.

use std::collections::BTreeMap;

use mlua::{Table, Value};

use super::fault::Mistake;
use crate::config::nearest;
use crate::source::{Cast, Encode, MissingRule, PlanRegion, ReadPlan};
use crate::volume::{Region, Span};

/// The keys of a plan table, as `scripts/types/boss.lua` describes them.
pub(super) const PLAN_KEYS: [&str; 12] =
    ["path", "format", "page", "axes", "select", "region", "fill", "missing", "scale", "offset", "cast", "encode"];

/// What a hook returned.
pub(super) enum Returned {
    Read(Draft),
    Stack { z: Span, sections: Vec<Draft> },
}

/// A read whose path may still be asked of the path slot.
pub(super) struct Draft {
    pub path: Option<String>,
    plan: ReadPlan,
}

impl Draft {
    pub fn with_path(mut self, path: String) -> ReadPlan {
        self.plan.path = path;
        self.plan
    }
}

/// Reads what a hook returned for the task that covers `region`.
pub(super) fn returned(table: &Table, region: Region) -> Result<Returned, Mistake> {
    if get(table, "sections")?.is_nil() {
        return draft(table, region).map(Returned::Read);
    }
    let z = span(&get(table, "z")?, "z")?;
    let Value::Table(list) = get(table, "sections")? else {
        return Err(Mistake::wrong("the plan's `sections` must be a list of plans"));
    };
    if list.raw_len() as u64 != z.len() {
        return Err(Mistake::wrong(format!("the stack has {} plans for the sections z {z}", list.raw_len())));
    }
    let sections = list.sequence_values::<Table>().zip(z.start..).map(|(plan, z)| {
        let plan = plan.map_err(|_| Mistake::wrong(format!("section z {z} of the stack must be a plan table")))?;
        draft(&plan, Region { z: Span::one(z), ..region })
    });
    Ok(Returned::Stack { z, sections: sections.collect::<Result<_, _>>()? })
}

/// Reads one plan table, or the table inside of a plan object.
fn draft(table: &Table, task: Region) -> Result<Draft, Mistake> {
    if let Value::Table(fields) = get(table, "plan")? {
        return draft(&fields, task);
    }
    let mut draft = Draft { path: None, plan: ReadPlan::new("", PlanRegion::Box(task)) };
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(failed)?;
        let Value::String(key) = &key else {
            return Err(Mistake::wrong(format!(
                "a plan is a table with named fields, but it has the key {}",
                show(&key)
            )));
        };
        set(&mut draft, &key.to_string_lossy(), &value, task)?;
    }
    Ok(draft)
}

fn set(draft: &mut Draft, key: &str, value: &Value, task: Region) -> Result<(), Mistake> {
    let plan = &mut draft.plan;
    match key {
        "path" => draft.path = Some(text(value, key)?),
        "format" => plan.format = Some(text(value, key)?),
        "page" => plan.page = Some(count(value, key)?),
        "axes" => plan.axes = Some(axes(value)?),
        "select" => plan.select = select(value)?,
        "region" => plan.region = region(value, task)?,
        "fill" => plan.fill = Some(number(value, key)?),
        "missing" => {
            plan.missing = word(value, key, &[("error", MissingRule::Error), ("fill", MissingRule::Fill)])?;
        }
        "scale" => plan.scale = number(value, key)?,
        "offset" => plan.offset = number(value, key)?,
        "cast" => {
            let casts = [("exact", Cast::Exact), ("saturate", Cast::Saturate), ("wrap", Cast::Wrap)];
            plan.cast = word(value, key, &casts)?;
        }
        "encode" => plan.encode = Some(word(value, key, &[("png", Encode::Png), ("tiff", Encode::Tiff)])?),
        "sections" => return Err(Mistake::wrong("a stack inside of a stack; each section must be one source")),
        _ => return Err(Mistake::UnknownKey { key: key.to_owned(), nearest: nearest(key, PLAN_KEYS) }),
    }
    Ok(())
}

fn text(value: &Value, key: &str) -> Result<String, Mistake> {
    let Value::String(text) = value else { return Err(wrong_type(key, value, "a string")) };
    match text.to_str() {
        Ok(text) if !text.is_empty() => Ok(text.to_owned()),
        Ok(_) => Err(Mistake::wrong(format!("the plan's `{key}` is empty"))),
        Err(_) => Err(wrong_type(key, value, "UTF-8 text")),
    }
}

/// An integer; floats without a fraction count, as Lua's `/` makes them.
fn integer(value: &Value, key: &str) -> Result<i64, Mistake> {
    match value {
        Value::Integer(number) => Ok(*number),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Ok(*number as i64),
        Value::Number(_) => {
            let Mistake::Wrong { message, .. } = wrong_type(key, value, "an integer") else { unreachable!() };
            Err(Mistake::with_hint(message, "`//` divides integers without a fraction"))
        }
        _ => Err(wrong_type(key, value, "an integer")),
    }
}

fn count(value: &Value, key: &str) -> Result<u64, Mistake> {
    u64::try_from(integer(value, key)?).map_err(|_| wrong_type(key, value, "0 or more"))
}

fn number(value: &Value, key: &str) -> Result<f64, Mistake> {
    match value {
        Value::Integer(number) => Ok(*number as f64),
        Value::Number(number) if number.is_finite() => Ok(*number),
        _ => Err(wrong_type(key, value, "a finite number")),
    }
}

fn word<T: Copy>(value: &Value, key: &str, table: &[(&'static str, T)]) -> Result<T, Mistake> {
    let names = || table.iter().map(|(name, _)| *name);
    let given = text(value, key)?;
    if let Some((_, found)) = table.iter().find(|(name, _)| *name == given) {
        return Ok(*found);
    }
    let listed: Vec<String> = names().map(|name| format!("`{name}`")).collect();
    let message = format!("the plan's `{key}` is `{given}`; it must be {}", listed.join(" or "));
    let hint = nearest(&given, names()).map(|near| format!("did you mean `{near}`?"));
    Err(Mistake::Wrong { message, hint })
}

fn axes(value: &Value) -> Result<String, Mistake> {
    let letters = text(value, "axes")?;
    let is_axis = |(nth, letter): (usize, char)| "xyztc".contains(letter) && letters.find(letter) == Some(nth);
    if letters.char_indices().all(is_axis) {
        Ok(letters)
    } else {
        Err(wrong_type("axes", value, "letters of `tczyx`, each once"))
    }
}

fn select(value: &Value) -> Result<BTreeMap<char, u64>, Mistake> {
    let Value::Table(table) = value else { return Err(wrong_type("select", value, "a table such as `{ t = 3 }`")) };
    let mut select = BTreeMap::new();
    for pair in table.pairs::<Value, Value>() {
        let (axis, position) = pair.map_err(failed)?;
        let name = text(&axis, "select")?;
        let letter = match name.as_bytes() {
            [letter @ (b'x' | b'y' | b'z' | b't' | b'c')] => char::from(*letter),
            _ => {
                return Err(Mistake::wrong(format!(
                    "the plan's `select` names the axis `{name}`; axes are x, y, z, t, c"
                )));
            }
        };
        select.insert(letter, count(&position, &format!("select.{name}"))?);
    }
    Ok(select)
}

/// `"whole"`, or a box; a box without `z` has the task's.
fn region(value: &Value, task: Region) -> Result<PlanRegion, Mistake> {
    match value {
        Value::String(word) if *word == "whole" => Ok(PlanRegion::Whole),
        Value::Table(table) => boxed(table, task).map(PlanRegion::Box),
        _ => Err(wrong_type("region", value, "a box such as `at.region`, or \"whole\"")),
    }
}

fn boxed(table: &Table, task: Region) -> Result<Region, Mistake> {
    for pair in table.pairs::<Value, Value>() {
        let (axis, _) = pair.map_err(failed)?;
        if !matches!(&axis, Value::String(axis) if ["x", "y", "z"].iter().any(|known| *axis == *known)) {
            return Err(Mistake::wrong(format!(
                "the plan's `region` has the key {}; its axes are x, y, z",
                show(&axis)
            )));
        }
    }
    let axis = |name| span(&get(table, name)?, &format!("region.{name}"));
    let z = if get(table, "z")?.is_nil() { task.z } else { axis("z")? };
    Ok(Region::new(axis("x")?, axis("y")?, z))
}

/// A half-open range `{ start, stop }`.
fn span(value: &Value, key: &str) -> Result<Span, Mistake> {
    let Value::Table(table) = value else { return Err(wrong_type(key, value, "a range such as `{ 0, 512 }`")) };
    if table.raw_len() != 2 {
        return Err(Mistake::wrong(format!(
            "the plan's `{key}` has {} entries; it must be `{{ start, stop }}`",
            table.raw_len()
        )));
    }
    let end = |nth: i64| integer(&table.raw_get::<Value>(nth).map_err(failed)?, key);
    let span = Span::new(end(1)?, end(2)?);
    if span.stop < span.start {
        return Err(Mistake::wrong(format!("the plan's `{key}` stops before it starts: {span}")));
    }
    Ok(span)
}

fn get(table: &Table, key: &str) -> Result<Value, Mistake> {
    table.raw_get(key).map_err(failed)
}

fn wrong_type(key: &str, value: &Value, expected: &str) -> Mistake {
    Mistake::wrong(format!("the plan's `{key}` is {}; it must be {expected}", show(value)))
}

fn show(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", text.to_string_lossy()),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(answer) => answer.to_string(),
        other => format!("a {}", other.type_name()),
    }
}

/// The table could not even be read, as when memory is used up.
fn failed(error: mlua::Error) -> Mistake {
    Mistake::wrong(format!("the plan cannot be read: {error}"))
}
