//! File-name patterns of `boss.list`.

/// Whether `name` fits `pattern`, in which `*` stands for any letters (or none) and `?` for one.
///
/// Takes time proportional to the lengths of both multiplied, whatever the pattern.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut letter) = (0, 0);
    // The last `*`, and the first letter after those that it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while letter < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, letter));
                at += 1;
            }
            Some(expected) if *expected == '?' || *expected == name[letter] => {
                at += 1;
                letter += 1;
            }
            _ => {
                let Some((star_at, covered)) = star else { return false };
                star = Some((star_at, covered + 1));
                at = star_at + 1;
                letter = covered + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_letters() {
        let cases = [
            ("*.tif", "s01.tif", true),
            ("*.tif", "s01.tiff", false),
            ("s??.tif", "s01.tif", true),
            ("s??.tif", "s001.tif", false),
            ("*01*", "s0101", true),
            ("*", "", true),
            ("", "a", false),
            ("größe*", "größe1", true),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
