//! Groups held to figures that scikit-learn gives, and to what can be counted by hand.
#![allow(clippy::unwrap_used)]

use super::apart::{Trait, clearest, names, numbers, proposed, terms};
use super::tree::{of, slabs, text, widths};
use super::*;
use crate::protocol::groups::Group;

fn found(rows: &[(&[&str], u64)]) -> Groups {
    let literal = |text: &&str| (!text.is_empty()).then(|| Literal::from(*text));
    let group = |(key, rows): &(&[&str], u64)| Group {
        key: key.iter().map(literal).collect(),
        rows: *rows,
        measures: Vec::new(),
    };
    Groups { groups: rows.iter().map(group).collect(), is_cut: false }
}

#[test]
fn agreement_is_that_of_scikit_learn() {
    let table = Contingency::new(&found(&[
        (&["0", "a"], 20),
        (&["0", "b"], 5),
        (&["1", "b"], 30),
        (&["1", "c"], 10),
        (&["2", "c"], 15),
        (&["2", "a"], 2),
        (&["", "a"], 99),
        (&["2", ""], 99),
    ]));
    let agreement = table.agreement();
    // adjusted_rand_score and normalized_mutual_info_score of 1.9.1 for these 82 rows.
    assert!((agreement.adjusted_rand - 0.492_559_556_291_982_1).abs() < 1e-12, "{agreement:?}");
    assert!((agreement.normalized_mutual - 0.544_682_014_612_762_2).abs() < 1e-12);
    let adjusted = agreement.adjusted_mutual.unwrap_or(f64::NAN);
    assert!((adjusted - 0.533_457_922_754_215_6).abs() < 1e-12, "{agreement:?}");
    assert_eq!(agreement.rows, 82);
    let mixture = table.mixture(0);
    assert_eq!((mixture.rows, mixture.purity), (25, 0.8));
    assert!((mixture.entropy - 0.721_928_094_887_362_3).abs() < 1e-12);
    assert_eq!(mixture.values, [(Literal::from("a"), 20), (Literal::from("b"), 5)]);
    assert_eq!(table.most_frequent(), [1, 2, 0]);
}

#[test]
fn odd_tables_agree_or_do_not() {
    let same = Contingency::new(&found(&[(&["x", "a"], 3), (&["y", "b"], 4)])).agreement();
    assert_eq!((same.adjusted_rand, same.normalized_mutual), (1.0, 1.0));
    assert_eq!(same.adjusted_mutual, Some(1.0));
    let one = Contingency::new(&found(&[(&["x", "a"], 3)])).agreement();
    assert_eq!((one.adjusted_rand, one.normalized_mutual, one.rows), (1.0, 1.0, 3));
    let none = Contingency::new(&Groups::default());
    assert_eq!((none.agreement().rows, none.mixture(3).rows), (0, 0));
    let all = Contingency::new(&found(&[(&["x", "a"], 5), (&["x", "b"], 5)])).agreement();
    assert_eq!((all.adjusted_rand, all.normalized_mutual), (0.0, 0.0));
    assert_eq!((one.adjusted_mutual, all.adjusted_mutual), (Some(1.0), Some(0.0)));
}

#[test]
fn what_lies_beside_clusters_is_known_by_its_name() {
    let column = |name: &str| ColumnInfo {
        name: name.to_owned(),
        data_type: "Float32".to_owned(),
        kind: Kind::Number,
        nullable: false,
        bytes_per_row: 4.0,
        min: None,
        max: None,
        null_count: None,
        distinct_count: None,
    };
    let of_means = [column("c"), column("c_distance")];
    let found = beside(&of_means, "c").unwrap();
    assert_eq!((found.measure.as_str(), found.is_more_typical), ("c_distance", false));
    let dense = [column("c"), column("c_probability"), column("c_outlier")];
    let found = beside(&dense, "c").unwrap();
    assert_eq!((found.measure.as_str(), found.far_out.as_str()), ("c_probability", "c_outlier"));
    assert!(beside(&of_means[..1], "c").is_none() && beside(&dense[..2], "c").is_none());
    // Of the same vectors, so that they say nothing of what groups are.
    let map = ["c", "c_distance", "dim_1", "dim_2", "length", "part_1"].map(column);
    assert_eq!(describing(&map, "c").1, ["length", "part_1"]);
    // 1, 2 and 6: a mean of 3 and a deviation of 7 ^ ½.
    assert!((mean_square(3.0, Some(7_f64.sqrt()), 3) - 41.0 / 3.0).abs() < 1e-12);
    assert_eq!(mean_square(2.0, None, 1), 4.0);
}

