//! `path.join`.

use mlua::{Lua, LuaString, Table, Variadic};

/// The longest path that is made, in bytes.
const LONGEST: usize = 1 << 16;

/// The table `path`.
pub(super) fn register(lua: &Lua) -> mlua::Result<Table> {
    let path = lua.create_table()?;
    let function = |lua: &Lua, parts: Variadic<LuaString>| {
        let mut joined = Vec::new();
        for part in parts.iter() {
            join(&mut joined, &part.as_bytes());
            if joined.len() > LONGEST {
                return Err(mlua::Error::runtime(format!("a path of more than {LONGEST} bytes")));
            }
        }
        lua.create_string(joined)
    };
    path.raw_set("join", lua.create_function(function)?)?;
    Ok(path)
}

/// Adds a part to a path with one `/` between, as Python's `os.path.join`: an absolute part (or a URL) discards what is
/// before it, and after an empty path nothing is put between.
fn join(joined: &mut Vec<u8>, part: &[u8]) {
    if part.starts_with(b"/") || has_scheme(part) {
        joined.clear();
    } else if !joined.is_empty() && !joined.ends_with(b"/") {
        joined.push(b'/');
    }
    joined.extend_from_slice(part);
}

/// Whether the part begins like `s3://`.
fn has_scheme(part: &[u8]) -> bool {
    let scheme = part.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'+').count();
    scheme > 0 && part[scheme..].starts_with(b"://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_by_one_slash() {
        let cases: [(&[&str], &str); 8] = [
            (&["data", "s.tif"], "data/s.tif"),
            (&["data/", "s.tif"], "data/s.tif"),
            (&["data", "/abs/s.tif"], "/abs/s.tif"),
            (&["", "s.tif"], "s.tif"),
            (&["/", "s.tif"], "/s.tif"),
            (&["a", "b", "c"], "a/b/c"),
            (&["s3://bucket", "s.tif"], "s3://bucket/s.tif"),
            (&["a", "http://host/s.tif"], "http://host/s.tif"),
        ];
        for (parts, expected) in cases {
            let mut joined = Vec::new();
            parts.iter().for_each(|part| join(&mut joined, part.as_bytes()));
            assert_eq!(String::from_utf8(joined).unwrap(), expected, "{parts:?}");
        }
    }
}
