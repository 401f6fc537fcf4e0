//! Numbers as their digits: read exactly from text, never through f64.

use arrow_buffer::i256;

/// A decimal number as written: digits × 10^exponent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digits {
    negative: bool,
    /// Values 0 to 9, without leading zeros; none for zero.
    digits: Vec<u8>,
    exponent: i64,
}

/// The largest integer that is not above a number, and whether it is the number.
/// Numbers out of reach stand at an end of i256, inexact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact {
    pub floor: i256,
    pub exact: bool,
}

impl Digits {
    /// A number as JSON writes it; a plus sign and a bare point (`.5`, `5.`) pass too.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_from_text(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = whole.bytes().chain(fraction.bytes());
        if mantissa.len() == mantissa.matches('.').count() || !all.clone().all(is_digit) {
            return None;
        }
        let digits = all.map(|byte| byte - b'0').skip_while(|digit| *digit == 0).collect();
        let exponent = exponent.saturating_sub(i64::try_from(fraction.len()).ok()?);
        Some(Self { negative, digits, exponent })
    }

    /// The number × 10^scale.
    pub(crate) fn scaled(&self, scale: i32) -> Exact {
        let exponent = self.exponent.saturating_add(i64::from(scale));
        let count = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        let whole_count = count.saturating_add(exponent);
        if self.digits.is_empty() {
            return Exact { floor: i256::ZERO, exact: true };
        }
        if whole_count > DIGITS_MAX {
            return Exact::out_of_reach(self.negative);
        }
        let whole = usize::try_from(whole_count.max(0)).unwrap_or_default();
        let zeros = usize::try_from(exponent.clamp(0, DIGITS_MAX)).unwrap_or_default();
        let kept = self.digits.iter().copied().take(whole).chain(std::iter::repeat_n(0, zeros));
        let exact = self.digits.iter().skip(whole).all(|digit| *digit == 0);
        let magnitude = kept.take(whole).try_fold(i256::ZERO, |sum, digit| {
            sum.checked_mul(i256::from_i128(10))?.checked_add(i256::from_i128(digit.into()))
        });
        match magnitude {
            None => Exact::out_of_reach(self.negative),
            Some(magnitude) if !self.negative => Exact { floor: magnitude, exact },
            Some(magnitude) => {
                let below = if exact { i256::ZERO } else { i256::ONE };
                Exact { floor: magnitude.wrapping_neg().wrapping_sub(below), exact }
            }
        }
    }
}

/// i256 holds less than 5.8 × 10^76.
const DIGITS_MAX: i64 = 77;

impl Exact {
    fn out_of_reach(negative: bool) -> Self {
        Self { floor: if negative { i256::MIN } else { i256::MAX }, exact: false }
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn exponent_from_text(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(is_digit) {
        return None;
    }
    let magnitude = digits.parse().unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(text: &str, scale: i32) -> Option<(String, bool)> {
        let exact = Digits::parse(text)?.scaled(scale);
        Some((exact.floor.to_string(), exact.exact))
    }

    #[test]
    fn numbers_scale_exactly() {
        let cases = [
            ("0", 0, "0", true),
            ("-0.0", 3, "0", true),
            ("2.5", 0, "2", false),
            ("-2.5", 0, "-3", false),
            ("2.50", 1, "25", true),
            ("1e3", 0, "1000", true),
            ("12e-1", 0, "1", false),
            ("-0.001", 0, "-1", false),
            ("-0.001", 2, "-1", false),
            ("9007199254740993", 0, "9007199254740993", true),
            (".5", 1, "5", true),
            ("5.", 0, "5", true),
            ("+7", 0, "7", true),
            ("123456", -2, "1234", false),
            ("123400", -2, "1234", true),
            ("0.1e-999999999999999999999", 0, "0", false),
        ];
        for (text, scale, floor, exact) in cases {
            assert_eq!(scaled(text, scale), Some((floor.to_owned(), exact)), "{text} × 10^{scale}");
        }
    }

    #[test]
    fn numbers_out_of_reach_stand_at_the_ends() {
        for text in ["1e77", "9e76", "1e999999999999999999999"] {
            assert_eq!(scaled(text, 0), Some((i256::MAX.to_string(), false)));
            assert_eq!(scaled(&format!("-{text}"), 0), Some((i256::MIN.to_string(), false)));
        }
        let widest = "9".repeat(76);
        assert_eq!(scaled(&widest, 0), Some((widest.clone(), true)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", "-", ".", "e5", "1e", "1e+", "0x10", "1_000", "1,5", "NaN", "inf", "1.2.3", "½"]
        {
            assert_eq!(Digits::parse(text), None, "{text:?}");
        }
    }
}