#[test]
fn numbers_are_in_the_order_of_their_size() {
    let mut literals: Vec<Literal> = [10, 9, -1].map(Literal::from).to_vec();
    literals.push(Literal::from("a"));
    literals.sort_by(compare);
    let texts: Vec<&str> = literals.iter().map(Literal::as_text).collect();
    assert_eq!(texts, ["-1", "9", "10", "a"]);
}

#[test]
fn what_sets_groups_apart_is_what_is_frequent_here_and_rare_elsewhere() {
    let table = Contingency::new(&found(&[
        (&["0", "finch"], 90),
        (&["0", "robin"], 10),
        (&["1", "finch"], 5),
        (&["1", "robin"], 95),
        (&["2", "finch"], 50),
        (&["2", "robin"], 50),
    ]));
    let found = names("bird", &table);
    let only = |group: usize| match found[group].as_slice() {
        [(_, Trait::Name { value, here, elsewhere, .. })] => {
            Some((value.as_text().to_owned(), *here, *elsewhere))
        }
        _ => None,
    };
    assert_eq!(only(0), Some(("finch".to_owned(), 0.9, 0.275)));
    assert_eq!(only(1), Some(("robin".to_owned(), 0.95, 0.3)));
    assert!(found[2].is_empty(), "{:?}", found[2]);
    // A name of fewer rows tells more where others hardly have it.
    let table = Contingency::new(&self::found(&[
        (&["0", "corvid"], 90),
        (&["0", "other"], 10),
        (&["1", "other"], 800),
        (&["1", "corvid"], 20),
    ]));
    let broad = Contingency::new(&self::found(&[
        (&["0", "bird"], 99),
        (&["0", "beetle"], 1),
        (&["1", "bird"], 420),
        (&["1", "beetle"], 400),
    ]));
    let both = [names("order", &broad)[0].clone(), names("family", &table)[0].clone()].concat();
    let columns = clearest(both, 2).into_iter().map(|one| match one {
        Trait::Name { column, .. } | Trait::Terms { column, .. } | Trait::Number { column, .. } => {
            column
        }
    });
    assert_eq!(columns.collect::<Vec<_>>(), ["family", "order"]);
    // What all rows have, or a single row, sets nobody apart.
    let same = Contingency::new(&self::found(&[(&["0", "x"], 50), (&["1", "x"], 50)]));
    assert!(names("c", &same).iter().all(Vec::is_empty));
    let few = Contingency::new(&self::found(&[(&["0", "x"], 1), (&["1", "y"], 50)]));
    assert!(names("c", &few)[0].is_empty());
}

#[test]
fn words_of_texts_set_groups_apart() {
    let table = Contingency::new(&found(&[
        (&["0", "the"], 95),
        (&["0", "engine"], 60),
        (&["0", "turbo"], 80),
        (&["0", "lake"], 2),
        (&["1", "the"], 190),
        (&["1", "lake"], 100),
        (&["1", "engine"], 10),
    ]));
    let traits = terms("title", &table, &[100, 200]);
    let words = |group: usize| match traits[group].as_slice() {
        [(_, Trait::Terms { column, terms })] if column == "title" => {
            terms.iter().map(|term| term.word.clone()).collect()
        }
        _ => Vec::new(),
    };
    assert_eq!(words(0), ["turbo", "engine"]);
    assert_eq!(words(1), ["lake"]);
    let [(_, Trait::Terms { terms, .. })] = traits[0].as_slice() else { panic!("{traits:?}") };
    assert_eq!((terms[0].here, terms[0].elsewhere), (0.8, 0.0));
    // Where a whole title is what sets it apart, its words are not said again.
    let value = Literal::from("Turbo engines");
    let whole = Trait::Name { column: "title".to_owned(), value, here: 0.5, elsewhere: 0.0 };
    let both = vec![traits[0][0].clone(), (0.01, whole.clone())];
    assert_eq!(clearest(both, 4), [whole]);
    let names = proposed(&[vec![traits[0][0].1.clone()], vec![traits[1][0].1.clone()]]);
    assert_eq!(names, [Some("turbo, engine".to_owned()), Some("lake".to_owned())]);
}

