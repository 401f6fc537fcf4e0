//! How far two ways of labelling the same rows agree.

use std::collections::BTreeMap;

use super::chance::chance_information;
use crate::exponential::ln;

/// Of labels with other labels, whatever either are called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// The adjusted Rand index (Hubert, Arabie: Comparing partitions, 1985): 1 for the same
    /// partition, about 0 for chance.
    pub adjusted_rand: f64,
    /// Mutual information over the arithmetic mean of the entropies: 1 for the same
    /// partition, 0 where one tells nothing of the other.
    pub normalized_mutual_information: f64,
    /// The same beyond what chance would give (Vinh, Epps, Bailey: Information theoretic measures
    /// for clusterings comparison. JMLR 2010): 1 for the same partition, about 0 for chance,
    /// however many clusters there are.
    pub adjusted_mutual_information: f64,
}

/// How often labels are, alone and together.
#[derive(Debug, Default)]
struct Table {
    cells: BTreeMap<(u32, u32), u64>,
    of_a: BTreeMap<u32, u64>,
    of_b: BTreeMap<u32, u64>,
    n: u64,
}

/// Compares two labels of each row; rows past the shorter are left out.
pub fn agreement(a: &[u32], b: &[u32]) -> Agreement {
    let mut table = Table::default();
    for (a, b) in a.iter().zip(b) {
        *table.cells.entry((*a, *b)).or_default() += 1;
        *table.of_a.entry(*a).or_default() += 1;
        *table.of_b.entry(*b).or_default() += 1;
        table.n += 1;
    }
    let (normalized_mutual_information, adjusted_mutual_information) = table.information();
    Agreement {
        adjusted_rand: table.adjusted_rand(),
        normalized_mutual_information,
        adjusted_mutual_information,
    }
}

impl Table {
    /// By pairs of rows, which are whole numbers until the very end.
    fn adjusted_rand(&self) -> f64 {
        let pairs = |many: &u64| u128::from(*many) * u128::from(many.saturating_sub(1)) / 2;
        let together: u128 = self.cells.values().map(pairs).sum();
        let in_a: u128 = self.of_a.values().map(pairs).sum();
        let in_b: u128 = self.of_b.values().map(pairs).sum();
        let all = pairs(&self.n);
        if (in_a == all && in_b == all) || (in_a == 0 && in_b == 0) {
            return 1.0;
        }
        let expected = in_a as f64 * in_b as f64 / all as f64;
        let most = (in_a + in_b) as f64 / 2.0;
        (together as f64 - expected) / (most - expected)
    }

    /// Mutual information, normalized and adjusted, both by the mean of the entropies.
    fn information(&self) -> (f64, f64) {
        match (self.of_a.len(), self.of_b.len()) {
            (0 | 1, 0 | 1) => return (1.0, 1.0),
            // One cluster tells nothing.
            (0 | 1, _) | (_, 0 | 1) => return (0.0, 0.0),
            _ => {}
        }
        // Each label of one is a label of the other.
        if self.cells.len() == self.of_a.len() && self.cells.len() == self.of_b.len() {
            return (1.0, 1.0);
        }
        let n = self.n as f64;
        let entropy = |counts: &BTreeMap<u32, u64>| -> f64 {
            counts.values().map(|many| *many as f64 / n).map(|share| -share * ln(share)).sum()
        };
        let mean = (entropy(&self.of_a) + entropy(&self.of_b)) / 2.0;
        let both = self.cells.iter().map(|((a, b), many)| {
            let (many, a, b) = (*many as f64, self.of_a[a] as f64, self.of_b[b] as f64);
            many / n * ln(n * many / (a * b))
        });
        let both = both.sum::<f64>().max(0.0);
        let expected = chance_information(self.of_a.values(), self.of_b.values(), self.n);
        // Where chance gives all that there is to know, the difference is rounding.
        let most = (mean - expected).max(f64::EPSILON);
        ((both / mean).min(1.0), ((both - expected) / most).min(1.0))
    }
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
        close(same.adjusted_mutual_information, 1.0);
        let some = agreement(&[0, 0, 0, 1, 1, 1], &[0, 0, 1, 1, 2, 2]);
        close(some.adjusted_rand, 0.242_424_242_424_242_43);
        close(some.normalized_mutual_information, 0.515_803_742_979_385_8);
        close(some.adjusted_mutual_information, 0.298_792_458_170_890_1);
        let none = agreement(&[0, 0, 1, 1], &[0, 1, 0, 1]);
        close(none.adjusted_rand, -0.5);
        close(none.normalized_mutual_information, 0.0);
        close(none.adjusted_mutual_information, -0.5);
        let one = agreement(&[0, 0, 0], &[1, 1, 1]);
        assert_eq!((one.adjusted_rand, one.normalized_mutual_information), (1.0, 1.0));
        assert_eq!(one.adjusted_mutual_information, 1.0);
        // Each row for itself, and against all in one.
        let own = agreement(&[0, 1, 2], &[0, 1, 2]);
        assert_eq!((own.adjusted_rand, own.adjusted_mutual_information), (1.0, 1.0));
        assert_eq!(agreement(&[0, 0, 0], &[0, 1, 2]).adjusted_mutual_information, 0.0);
    }

    /// Figures of scikit-learn 1.9.1 too, of classes that are large, many and small.
    #[test]
    fn chance_is_taken_off_however_many_classes_there_are() {
        let squares = |k: u32| -> Vec<u32> { (0..2000).map(|i| i * i % 1009 % k).collect() };
        let many: Vec<u32> = (0..2000).map(|i| i * 7919 % 2003 % 300).collect();
        let of = |divisor: u32| -> Vec<u32> { (0..2000).map(|i| i / divisor).collect() };
        for (a, b, wanted) in [
            (squares(7), squares(12), 0.011_533_535_586_139_301),
            (squares(40), many, -0.000_716_716_759_942_379),
            (of(2), of(3), 0.515_803_742_993_964_3),
        ] {
            let found = agreement(&a, &b).adjusted_mutual_information;
            assert!((found - wanted).abs() < 1e-10, "{found} {wanted}");
            let turned = agreement(&b, &a).adjusted_mutual_information;
            assert!((found - turned).abs() < 1e-12, "{found} {turned}");
        }
    }
}
