//! One spelling for each JSON value: members sorted, no spaces, one form for each number.
//! Works on text, because a parsed number may have lost digits.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The canonical spelling of a JSON text. Equal values have equal spellings; numbers are
/// told apart to their last digit, so 2^53 and 2^53 + 1 differ, and 100, 1e2 and 100.0 do not.
pub fn canonical_json(text: &str) -> Result<String, serde_json::Error> {
    let mut spelled = String::with_capacity(text.len());
    spell(serde_json::from_str(text)?, &mut spelled)?;
    Ok(spelled)
}

fn spell(value: &RawValue, spelled: &mut String) -> Result<(), serde_json::Error> {
    let text = value.get().trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            spelled.push('{');
            for (idx, (name, value)) in members.into_iter().enumerate() {
                if idx > 0 {
                    spelled.push(',');
                }
                spelled.push_str(&serde_json::to_string(&name)?);
                spelled.push(':');
                spell(value, spelled)?;
            }
            spelled.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            spelled.push('[');
            for (idx, item) in items.into_iter().enumerate() {
                if idx > 0 {
                    spelled.push(',');
                }
                spell(item, spelled)?;
            }
            spelled.push(']');
        }
        // Once read and written, so that escapes are the same.
        Some(b'"') => {
            let text: String = serde_json::from_str(text)?;
            spelled.push_str(&serde_json::to_string(&text)?);
        }
        Some(b'-' | b'0'..=b'9') => spelled.push_str(&canonical_number(text)),
        _ => spelled.push_str(text),
    }
    Ok(())
}

/// Longer runs of zeros are written as an exponent.
const ZEROS_MAX: i64 = 20;

/// The digits of a number without zeros at either end, and where its point is.
fn canonical_number(text: &str) -> String {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", text),
    };
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let Ok(exponent) = exponent.parse::<i64>() else {
        // An exponent of twenty digits: its spelling is all there is to compare.
        return text.to_owned();
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let n_zeros = (digits.len() - significant.len()) as i64;
    let exponent = exponent.saturating_sub(fraction.len() as i64).saturating_add(n_zeros);
    match exponent {
        0..=ZEROS_MAX => {
            let zeros = "0".repeat(usize::try_from(exponent).unwrap_or(0));
            format!("{sign}{significant}{zeros}")
        }
        _ => format!("{sign}{significant}e{exponent}"),
    }
}
