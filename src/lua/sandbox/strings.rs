//! `string.find` and `string.match`, and what `guards.lua` makes `gmatch` and `gsub` of, over [`Matcher`].

use std::sync::Arc;

use mlua::{Lua, LuaString, MultiValue, Table, Value};

use super::Watch;
use super::pattern::{Capture, Fail, Matcher, find_plain, is_plain};

/// Replaces the functions of `string` that take patterns; adds `scan` and `substitute` to `raw`.
pub(super) fn register(lua: &Lua, raw: &Table, watch: &Arc<Watch>, most_bytes: usize) -> mlua::Result<()> {
    let string: Table = lua.globals().raw_get("string")?;
    let clock = watch.clone();
    let find = move |lua: &Lua, (subject, pattern, init, plain): (Value, Value, Value, Value)| {
        let is_plain = !matches!(plain, Value::Nil | Value::Boolean(false));
        search(lua, &clock, ("find", subject, pattern, init), Some(is_plain))
    };
    string.raw_set("find", lua.create_function(find)?)?;
    let clock = watch.clone();
    let matched = move |lua: &Lua, (subject, pattern, init): (Value, Value, Value)| {
        search(lua, &clock, ("match", subject, pattern, init), None)
    };
    string.raw_set("match", lua.create_function(matched)?)?;
    let clock = watch.clone();
    raw.raw_set("scan", lua.create_function(move |lua, values| scan(lua, &clock, values))?)?;
    let clock = watch.clone();
    raw.raw_set("substitute", lua.create_function(move |lua, values| substitute(lua, &clock, most_bytes, values))?)
}

