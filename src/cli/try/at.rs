//! `--at x=3,y=1,z=120`.

use crate::volume::Index;

/// Indices beyond this have no voxels that 64 bits could count.
const LARGEST: i64 = 1 << 31;

/// Reads indices as `try` takes them and messages show them; axes may come in any order, and are 0 when left out.
///
/// # Errors
/// A message for the user.
pub fn parse_at(text: &str) -> Result<Index, String> {
    let mut values = [None; 4];
    for part in text.split(',') {
        let (axis, number) = part.split_once('=').ok_or("write it as x=3,y=1,z=120")?;
        let axis = axis.trim();
        let at = "xyzt".find(axis).filter(|_| axis.len() == 1);
        let value = &mut values[at.ok_or_else(|| format!("`{axis}` is no axis; the axes are x, y, z and t"))?];
        if value.is_some() {
            return Err(format!("`{axis}` is given twice"));
        }
        let number: i64 = number.trim().parse().map_err(|_| format!("`{number}` is not a whole number"))?;
        if number.abs() > LARGEST {
            return Err(format!("{number} is beyond every volume"));
        }
        *value = Some(number);
    }
    let [x, y, z, t] = values.map(Option::unwrap_or_default);
    Ok(Index { x, y, z, t })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_read_as_messages_write_them() {
        assert_eq!(parse_at("x=3,y=1,z=120"), Ok(Index::new(3, 1, 120, 0)));
        assert_eq!(parse_at("t=2, z=-1"), Ok(Index::new(0, 0, -1, 2)));
        for (text, wrong) in [("", "x=3,y=1"), ("3,1,120", "x=3,y=1"), ("w=1", "no axis"), ("xy=1", "no axis")] {
            assert!(parse_at(text).unwrap_err().contains(wrong), "{text}");
        }
        for (text, wrong) in [("x=1.5", "whole"), ("x=1,x=2", "twice"), ("z=99999999999", "beyond"), ("=1", "no axis")]
        {
            assert!(parse_at(text).unwrap_err().contains(wrong), "{text}");
        }
    }
}
