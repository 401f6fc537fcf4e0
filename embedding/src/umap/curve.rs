//! How strong a bond of two points is by their distance in the layout: 1 / (1 + a·x^(2b)), with a
//! and b such that it is near 1 up to the least distance and falls off as exp(−x) beyond.

use crate::exponential::{exp_of_negative, ln};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Curve {
    pub(super) a: f32,
    pub(super) b: f32,
}

/// Places at which the curve is held to what it should be, from 0 to 3.
const PLACES: usize = 300;
const STEPS: usize = 200;

impl Curve {
    /// By least squares (Levenberg and Marquardt).
    pub(super) fn fit(min_distance: f64) -> Self {
        let wanted: Vec<(f64, f64)> = (0..PLACES)
            .map(|at| {
                let x = 3.0 * at as f64 / (PLACES - 1) as f64;
                (x, if x < min_distance { 1.0 } else { exp_of_negative(min_distance - x) })
            })
            .collect();
        let error = |a: f64, b: f64| -> f64 {
            wanted.iter().map(|(x, y)| (value(*x, a, b) - y).powi(2)).sum()
        };
        let (mut a, mut b, mut damping) = (1.0, 1.0, 1e-3);
        let mut now = error(a, b);
        for _ in 0..STEPS {
            let [mut aa, mut ab, mut bb, mut ra, mut rb] = [0.0; 5];
            for (x, y) in wanted.iter().filter(|(x, _)| *x > 0.0) {
                let (power, f) = (power(*x, 2.0 * b), value(*x, a, b));
                let by_a = -f * f * power;
                let by_b = -f * f * a * power * 2.0 * ln(*x);
                let left = y - f;
                aa += by_a * by_a;
                ab += by_a * by_b;
                bb += by_b * by_b;
                ra += by_a * left;
                rb += by_b * left;
            }
            let (da, db) = (aa * (1.0 + damping), bb * (1.0 + damping));
            let determinant = da * db - ab * ab;
            let (step_a, step_b) =
                ((ra * db - rb * ab) / determinant, (rb * da - ra * ab) / determinant);
            let next = error(a + step_a, b + step_b);
            if next < now {
                (a, b, now, damping) = (a + step_a, b + step_b, next, damping / 3.0);
            } else {
                damping *= 4.0;
            }
        }
        Self { a: a as f32, b: b as f32 }
    }
}

fn value(x: f64, a: f64, b: f64) -> f64 {
    1.0 / (1.0 + a * power(x, 2.0 * b))
}

/// x to the power of b, for x of 0 or more; a step may try a b that is below 0.
fn power(x: f64, b: f64) -> f64 {
    match x {
        0.0 if b > 0.0 => 0.0,
        0.0 => f64::INFINITY,
        x if x < 1.0 => exp_of_negative(b * ln(x)),
        x => 1.0 / exp_of_negative(-b * ln(x)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_those_of_umap_learn() {
        for (min_distance, a, b) in [
            (0.1, 1.576_943_460_405_378, 0.895_060_878_122_785_9),
            (0.5, 0.583_030_020_501_587, 1.334_166_991_794_355_5),
            (0.0, 1.932_837_083_801_281, 0.790_494_970_983_842_6),
        ] {
            let curve = Curve::fit(min_distance);
            assert!((f64::from(curve.a) - a).abs() < 1e-3, "{min_distance}: {curve:?}");
            assert!((f64::from(curve.b) - b).abs() < 1e-3, "{min_distance}: {curve:?}");
        }
    }
}
