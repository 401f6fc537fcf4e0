//! How far two ways of labelling the same rows agree.

use std::collections::BTreeMap;

/// Of labels with other labels, whatever either are called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// The adjusted Rand index (Hubert, Arabie: Comparing partitions, 1985): 1 for the same
    /// partition, about 0 for chance.
    pub adjusted_rand: f64,
    /// Mutual information over the arithmetic mean of the entropies: 1 for the same
    /// partition, 0 where one tells nothing of the other.
    pub normalized_mutual_information: f64,
}

/// Compares two labels of each row; rows past the shorter are left out.
pub fn agreement(a: &[u32], b: &[u32]) -> Agreement {
    let mut cells: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let (mut of_a, mut of_b): (BTreeMap<u32, u64>, BTreeMap<u32, u64>) = Default::default();
    let mut n = 0_u64;
    for (a, b) in a.iter().zip(b) {
        *cells.entry((*a, *b)).or_default() += 1;
        *of_a.entry(*a).or_default() += 1;
        *of_b.entry(*b).or_default() += 1;
        n += 1;
    }
    Agreement {
        adjusted_rand: adjusted_rand(cells.values(), of_a.values(), of_b.values(), n),
        normalized_mutual_information: mutual_information(&cells, &of_a, &of_b, n as f64),
    }
}

/// By pairs of rows, which are whole numbers until the very end.
fn adjusted_rand<'a>(
    cells: impl Iterator<Item = &'a u64>,
    of_a: impl Iterator<Item = &'a u64>,
    of_b: impl Iterator<Item = &'a u64>,
    n: u64,
) -> f64 {
    let pairs = |many: &u64| u128::from(*many) * u128::from(many.saturating_sub(1)) / 2;
    let together: u128 = cells.map(pairs).sum();
    let (in_a, in_b): (u128, u128) = (of_a.map(pairs).sum(), of_b.map(pairs).sum());
    let all = pairs(&n);
    if (in_a == all && in_b == all) || (in_a == 0 && in_b == 0) {
        return 1.0;
    }
    let expected = in_a as f64 * in_b as f64 / all as f64;
    let most = (in_a + in_b) as f64 / 2.0;
    (together as f64 - expected) / (most - expected)
}

fn mutual_information(
    cells: &BTreeMap<(u32, u32), u64>,
    of_a: &BTreeMap<u32, u64>,
    of_b: &BTreeMap<u32, u64>,
    n: f64,
) -> f64 {
    let entropy = |counts: &BTreeMap<u32, u64>| -> f64 {
        counts.values().map(|many| *many as f64 / n).map(|share| -share * share.ln()).sum()
    };
    let (in_a, in_b) = (entropy(of_a), entropy(of_b));
    if of_a.len() <= 1 && of_b.len() <= 1 {
        return 1.0;
    }
    let both = cells.iter().map(|((a, b), many)| {
        let (many, a, b) = (*many as f64, of_a[a] as f64, of_b[b] as f64);
        many / n * (n * many / (a * b)).ln()
    });
    let mean = (in_a + in_b) / 2.0;
    (both.sum::<f64>().max(0.0) / mean).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of scikit-learn 1.9.1 for the same labels.
    #[test]
    fn agreement_is_as_scikit_learn_has_it() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        let same = agreement(&[0, 0, 1, 1], &[7, 7, 3, 3]);
        close(same.adjusted_rand, 1.0);
        close(same.normalized_mutual_information, 1.0);
        let some = agreement(&[0, 0, 0, 1, 1, 1], &[0, 0, 1, 1, 2, 2]);
        close(some.adjusted_rand, 0.242_424_242_424_242_43);
        close(some.normalized_mutual_information, 0.515_803_742_979_385_8);
        let none = agreement(&[0, 0, 1, 1], &[0, 1, 0, 1]);
        close(none.adjusted_rand, -0.5);
        close(none.normalized_mutual_information, 0.0);
        let one = agreement(&[0, 0, 0], &[1, 1, 1]);
        assert_eq!((one.adjusted_rand, one.normalized_mutual_information), (1.0, 1.0));
    }
}
