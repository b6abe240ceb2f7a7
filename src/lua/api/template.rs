//! `template.expand`: numbers in file names.

use mlua::{Lua, LuaString, Table};

/// The widest padding; no file system has longer names.
const WIDEST: usize = 255;

/// The longest pattern, in bytes.
const LONGEST: usize = 1 << 16;

/// The table `template`.
pub(super) fn register(lua: &Lua) -> mlua::Result<Table> {
    let template = lua.create_table()?;
    let function = |lua: &Lua, (pattern, number, index): (LuaString, i64, Option<Table>)| {
        if pattern.as_bytes().len() > LONGEST {
            return Err(mlua::Error::runtime(format!("a name pattern of more than {LONGEST} bytes")));
        }
        let name = |name: &str| index.as_ref().and_then(|index| index.raw_get::<i64>(name).ok());
        let expanded = expand(&pattern.to_str()?, number, name).map_err(mlua::Error::runtime)?;
        lua.create_string(expanded)
    };
    template.raw_set("expand", lua.create_function(function)?)?;
    Ok(template)
}

/// Puts `number` in the place of each token: `<>` as it is, `<o:N>` with N added, `<p:M>` padded with zeros to M digits,
/// `<o:Np:M>` both. `<x>`, `<y>`, `<z>`, `<t>` are what `index` gives for that name, as it is.
///
/// These are the Python client's tokens. It left everything else in `<…>` as it stands; here that is an error, for it
/// is a slip that would name files which do not exist.
fn expand(pattern: &str, number: i64, index: impl Fn(&str) -> Option<i64>) -> Result<String, String> {
    let mut expanded = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((token, after)) = after.split_once('>') else { break };
        expanded.push_str(before);
        push_token(&mut expanded, token, number, &index).ok_or_else(|| unknown(token))?;
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn push_token(expanded: &mut String, token: &str, number: i64, index: impl Fn(&str) -> Option<i64>) -> Option<()> {
    use std::fmt::Write as _;
    if matches!(token, "x" | "y" | "z" | "t") {
        return write!(expanded, "{}", index(token)?).ok();
    }
    let (offset, rest) = field(token, "o:")?;
    let (width, rest) = field(rest, "p:")?;
    let width = usize::try_from(width).ok().filter(|width| *width <= WIDEST && rest.is_empty())?;
    write!(expanded, "{:0width$}", number.checked_add(offset)?).ok()
}

/// The digits after `name`, or 0 when `token` does not begin with it, and the rest. `None` for a name without digits.
fn field<'a>(token: &'a str, name: &str) -> Option<(i64, &'a str)> {
    let Some(digits) = token.strip_prefix(name) else { return Some((0, token)) };
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    Some((digits[..end].parse().ok()?, &digits[end..]))
}

fn unknown(token: &str) -> String {
    format!(
        "`<{token}>` is no token; there are `<>`, `<o:N>` (offset), `<p:M>` (padding), `<o:Np:M>`, `<x>`, `<y>`, `<z>`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_become_numbers_and_others_are_refused() {
        let cases = [
            ("s<p:4>", Some("s0012")),
            ("<o:200>_my_sec<p:3>", Some("212_my_sec012")),
            ("<o:3p:4>|<>|<p:1>", Some("0015|12|12")),
            ("plain", Some("plain")),
            ("<z>_<y>_<x>", Some("5_3_2")),
            ("a < b", Some("a < b")),
            ("größe<p:3>", Some("größe012")),
            ("<p:3o:5>", None),
            ("<o:-5>", None),
            ("<o:>", None),
            ("<z:3>", None),
            ("<t>", None),
            ("<p:99999999999>", None),
            ("<o:9223372036854775807>", None),
        ];
        let index = |name: &str| {
            Some(match name {
                "x" => 2,
                "y" => 3,
                "z" => 5,
                _ => return None,
            })
        };
        for (pattern, expected) in cases {
            assert_eq!(expand(pattern, 12, index).ok().as_deref(), expected, "{pattern}");
        }
    }
}
