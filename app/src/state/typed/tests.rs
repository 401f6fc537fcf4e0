//! What is typed, what it means, and that it is shown as it was typed.

#![allow(clippy::unwrap_used)]

use super::*;

fn field(kind: Kind, scalar: Option<Scalar>) -> Field {
    Field { column: "c".to_owned(), kind, scalar }
}

fn json(text: &str) -> Predicate {
    let filters = Predicate::from_filters_text(&format!("[{text}]")).unwrap();
    let Predicate::And(mut parts) = filters else { unreachable!() };
    parts.pop().unwrap()
}

fn check(field: &Field, cases: &[(&str, &str)]) {
    for (typed, meant) in cases {
        let read = field.read(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
        let read = read.unwrap_or_else(|| panic!("{typed} says nothing"));
        assert_eq!(read, json(meant), "{typed}");
        // What is shown for the clause says the same again.
        let shown = written(&read).unwrap_or_else(|| panic!("{typed} is not shown"));
        assert_eq!(field.read(&shown), Ok(Some(read)), "{typed} is shown as {shown}");
    }
}

#[test]
fn numbers() {
    let number = field(Kind::Number, Some(Scalar::Float));
    check(
        &number,
        &[
            (">5", r#"{"column":"c","op":"gt","value":5}"#),
            ("<= 3", r#"{"column":"c","op":"le","value":3}"#),
            ("1..4", r#"{"column":"c","op":"between","value":[1,4]}"#),
            ("-1.5 .. 1e3", r#"{"column":"c","op":"between","value":[-1.5,1e3]}"#),
            ("2..", r#"{"column":"c","op":"ge","value":2}"#),
            ("..2", r#"{"column":"c","op":"le","value":2}"#),
            ("=7", r#"{"column":"c","op":"eq","value":7}"#),
            ("7", r#"{"column":"c","op":"eq","value":7}"#),
            ("!=7", r#"{"column":"c","op":"ne","value":7}"#),
            (">= 1,000", r#"{"column":"c","op":"ge","value":1000}"#),
            ("9007199254740993", r#"{"column":"c","op":"eq","value":9007199254740993}"#),
            ("null", r#"{"column":"c","op":"is_null"}"#),
            (" !null ", r#"{"column":"c","op":"not_null"}"#),
        ],
    );
    assert_eq!(number.read("  "), Ok(None));
    let errors = [
        (">", "a value is missing after >"),
        ("..", "a range needs an end"),
        ("9..1", "9 is after 1"),
        ("abc", "is not a number"),
        ("1..x", "is not a number"),
        ("!7", "is not a number"),
    ];
    for (typed, said) in errors {
        let error = number.read(typed).unwrap_err();
        assert!(error.contains(said), "{typed}: {error}");
    }
}

#[test]
fn times() {
    for scalar in [Scalar::Date, Scalar::Moment] {
        let time = field(Kind::Time, Some(scalar));
        check(
            &time,
            &[
                ("2024-03", r#"{"column":"c","op":"between","value":["2024-03-01","2024-03-31"]}"#),
                ("2024-02", r#"{"column":"c","op":"between","value":["2024-02-01","2024-02-29"]}"#),
                ("1900-02", r#"{"column":"c","op":"between","value":["1900-02-01","1900-02-28"]}"#),
                ("2024", r#"{"column":"c","op":"between","value":["2024-01-01","2024-12-31"]}"#),
                (
                    "2023-12..2024",
                    r#"{"column":"c","op":"between","value":["2023-12-01","2024-12-31"]}"#,
                ),
                (">2024-03", r#"{"column":"c","op":"gt","value":"2024-03-31"}"#),
                (">=2024-03", r#"{"column":"c","op":"ge","value":"2024-03-01"}"#),
                ("<2024-03", r#"{"column":"c","op":"lt","value":"2024-03-01"}"#),
                ("<=2024-03", r#"{"column":"c","op":"le","value":"2024-03-31"}"#),
                (
                    "!=2024-03",
                    r#"{"not":{"column":"c","op":"between","value":["2024-03-01","2024-03-31"]}}"#,
                ),
            ],
        );
        let error = time.read("2024-13").unwrap_err();
        assert!(error.contains("13 is no month"), "{error}");
        let error = time.read("yesterday").unwrap_err();
        assert!(error.contains("2024-03"), "{error}");
    }
    let date = field(Kind::Time, Some(Scalar::Date));
    check(&date, &[("2024-03-05", r#"{"column":"c","op":"eq","value":"2024-03-05"}"#)]);
    // A day is one value of a date, and a range of a timestamp.
    let moment = field(Kind::Time, Some(Scalar::Moment));
    let day = r#"{"column":"c","op":"between","value":["2024-03-05","2024-03-05"]}"#;
    check(&moment, &[("2024-03-05", day)]);
    let clock = field(Kind::Time, Some(Scalar::TimeOfDay));
    check(
        &clock,
        &[("14:30..15:00", r#"{"column":"c","op":"between","value":["14:30","15:00"]}"#)],
    );
}

#[test]
fn texts() {
    for kind in [Kind::Category, Kind::Text] {
        check(
            &field(kind, None),
            &[
                ("abc", r#"{"column":"c","op":"contains","value":"abc","case_sensitive":false}"#),
                ("\">5\"", r#"{"column":"c","op":"contains","value":">5","case_sensitive":false}"#),
                (
                    "\"null\"",
                    r#"{"column":"c","op":"contains","value":"null","case_sensitive":false}"#,
                ),
                ("=AA", r#"{"column":"c","op":"in","value":["AA"]}"#),
                ("= AA | DL", r#"{"column":"c","op":"in","value":["AA","DL"]}"#),
                ("!=AA", r#"{"column":"c","op":"not_in","value":["AA"]}"#),
                ("=", r#"{"column":"c","op":"in","value":[""]}"#),
                ("=\" a\"", r#"{"column":"c","op":"in","value":[" a"]}"#),
                (">=m", r#"{"column":"c","op":"ge","value":"m"}"#),
                ("/^A/", r#"{"column":"c","op":"matches","value":"^A","case_sensitive":false}"#),
                ("/a/b/c", r#"{"column":"c","op":"matches","value":"a/b","case_sensitive":true}"#),
                ("!null", r#"{"column":"c","op":"not_null"}"#),
            ],
        );
    }
    let text = field(Kind::Text, None);
    assert!(text.read("//").unwrap_err().contains("a pattern is missing"));
    assert!(text.read(">").unwrap_err().contains("a value is missing"));
}

#[test]
fn yes_and_no() {
    let flag = field(Kind::Boolean, None);
    check(
        &flag,
        &[
            ("yes", r#"{"column":"c","op":"eq","value":true}"#),
            ("!=true", r#"{"column":"c","op":"eq","value":false}"#),
            ("0", r#"{"column":"c","op":"eq","value":false}"#),
        ],
    );
    assert!(flag.read("maybe").unwrap_err().contains("neither yes nor no"));
    assert!(flag.read(">no").unwrap_err().contains("no order"));
    assert!(field(Kind::Nested, None).read("1").unwrap_err().contains("only null"));
}

#[test]
fn what_cannot_be_typed_is_left_to_words() {
    for json_text in [
        r#"{"or":[{"column":"c","op":"is_null"}]}"#,
        r#"{"column":"c","op":"in","value":[]}"#,
        r#"{"column":"c","op":"in","value":["a|b"]}"#,
        r#"{"column":"c","op":"contains","value":"A","case_sensitive":true}"#,
    ] {
        assert_eq!(written(&json(json_text)), None, "{json_text}");
    }
}
