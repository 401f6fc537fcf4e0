//! Round positions along an axis, with their labels, by what the axis is of.

use super::format;
use super::position::Scalar;
use crate::scale::{Ticks, time::TimeTicks};

/// Pixels between the marks of a scatter, where labels lie side by side and one over another.
pub const X_APART: f64 = 90.0;
pub const Y_APART: f64 = 48.0;

/// About one mark every `apart` pixels of `length`.
pub fn ticks(domain: [f64; 2], scalar: Scalar, length: f64, apart: f64) -> Vec<(f64, String)> {
    let many = ((length / apart) as usize).max(2);
    match scalar {
        Scalar::Integer | Scalar::Float | Scalar::TimeOfDay => {
            let ticks = Ticks::linear(domain, many);
            let labels = match scalar {
                Scalar::TimeOfDay => {
                    ticks.values.iter().map(|v| format::position(*v, scalar, 1000.0)).collect()
                }
                _ => ticks.labels(),
            };
            ticks.values.into_iter().zip(labels).collect()
        }
        Scalar::Date | Scalar::Moment => {
            let ticks = TimeTicks::covering(domain, many);
            let labels = ticks.labels();
            ticks.values.into_iter().zip(labels).collect()
        }
    }
}
