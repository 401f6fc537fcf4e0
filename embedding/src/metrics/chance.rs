//! What two ways of labelling rows tell of each other by chance: the mean of their mutual
//! information over all ways to deal labels of the same numbers to rows.

use std::collections::BTreeMap;

use crate::exponential::ln;

/// How likely a number must be, in shares of the likeliest, to be looked at.
const LIKELY: f64 = 1e-30;

/// The mutual information that chance gives, in nats: given how many rows each label has, of
/// either kind, and how many there are (Vinh, Epps, Bailey. JMLR 2010).
///
/// How many rows two labels have in common is hypergeometric, and depends on nothing but how many
/// each has: classes of one size are looked at once. The likeliest number comes first, others by
/// what each is to the one beside it, up to where they are too few to count; that their chances
/// sum up to 1 spares factorials, and keeps digits where there are many rows.
pub fn chance_information<'a>(
    of_a: impl Iterator<Item = &'a u64>,
    of_b: impl Iterator<Item = &'a u64>,
    n: u64,
) -> f64 {
    let (of_a, of_b) = (sizes(of_a), sizes(of_b));
    let mut sum = 0.0;
    for (a, many_a) in &of_a {
        for (b, many_b) in &of_b {
            let many = *many_a as f64 * *many_b as f64;
            sum += many * Pair { a: *a, b: *b, n }.information();
        }
    }
    sum
}

fn sizes<'a>(of: impl Iterator<Item = &'a u64>) -> BTreeMap<u64, u64> {
    let mut sizes = BTreeMap::new();
    of.for_each(|size| *sizes.entry(*size).or_default() += 1);
    sizes
}

/// Labels of `a` and of `b` rows among `n`.
struct Pair {
    a: u64,
    b: u64,
    n: u64,
}

impl Pair {
    fn information(&self) -> f64 {
        let (least, most) = ((self.a + self.b).saturating_sub(self.n), self.a.min(self.b));
        let likeliest = (u128::from(self.a + 1) * u128::from(self.b + 1)) / u128::from(self.n + 2);
        let likeliest = (likeliest as u64).clamp(least, most);
        let (mut chances, mut sum) = (1.0, self.term(likeliest));
        let mut add = |chance: f64, both: u64| {
            chances += chance;
            sum += chance * self.term(both);
            chance > LIKELY
        };
        let mut chance = 1.0;
        for both in likeliest..most {
            chance *= self.more(both);
            if !add(chance, both + 1) {
                break;
            }
        }
        chance = 1.0;
        for both in (least..likeliest).rev() {
            chance /= self.more(both);
            if !add(chance, both) {
                break;
            }
        }
        sum / chances
    }

    /// What so many rows in common add to the mutual information.
    fn term(&self, both: u64) -> f64 {
        if both == 0 {
            return 0.0;
        }
        let (a, b, n, both) = (self.a as f64, self.b as f64, self.n as f64, both as f64);
        both / n * ln(n * both / (a * b))
    }

    /// How much likelier one more in common is.
    fn more(&self, both: u64) -> f64 {
        let above = (self.a - both) as f64 * (self.b - both) as f64;
        // Never below 0: there are at least as many in common as both together are beyond all.
        let below = (both + 1) as f64 * (self.n + both + 1 - self.a - self.b) as f64;
        above / below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_the_mean_over_all_deals() {
        // Two labels of 2 and 3 rows each, over all ten ways to choose two of five.
        let (a, mut sum) = ([0, 0, 1, 1, 1], 0.0);
        for first in 0..5 {
            for second in first + 1..5 {
                let b = [0, 1, 2, 3, 4].map(|row| u64::from(row != first && row != second));
                for (x, of_x) in [(0, 2.0), (1, 3.0)] {
                    for (y, of_y) in [(0, 2.0), (1, 3.0)] {
                        let both = a.iter().zip(b).filter(|pair| *pair == (&x, y)).count() as f64;
                        if both > 0.0 {
                            sum += both / 5.0 * f64::ln(5.0 * both / (of_x * of_y));
                        }
                    }
                }
            }
        }
        let found = chance_information([2, 3].iter(), [2, 3].iter(), 5);
        assert!((found - sum / 10.0).abs() < 1e-15, "{found} {}", sum / 10.0);
    }
}
