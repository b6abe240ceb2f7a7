//! Questions to the user.

use std::io::{BufRead, Write};

use super::error::CliError;

/// Asks a question that is answered with yes or no, in the Python client's way. `yes` answers it beforehand.
///
/// # Errors
/// When standard input ends without an answer.
pub fn confirm(question: &str, yes: bool) -> Result<bool, CliError> {
    if yes {
        return Ok(true);
    }
    ask(question, &mut std::io::stdin().lock(), &mut std::io::stderr())
}

fn ask(question: &str, input: &mut impl BufRead, output: &mut impl Write) -> Result<bool, CliError> {
    loop {
        // Who cannot see the question can still answer it.
        let _ = write!(output, "{question} (y/n): ").and_then(|()| output.flush());
        let mut answer = String::new();
        match input.read_line(&mut answer) {
            Ok(0) => return Err(CliError::NoAnswer { source: None }),
            Err(source) => return Err(CliError::NoAnswer { source: Some(source) }),
            Ok(_) => {}
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => drop(writeln!(output, "Answer with y or n.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_answers_are_asked_again() {
        for (input, answer) in [("y\n", true), ("maybe\n\nNo\n", false), ("YES", true)] {
            let mut output = Vec::new();
            assert_eq!(ask("Go?", &mut input.as_bytes(), &mut output).unwrap(), answer);
            assert!(output.starts_with(b"Go? (y/n): "));
        }
        assert!(matches!(ask("Go?", &mut "what\n".as_bytes(), &mut Vec::new()), Err(CliError::NoAnswer { .. })));
    }
}
