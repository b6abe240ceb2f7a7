//! Plans as text: as Lua that makes the same plan, and as JSON with the names of a plan's fields.

use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Axis, Colour, MissingRule, Plan, ReadPlan, SourceRef, Step};
use crate::volume::{Region, Span};

/// Sections of a stack that are shown at each end.
const SHOWN_SECTIONS: usize = 2;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Plan::Read(read) => read.fmt(f),
            Plan::Stack { z, sections } => {
                write!(f, "boss.stack({{{}, {}}}, …) of", z.start, z.stop)?;
                let hidden = sections.len().saturating_sub(2 * SHOWN_SECTIONS);
                for (nth, (section, z)) in sections.iter().zip(z.start..).enumerate() {
                    if nth < SHOWN_SECTIONS || nth >= SHOWN_SECTIONS + hidden {
                        write!(f, "\n  z {z}: {section}")?;
                    } else if nth == SHOWN_SECTIONS {
                        write!(f, "\n  … {hidden} more")?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for ReadPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SourceRef { path, .. } = &self.source;
        write!(f, "boss.open({}", quoted(path))?;
        let fields = self.own_fields();
        if !fields.is_empty() {
            write!(f, ", {}", lua(&Value::Object(fields)))?;
        }
        f.write_char(')')?;
        self.steps.iter().try_for_each(|step| step.fmt(f))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Crop(region) => write!(f, ":crop({})", lua(&boxed(region))),
            Step::Whole => f.write_str(":crop(\"whole\")"),
            Step::Flip(axis) => write!(f, ":flip(\"{}\")", axis.letter()),
            Step::Rotate(quarters) => write!(f, ":rotate({})", 90 * u16::from(*quarters)),
            Step::Lut(lut) => write!(f, ":lut({{ … {} values }})", lut.entries().len()),
            Step::Scale { factor, offset } if *offset == 0.0 => write!(f, ":scale({factor})"),
            Step::Scale { factor, offset } => write!(f, ":scale({factor}, {offset})"),
            Step::Range { lo, hi } => write!(f, ":range({lo}, {hi})"),
            Step::Paste { plan, at: [x, y, z] } => {
                write!(f, ":paste({plan}, {{ x = {x}, y = {y}")?;
                if *z != 0 {
                    write!(f, ", z = {z}")?;
                }
                f.write_str(" })")
            }
        }
    }
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Plan::Read(read) => read.serialize(serializer),
            Plan::Stack { z, sections } => json!({"z": z, "sections": sections}).serialize(serializer),
        }
    }
}

/// The fields of a plan table. Steps that a table cannot say, since their order is another, are a list `steps`.
impl Serialize for ReadPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = Map::from_iter([("path".to_owned(), json!(self.source.path))]);
        fields.extend(self.own_fields());
        let steps = self.table_order();
        if steps.windows(2).all(|pair| comes_before(pair[0], pair[1])) {
            steps.iter().for_each(|step| add_field(&mut fields, step));
        } else {
            fields.insert("steps".to_owned(), self.steps.iter().map(step_json).collect());
        }
        fields.serialize(serializer)
    }
}

impl ReadPlan {
    /// The steps, those on values last: values and places do not touch each other, except where images are pasted.
    fn table_order(&self) -> Vec<&Step> {
        let is_of_values = |step: &&Step| matches!(step, Step::Lut(_) | Step::Scale { .. } | Step::Range { .. });
        let last_paste = self.steps.iter().rposition(|step| matches!(step, Step::Paste { .. }));
        if last_paste.is_some_and(|last| self.steps[..last].iter().any(|step| is_of_values(&step))) {
            return self.steps.iter().collect();
        }
        let places = self.steps.iter().filter(|step| !is_of_values(step));
        places.chain(self.steps.iter().filter(is_of_values)).collect()
    }

