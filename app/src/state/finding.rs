//! Rows found by words: what is looked for and where, and how a view comes to show a point. Pure.

use engine::kind::Kind;

use crate::protocol::groups::{Find, FoundRow};
use crate::protocol::{ColumnInfo, Mark, ViewId, Viewport};

/// Rows that are told.
pub const ROWS_MAX: u32 = 100;

/// The words of what was typed; those between quotation marks are one.
pub fn words(typed: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in typed.split('"').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.extend(Some(part.trim().to_owned()).filter(|part| !part.is_empty())),
        }
    }
    words
}

/// A scatter, and the columns that say where its points are.
pub type Sides<'a> = (ViewId, &'a Mark);

/// What is asked for: in every column of names and texts, with where rows are in scatters.
pub fn question(typed: &str, columns: &[ColumnInfo], scatters: &[Sides<'_>]) -> Option<Find> {
    let words = words(typed);
    let is_text = |column: &&ColumnInfo| matches!(column.kind, Kind::Text | Kind::Category);
    let own: Vec<String> =
        columns.iter().filter(is_text).map(|column| column.name.clone()).collect();
    let mut numbers: Vec<String> = Vec::new();
    for name in scatters.iter().filter_map(|(_, mark)| sides(mark)).flat_map(|(sides, _)| sides) {
        let is_number = columns.iter().any(|c| c.name == *name && c.kind == Kind::Number);
        if is_number && !numbers.contains(name) {
            numbers.push(name.clone());
        }
    }
    let is_empty = words.is_empty() || own.is_empty();
    (!is_empty).then_some(Find { words, columns: own, numbers, most: ROWS_MAX })
}

pub fn has_texts(columns: &[ColumnInfo]) -> bool {
    columns.iter().any(|column| matches!(column.kind, Kind::Text | Kind::Category))
}

fn sides(mark: &Mark) -> Option<([&String; 2], [bool; 2])> {
    match mark {
        Mark::Scatter { x, y, look, .. } => Some(([x, y], look.log)),
        _ => None,
    }
}

/// Where a scatter has the row, by the numbers that were found of it.
pub fn point(mark: &Mark, asked: &Find, row: &FoundRow) -> Option<[f64; 2]> {
    let (names, logs) = sides(mark)?;
    let side = |name: &String, is_log: bool| {
        let at = asked.numbers.iter().position(|other| other == name)?;
        let number = row.numbers.get(at).copied().flatten()?;
        Some(if is_log { number.log10() } else { number }).filter(|number| number.is_finite())
    };
    Some([side(names[0], logs[0])?, side(names[1], logs[1])?])
}

/// What a view has to show to have a point in it: as much as before, and the point in the middle;
/// nothing else where it is there already.
pub fn centred(shown: Viewport, [x, y]: [f64; 2]) -> Option<Viewport> {
    let is_in = |[low, high]: [f64; 2], at: f64| {
        let margin = (high - low) / 20.0;
        (low + margin..=high - margin).contains(&at)
    };
    let moved = |[low, high]: [f64; 2], at: f64| {
        let half = (high - low) / 2.0;
        [at - half, at + half]
    };
    let is_there = is_in(shown.x, x) && is_in(shown.y, y);
    (!is_there).then(|| Viewport { x: moved(shown.x, x), y: moved(shown.y, y) })
}

/// A text in parts, and whether each is one of the words.
pub fn parts(text: &str, words: &[String]) -> Vec<(String, bool)> {
    let letters: Vec<char> = text.chars().collect();
    // Letter by letter, since a small letter may be longer than its capital.
    let small = |letter: char| letter.to_lowercase().next().unwrap_or(letter);
    let of_words: Vec<Vec<char>> =
        words.iter().map(|word| word.chars().map(small).collect()).collect();
    let begins = |at: usize, word: &Vec<char>| {
        letters
            .get(at..at + word.len())
            .is_some_and(|part| part.iter().map(|l| small(*l)).eq(word.iter().copied()))
    };
    let mut parts: Vec<(String, bool)> = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let found =
            of_words.iter().filter(|word| begins(at, word)).map(Vec::len).max().unwrap_or(0);
        let length = found.max(1);
        let part: String = letters.get(at..at + length).unwrap_or_default().iter().collect();
        match parts.last_mut() {
            Some((last, false)) if found == 0 => last.push_str(&part),
            _ => parts.push((part, found > 0)),
        }
        at += length;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_words() {
        assert_eq!(words(" red  fox "), ["red", "fox"]);
        assert_eq!(words("a \"red fox\" b \"\" \"c"), ["a", "red fox", "b", "c"]);
        assert!(words("  \" ").is_empty());
    }

    #[test]
    fn a_view_moves_only_where_it_has_to() {
        let shown = Viewport { x: [0.0, 10.0], y: [0.0, 1.0] };
        assert_eq!(centred(shown, [5.0, 0.5]), None);
        let moved = Viewport { x: [15.0, 25.0], y: [0.0, 1.0] };
        assert_eq!(centred(shown, [20.0, 0.5]), Some(moved));
        // What lies at the very edge is hardly seen.
        assert!(centred(shown, [9.9, 0.5]).is_some());
    }

    #[test]
    fn words_are_told_apart_in_a_text() {
        let found = |text: &str, words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let parts = parts(text, &words);
            let marked = parts.into_iter().map(|(part, is_word)| match is_word {
                true => format!("[{part}]"),
                false => part,
            });
            marked.collect::<String>()
        };
        assert_eq!(found("A Red fox, RED", &["red", "x"]), "A [Red] fo[x], [RED]");
        assert_eq!(found("ÄÖ äö", &["äö"]), "[ÄÖ] [äö]");
        assert_eq!(found("İstanbul red", &["red"]), "İstanbul [red]");
        assert_eq!(found("aaa", &["a", "aa"]), "[aa][a]");
    }
}
