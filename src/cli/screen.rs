//! Standard output for something that changes: in place on a terminal, else written anew whenever it changed.

use std::io::{IsTerminal, Write};

use super::error::CliError;
use crate::report::cut;

/// What was shown last, and where.
pub struct Screen {
    in_place: bool,
    /// Lines that stand where the next text is drawn.
    lines: usize,
    last: String,
}

/// Characters of a line where the terminal does not tell.
const WIDTH: usize = 100;

impl Screen {
    /// In place if standard output is a terminal.
    pub fn new() -> Self {
        Screen { in_place: std::io::stdout().is_terminal(), lines: 0, last: String::new() }
    }

    /// Never in place.
    pub fn plain() -> Self {
        Screen { in_place: false, lines: 0, last: String::new() }
    }

    /// Shows a text of one or more lines, if it is another than the last.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn show(&mut self, text: String) -> Result<(), CliError> {
        if text == self.last {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        let written = match self.in_place {
            true => {
                let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
                self.redraw(&mut out, &text, width)
            }
            false => writeln!(out, "{text}"),
        };
        self.last = text;
        written.and_then(|()| out.flush()).map_err(CliError::Output)
    }

    /// Something else is written below; what stands there stays.
    pub fn leave(&mut self) {
        self.lines = 0;
        self.last.clear();
    }

    /// Goes up to the first line and draws over what stood there; lines are cut, so that none takes two.
    fn redraw(&mut self, out: &mut impl Write, text: &str, width: usize) -> std::io::Result<()> {
        if self.lines > 0 {
            write!(out, "\x1b[{}A", self.lines)?;
        }
        write!(out, "\r\x1b[J")?;
        for line in text.lines() {
            writeln!(out, "{}", cut(line, width.saturating_sub(1)))?;
        }
        self.lines = text.lines().count();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_drawn_over_the_last_one() {
        let mut screen = Screen::plain();
        let mut out = Vec::new();
        screen.redraw(&mut out, "one\n  two, which is long", 10).unwrap();
        screen.redraw(&mut out, "three", 10).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\r\x1b[Jone\n  two, w…\n\x1b[2A\r\x1b[Jthree\n");
    }
}