    /// What differs from the defaults, besides the path and the steps.
    fn own_fields(&self) -> Map<String, Value> {
        let SourceRef { path: _, format, page, dataset, level, axes, select, colour, missing } = &self.source;
        let select = (!select.is_empty()).then(|| {
            json!(select.iter().map(|(axis, at)| (axis.to_string(), json!(at))).collect::<Map<String, Value>>())
        });
        let all = [
            ("format", json!(format)),
            ("page", json!(page)),
            ("dataset", json!(dataset)),
            ("level", json!(level)),
            ("axes", json!(axes)),
            ("select", json!(select)),
            ("channel", if let Colour::Channel(channel) = colour { json!(channel) } else { Value::Null }),
            ("gray", if *colour == Colour::Gray { json!(true) } else { Value::Null }),
            ("missing", if *missing == MissingRule::Fill { json!(missing) } else { Value::Null }),
            ("fill", json!(self.fill.map(number))),
            ("cast", json!(self.cast)),
            ("encode", json!(self.encode)),
        ];
        all.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The place of a step in the order that a plan table has.
fn rank(step: &Step) -> u8 {
    match step {
        Step::Flip(_) => 0,
        Step::Rotate(_) => 1,
        Step::Paste { .. } => 2,
        Step::Crop(_) | Step::Whole => 3,
        Step::Lut(_) => 4,
        Step::Scale { .. } => 5,
        Step::Range { .. } => 6,
    }
}

/// Whether a plan table with both means that they are done in this order.
fn comes_before(first: &Step, second: &Step) -> bool {
    let may_repeat = matches!(first, Step::Flip(_) | Step::Paste { .. });
    rank(first) < rank(second) || (may_repeat && rank(first) == rank(second))
}

fn add_field(fields: &mut Map<String, Value>, step: &Step) {
    match step {
        Step::Flip(axis) => {
            if let Value::String(letters) = fields.entry("flip").or_insert_with(|| json!("")) {
                letters.push(axis.letter());
            }
        }
        Step::Paste { .. } => {
            if let Value::Array(list) = fields.entry("paste").or_insert_with(|| json!([])) {
                list.push(paste_json(step));
            }
        }
        Step::Scale { factor, offset } => {
            fields.insert("scale".to_owned(), number(*factor));
            if *offset != 0.0 {
                fields.insert("offset".to_owned(), number(*offset));
            }
        }
        _ => {
            let (name, value) = named(step);
            fields.insert(name.to_owned(), value);
        }
    }
}

fn step_json(step: &Step) -> Value {
    let (name, value) = named(step);
    json!({ name: value })
}

fn named(step: &Step) -> (&'static str, Value) {
    match step {
        Step::Crop(region) => ("region", boxed(region)),
        Step::Whole => ("region", json!("whole")),
        Step::Flip(axis) => ("flip", json!(axis.letter().to_string())),
        Step::Rotate(quarters) => ("rotate", json!(90 * u16::from(*quarters))),
        Step::Lut(lut) => {
            let entries = lut.entries().iter().map(|(key, value)| (key.to_string(), json!(value)));
            ("lut", Value::Object(entries.collect()))
        }
        Step::Scale { factor, offset } => ("scale", json!([number(*factor), number(*offset)])),
        Step::Range { lo, hi } => ("range", json!([number(*lo), number(*hi)])),
        Step::Paste { .. } => ("paste", paste_json(step)),
    }
}

fn paste_json(step: &Step) -> Value {
    match step {
        Step::Paste { plan, at: [x, y, z] } => json!({"plan": plan, "x": x, "y": y, "z": z}),
        _ => Value::Null,
    }
}

fn boxed(region: &Region) -> Value {
    let span = |span: Span| json!([span.start, span.stop]);
    json!({"x": span(region.x), "y": span(region.y), "z": span(region.z)})
}

/// Whole numbers without `.0`.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

/// A value as Lua writes it.
fn lua(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {}", lua(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => format!("{{{}}}", items.iter().map(lua).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        Value::Null => "nil".to_owned(),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

impl Serialize for Axis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.letter().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cast, Lut};
    use super::*;

    fn region() -> Region {
        Region::new(Span::new(0, 512), Span::new(0, 400), Span::one(7))
    }

    #[test]
    fn a_plan_reads_as_the_lua_that_makes_it() {
        let mut right = ReadPlan::new("right/\"7\".tif").with(Step::Flip(Axis::X));
        right.source.page = Some(2);
        let mut plan = ReadPlan::new("left.tif")
            .with(Step::Paste { plan: Box::new(right), at: [1500, 0, 0] })
            .with(Step::Scale { factor: 0.5, offset: 0.0 })
            .with(Step::Crop(region()));
        plan.cast = Some(Cast::Saturate);
        plan.source.select.insert('t', 3);
        let expected = r#"boss.open("left.tif", { select = { t = 3 }, cast = "saturate" }):paste(boss.open("right/\"7\".tif", { page = 2 }):flip("x"), { x = 1500, y = 0 }):scale(0.5):crop({ x = {0, 512}, y = {0, 400}, z = {7, 8} })"#;
        assert_eq!(Plan::Read(plan).to_string(), expected);
        let sections = (0..16).map(|z| ReadPlan::new(format!("s{z}.png"))).collect();
        insta::assert_snapshot!(Plan::Stack { z: Span::new(16, 32), sections }, @r#"
        boss.stack({16, 32}, …) of
          z 16: boss.open("s0.png")
          z 17: boss.open("s1.png")
          … 12 more
          z 30: boss.open("s14.png")
          z 31: boss.open("s15.png")
        "#);
    }

    #[test]
    fn json_has_the_fields_of_a_plan_table_where_their_order_is_the_tables() {
        let plain =
            ReadPlan::new("a.tif").with(Step::Flip(Axis::X)).with(Step::Flip(Axis::Y)).with(Step::Crop(region()));
        assert_eq!(
            json!(plain.with(Step::Lut(Lut::new([(1, 2)].into()))).with(Step::Scale { factor: 2.0, offset: 1.5 })),
            json!({"path": "a.tif", "flip": "xy", "region": {"x": [0, 512], "y": [0, 400], "z": [7, 8]},
                   "lut": {"1": 2}, "scale": 2, "offset": 1.5})
        );
        let range = ReadPlan::new("a.tif").with(Step::Range { lo: 100.0, hi: 4000.5 });
        assert!(range.to_string().ends_with(":range(100, 4000.5)"));
        assert_eq!(json!(range)["range"], json!([100, 4000.5]));
        let scaled = ReadPlan::new("a.tif").with(Step::Scale { factor: 2.0, offset: 0.0 }).with(Step::Rotate(3));
        assert_eq!(json!(scaled), json!({"path": "a.tif", "rotate": 270, "scale": 2}));
        let other = ReadPlan::new("a.tif").with(Step::Crop(region())).with(Step::Rotate(1));
        assert_eq!(
            json!(other),
            json!({"path": "a.tif", "steps": [{"region": {"x": [0, 512], "y": [0, 400], "z": [7, 8]}}, {"rotate": 90}]})
        );
    }
}
