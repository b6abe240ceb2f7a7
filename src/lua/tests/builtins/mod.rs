//! The scripts in the binary: what each plans for which index. The Python client's own answers are compared in
//! `tests/it/golden`.

mod hdf5;
mod images;
mod volumes;

use super::*;

/// A slot's class and parameters.
type Slot<'a> = (&'a str, Value);

/// What a tile job plans for the index `[x, y, z, t]`: the plan as Lua, or why there is none.
fn tile(path: Slot, tile: Slot, at: [i64; 4]) -> String {
    said(Workshop::tiles(path.0, tile.0).path_params(path.1).data_params(tile.1), at)
}

/// As [`tile`], of a volumetric job.
fn chunk(path: Slot, chunk: Slot, at: [i64; 4]) -> String {
    said(Workshop::chunks(path.0, chunk.0).path_params(path.1).data_params(chunk.1), at)
}

fn said(workshop: Workshop, [x, y, z, t]: [i64; 4]) -> String {
    let host = Scripts::load(&workshop.job).and_then(|scripts| scripts.host(Arc::new(SmallData)));
    match host.and_then(|mut host| host.plan(Index::new(x, y, z, t))) {
        Ok(Answer::Plan(plan)) => plan.to_string(),
        Ok(Answer::Missing { reason }) => format!("missing: {reason}"),
        Err(error) => error.fault().map_or_else(|| error.to_string(), |fault| fault.message.clone()),
    }
}

/// Every row must be as it is written; all that differ are shown.
fn check(rows: impl IntoIterator<Item = (String, &'static str)>) {
    let different: Vec<String> = rows
        .into_iter()
        .filter(|(found, expected)| found != expected)
        .map(|(found, expected)| format!("found    {found}\nexpected {expected}"))
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

/// Knows the small data sets `offset` and `extent`, and that `.png` files have 8 bits and others 16.
struct SmallData;

impl Lookup for SmallData {
    fn info(&self, source: &SourceRef) -> Result<Arc<SourceInfo>, LookupError> {
        let dtype = if source.path.ends_with(".png") { Dtype::Uint8 } else { Dtype::Uint16 };
        let info = OneTiff.info(&SourceRef::new("a.tif"))?;
        Ok(Arc::new(SourceInfo { dtype, ..(*info).clone() }))
    }

    fn exists(&self, path: &str) -> Result<bool, LookupError> {
        Ok(!path.contains("none"))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, LookupError> {
        OneTiff.list(dir)
    }

    fn text(&self, path: &str) -> Result<Arc<str>, LookupError> {
        OneTiff.text(path)
    }

    fn scalars(&self, source: &SourceRef) -> Result<Vec<Number>, LookupError> {
        let integers = |values: &[i128]| values.iter().map(|value| Number::Integer(*value)).collect();
        match source.dataset.as_deref() {
            Some("offset") => Ok(integers(&[30, 20])),
            Some("extent") => Ok(integers(&[150, 190])),
            Some("three") => Ok(integers(&[1, 2, 3])),
            Some("halves") => Ok(vec![Number::Real(0.5), Number::Real(1.0)]),
            _ => Err("there is no such data set".into()),
        }
    }
}

#[test]
fn the_examples_load_and_find_their_sections() {
    for (example, index) in [("em_stack", Index::new(0, 0, 1, 0)), ("em_volume", Index::new(0, 0, 0, 0))] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example).join("job.json");
        let loaded = crate::config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.warnings, [], "{example}");
        let mut host = Scripts::load(&loaded.job).unwrap().host(Arc::new(OneTiff)).unwrap();
        let paths: Vec<String> = match host.plan(index).unwrap() {
            Answer::Plan(Plan::Read(plan)) => vec![plan.source.path],
            Answer::Plan(Plan::Stack { sections, .. }) => sections.into_iter().map(|plan| plan.source.path).collect(),
            missing => panic!("{missing:?}"),
        };
        assert!(!paths.is_empty());
        for path in paths {
            assert!(loaded.job.dir.join(&path).is_file(), "{example}: {path}");
        }
    }
}
