//! Which known word somebody meant.

/// The candidate that `word` is most likely a slip of, if one is near enough to be named in a hint.
///
/// Two letters may differ, or one in three of longer words; case and the choice of `-` or `_` do not count.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace('-', "_");
    let word = fold(word);
    let (distance, candidate) = candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &fold(candidate)), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    let longest = word.chars().count().max(candidate.chars().count());
    let near = distance < longest && distance <= (longest / 3).max(2);
    near.then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["tile_size", "chunk_size", "extent", "x", "y"];
        let cases = [
            ("tilesize", Some("tile_size")),
            ("Tile-Size", Some("tile_size")),
            ("chunck_size", Some("chunk_size")),
            ("extend", Some("extent")),
            ("comment", None),
            ("q", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest("anything", []), None);
    }
}
