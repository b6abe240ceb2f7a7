//! The Python client's own answers, case by case, against what the built-in scripts and the readers give.
//!
//! `tests/data/golden/NOTICE` tells where the cases come from and what their fields mean. A case runs as soon as the program
//! reads what it needs; those that wait for a reader are printed with the reason, and their number is held, so that it can
//! only become smaller.

mod array;
mod case;
mod cuboids;
mod elsewhere;
mod rules;

use std::collections::BTreeMap;

use case::Outcome;

/// How many cases wait for each reader.
const WAITING: [(&str, usize); 1] = [("bossdb", 10)];

#[test]
fn every_case_of_the_python_client_is_answered_by_its_rule() {
    let cases = case::all();
    let (mut wrong, mut waiting) = (Vec::new(), BTreeMap::<&str, Vec<&str>>::new());
    let mut errors = Vec::new();
    for case in &cases {
        match case.run() {
            Outcome::Waits(reader) => waiting.entry(reader).or_default().push(&case.id),
            Outcome::Ran(answer) => {
                errors.extend(answer.error().map(|error| format!("{}: {error}", case.id)));
                if let Err(difference) = rules::expected(case, &cases).check(&answer) {
                    wrong.push(format!("{}: {difference}", case.id));
                }
            }
        }
    }
    let count: usize = waiting.values().map(Vec::len).sum();
    println!(
        "{} of {} cases run, {} of them as they should",
        cases.len() - count,
        cases.len(),
        cases.len() - count - wrong.len()
    );
    for (reader, cases) in &waiting {
        println!("{} cases wait for {reader}: {}", cases.len(), cases.join(", "));
    }
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(&case::folder().display().to_string().replace('.', r"\."), "[golden]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[port]");
    settings.add_filter(r"line \d+", "line [n]");
    settings.bind(|| insta::assert_snapshot!("errors", errors.join("\n")));
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    let counts: Vec<_> = waiting.iter().map(|(reader, cases)| (*reader, cases.len())).collect();
    assert_eq!(counts, WAITING);
}
