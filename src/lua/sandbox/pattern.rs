//! Lua's patterns, by a matcher that can be stopped.
//!
//! Lua's own cannot be interrupted: `("a"):rep(30000):find((".-"):rep(20) .. "b")` would hold a worker for years. This
//! one does what `lstrlib.c` of Lua 5.4 does, step for step and error for error, and asks every few thousand steps
//! whether it may go on. Subjects and patterns are bytes. Positions are counted from 0; ends are exclusive.

/// Steps between two questions whether to go on: some 50 µs.
const STEPS: usize = 1 << 14;

/// How deep items of a pattern nest while matching, as in Lua (`MAXCCALLS`).
const DEEPEST: u32 = 200;

/// As in Lua (`LUA_MAXCAPTURES`).
const MOST_CAPTURES: usize = 32;

const ESCAPE: u8 = b'%';

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fail {
    /// The pattern is none; in Lua's words.
    Pattern(String),
    /// It was told to stop.
    Stopped(mlua::Error),
}

type Answer<T> = Result<T, Fail>;

/// Says whether to go on.
pub(super) type GoOn<'a> = &'a dyn Fn() -> mlua::Result<()>;

/// A part of the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capture {
    Text {
        start: usize,
        end: usize,
    },
    /// `()`
    Position(usize),
}

#[derive(Clone, Copy)]
enum Length {
    Unfinished,
    Position,
    Bytes(usize),
}

/// One subject under one pattern.
pub(super) struct Matcher<'a> {
    subject: &'a [u8],
    /// Without the anchor.
    pattern: &'a [u8],
    depth_left: u32,
    level: usize,
    captures: [(usize, Length); MOST_CAPTURES],
    steps_left: usize,
    go_on: GoOn<'a>,
}

/// Whether nothing in the pattern has a meaning of its own.
pub(super) fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

/// Where `needle` begins in `subject` from `start` on.
pub(super) fn find_plain(subject: &[u8], needle: &[u8], start: usize, go_on: GoOn) -> Answer<Option<usize>> {
    let Some(first) = needle.first() else { return Ok(Some(start)) };
    let Some(last) = subject.len().checked_sub(needle.len()) else { return Ok(None) };
    let mut steps = 0;
    for at in start..=last {
        if subject[at] == *first {
            if subject[at..].starts_with(needle) {
                return Ok(Some(at));
            }
            steps += needle.len();
        }
        steps += 1;
        if steps > STEPS {
            steps = 0;
            go_on().map_err(Fail::Stopped)?;
        }
    }
    Ok(None)
}

impl<'a> Matcher<'a> {
    pub fn new(subject: &'a [u8], pattern: &'a [u8], go_on: GoOn<'a>) -> Self {
        let captures = [(0, Length::Unfinished); MOST_CAPTURES];
        Matcher { subject, pattern, depth_left: DEEPEST, level: 0, captures, steps_left: STEPS, go_on }
    }

    /// The end of the match that begins at `start`.
    pub fn match_at(&mut self, start: usize) -> Answer<Option<usize>> {
        self.depth_left = DEEPEST;
        self.level = 0;
        self.spend(1)?;
        self.matches(start, 0)
    }

    /// How many values a match gives: its captures, or itself.
    pub fn values(&self) -> usize {
        self.level.max(1)
    }

    pub fn level(&self) -> usize {
        self.level
    }

    /// A capture of the match `start..end`, counted from 0; the first is the match itself when the pattern has none.
    pub fn capture(&self, nth: usize, start: usize, end: usize) -> Answer<Capture> {
        if nth >= self.level {
            return if nth == 0 { Ok(Capture::Text { start, end }) } else { Err(no_capture(nth + 1)) };
        }
        match self.captures[nth] {
            (_, Length::Unfinished) => Err(wrong("unfinished capture")),
            (start, Length::Position) => Ok(Capture::Position(start)),
            (start, Length::Bytes(length)) => Ok(Capture::Text { start, end: start + length }),
        }
    }

    fn spend(&mut self, steps: usize) -> Answer<()> {
        if let Some(left) = self.steps_left.checked_sub(steps) {
            self.steps_left = left;
            return Ok(());
        }
        self.steps_left = STEPS;
        (self.go_on)().map_err(Fail::Stopped)
    }

