//! The comment at the top of a script: which API it is written for, what it does, which folders it serves.
//!
//! The built-in scripts are listed and described by it, and users' scripts may have one.

/// The comment at the top of a script, without its dashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The number behind `@boss-api`.
    pub api: Option<u32>,
    /// The lines below it. Those that are indented are shown as they stand: a folder, a part of a job file.
    pub lines: Vec<String>,
}

impl Header {
    /// Reads the `---` lines at the very beginning of `text`.
    pub fn of(text: &str) -> Header {
        let mut header = Header::default();
        for line in text.lines().map_while(|line| line.strip_prefix("---")) {
            let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
            match line.strip_prefix("@boss-api") {
                Some(number) => header.api = number.trim().parse().ok(),
                None => header.lines.push(line.to_owned()),
            }
        }
        header
    }

    /// The first sentence, in one line, with its full stop.
    pub fn summary(&self) -> String {
        let paragraph: Vec<&str> = self.lines.iter().map(String::as_str).take_while(|line| !line.is_empty()).collect();
        let paragraph = paragraph.join(" ");
        match paragraph.find(". ") {
            Some(end) => paragraph[..=end].to_owned(),
            None => paragraph,
        }
    }

    /// The indented blocks: folder layouts and parts of job files, each without its common indent.
    pub fn blocks(&self) -> Vec<String> {
        let mut blocks = Vec::new();
        for part in self.parts() {
            if let Part::Block(text) = part {
                blocks.push(text);
            }
        }
        blocks
    }

    /// Paragraphs and indented blocks, in their order.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let is_block = |line: &str| line.starts_with("  ");
        let mut lines = self.lines.iter().map(String::as_str).peekable();
        while let Some(first) = lines.next() {
            if first.is_empty() {
                continue;
            }
            let mut part = vec![first];
            if is_block(first) {
                while let Some(line) = lines.next_if(|line| is_block(line)) {
                    part.push(line);
                }
                parts.push(Part::Block(dedent(&part)));
            } else {
                while let Some(line) = lines.next_if(|line| !line.is_empty() && !is_block(line)) {
                    part.push(line);
                }
                parts.push(Part::Paragraph(part.join("\n")));
            }
        }
        parts
    }
}

/// A piece of a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Paragraph(String),
    Block(String),
}

fn dedent(lines: &[&str]) -> String {
    let indent = |line: &&&str| line.len() - line.trim_start().len();
    let common = lines.iter().map(|line| indent(&line)).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(common..).unwrap_or("")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "--- @boss-api 1\n--- Tiles such as `a.tif` in\n--- folders. More.\n---\n---   root/\n\
                        ---     0.tif\n---\n---   \"json\"\n--- The end.\nlocal M = {}\n--- not the header\n";

    #[test]
    fn the_first_sentence_is_the_summary() {
        let header = Header::of(TEXT);
        assert_eq!((header.api, header.summary().as_str()), (Some(1), "Tiles such as `a.tif` in folders."));
        assert_eq!(Header::of("return {}").summary(), "");
        assert_eq!(Header::of("--- One paragraph only").summary(), "One paragraph only");
    }

    #[test]
    fn indented_lines_are_blocks_with_their_inner_indent() {
        let header = Header::of(TEXT);
        assert_eq!(header.blocks(), ["root/\n  0.tif", "\"json\""]);
        assert_eq!(header.parts().len(), 4);
        assert_eq!(header.parts()[3], Part::Paragraph("The end.".to_owned()));
    }
}