#[test]
fn means_that_are_far_away_set_groups_apart() {
    let group = |rows: u64, mean: f64| Group {
        key: Vec::new(),
        rows,
        measures: vec![[Some(mean), Some(1.0)], [None, None], [Some(mean), Some(0.0)]],
    };
    let columns = ["length", "empty", "same"].map(str::to_owned);
    let mut found = numbers(&columns, &group(25, 5.0), &group(100, 3.0));
    let length = Trait::Number { column: "length".to_owned(), mean: 5.0, distance: 2.0 };
    assert_eq!(found, [(2.0, length.clone())]);
    found.push((1.0, Trait::Number { column: "length".to_owned(), mean: 1.0, distance: 0.1 }));
    assert_eq!(clearest(found, 3), [length]);
    assert!(numbers(&columns, &group(25, 3.2), &group(100, 3.0)).is_empty());
}

#[test]
fn a_tree_is_drawn_as_the_command_draws_one() {
    let taxa = found(&[
        (&["Animalia", "Aves", "finch"], 7),
        (&["Animalia", "Aves", "robin"], 9),
        (&["Animalia", "", "?"], 5),
        (&["Animalia", "Mammalia", "wolf"], 4),
        (&["", "Aves", "ghost"], 50),
        (&["Plantae", "Pinopsida", "pine"], 6),
    ]);
    let tree = of(&taxa, 3, 5);
    let expected = "\
├── Animalia (25)
│   ├── Aves (16)
│   │   ├── robin (9)
│   │   └── finch (7)
│   └── Unknown (5)
│       └── ? (5)
└── Plantae (6)
    └── Pinopsida (6)
        └── pine (6)
";
    assert_eq!(text(&tree, "Unknown"), expected);
    assert_eq!(widths(&tree, 3), [2, 2, 4]);
    assert_eq!(text(&of(&taxa, 1, 1), "Unknown"), "├── Animalia (25)\n└── Plantae (6)\n");
    assert!(of(&Groups::default(), 3, 1).is_empty());
}

#[test]
fn slabs_lie_over_what_they_are_made_of() {
    let tree = of(&found(&[(&["a", "x"], 6), (&["a", "y"], 2), (&["b", "z"], 2)]), 2, 1);
    let found = slabs(&tree, 0.0);
    let of = |path: &[&str]| {
        let path: Vec<_> = path.iter().map(|text| Some(Literal::from(*text))).collect();
        let slab = found.iter().find(|slab| slab.path == path).unwrap();
        (slab.level, (slab.from * 10.0).round(), (slab.to * 10.0).round(), slab.rows)
    };
    assert_eq!(of(&["a"]), (0, 0.0, 8.0, 8));
    assert_eq!(of(&["a", "y"]), (1, 6.0, 8.0, 2));
    assert_eq!(of(&["b", "z"]), (1, 8.0, 10.0, 2));
    assert!(slabs(&tree, 0.3).iter().all(|slab| slab.path.last() != Some(&Some("y".into()))));
}

#[test]
fn groups_are_named_by_what_most_of_their_rows_have() {
    let name = |column: &str, value: Literal, here: f64| Trait::Name {
        column: column.to_owned(),
        value,
        here,
        elsewhere: 0.0,
    };
    let words = |text: &str| Literal::Text(text.to_owned());
    let far = |distance: f64| Trait::Number { column: "ink".to_owned(), mean: 1.0, distance };
    let groups = [
        vec![name("order", words("Passeriformes"), 0.9), far(2.0), name("sex", words("f"), 0.6)],
        vec![far(-1.0), name("digit", Literal::Number("3".to_owned()), 0.8)],
        vec![far(-1.0), name("digit", Literal::Number("3".to_owned()), 0.4)],
        vec![],
        vec![name("is_wild", Literal::Bool(true), 0.7)],
        vec![name("digit", words("3"), 0.8)],
    ];
    let found = proposed(&groups);
    let found: Vec<&str> = found.iter().map(|name| name.as_deref().unwrap_or("-")).collect();
    assert_eq!(found, ["Passeriformes, f", "digit 3", "low ink", "-", "is_wild", "digit 3 2"]);
}
