//! Ranks and cubes, held to counts made row by row.
#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

/// Rows with a value in order of it, ties by row.
fn ranked(values: &[Option<i16>]) -> Ranked {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.retain(|row| values[*row as usize].is_some());
    order.sort_by_key(|row| values[*row as usize]);
    let mut ranked = Ranked::new(order, values.len());
    while !ranked.step(7) {}
    ranked
}

proptest! {
    #[test]
    fn counts_of_runs_are_those_of_counting(
        rows in prop::collection::vec((prop::option::of(-40_i16..40), 0_u16..6, any::<bool>()), 0..2500),
        cuts in prop::collection::vec(-50_i16..50, 4),
    ) {
        let values: Vec<_> = rows.iter().map(|row| row.0).collect();
        let codes: Vec<_> = rows.iter().map(|row| row.1).collect();
        let mask = crate::mask::Mask::from_fn(rows.len(), |row| rows[row].2);
        let ranked = ranked(&values);
        // Code 5 is counted nowhere.
        let index = |code: u16| (code < 5).then_some(usize::from(code));
        let mut cube = Cube::new(&ranked, 5);
        for (block, codes) in codes.chunks(128).enumerate() {
            cube.add(&ranked, codes, &mask.words()[block * 2..], index);
        }
        cube.finish();
        let mut cuts = cuts;
        cuts.sort_unstable();
        let is_in = |value: i16| {
            (cuts[0]..cuts[1]).contains(&value) || (cuts[2]..cuts[3]).contains(&value)
        };
        let place = |cut: i16| {
            ranked.order().partition_point(|row| values[*row as usize].unwrap() < cut)
        };
        let runs = [place(cuts[0])..place(cuts[1]), place(cuts[2])..place(cuts[3])];
        let mut found = Vec::new();
        let code = |row: u32| index(codes[row as usize]).filter(|_| mask.get(row as usize));
        cube.counts(&ranked, &runs, code, &mut found);
        let count = |wanted: usize, passes: &dyn Fn(usize) -> bool| {
            let counted = |row: &usize| mask.get(*row) && index(codes[*row]) == Some(wanted) && passes(*row);
            (0..rows.len()).filter(counted).count() as u32
        };
        let expected: Vec<u32> = (0..5).map(|code| count(code, &|row| values[row].is_some_and(is_in))).collect();
        prop_assert_eq!(&found, &expected);
        cube.all(&mut found);
        let expected: Vec<u32> = (0..5).map(|code| count(code, &|_| true)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn what_moved_leads_from_some_runs_to_others(
        mut from in prop::collection::vec(0_usize..60, 4),
        mut to in prop::collection::vec(0_usize..60, 4),
    ) {
        from.sort_unstable();
        to.sort_unstable();
        let runs = |cuts: &[usize]| [cuts[0]..cuts[1], cuts[2]..cuts[3]];
        let (from, to) = (runs(&from), runs(&to));
        let (came, went) = moved(&from, &to);
        let has = |runs: &[Range<usize>], place: usize| runs.iter().any(|run| run.contains(&place));
        for place in 0..60 {
            let after = (has(&from, place) || has(&came, place)) && !has(&went, place);
            prop_assert_eq!(after, has(&to, place), "{} from {:?} to {:?}", place, from, to);
            prop_assert!(!(has(&came, place) && has(&went, place)));
        }
    }
}

#[test]
fn stretches_are_of_equal_size_and_few() {
    let values: Vec<Option<i16>> = (0..10_000).map(|row| Some((row % 7) as i16)).collect();
    let ranked = ranked(&values);
    assert_eq!(ranked.stretch_rows, STRETCH_ROWS_MIN);
    assert_eq!(ranked.n_stretches(), 40);
    let order: Vec<u32> = (0..2_000_000).collect();
    let large = Ranked::new(order, 2_000_000);
    assert!(large.n_stretches() <= STRETCHES_MAX);
    assert_eq!(Ranked::new(Vec::new(), 3).n_stretches(), 0);
}
