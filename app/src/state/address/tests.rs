//! Addresses: readable both ways, and harmless whatever stands in them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};
use engine::query::AggregateOp;

use super::*;
use crate::protocol::{Form, Mark, Measured, ViewId, Viewport};
use crate::scale::step::TimeStep;
use crate::state::column_clause;

fn column(name: &str, predicate: Predicate) -> Clause {
    Clause { id: column_clause(name), predicate }
}

fn number(text: &str) -> Literal {
    Literal::Number(text.to_owned())
}

fn between(name: &str, low: Literal, high: Literal) -> Predicate {
    Predicate::Between { column: name.to_owned(), low, high }
}

fn of_mark(id: u32, mark: Mark) -> ShownView {
    ShownView { id: ViewId(id), mark, viewport: None }
}

#[expect(clippy::too_many_lines, reason = "one of everything that an address can hold")]
fn everything() -> Chosen {
    let scatter = |id, viewport| ShownView {
        id: ViewId(id),
        mark: Mark::Scatter {
            varied: crate::protocol::Varied {
                size: Some("s:1;@".to_owned()),
                shape: Some("größe, m²".to_owned()),
            },
            look: crate::look::Look::read("log;size30;density").unwrap(),
            x: "a:b@c".to_owned(),
            y: "größe, m²".to_owned(),
            color: Some("100%&=#".to_owned()),
        },
        viewport,
    };
    let odd = "it's: a+b @1, ✈".to_owned();
    let mut names = crate::state::names::Names::default();
    names.set("a:b", "größe, m²", "x=1 & y: z");
    names.set("a:b", "", "nothing");
    Chosen {
        names,
        table: Some("sales/2024 & more".to_owned()),
        version: Some(Version::Number(9_007_199_254_740_993)),
        columns: Some(vec!["a,b".to_owned(), "c".to_owned()]),
        views: Some(vec![
            scatter(1, None),
            scatter(7, Some(Viewport { x: [-1.5e-9, 2.0], y: [0.0, 1e300] })),
            ShownView {
                id: ViewId(2),
                mark: Mark::Histogram {
                    column: "t".to_owned(),
                    bins: 40,
                    domain: Some([978_307_200_000.0, 1e12]),
                    form: Form { log_axis: true, log_counts: true, cumulative: true },
                },
                viewport: None,
            },
            ShownView {
                id: ViewId(3),
                mark: Mark::Bars { column: "-x".to_owned(), limit: 12, search: "a@b".to_owned() },
                viewport: None,
            },
            of_mark(4, Mark::Heat { x: "a:b".to_owned(), y: "@".to_owned(), bins: 20, log: true }),
            of_mark(
                5,
                Mark::Line {
                    time: "t".to_owned(),
                    of: Some(Measured { op: AggregateOp::Median, column: "x:y".to_owned() }),
                    split: None,
                    step: Some(TimeStep::TenMinutes),
                },
            ),
            of_mark(
                6,
                Mark::Line {
                    time: "t".to_owned(),
                    of: None,
                    split: Some("c".to_owned()),
                    step: None,
                },
            ),
            of_mark(8, Mark::Line { time: "t".to_owned(), of: None, split: None, step: None }),
            of_mark(
                9,
                Mark::Boxes { column: "n".to_owned(), by: Some("c".to_owned()), violin: false },
            ),
            of_mark(10, Mark::Boxes { column: "n".to_owned(), by: None, violin: true }),
        ]),
        clauses: vec![
            column("delay", between("delay", number("-5"), number("9007199254740993"))),
            column(
                "t",
                between("t", Literal::from("2001-01-01T10:30:00"), Literal::from("2001-01-02")),
            ),
            column(
                "code",
                Predicate::In {
                    column: "code".to_owned(),
                    values: vec![
                        "12".into(),
                        number("12"),
                        true.into(),
                        "true".into(),
                        "'".into(),
                        "".into(),
                        odd.as_str().into(),
                        " 1".into(),
                    ],
                    negated: true,
                },
            ),
            column(
                "none",
                Predicate::In { column: "none".to_owned(), values: vec![], negated: false },
            ),
            column(
                "name",
                Predicate::Contains {
                    column: "name".to_owned(),
                    text: odd.clone(),
                    case_sensitive: false,
                },
            ),
            column(
                "case",
                Predicate::Matches {
                    column: "case".to_owned(),
                    pattern: r"^\d+:(a|b)$".to_owned(),
                    case_sensitive: true,
                },
            ),
            column(
                "flag",
                Predicate::Compare {
                    column: "flag".to_owned(),
                    op: Comparison::Eq,
                    value: false.into(),
                },
            ),
            column("gap", Predicate::IsNull { column: "gap".to_owned() }),
            column("@7", Predicate::NotNull { column: "@7".to_owned() }),
            column(
                "not",
                Predicate::Not(Box::new(Predicate::NotNull { column: "not".to_owned() })),
            ),
            Clause {
                id: "view:7".to_owned(),
                predicate: Predicate::And(vec![
                    between("a:b@c", number("0"), number("1")),
                    between("größe, m²", number("2"), number("3")),
                ]),
            },
            Clause {
                id: "view:8".to_owned(),
                predicate: Predicate::Within {
                    x: "a:b@c".to_owned(),
                    y: "größe, m²".to_owned(),
                    polygon: vec![[0.0, -1.5], [2.25, 0.0], [1e-7, 1_700_000_000_000.0]],
                },
            },
        ],
        order_by: vec![
            OrderKey { column: "-x".to_owned(), descending: true, nulls: Nulls::Last },
            OrderKey { column: "!y,z".to_owned(), descending: false, nulls: Nulls::First },
        ],
        player: Some(Player { column: "a:b".to_owned(), width: 5, speed: 8 }),
        row_groups: {
            let mut groups = crate::state::row_groups::RowGroups::default();
            groups.add(
                "größe: a,b",
                vec![column("a:b", Predicate::IsNull { column: "a:b".to_owned() })],
            );
            groups.add("all", Vec::new());
            groups
        },
        pinned: Some(12_345),
        row_columns: Some(vec![]),
        twins: vec![ViewId(2), ViewId(9)],
        row_layout: RowLayout {
            pins: vec!["größe, m²".to_owned(), "-x:1".to_owned()],
            widths: [("a:b@c".to_owned(), 80), ("!y,z".to_owned(), 900)].into(),
        },
    }
}

