//! The Python client's own answers, case by case, against what the built-in scripts and the readers give.
//!
//! `tests/data/golden/NOTICE` tells where the cases come from and what their fields mean. Every case runs.

mod array;
mod case;
mod cuboids;
mod elsewhere;
mod rules;

#[test]
fn every_case_of_the_python_client_is_answered_by_its_rule() {
    let cases = case::all();
    let (mut wrong, mut errors) = (Vec::new(), Vec::new());
    for case in &cases {
        let answer = case.run();
        errors.extend(answer.error().map(|error| format!("{}: {error}", case.id)));
        if let Err(difference) = rules::expected(case, &cases).check(&answer) {
            wrong.push(format!("{}: {difference}", case.id));
        }
    }
    println!("{} of {} cases run as they should", cases.len() - wrong.len(), cases.len());
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(&case::folder().display().to_string().replace('.', r"\."), "[golden]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[port]");
    settings.add_filter(r"line \d+", "line [n]");
    settings.bind(|| insta::assert_snapshot!("errors", errors.join("\n")));
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}
