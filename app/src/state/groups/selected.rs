//! Rows that are selected beside all others: what sets them apart, from counts of them and of
//! all rows together.

use engine::literal::Literal;

use super::apart::{self, Traits};
use super::{Contingency, compare};
use crate::protocol::groups::{Group, Groups};

const SELECTED: &str = "selected";
const OTHERS: &str = "others";

/// What values of a column, or words of its texts, say of the selected rows. Both were counted by
/// that column, of `rows` selected and other ones. Nothing is said of counts that are cut.
pub fn traits(
    column: &str,
    selected: &Groups,
    all: &Groups,
    has_terms: bool,
    rows: [u64; 2],
) -> Traits {
    if selected.is_cut || all.is_cut {
        return Traits::new();
    }
    let table = Contingency::new(&split(selected, all));
    let mut found = match has_terms {
        false => apart::names(column, &table),
        true => {
            let [own, others] = rows;
            let of = |group: &Literal| if *group == Literal::from(SELECTED) { own } else { others };
            let rows: Vec<u64> = table.groups.iter().map(of).collect();
            apart::terms(column, &table, &rows)
        }
    };
    match table.place(&Literal::from(SELECTED)) {
        Some(place) if place < found.len() => found.swap_remove(place),
        _ => Traits::new(),
    }
}

/// Two groups of all rows, by the same column.
fn split(selected: &Groups, all: &Groups) -> Groups {
    let mut own: Vec<(&[Option<Literal>], u64)> =
        selected.groups.iter().map(|group| (group.key.as_slice(), group.rows)).collect();
    let order = |a: &[Option<Literal>], b: &[Option<Literal>]| match (a, b) {
        ([Some(a)], [Some(b)]) => compare(a, b),
        _ => a.cmp(b),
    };
    own.sort_by(|(a, _), (b, _)| order(a, b));
    let group = |of: &str, key: &[Option<Literal>], rows: u64| {
        let key = std::iter::once(Some(Literal::from(of))).chain(key.iter().cloned()).collect();
        (rows > 0).then_some(Group { key, rows, measures: Vec::new() })
    };
    let both = all.groups.iter().flat_map(|each| {
        let found = own.binary_search_by(|(key, _)| order(key, &each.key));
        let rows = found.ok().and_then(|at| own.get(at)).map_or(0, |(_, rows)| *rows);
        let others = each.rows.saturating_sub(rows);
        [group(SELECTED, &each.key, rows), group(OTHERS, &each.key, others)]
    });
    Groups { groups: both.flatten().collect(), is_cut: false }
}

/// The mean of rows that are not among some, from those of all and of these.
pub fn mean_of_others([rows, all]: [u64; 2], mean: f64, mean_of_all: f64) -> Option<f64> {
    let others = all.checked_sub(rows).filter(|others| *others > 0)?;
    Some((mean_of_all * all as f64 - mean * rows as f64) / others as f64)
}

#[cfg(test)]
mod tests {
    use super::super::apart::Trait;
    use super::*;

    fn counted(rows: &[(&str, u64)]) -> Groups {
        let group = |(key, rows): &(&str, u64)| Group {
            key: vec![(!key.is_empty()).then(|| Literal::from(*key))],
            rows: *rows,
            measures: Vec::new(),
        };
        Groups { groups: rows.iter().map(group).collect(), is_cut: false }
    }

    #[test]
    fn what_is_more_frequent_than_elsewhere_sets_rows_apart() {
        let all = counted(&[("robin", 300), ("wren", 200), ("owl", 100), ("", 50)]);
        let selected = counted(&[("owl", 90), ("robin", 10), ("", 20)]);
        let found = traits("bird", &selected, &all, false, [120, 530]);
        let [(_, Trait::Name { column, value, here, elsewhere })] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((column.as_str(), value.as_text()), ("bird", "owl"));
        // Of rows that have a bird: 100 here, 500 elsewhere.
        assert_eq!((*here, *elsewhere), (0.9, 10.0 / 500.0));
        // All rows have no others, and what was cut says nothing.
        assert!(traits("bird", &all, &all, false, [650, 0]).is_empty());
        let cut = Groups { is_cut: true, ..all.clone() };
        assert!(traits("bird", &selected, &cut, false, [120, 530]).is_empty());
        assert!(traits("bird", &Groups::default(), &all, false, [0, 650]).is_empty());
    }

    #[test]
    fn words_are_of_rows() {
        let all = counted(&[("red", 50), ("fox", 80), ("lazy", 40)]);
        let selected = counted(&[("fox", 40), ("red", 5)]);
        let found = traits("text", &selected, &all, true, [50, 150]);
        let [(_, Trait::Terms { terms, .. })] = found.as_slice() else { panic!("{found:?}") };
        let words: Vec<(&str, f64)> = terms.iter().map(|t| (t.word.as_str(), t.here)).collect();
        assert_eq!(words, [("fox", 0.8)]);
    }

    #[test]
    fn the_mean_of_others_is_what_is_left() {
        assert_eq!(mean_of_others([2, 6], 1.0, 2.0), Some(2.5));
        assert_eq!(mean_of_others([6, 6], 1.0, 1.0), None);
    }
}
