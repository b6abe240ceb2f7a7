//! Reads the types file: what scripts can call and give, as its annotations and comments say it.
//!
//! Of lua-language-server's annotations those are understood that the file uses: `@alias`, `@class`, `@field`, `@param`,
//! `@return`. A type ends where two spaces follow; what comes behind is said about it.

/// One thing that the types file describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stub {
    /// Such as `boss.Plan`, `boss.open` or `PlanObject:crop`.
    pub name: String,
    /// The comment before it, one paragraph per entry.
    pub about: Vec<String>,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Alias(String),
    /// A table with these fields.
    Class(Vec<Typed>),
    Function {
        params: Vec<Typed>,
        returns: Vec<Typed>,
    },
}

/// A field, a parameter or a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    pub name: String,
    pub is_optional: bool,
    /// As written, such as `boss.Region|"whole"`.
    pub kind: String,
    pub about: String,
}

/// Everything that the text describes, in its order. Classes that only name a table of functions are left out.
pub(super) fn read(text: &str) -> Vec<Stub> {
    let mut stubs = Vec::new();
    let mut block = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("---") {
            Some(line) => block.push(line),
            None => {
                stubs.extend(stub(&block, line));
                block.clear();
            }
        }
    }
    stubs.extend(stub(&block, ""));
    stubs
}

/// What a block of comment lines and the line after it describe.
fn stub(block: &[&str], code: &str) -> Option<Stub> {
    let tagged = |tag: &str| {
        let tag = format!("@{tag} ");
        block.iter().filter_map(|line| line.strip_prefix(&*tag)).collect::<Vec<_>>()
    };
    let about = paragraphs(block);
    if let Some(call) = code.strip_prefix("function ") {
        let name = call.split('(').next()?.to_owned();
        let (params, returns) = (tagged("param"), tagged("return"));
        let kind = Kind::Function {
            params: params.iter().map(|line| typed(line)).collect(),
            returns: returns.iter().map(|line| result(line)).collect(),
        };
        return Some(Stub { name, about, kind });
    }
    if let Some(alias) = tagged("alias").first() {
        let (name, kind) = alias.split_once(' ')?;
        return Some(Stub { name: name.to_owned(), about, kind: Kind::Alias(kind.trim().to_owned()) });
    }
    let tags = tagged("class");
    let name = tags.first()?.trim_start_matches("(exact) ").split(':').next()?.trim();
    let fields: Vec<Typed> = tagged("field").iter().map(|line| typed(line)).collect();
    (!fields.is_empty()).then(|| Stub { name: name.to_owned(), about, kind: Kind::Class(fields) })
}

/// The lines without a tag, joined to paragraphs.
fn paragraphs(block: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = vec![String::new()];
    for line in block.iter().filter(|line| !line.starts_with('@')).map(|line| line.trim()) {
        match found.last_mut() {
            Some(last) if !line.is_empty() => {
                let space = if last.is_empty() { "" } else { " " };
                *last += &format!("{space}{line}");
            }
            _ => found.push(String::new()),
        }
    }
    found.retain(|paragraph| !paragraph.is_empty());
    found
}

/// `name? type  about`.
fn typed(line: &str) -> Typed {
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (kind, about) = rest.split_once("  ").unwrap_or((rest, ""));
    let is_optional = name.ends_with('?');
    let (name, kind) = (name.trim_end_matches('?').to_owned(), kind.trim().to_owned());
    Typed { name, is_optional, kind, about: about.trim().to_owned() }
}

/// `type name`, where a type without brackets has no spaces.
fn result(line: &str) -> Typed {
    let (kind, about) = line.split_once("  ").unwrap_or((line, ""));
    let (kind, name) = match kind.rsplit_once(' ') {
        Some((kind, name)) if name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') => (kind, name),
        _ => (kind, ""),
    };
    let is_optional = kind.ends_with('?');
    let (name, kind) = (name.to_owned(), kind.trim_end_matches('?').to_owned());
    Typed { name, is_optional, kind, about: about.trim().to_owned() }
}

impl Typed {
    /// What is said of it without its default, and the default: the clause that ends in "unless given".
    pub fn about_and_default(&self) -> (String, String) {
        let (mut about, mut default) = (Vec::new(), String::new());
        for clause in self.about.split("; ") {
            match clause.strip_suffix("unless given") {
                Some(value) => default = value.trim_end_matches([',', ' ']).to_owned(),
                None => about.push(clause),
            }
        }
        (about.join("; "), default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_read_with_what_is_said_of_them() {
        let text = "---@meta\n--- The file.\n\n--- A thing,\n--- long.\n---\n--- More.\n---@class boss.Thing: boss.Other\n\
                    ---@field a? string|\"b\"  what it is; \"b\" unless given\n---@field f fun(z: integer): string, string?\n\n\
                    ---@class boss.Functions\nboss = {}\n\n--- Does.\n---@param t { x?: integer, y: integer }\n\
                    ---@param ... any\n---@return string? path\n---@return table<string, integer>\nfunction boss.does(t, ...) end\n\
                    ---@alias boss.Range [integer, integer]\n";
        let stubs = read(text);
        let names: Vec<&str> = stubs.iter().map(|stub| stub.name.as_str()).collect();
        assert_eq!(names, ["boss.Thing", "boss.does", "boss.Range"]);
        assert_eq!(stubs[0].about, ["A thing, long.", "More."]);
        let Kind::Class(fields) = &stubs[0].kind else { panic!("a class") };
        assert_eq!((fields[0].kind.as_str(), fields[0].is_optional), ("string|\"b\"", true));
        assert_eq!(fields[0].about_and_default(), ("what it is".to_owned(), "\"b\"".to_owned()));
        assert_eq!(fields[1].kind, "fun(z: integer): string, string?");
        let Kind::Function { params, returns } = &stubs[1].kind else { panic!("a function") };
        assert_eq!((params[0].kind.as_str(), params[1].name.as_str()), ("{ x?: integer, y: integer }", "..."));
        assert_eq!((returns[0].name.as_str(), returns[0].is_optional), ("path", true));
        assert_eq!((returns[1].name.as_str(), returns[1].kind.as_str()), ("", "table<string, integer>"));
        assert_eq!(stubs[2].kind, Kind::Alias("[integer, integer]".to_owned()));
    }

    #[test]
    fn a_default_may_stand_alone() {
        let one = Typed { about: "0 unless given".to_owned(), ..Typed::default() };
        assert_eq!(one.about_and_default(), (String::new(), "0".to_owned()));
        let one = Typed { about: "format; PNG, else TIFF, unless given".to_owned(), ..Typed::default() };
        assert_eq!(one.about_and_default(), ("format".to_owned(), "PNG, else TIFF".to_owned()));
    }
}