    /// The byte of the pattern; behind its end the 0 that C strings have there.
    fn item(&self, at: usize) -> u8 {
        self.pattern.get(at).copied().unwrap_or(0)
    }

    fn byte(&self, at: usize) -> u8 {
        self.subject.get(at).copied().unwrap_or(0)
    }

    fn matches(&mut self, s: usize, p: usize) -> Answer<Option<usize>> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or_else(|| wrong("pattern too complex"))?;
        let end = self.run(s, p)?;
        self.depth_left += 1;
        Ok(end)
    }

    fn run(&mut self, mut s: usize, mut p: usize) -> Answer<Option<usize>> {
        while p < self.pattern.len() {
            self.spend(1)?;
            match (self.pattern[p], self.item(p + 1)) {
                (b'(', b')') => return self.start_capture(s, p + 2, Length::Position),
                (b'(', _) => return self.start_capture(s, p + 1, Length::Unfinished),
                (b')', _) => return self.end_capture(s, p + 1),
                (b'$', _) if p + 1 == self.pattern.len() => return Ok((s == self.subject.len()).then_some(s)),
                (ESCAPE, b'b') => {
                    let Some(after) = self.balance(s, p + 2)? else { return Ok(None) };
                    (s, p) = (after, p + 4);
                }
                (ESCAPE, b'f') => {
                    let Some(after) = self.frontier(s, p + 2)? else { return Ok(None) };
                    p = after;
                }
                (ESCAPE, digit @ b'0'..=b'9') => {
                    let Some(after) = self.repeated(s, digit)? else { return Ok(None) };
                    (s, p) = (after, p + 2);
                }
                _ => {
                    let after = self.class_end(p)?;
                    let fits = self.fits(s, p, after);
                    match self.item(after) {
                        b'?' => {
                            if fits && let Some(end) = self.matches(s + 1, after + 1)? {
                                return Ok(Some(end));
                            }
                            p = after + 1;
                        }
                        b'*' if fits => return self.longest(s, p, after),
                        b'-' if fits => return self.shortest(s, p, after),
                        b'*' | b'-' => p = after + 1,
                        b'+' if fits => return self.longest(s + 1, p, after),
                        _ if fits && self.item(after) != b'+' => (s, p) = (s + 1, after),
                        _ => return Ok(None),
                    }
                }
            }
        }
        Ok(Some(s))
    }

    fn start_capture(&mut self, s: usize, p: usize, length: Length) -> Answer<Option<usize>> {
        if self.level >= MOST_CAPTURES {
            return Err(wrong("too many captures"));
        }
        self.captures[self.level] = (s, length);
        self.level += 1;
        let end = self.matches(s, p)?;
        if end.is_none() {
            self.level -= 1;
        }
        Ok(end)
    }

    fn end_capture(&mut self, s: usize, p: usize) -> Answer<Option<usize>> {
        let open = self.captures[..self.level].iter().rposition(|(_, length)| matches!(length, Length::Unfinished));
        let nth = open.ok_or_else(|| wrong("invalid pattern capture"))?;
        self.captures[nth].1 = Length::Bytes(s - self.captures[nth].0);
        let end = self.matches(s, p)?;
        if end.is_none() {
            self.captures[nth].1 = Length::Unfinished;
        }
        Ok(end)
    }

    /// `%1`: what the capture holds, once more.
    fn repeated(&mut self, s: usize, digit: u8) -> Answer<Option<usize>> {
        let nth = usize::from(digit - b'0');
        let captured = nth.checked_sub(1).filter(|index| *index < self.level).map(|index| self.captures[index]);
        match captured {
            // Lua compares the length -2 of a position as if it were enormous.
            Some((_, Length::Position)) => Ok(None),
            Some((start, Length::Bytes(length))) => {
                self.spend(length / 8)?;
                let text = &self.subject[start..start + length];
                Ok(self.subject[s..].starts_with(text).then_some(s + length))
            }
            _ => Err(no_capture(nth)),
        }
    }

    /// `%bxy`
    fn balance(&mut self, s: usize, p: usize) -> Answer<Option<usize>> {
        if p + 1 >= self.pattern.len() {
            return Err(wrong("malformed pattern (missing arguments to '%b')"));
        }
        let (open, close) = (self.pattern[p], self.pattern[p + 1]);
        if self.byte(s) != open {
            return Ok(None);
        }
        let mut depth = 1;
        for at in s + 1..self.subject.len() {
            self.spend(1)?;
            if self.subject[at] == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if self.subject[at] == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: what is behind it in the pattern, where the set begins to fit.
    fn frontier(&mut self, s: usize, p: usize) -> Answer<Option<usize>> {
        if self.item(p) != b'[' {
            return Err(wrong("missing '[' after '%f' in pattern"));
        }
        let after = self.class_end(p)?;
        let before = if s == 0 { 0 } else { self.subject[s - 1] };
        let set = &self.pattern[p..after];
        Ok((!in_set(before, set) && in_set(self.byte(s), set)).then_some(after))
    }

    /// What is behind the class that begins at `p`.
    fn class_end(&mut self, p: usize) -> Answer<usize> {
        match self.pattern[p] {
            ESCAPE if p + 1 == self.pattern.len() => Err(wrong("malformed pattern (ends with '%')")),
            ESCAPE => Ok(p + 2),
            b'[' => self.set_end(p),
            _ => Ok(p + 1),
        }
    }

    fn set_end(&mut self, p: usize) -> Answer<usize> {
        let mut at = p + 1;
        if self.item(at) == b'^' {
            at += 1;
        }
        loop {
            let Some(byte) = self.pattern.get(at) else { return Err(wrong("malformed pattern (missing ']')")) };
            at += 1;
            if *byte == ESCAPE && at < self.pattern.len() {
                at += 1;
            }
            if self.item(at) == b']' {
                // A set is gone through for every byte that is tried on it.
                self.spend(at - p)?;
                return Ok(at + 1);
            }
        }
    }

    /// Whether the byte at `s` fits the class `p..after`.
    fn fits(&self, s: usize, p: usize, after: usize) -> bool {
        let Some(byte) = self.subject.get(s).copied() else { return false };
        match self.pattern[p] {
            b'.' => true,
            ESCAPE => in_class(byte, self.pattern[p + 1]),
            b'[' => in_set(byte, &self.pattern[p..after]),
            literal => literal == byte,
        }
    }

    /// `*`, and `+` after its first.
    fn longest(&mut self, s: usize, p: usize, after: usize) -> Answer<Option<usize>> {
        let mut count = 0;
        while self.fits(s + count, p, after) {
            count += 1;
            self.spend(after - p)?;
        }
        for count in (0..=count).rev() {
            if let Some(end) = self.matches(s + count, after + 1)? {
                return Ok(Some(end));
            }
            self.spend(1)?;
        }
        Ok(None)
    }

    fn shortest(&mut self, mut s: usize, p: usize, after: usize) -> Answer<Option<usize>> {
        loop {
            if let Some(end) = self.matches(s, after + 1)? {
                return Ok(Some(end));
            }
            if !self.fits(s, p, after) {
                return Ok(None);
            }
            s += 1;
            self.spend(after - p)?;
        }
    }
}

/// Whether the byte is in `[…]`, given with its brackets.
fn in_set(byte: u8, set: &[u8]) -> bool {
    let inner = &set[1..set.len() - 1];
    let (is_member, inner) = match inner.strip_prefix(b"^") {
        Some(rest) => (false, rest),
        None => (true, inner),
    };
    let mut rest = inner;
    loop {
        let (fits, length) = match rest {
            [] => return !is_member,
            // A `%` at the very end escapes the bracket.
            [ESCAPE] => (in_class(byte, b']'), 1),
            [ESCAPE, class, ..] => (in_class(byte, *class), 2),
            [low, b'-', high, ..] => ((*low..=*high).contains(&byte), 3),
            [literal, ..] => (*literal == byte, 1),
        };
        if fits {
            return is_member;
        }
        rest = &rest[length..];
    }
}

/// Whether the byte is in `%class`.
fn in_class(byte: u8, class: u8) -> bool {
    let is_in = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => matches!(byte, b' ' | b'\t'..=b'\r'),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is_in == class.is_ascii_lowercase()
}

fn wrong(message: &str) -> Fail {
    Fail::Pattern(message.to_owned())
}

/// `nth` is counted from 1.
fn no_capture(nth: usize) -> Fail {
    Fail::Pattern(format!("invalid capture index %{nth}"))
}
