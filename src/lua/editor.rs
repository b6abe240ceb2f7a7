//! The API's types for editors, and the setting that makes lua-language-server find them.

use serde_json::{Map, Value, json};

/// The types of everything that scripts can call.
pub const TYPES: &str = include_str!("../../scripts/types/boss.lua");

/// Where they belong, in the job file's folder.
pub const TYPES_FILE: &str = ".boss/boss.lua";

/// The folder of [`TYPES_FILE`].
const FOLDER: &str = ".boss";

/// Lua's own libraries that scripts do not have.
const ABSENT: [&str; 3] = ["coroutine", "debug", "io"];

/// The `.luarc.json` that is there cannot be added to.
#[derive(Debug, thiserror::Error)]
#[error("it is no plain JSON object")]
pub struct LuarcError {
    /// What to write into it by hand.
    pub wanted: String,
    pub source: Option<serde_json::Error>,
}

/// The text of `.luarc.json` for a folder that has the types; `None` when `before`, its text so far, says it all already.
/// What it says stays; only what is missing is added.
///
/// # Errors
/// [`LuarcError`] when `before` is no JSON object, as when it has comments.
pub fn luarc(before: Option<&str>) -> Result<Option<String>, LuarcError> {
    match before {
        None => Ok(Some(pretty(&wanted()))),
        Some(text) => merged(text),
    }
}

/// The settings of a folder that has none.
fn wanted() -> Map<String, Value> {
    let absent: Map<String, Value> = ABSENT.iter().map(|name| ((*name).to_owned(), json!("disable"))).collect();
    let mut settings = Map::new();
    settings.insert("runtime.version".to_owned(), json!("Lua 5.4"));
    settings.insert("runtime.builtin".to_owned(), Value::Object(absent));
    settings.insert("workspace.library".to_owned(), json!([FOLDER]));
    settings
}

/// The settings of a folder that has some, with ours; `None` when they are all there.
fn merged(text: &str) -> Result<Option<String>, LuarcError> {
    let refuse = |source| LuarcError { wanted: pretty(&wanted()), source };
    let Value::Object(before) = serde_json::from_str(text).map_err(|error| refuse(Some(error)))? else {
        return Err(refuse(None));
    };
    let mut after = before.clone();
    for (key, value) in wanted() {
        match (slot(&mut after, &key), value) {
            (Some(Value::Array(list)), Value::Array(ours)) => {
                list.extend(ours.into_iter().filter(|one| !before_has(&before, &key, one)));
            }
            (Some(_), _) => {}
            (None, value) => _ = after.insert(key, value),
        }
    }
    Ok((after != before).then(|| pretty(&after)))
}

/// Where a setting stands: lua-language-server reads `workspace.library`, `Lua.workspace.library`, and objects in objects.
fn slot<'a>(settings: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Value> {
    let long = format!("Lua.{key}");
    for name in [key, &long] {
        if settings.contains_key(name) {
            return settings.get_mut(name);
        }
    }
    let (section, name) = key.split_once('.')?;
    settings.get_mut(section)?.as_object_mut()?.get_mut(name)
}

fn before_has(before: &Map<String, Value>, key: &str, one: &Value) -> bool {
    let mut before = before.clone();
    slot(&mut before, key).and_then(|list| list.as_array()).is_some_and(|list| list.contains(one))
}

fn pretty(settings: &Map<String, Value>) -> String {
    let text = serde_json::to_string_pretty(settings).expect("settings have string keys");
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(luarc: Option<&str>) -> Option<Value> {
        let text = super::luarc(luarc).unwrap()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn a_folder_without_settings_gets_them_all() {
        let absent = json!({"coroutine": "disable", "debug": "disable", "io": "disable"});
        let expected = json!({"runtime.version": "Lua 5.4", "runtime.builtin": absent, "workspace.library": [".boss"]});
        assert_eq!(settings(None), Some(expected));
    }

    #[test]
    fn what_is_there_stays() {
        let cases = [
            (r#"{"workspace.library": ["mine"], "x": 1}"#, "/workspace.library", json!(["mine", ".boss"])),
            (r#"{"Lua.workspace.library": ["mine"]}"#, "/Lua.workspace.library", json!(["mine", ".boss"])),
            (r#"{"workspace": {"library": []}}"#, "/workspace/library", json!([".boss"])),
            (r#"{"runtime.version": "LuaJIT"}"#, "/runtime.version", json!("LuaJIT")),
            (r#"{"x": [1, 2]}"#, "/x", json!([1, 2])),
        ];
        for (before, place, expected) in cases {
            let after = settings(Some(before)).unwrap();
            assert_eq!(after.pointer(place), Some(&expected), "{before} became {after}");
        }
        let once = luarc(None).unwrap().unwrap();
        assert_eq!(settings(Some(&once)), None, "a second time changes nothing");
    }

    #[test]
    fn settings_with_comments_are_left_alone_and_what_to_add_is_said() {
        let error = luarc(Some("{ // mine\n}")).unwrap_err();
        assert!(error.wanted.contains("\"workspace.library\""));
        assert!(luarc(Some("[]")).unwrap_err().source.is_none());
    }
}
