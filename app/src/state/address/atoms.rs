//! The pieces of an address: percent-encoding, `name=value` pairs, literals.

use crate::texts;
use engine::literal::Literal;

/// What one atom may hold; more is no name, value or pattern of a person.
const ATOM_BYTES_MAX: usize = 16 << 10;

/// Percent-encodes all but letters, digits and the signs that mean nothing here and may
/// stand bare in a query.
pub(super) fn encoded(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let hex = |nibble: u8| char::from(*HEX.get(usize::from(nibble)).unwrap_or(&b'0'));
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'/' | b'!' | b'$' | b'(' | b')' | b'*' | b';' | b'@' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                out.push(hex(byte >> 4));
                out.push(hex(byte & 15));
            }
        }
    }
    out
}

/// The text of an encoded atom. `+` is a space, as forms and some mailers write it.
pub(super) fn decoded(atom: &str) -> Result<String, String> {
    if atom.len() > ATOM_BYTES_MAX {
        return Err(texts::address::PART_TOO_LONG.to_owned());
    }
    let mut bytes = Vec::with_capacity(atom.len());
    let mut rest = atom.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let high = rest.next().and_then(hex_value);
                let low = rest.next().and_then(hex_value);
                match (high, low) {
                    (Some(high), Some(low)) => bytes.push(high << 4 | low),
                    _ => return Err(texts::address::broken_percent(&shortened(atom))),
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| texts::address::not_utf8(&shortened(atom)))
}

fn hex_value(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// For messages.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The parameters in order; names decoded, values left as they are, since they may have
/// separators of their own.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, &str)> {
    let query = query.strip_prefix('?').unwrap_or(query);
    query.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name).unwrap_or_default(), value)
    })
}

/// Numbers and booleans bare; texts bare too, unless they could be taken for one of these.
pub(super) fn written_literal(literal: &Literal) -> String {
    match literal {
        Literal::Bool(value) => value.to_string(),
        Literal::Number(text) => encoded(text),
        Literal::Text(text) if reads_as_other(text) => format!("'{}", encoded(text)),
        Literal::Text(text) => encoded(text),
    }
}

fn reads_as_other(text: &str) -> bool {
    text.starts_with('\'') || !matches!(bare_literal(text), Literal::Text(_))
}

pub(super) fn read_literal(atom: &str) -> Result<Literal, String> {
    // An apostrophe may come back encoded.
    let text = decoded(atom)?;
    Ok(match text.strip_prefix('\'') {
        Some(rest) => Literal::Text(rest.to_owned()),
        None => bare_literal(&text),
    })
}

fn bare_literal(text: &str) -> Literal {
    match text {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        _ => match serde_json::from_str::<Literal>(text) {
            // The parser takes spaces around a number; such a text is a text.
            Ok(number @ Literal::Number(_)) if number.as_text() == text => number,
            _ => Literal::Text(text.to_owned()),
        },
    }
}

pub(super) fn written_number(number: f64) -> String {
    // Rust's shortest text; the exponent form where it is shorter.
    let plain = format!("{number}");
    let exponent = format!("{number:e}");
    if plain.len() <= exponent.len() { plain } else { exponent }
}

pub(super) fn read_number(atom: &str) -> Result<f64, String> {
    let number = atom.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| texts::address::not_a_number(&shortened(atom)))
}

/// Two numbers, the lower one first.
pub(super) fn read_range(low: &str, high: &str) -> Result<[f64; 2], String> {
    let range = [read_number(low)?, read_number(high)?];
    match range[0] < range[1] {
        true => Ok(range),
        false => Err(texts::address::no_range(low, high)),
    }
}
