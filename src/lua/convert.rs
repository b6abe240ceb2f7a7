//! From the table that a hook returns to a plan, with every key and type checked.

use mlua::{Table, Value};
use std::cell::Cell;

use super::fault::Mistake;
use super::values::*;
use crate::config::nearest;
use crate::source::{Axis, Cast, Colour, Encode, Lut, MissingRule, ReadPlan, Step};
use crate::volume::{Region, Span};

/// The keys of a plan table, as `scripts/types/boss.lua` describes them.
pub(super) const PLAN_KEYS: [&str; 21] = [
    "path", "format", "page", "dataset", "level", "axes", "select", "channel", "gray", "flip", "rotate", "paste",
    "region", "lut", "scale", "offset", "range", "fill", "missing", "cast", "encode",
];

/// What a hook returned.
pub(super) enum Returned {
    Read(Box<Draft>),
    Stack { z: Span, sections: Vec<Draft> },
}

/// A read whose path may still be asked of the path slot.
pub(super) struct Draft {
    pub path: Option<String>,
    plan: ReadPlan,
}

impl Draft {
    pub fn with_path(mut self, path: String) -> ReadPlan {
        self.plan.source.path = path;
        self.plan
    }

    /// The plan for a task: what nobody cut is cut to the task's own place.
    fn for_task(mut self, task: Region) -> Draft {
        if !self.plan.is_cut() {
            self.plan.steps.push(Step::Crop(task));
        }
        self
    }
}

/// Reads what a hook returned for the task that covers `region`.
pub(super) fn returned(table: &Table, region: Region) -> Result<Returned, Mistake> {
    if get(table, "sections")?.is_nil() {
        return draft(table, region.z).map(|draft| Returned::Read(Box::new(draft.for_task(region))));
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
        let section = Region { z: Span::one(z), ..region };
        Ok(draft(&plan, section.z)?.for_task(section))
    });
    Ok(Returned::Stack { z, sections: sections.collect::<Result<_, _>>()? })
}

/// Reads one plan: a table with the fields of a plan, or an object, which has them below `fields`, and a list of steps.
/// Boxes without `z` have the sections `z`.
pub(super) fn draft(table: &Table, z: Span) -> Result<Draft, Mistake> {
    let Value::Table(fields) = get(table, "fields")? else { return plain_draft(table, z) };
    let mut draft = plain_draft(&fields, z)?;
    if let Value::Table(steps) = get(table, "steps")? {
        for step in steps.sequence_values::<Table>() {
            let step = step.map_err(failed)?;
            let entry = |nth: i64| step.raw_get::<Value>(nth).map_err(failed);
            let mut one = Parts::default();
            set(&mut draft, &mut one, &text(&entry(1)?, "steps")?, &entry(2)?, z)?;
            one.offset = if let Value::Nil = entry(3)? { None } else { Some(number(&entry(3)?, "offset")?) };
            one.add_steps(&mut draft.plan);
        }
    }
    Ok(draft)
}

fn plain_draft(fields: &Table, z: Span) -> Result<Draft, Mistake> {
    let mut draft = Draft { path: None, plan: ReadPlan::new("") };
    let mut parts = Parts::default();
    for pair in fields.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(failed)?;
        let Value::String(key) = &key else {
            return Err(Mistake::wrong(format!(
                "a plan is a table with named fields, but it has the key {}",
                show(&key)
            )));
        };
        set(&mut draft, &mut parts, &key.to_string_lossy(), &value, z)?;
    }
    parts.add_steps(&mut draft.plan);
    Ok(draft)
}

/// The fields of a plan table that are steps; they are done in this order.
#[derive(Default)]
struct Parts {
    flip: Vec<Axis>,
    rotate: u8,
    paste: Vec<Step>,
    region: Option<Step>,
    lut: Option<Lut>,
    scale: Option<f64>,
    offset: Option<f64>,
    range: Option<Step>,
}

impl Parts {
    fn add_steps(self, plan: &mut ReadPlan) {
        plan.steps.extend(self.flip.into_iter().map(Step::Flip));
        if self.rotate != 0 {
            plan.steps.push(Step::Rotate(self.rotate));
        }
        plan.steps.extend(self.paste);
        plan.steps.extend(self.region);
        plan.steps.extend(self.lut.map(Step::Lut));
        let (factor, offset) = (self.scale.unwrap_or(1.0), self.offset.unwrap_or(0.0));
        if (factor, offset) != (1.0, 0.0) {
            plan.steps.push(Step::Scale { factor, offset });
        }
        plan.steps.extend(self.range);
    }
}

/// What is wrong with the value of a field, if anything is.
pub(super) fn check_field(key: &str, value: &Value) -> Option<Mistake> {
    let mut draft = Draft { path: None, plan: ReadPlan::new("") };
    set(&mut draft, &mut Parts::default(), key, value, Span::one(0)).err()
}

