//! Ranks and cubes, held to counts made row by row.
#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Int16Array};
use proptest::prelude::*;

use super::*;

fn ranked_of(blocks: &[ArrayRef]) -> Ranked {
    let mut ranking = Ranking::new(blocks).unwrap();
    while !ranking.step(blocks) {}
    ranking.into_ranked()
}

/// In blocks, as a table comes.
fn ranked(values: &[Option<i16>]) -> Ranked {
    let block = |values: &[Option<i16>]| Arc::new(Int16Array::from(values.to_vec())) as ArrayRef;
    ranked_of(&values.chunks(1000).map(block).collect::<Vec<_>>())
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
        let mut ranked = ranked(&values);
        // Code 5 is counted nowhere.
        let index = |code: u16| usize::from(code);
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
        let key_of = |row: u32| values[row as usize]?.key();
        let mut place = |cut: i16| ranked.place(&key_of, cut.end(false));
        let runs = [place(cuts[0])..place(cuts[1]), place(cuts[2])..place(cuts[3])];
        let mut found = Vec::new();
        let code = |row: u32| {
            let code = index(codes[row as usize]);
            (code < 5 && mask.get(row as usize)).then_some(code)
        };
        cube.counts(&ranked, &runs, code, &mut found);
        let count = |wanted: usize, passes: &dyn Fn(usize) -> bool| {
            let counted = |row: &usize| mask.get(*row) && index(codes[*row]) == wanted && passes(*row);
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
fn buckets_come_together_in_few_stretches() {
    let values: Vec<Option<i16>> = (0..10_000).map(|row| Some((row % 7) as i16)).collect();
    // A bucket for each value, however many there are of it, and one for those beyond.
    let few = ranked(&values);
    assert_eq!((few.n_stretches(), few.rows()), (8, 10_000));
    assert_eq!(ranked(&[]).n_stretches(), 1);
    assert!(Ranking::new(&[Arc::new(arrow_array::StringArray::from(vec!["a"]))]).is_none());

    // Skewed, with a value that many rows have, and rows without one.
    let value = |row: u32| match row % 10 {
        0 => None,
        1..=3 => Some(0.0),
        _ => Some((row.wrapping_mul(2_654_435_761) >> 8) as f32 / 1e3),
    };
    let blocks: Vec<ArrayRef> = (0..10_u32)
        .map(|block| (block << 16..(block + 1) << 16).map(value))
        .map(|values| Arc::new(values.collect::<Float32Array>()) as ArrayRef)
        .collect();
    let rows = 10_u32 << 16;
    let mut large = ranked_of(&blocks);
    assert!((500..=1024).contains(&large.n_stretches()), "{}", large.n_stretches());
    let mut cube = Cube::new(&large, 3);
    let code = |row: u32| (row % 3) as usize;
    for block in 0..10_u32 {
        let codes: Vec<u16> =
            (block << 16..(block + 1) << 16).map(|row| code(row) as u16).collect();
        cube.add(&large, &codes, &[u64::MAX; 1024], |code| usize::from(code));
    }
    cube.finish();
    let mut found = Vec::new();
    for (low, high) in [(0.0_f32, 1.0), (-1.0, 0.0), (1e3, 1.2e4), (1e4, 1.67e4), (5.0, 5.0)] {
        let key_of = |row| value(row)?.key();
        let run = large.place(&key_of, low.end(false))..large.place(&key_of, high.end(true));
        let asked = std::cell::Cell::new(0);
        let told = |row| {
            asked.set(asked.get() + 1);
            Some(code(row))
        };
        cube.counts(&large, std::slice::from_ref(&run), told, &mut found);
        let mut expected = [0; 3];
        let passing =
            (0..rows).filter(|row| value(*row).is_some_and(|v| (low..=high).contains(&v)));
        passing.for_each(|row| expected[code(row)] += 1);
        assert_eq!(found, expected, "{low} to {high}");
        assert!(asked.get() < 4000, "{} rows were looked at", asked.get());
    }
}

/// Places, and the rows of runs between them, against looking at every value.
fn check_runs<T: Key + PartialOrd + std::fmt::Debug>(
    values: &[Option<T>],
    mut ranked: Ranked,
    cuts: &[T],
) {
    let key_of = |row: u32| values[row as usize]?.key();
    for low in cuts {
        for high in cuts.iter().filter(|high| low <= *high) {
            let run = ranked.place(&key_of, low.end(false))..ranked.place(&key_of, high.end(true));
            let mut found = Vec::new();
            ranked.each(run.clone(), |row| found.push(row as usize));
            found.sort_unstable();
            let mut words = vec![0; values.len().div_ceil(64)];
            ranked.put_in(run.clone(), &mut words);
            let mask = crate::mask::Mask::from_words(words.clone(), values.len());
            assert_eq!(mask.iter_ones().collect::<Vec<_>>(), found, "{low:?} to {high:?}");
            words.fill(u64::MAX);
            ranked.take_out(run, &mut words);
            let mut rest = crate::mask::Mask::from_words(words, values.len());
            rest.not();
            assert_eq!(rest, mask, "{low:?} to {high:?}");
            let passes = |row: &usize| values[*row].is_some_and(|v| *low <= v && v <= *high);
            let expected: Vec<usize> = (0..values.len()).filter(passes).collect();
            assert_eq!(found, expected, "{low:?} to {high:?}");
        }
    }
}

#[test]
fn clusters_and_outliers_are_told_apart() {
    let rows = 150_000_u32;
    let chance = |row: u32| row.wrapping_mul(2_654_435_761) >> 7;
    // Most of them in one cell of what the outliers span.
    let whole = |row: u32| match row % 1000 {
        0 => None,
        1 => Some(i64::MIN + i64::from(row)),
        2 => Some(i64::MAX - 1 - i64::from(row)),
        _ => Some(i64::from(chance(row) % 70_000)),
    };
    let values: Vec<Option<i64>> = (0..rows).map(whole).collect();
    let blocks: Vec<ArrayRef> = values
        .chunks(1 << 16)
        .map(|values| Arc::new(arrow_array::Int64Array::from(values.to_vec())) as ArrayRef)
        .collect();
    let cuts = [i64::MIN, i64::MIN + 5001, -1, 0, 17, 35_000, 69_999, 70_000, i64::MAX - 1];
    check_runs(&values, ranked_of(&blocks), &cuts);

    let fraction = |row: u32| match row % 1000 {
        0 => Some(f64::NAN),
        1 => Some(f64::INFINITY),
        2 => Some(f64::NEG_INFINITY),
        3 => Some(1e300),
        4 => Some(-0.0),
        5 => None,
        6..=300 => Some(f64::from(chance(row) % 9)),
        _ => Some(f64::from(chance(row)) / 1e9 - 0.01),
    };
    let values: Vec<Option<f64>> = (0..rows).map(fraction).collect();
    let blocks: Vec<ArrayRef> = values
        .chunks(1 << 16)
        .map(|values| Arc::new(arrow_array::Float64Array::from(values.to_vec())) as ArrayRef)
        .collect();
    let cuts = [f64::NEG_INFINITY, -1.0, 0.0, 1e-5, 0.011, 1.0, 8.0, 8.5, 1e300, f64::INFINITY];
    check_runs(&values, ranked_of(&blocks), &cuts);
}
