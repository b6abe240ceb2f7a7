//! Values of a plan's fields, each checked with a message that names the field.

use std::collections::BTreeMap;

use mlua::{Table, Value};

use super::fault::Mistake;
use crate::config::nearest;
use crate::source::{Axis, Lut, Step};
use crate::volume::{Region, Span};

pub(super) fn boolean(value: &Value, key: &str) -> Result<bool, Mistake> {
    value.as_boolean().ok_or_else(|| wrong_type(key, value, "true or false"))
}

pub(super) fn flip(value: &Value) -> Result<Vec<Axis>, Mistake> {
    let letters = text(value, "flip")?;
    let axes: Option<Vec<Axis>> = letters.chars().map(Axis::from_letter).collect();
    axes.ok_or_else(|| wrong_type("flip", value, "axes to mirror, such as \"x\" or \"xy\""))
}

/// Degrees clockwise as quarters.
pub(super) fn quarters(value: &Value) -> Result<u8, Mistake> {
    let degrees = integer(value, "rotate")?;
    if degrees % 90 != 0 {
        return Err(wrong_type("rotate", value, "degrees clockwise: 90, 180 or 270"));
    }
    Ok((degrees / 90).rem_euclid(4) as u8)
}

pub(super) fn lut(value: &Value) -> Result<Lut, Mistake> {
    let Value::Table(table) = value else {
        return Err(wrong_type("lut", value, "a table from value to value, such as `{ [0] = 0, [1] = 255 }`"));
    };
    let mut entries = BTreeMap::new();
    for pair in table.pairs::<Value, Value>() {
        let (from, to) = pair.map_err(failed)?;
        entries.insert(integer(&from, "lut")?, integer(&to, "lut")?);
    }
    Ok(Lut::new(entries))
}

/// The longest path or name in a plan, in bytes.
const LONGEST_TEXT: usize = 1 << 16;

pub(super) fn text(value: &Value, key: &str) -> Result<String, Mistake> {
    let Value::String(text) = value else { return Err(wrong_type(key, value, "a string")) };
    if text.as_bytes().len() > LONGEST_TEXT {
        return Err(Mistake::wrong(format!("the plan's `{key}` is longer than {LONGEST_TEXT} bytes")));
    }
    match text.to_str() {
        Ok(text) if !text.is_empty() => Ok(text.to_owned()),
        Ok(_) => Err(Mistake::wrong(format!("the plan's `{key}` is empty"))),
        Err(_) => Err(wrong_type(key, value, "UTF-8 text")),
    }
}

/// An integer; floats without a fraction count, as Lua's `/` makes them.
pub(super) fn integer(value: &Value, key: &str) -> Result<i64, Mistake> {
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

pub(super) fn count(value: &Value, key: &str) -> Result<u64, Mistake> {
    u64::try_from(integer(value, key)?).map_err(|_| wrong_type(key, value, "0 or more"))
}

pub(super) fn number(value: &Value, key: &str) -> Result<f64, Mistake> {
    match value {
        Value::Integer(number) => Ok(*number as f64),
        Value::Number(number) if number.is_finite() => Ok(*number),
        _ => Err(wrong_type(key, value, "a finite number")),
    }
}

pub(super) fn word<T: Copy>(value: &Value, key: &str, table: &[(&'static str, T)]) -> Result<T, Mistake> {
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

pub(super) fn axes(value: &Value) -> Result<String, Mistake> {
    let letters = text(value, "axes")?;
    let is_axis = |(nth, letter): (usize, char)| "xyztc".contains(letter) && letters.find(letter) == Some(nth);
    if letters.char_indices().all(is_axis) {
        Ok(letters)
    } else {
        Err(wrong_type("axes", value, "letters of `tczyx`, each once"))
    }
}

pub(super) fn select(value: &Value) -> Result<BTreeMap<char, u64>, Mistake> {
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
pub(super) fn region(value: &Value, z: Span) -> Result<Step, Mistake> {
    match value {
        Value::String(word) if *word == "whole" => Ok(Step::Whole),
        Value::Table(table) => boxed(table, z).map(Step::Crop),
        _ => Err(wrong_type("region", value, "a box such as `at.region`, or \"whole\"")),
    }
}

pub(super) fn boxed(table: &Table, z: Span) -> Result<Region, Mistake> {
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
    let z = if get(table, "z")?.is_nil() { z } else { axis("z")? };
    Ok(Region::new(axis("x")?, axis("y")?, z))
}

/// A half-open range `{ start, stop }`.
pub(super) fn span(value: &Value, key: &str) -> Result<Span, Mistake> {
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

pub(super) fn get(table: &Table, key: &str) -> Result<Value, Mistake> {
    table.raw_get(key).map_err(failed)
}

pub(super) fn wrong_type(key: &str, value: &Value, expected: &str) -> Mistake {
    Mistake::wrong(format!("the plan's `{key}` is {}; it must be {expected}", show(value)))
}

pub(super) fn show(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", text.to_string_lossy()),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(answer) => answer.to_string(),
        other => format!("a {}", other.type_name()),
    }
}

/// The table could not even be read, as when memory is used up.
pub(super) fn failed(error: mlua::Error) -> Mistake {
    Mistake::wrong(format!("the plan cannot be read: {error}"))
}
