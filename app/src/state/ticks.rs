//! Round positions along an axis, with their labels, by what the axis is of.

use super::format;
use super::position::Scalar;
use crate::scale::{NumberFormat, Ticks, time::TimeTicks};

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

/// Marks of an axis of logarithms: powers of ten, and between them where there is room.
pub fn log_ticks([low, high]: [f64; 2], length: f64, apart: f64) -> Vec<(f64, String)> {
    let decades = (high.log10() - low.log10()).max(f64::MIN_POSITIVE);
    let many = (length / apart).max(2.0);
    let factors: &[f64] = match many / decades {
        room if room >= 9.0 => return ticks([low, high], Scalar::Float, length, apart),
        room if room >= 3.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let each = (decades / many).ceil().max(1.0) as i32;
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let powers = (first..=last).filter(|power| power.rem_euclid(each) == 0);
    let values = powers.flat_map(|power| factors.iter().map(move |by| by * 10_f64.powi(power)));
    let inside = values.filter(|value| (low..=high).contains(value));
    inside.map(|value| (value, NumberFormat::for_ticks(&[value], value).text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_marked_where_there_is_room() {
        let labels = |low, high, length| -> Vec<String> {
            log_ticks([low, high], length, 50.0).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels(0.5, 2000.0, 200.0), ["1", "10", "100", "1,000"]);
        assert_eq!(labels(1.0, 100.0, 400.0), ["1", "2", "5", "10", "20", "50", "100"]);
        assert_eq!(labels(1.0, 1e9, 250.0), ["1", "100", "10k", "1M", "100M"]);
    }
}