fn set(draft: &mut Draft, parts: &mut Parts, key: &str, value: &Value, z: Span) -> Result<(), Mistake> {
    let plan = &mut draft.plan;
    let source = &mut plan.source;
    match key {
        "path" => draft.path = Some(text(value, key)?),
        "format" => source.format = Some(text(value, key)?),
        "page" => source.page = Some(count(value, key)?),
        "dataset" => source.dataset = Some(text(value, key)?),
        "level" => source.level = Some(count(value, key)?),
        "axes" => source.axes = Some(axes(value)?),
        "select" => source.select = select(value)?,
        "channel" => source.colour = colour(source.colour, Colour::Channel(count(value, key)?))?,
        "gray" => {
            if boolean(value, key)? {
                source.colour = colour(source.colour, Colour::Gray)?;
            }
        }
        "missing" => {
            source.missing = word(value, key, &[("error", MissingRule::Error), ("fill", MissingRule::Fill)])?;
        }
        "flip" => parts.flip = flip(value)?,
        "rotate" => parts.rotate = quarters(value)?,
        "paste" => parts.paste = pastes(value, z)?,
        "region" => parts.region = Some(region(value, z)?),
        "lut" => parts.lut = Some(lut(value)?),
        "scale" => parts.scale = Some(number(value, key)?),
        "offset" => parts.offset = Some(number(value, key)?),
        "range" => parts.range = Some(contrast(value)?),
        "fill" => plan.fill = Some(number(value, key)?),
        "cast" => {
            let casts = [("exact", Cast::Exact), ("saturate", Cast::Saturate), ("wrap", Cast::Wrap)];
            plan.cast = Some(word(value, key, &casts)?);
        }
        "encode" => plan.encode = Some(word(value, key, &[("png", Encode::Png), ("tiff", Encode::Tiff)])?),
        "sections" => return Err(Mistake::wrong("a stack inside of a stack; each section must be one source")),
        _ => return Err(Mistake::UnknownKey { key: key.to_owned(), nearest: nearest(key, PLAN_KEYS) }),
    }
    Ok(())
}

/// `{ lo, hi }`, the values that become the smallest and the largest.
fn contrast(value: &Value) -> Result<Step, Mistake> {
    let Value::Table(table) = value else {
        return Err(wrong_type("range", value, "two values such as `{ 120, 4000 }`"));
    };
    if table.raw_len() != 2 {
        return Err(Mistake::wrong(format!("`range` has {} values; it is `{{ lo, hi }}`", table.raw_len())));
    }
    let entry = |nth: i64| number(&table.raw_get::<Value>(nth).map_err(failed)?, "range");
    match (entry(1)?, entry(2)?) {
        (lo, hi) if lo < hi => Ok(Step::Range { lo, hi }),
        (lo, hi) => Err(Mistake::wrong(format!("`range` goes from {lo} to {hi}; the lower value comes first"))),
    }
}

/// A plan takes one channel, or the grey of all, not both.
fn colour(before: Colour, wanted: Colour) -> Result<Colour, Mistake> {
    match before {
        Colour::None => Ok(wanted),
        before if before == wanted => Ok(wanted),
        _ => Err(Mistake::wrong("the plan has both `channel` and `gray`; one of them says what becomes of colours")),
    }
}

/// One entry `{ plan = …, x = …, y = …, z = … }`, or a list of them.
fn pastes(value: &Value, z: Span) -> Result<Vec<Step>, Mistake> {
    let Value::Table(table) = value else {
        return Err(wrong_type("paste", value, "a list such as `{ { plan = …, x = 1500 } }`"));
    };
    if !get(table, "plan")?.is_nil() {
        return Ok(vec![paste(table, z)?]);
    }
    let entries = table.sequence_values::<Table>();
    entries.map(|entry| paste(&entry.map_err(|_| Mistake::wrong("each entry of `paste` is a table"))?, z)).collect()
}

/// How deep plans are pasted into each other.
const DEEPEST_PASTE: u32 = 8;

/// How many plans one paste holds in all; lists in lists grow fast.
const MOST_PASTES: u32 = 1000;

thread_local! {
    /// Depth and number of the plans in the paste that is being read: a plan may be pasted into itself.
    static PASTES: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

fn paste(entry: &Table, z: Span) -> Result<Step, Mistake> {
    let (depth, before) = PASTES.get();
    let count = if depth == 0 { 1 } else { before + 1 };
    if depth >= DEEPEST_PASTE || count > MOST_PASTES {
        let message =
            format!("plans are pasted into each other deeper than {DEEPEST_PASTE}, or more than {MOST_PASTES}");
        return Err(Mistake::wrong(message));
    }
    PASTES.set((depth + 1, count));
    let step = paste_entry(entry, z);
    PASTES.set((depth, PASTES.get().1));
    step
}

fn paste_entry(entry: &Table, z: Span) -> Result<Step, Mistake> {
    for pair in entry.pairs::<Value, Value>() {
        let (key, _) = pair.map_err(failed)?;
        if !matches!(&key, Value::String(key) if ["plan", "x", "y", "z"].iter().any(|known| *key == *known)) {
            return Err(Mistake::wrong(format!("`paste` has the key {}; it has `plan`, `x`, `y`, `z`", show(&key))));
        }
    }
    let Value::Table(plan) = get(entry, "plan")? else {
        return Err(Mistake::wrong("`paste` needs a plan, such as `boss.open(path)`"));
    };
    if !get(&plan, "sections")?.is_nil() {
        return Err(Mistake::wrong("`paste` takes a plan of one source, not a stack"));
    }
    let mut pasted = draft(&plan, z)?;
    let path = pasted.path.take().ok_or_else(|| Mistake::wrong("a plan that is pasted needs a `path` of its own"))?;
    let at = |axis: &str| match get(entry, axis)? {
        Value::Nil => Ok(0),
        value => integer(&value, &format!("paste.{axis}")),
    };
    Ok(Step::Paste { at: [at("x")?, at("y")?, at("z")?], plan: Box::new(pasted.with_path(path)) })
}
