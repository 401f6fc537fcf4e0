//! How long a text is, about, where nobody can measure it: before it is in the document, and in
//! pictures that are kept. Pure.

/// In letters of the usual width, of fonts without serifs: capitals are wider, `i` is narrow,
/// and the signs of east Asian scripts are two.
pub fn letters(text: &str) -> f64 {
    text.chars().map(width).sum()
}

fn width(sign: char) -> f64 {
    match sign {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '!' | '|' | '\'' | ' ' => 0.5,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' => 0.65,
        'm' | 'w' => 1.4,
        'M' | 'W' | '@' | '%' | '…' => 1.6,
        'A'..='Z' => 1.25,
        '\u{300}'..='\u{36f}' => 0.0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2.0,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' => 2.0,
        '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}' => 2.0,
        _ => 1.0,
    }
}

/// The text, or its beginning and `…` where it is longer than so many letters. Some of it is
/// always left.
pub fn clipped_to(text: &str, room: f64) -> String {
    if letters(text) <= room {
        return text.to_owned();
    }
    let mut long = width('…');
    let mut end = 0;
    for (at, sign) in text.char_indices() {
        long += width(sign);
        if long > room && at > 0 {
            break;
        }
        end = at + sign.len_utf8();
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_longer_than_small_letters() {
        assert!(letters("MMWW") > letters("aaaa") && letters("aaaa") > letters("illi"));
        assert_eq!(letters("数据"), 4.0);
        assert_eq!(letters(""), 0.0);
    }

    #[test]
    fn what_is_too_long_ends_in_dots_and_fits() {
        assert_eq!(clipped_to("short", 5.0), "short");
        for room in [3.0, 5.0, 8.0] {
            let text = clipped_to("CONTINENTAL AIRLINES", room);
            assert!(text.ends_with('…') && letters(&text) <= room, "{text} in {room}");
        }
        assert_eq!(clipped_to("数据", 0.5), "数…");
        assert_eq!(clipped_to("", 0.0), "");
    }
}