type Arguments = (&'static str, Value, Value, Value);

/// `find`, told whether the pattern is plain text, or `match`, which gives only captures.
fn search(
    lua: &Lua,
    watch: &Arc<Watch>,
    (name, subject, pattern, init): Arguments,
    plain: Option<bool>,
) -> mlua::Result<MultiValue> {
    let subject = text(lua, name, 1, subject)?;
    let pattern = text(lua, name, 2, pattern)?;
    let (bytes, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let (bytes, mut pattern): (&[u8], &[u8]) = (&bytes, &pattern);
    let start = start(integer(lua, name, 3, init)?.unwrap_or(1), bytes.len());
    if start > bytes.len() {
        return Ok(nothing());
    }
    let go_on = || watch.look(lua);
    if plain.is_some_and(|plain| plain || is_plain(pattern)) {
        let found = find_plain(bytes, pattern, start, &go_on).map_err(raised)?;
        return Ok(found.map_or_else(nothing, |at| range(at, at + pattern.len())));
    }
    let rest = pattern.strip_prefix(b"^");
    pattern = rest.unwrap_or(pattern);
    let last = if rest.is_some() { start } else { bytes.len() };
    let mut matcher = Matcher::new(bytes, pattern, &go_on);
    for at in start..=last {
        if let Some(end) = matcher.match_at(at).map_err(raised)? {
            let (mut values, captures) = match plain {
                Some(_) => (range(at, end), matcher.level()),
                None => (MultiValue::new(), matcher.values()),
            };
            push_captures(lua, &mut values, &matcher, captures, (at, end), bytes)?;
            return Ok(values);
        }
    }
    Ok(nothing())
}

/// `scan(subject, pattern, start, last, is_anchored, most)`: the next match from `start` on (counted from 0) that does
/// not end at `last`, where the one before it ended: its start, its end, its captures, of which at most `most`.
fn scan(
    lua: &Lua,
    watch: &Arc<Watch>,
    (subject, pattern, start, last, is_anchored, most): (
        LuaString,
        LuaString,
        usize,
        Option<usize>,
        bool,
        Option<usize>,
    ),
) -> mlua::Result<MultiValue> {
    let (bytes, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let go_on = || watch.look(lua);
    let mut matcher = Matcher::new(&bytes, &pattern[usize::from(is_anchored)..], &go_on);
    let stop = if is_anchored { start } else { bytes.len() };
    for at in start..=stop {
        if let Some(end) = matcher.match_at(at).map_err(raised)?.filter(|end| Some(*end) != last) {
            let mut values = MultiValue::from_vec(vec![integer_of(at), integer_of(end)]);
            let count = matcher.values().min(most.unwrap_or(usize::MAX));
            push_captures(lua, &mut values, &matcher, count, (at, end), &bytes)?;
            return Ok(values);
        }
    }
    Ok(MultiValue::new())
}

/// `gsub` with a replacement that is text, with `%0` to `%9` for captures.
fn substitute(
    lua: &Lua,
    watch: &Arc<Watch>,
    most_bytes: usize,
    (subject, pattern, replacement, most): (LuaString, LuaString, LuaString, Option<i64>),
) -> mlua::Result<(LuaString, i64)> {
    let (bytes, pattern, replacement_bytes) = (subject.as_bytes(), pattern.as_bytes(), replacement.as_bytes());
    let bytes: &[u8] = &bytes;
    let rest = pattern.strip_prefix(b"^");
    let go_on = || watch.look(lua);
    let mut matcher = Matcher::new(bytes, rest.unwrap_or(&pattern), &go_on);
    let mut result = Text { bytes: Vec::new(), most_bytes };
    let (mut at, mut last, mut count) = (0, None, 0);
    while most.is_none_or(|most| count < most) {
        match matcher.match_at(at).map_err(raised)?.filter(|end| Some(*end) != last) {
            Some(end) => {
                count += 1;
                result.push_replacement(&replacement_bytes, &matcher, (at, end), bytes)?;
                (at, last) = (end, Some(end));
            }
            None if at < bytes.len() => {
                result.push(&bytes[at..=at])?;
                at += 1;
            }
            None => break,
        }
        if rest.is_some() {
            break;
        }
    }
    if count == 0 {
        return Ok((subject.clone(), 0));
    }
    result.push(&bytes[at..])?;
    Ok((lua.create_string(result.bytes)?, count))
}

/// A text that Lua does not yet count as its memory.
struct Text {
    bytes: Vec<u8>,
    most_bytes: usize,
}

impl Text {
    fn push(&mut self, more: &[u8]) -> mlua::Result<()> {
        if self.bytes.len() + more.len() > self.most_bytes {
            return Err(mlua::Error::MemoryError("not enough memory".to_owned()));
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    fn push_replacement(
        &mut self,
        replacement: &[u8],
        matcher: &Matcher,
        (start, end): (usize, usize),
        subject: &[u8],
    ) -> mlua::Result<()> {
        let mut rest = replacement;
        while let Some(escape) = rest.iter().position(|byte| *byte == b'%') {
            self.push(&rest[..escape])?;
            match rest.get(escape + 1) {
                Some(b'%') => self.push(b"%")?,
                Some(b'0') => self.push(&subject[start..end])?,
                Some(digit @ b'1'..=b'9') => {
                    match matcher.capture(usize::from(digit - b'1'), start, end).map_err(raised)? {
                        Capture::Text { start, end } => self.push(&subject[start..end])?,
                        Capture::Position(at) => self.push((at + 1).to_string().as_bytes())?,
                    }
                }
                _ => return Err(mlua::Error::runtime("invalid use of '%' in replacement string")),
            }
            rest = &rest[escape + 2..];
        }
        self.push(rest)
    }
}

fn push_captures(
    lua: &Lua,
    values: &mut MultiValue,
    matcher: &Matcher,
    count: usize,
    (start, end): (usize, usize),
    subject: &[u8],
) -> mlua::Result<()> {
    for nth in 0..count {
        values.push_back(match matcher.capture(nth, start, end).map_err(raised)? {
            Capture::Text { start, end } => Value::String(lua.create_string(&subject[start..end])?),
            Capture::Position(at) => integer_of(at + 1),
        });
    }
    Ok(())
}

/// An argument that is a text, or a number in the place of one.
fn text(lua: &Lua, name: &str, nth: usize, value: Value) -> mlua::Result<LuaString> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(_) | Value::Number(_) => Ok(lua.coerce_string(value)?.expect("numbers become texts")),
        other => Err(bad_argument(name, nth, &format!("string expected, got {}", other.type_name()))),
    }
}

fn integer(lua: &Lua, name: &str, nth: usize, value: Value) -> mlua::Result<Option<i64>> {
    match value {
        Value::Nil => Ok(None),
        Value::Integer(number) => Ok(Some(number)),
        other => {
            let kind = other.type_name();
            if let Some(number) = lua.coerce_integer(other.clone())? {
                return Ok(Some(number));
            }
            let is_number = lua.coerce_number(other)?.is_some();
            let message = if is_number {
                "number has no integer representation".to_owned()
            } else {
                format!("number expected, got {kind}")
            };
            Err(bad_argument(name, nth, &message))
        }
    }
}

fn bad_argument(name: &str, nth: usize, message: &str) -> mlua::Error {
    mlua::Error::runtime(format!("bad argument #{nth} to '{name}' ({message})"))
}

/// From a position as scripts give it (from 1, or negative from the end) to one counted from 0.
fn start(init: i64, length: usize) -> usize {
    match usize::try_from(init) {
        Ok(init) => init.saturating_sub(1),
        Err(_) => length.saturating_sub(usize::try_from(init.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

/// The first and the last position, counted from 1.
fn range(start: usize, end: usize) -> MultiValue {
    MultiValue::from_vec(vec![integer_of(start + 1), integer_of(end)])
}

fn nothing() -> MultiValue {
    MultiValue::from_vec(vec![Value::Nil])
}

fn integer_of(position: usize) -> Value {
    Value::Integer(i64::try_from(position).expect("texts are shorter"))
}

fn raised(fail: Fail) -> mlua::Error {
    match fail {
        Fail::Pattern(message) => mlua::Error::runtime(message),
        Fail::Stopped(error) => error,
    }
}