#[test]
fn everything_that_can_be_chosen_survives_the_address() {
    let options =
        Options { renderer: RendererChoice::Raster, debug: true, budget_bytes: Some(1 << 30) };
    let address = write(&everything(), &options);
    let back = read(&address);
    assert_eq!(back.complaints, Vec::<String>::new(), "{address}");
    assert_eq!(back.chosen, everything(), "{address}");
    assert_eq!(back.options, options);
    assert!(address.is_ascii());
    for byte in address.bytes() {
        assert!(!b" \"<>#`{}|\\^'".contains(&byte) || byte == b'\'', "{address}");
    }
}

#[test]
fn addresses_are_readable() {
    let mut names = crate::state::names::Names::default();
    names.set("origin", "ATL", "Atlanta, GA");
    let mut row_groups = crate::state::row_groups::RowGroups::default();
    let value = "ATL".into();
    let home = Predicate::Compare { column: "origin".to_owned(), op: Comparison::Eq, value };
    row_groups.add("home", vec![column("origin", home)]);
    let chosen = Chosen {
        names,
        row_groups,
        table: Some("flights".to_owned()),
        version: Some(Version::Number(4)),
        columns: Some(vec!["date".to_owned(), "delay".to_owned()]),
        views: Some(vec![ShownView {
            id: ViewId(1),
            mark: Mark::Scatter {
                varied: Default::default(),
                x: "distance".to_owned(),
                y: "delay".to_owned(),
                color: None,
                look: Default::default(),
            },
            viewport: None,
        }]),
        clauses: vec![column("delay", between("delay", number("0"), number("60")))],
        order_by: vec![OrderKey {
            column: "delay".to_owned(),
            descending: true,
            nulls: Nulls::Last,
        }],
        player: None,
        pinned: None,
        row_columns: None,
        twins: vec![],
        row_layout: RowLayout::default(),
    };
    assert_eq!(
        write(&chosen, &Options::default()),
        "?link=1&table=flights&version=4&columns=date,delay&filter=delay:between:0:60\
         &view=1:scatter:distance:delay&name=origin:ATL:Atlanta%2C%20GA\
         &rows-named=home&of=origin:eq:ATL&sort=-delay"
    );
    assert_eq!(write(&Chosen::default(), &Options::default()), "");
    let no_views = Chosen { table: Some("t".to_owned()), views: Some(vec![]), ..Chosen::default() };
    assert_eq!(read(&write(&no_views, &Options::default())).chosen, no_views);
    let address = "https://host.example/a b.parquet?x=1&y=2";
    let elsewhere = Chosen { table: Some(address.to_owned()), ..Chosen::default() };
    let written = write(&elsewhere, &Options::default());
    assert!(written.contains("&open=https") && !written.contains("table="), "{written}");
    assert_eq!(read(&written).chosen, elsewhere);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_kept() {
    let cases = [
        ("filter=delay:between:0", "cannot read the filter"),
        ("filter=delay:atleast:0", "cannot read the filter"),
        ("filter=delay:json:%7B", "cannot read a filter"),
        ("filter=elsewhere:json:%7B%22and%22%3A%5B%5D%7D", "cannot read the filter"),
        ("filter=%ZZ:is_null", "broken %"),
        ("filter=%FF:is_null", "not UTF-8"),
        ("filter=@x:box:a:1:2:b:1:2", "cannot read the filter"),
        ("filter=@4294967296:box:a:1:2:b:1:2", "cannot read the filter"),
        ("filter=@1:lasso:a:b:1:2:3:4", "cannot read the filter"),
        ("filter=@1:lasso:a:b:1:2:3:4:5:6:7", "cannot read the filter"),
        ("filter=@1:lasso:a:b:1:2:3:4:5:inf", "cannot read the filter"),
        ("open=ftp:%2F%2Fx", "no address"),
        ("view=1:pie:a", "cannot read the view"),
        ("view=1:scatter:a", "cannot read the view"),
        ("view=1:scatter:a:b@1:2:3", "cannot read the view"),
        ("view=1:scatter:a:b@1:2:NaN:4", "is not a number"),
        ("view=1:scatter:a:b@1:2:4:4", "is no range"),
        ("view=1:histogram:a:0", "cannot read the view"),
        ("view=1:histogram:a:65535", "cannot read the view"),
        ("view=-1:histogram:a:10", "cannot read the view"),
        ("view=9:bars:a:10&view=9:bars:b:10", "is there twice"),
        ("version=-1", "no version"),
        ("version=latest", "no version"),
        ("widths=a", "no width"),
        ("widths=a:wide", "no width"),
        ("link=2", "newer Limn"),
        ("renderer=vulkan", "no renderer"),
        ("budget=all", "no number of bytes"),
    ];
    for (part, complaint) in cases {
        let back = read(&format!("?table=t&{part}&columns=a"));
        assert_eq!(back.complaints.len(), 1, "{part}: {:?}", back.complaints);
        assert!(back.complaints[0].contains(complaint), "{part}: {:?}", back.complaints);
        assert_eq!(back.chosen.columns, Some(vec!["a".to_owned()]), "{part}");
    }
    let homeless = read("?filter=a:is_null");
    assert_eq!(homeless.chosen, Chosen::default());
    assert_eq!(homeless.complaints.len(), 1);
    assert_eq!(read("?utm_source=x&fbclid=y").complaints, Vec::<String>::new());
}

#[test]
fn limits_hold() {
    let many = |part: &str, n: usize| {
        (0..n).map(|i| part.replace("{}", &i.to_string())).collect::<Vec<_>>().join("&")
    };
    let back = read(&format!("table=t&{}", many("filter=c{}:is_null", CLAUSES_MAX + 3)));
    assert_eq!((back.chosen.clauses.len(), back.complaints.len()), (CLAUSES_MAX, 3));
    let back = read(&format!("table=t&{}", many("view={}:bars:c:9", VIEWS_MAX + 3)));
    assert_eq!((back.chosen.shown_views().len(), back.complaints.len()), (VIEWS_MAX, 3));
    let back = read(&"a".repeat(ADDRESS_BYTES_MAX + 1));
    assert_eq!(back.complaints.len(), 1);
    let deep = format!("{}{}", "{\"not\":".repeat(5000), "}".repeat(5000));
    let back = read(&format!("table=t&filter=column%3Aa:json:{}", encoded(&deep)));
    assert_eq!(back.complaints.len(), 1);
}

/// Seeded mutations of a good address: never a panic, and what is read can be written and
/// read again to the same.
#[test]
fn mutated_addresses_are_read_or_refused() {
    let good = write(&everything(), &Options::default()).into_bytes();
    let mut seed = 614u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    const SIGNS: &[u8] = b"&=:,@%+-!'?#.%00%FF9eEinfNaN{}[]\"\\\x00\xff\xc3";
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..=random(6) {
            let at = random(bytes.len());
            match random(5) {
                0 => bytes.truncate(at),
                1 => bytes[at] = SIGNS[random(SIGNS.len())],
                2 => bytes.insert(at, SIGNS[random(SIGNS.len())]),
                3 => drop(
                    bytes.drain(at..(at + random(20)).min(good.len()).max(at).min(bytes.len())),
                ),
                _ => {
                    let to = (at + random(30)).min(bytes.len());
                    let piece = bytes[at..to].to_vec();
                    let into = random(bytes.len());
                    bytes.splice(into..into, piece);
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let first = read(&text);
        let again = read(&write(&first.chosen, &first.options));
        assert_eq!(again.complaints, Vec::<String>::new(), "{text}");
        assert_eq!(again.chosen, first.chosen, "{text}");
    }
}
