//! Words of texts, counted by groups: of how many rows' texts each is a part.

use std::collections::HashMap;

use engine::literal::Literal;

use crate::protocol::groups::{Group, Groups};

/// Shorter words are mostly articles and the like.
const LETTERS_MIN: usize = 3;
/// Longer ones are no words.
const LETTERS_MAX: usize = 40;

/// Groups of the same keys, but for the last, of which there is a group for each word. Where not
/// all texts are known, nothing is known of their words.
pub(super) fn of(texts: &Groups, most: usize) -> Groups {
    let mut counts: HashMap<(&[Option<Literal>], String), u64> = HashMap::new();
    for group in &texts.groups {
        if let Some((Some(Literal::Text(text)), keys)) = group.key.split_last() {
            for word in words(text) {
                *counts.entry((keys, word)).or_default() += group.rows;
            }
        }
    }
    let group = |((keys, word), rows): ((&[Option<Literal>], String), u64)| {
        let mut key = keys.to_vec();
        key.push(Some(Literal::Text(word)));
        Group { key, rows, measures: Vec::new() }
    };
    let mut groups: Vec<Group> = counts.into_iter().map(group).collect();
    groups.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.key.cmp(&b.key)));
    // Words of a few rows say nothing of a group, and are the most of all: that they are left out
    // is no loss.
    groups.truncate(most);
    Groups { groups, is_cut: texts.is_cut }
}

/// The words of a text, in small letters, each once. Numbers are none.
fn words(text: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '\'' || letter == '’';
    let parts = text.split(|letter| !is_part(letter));
    let parts = parts.map(|part| part.trim_matches(['\'', '’']).to_lowercase());
    let is_word = |part: &String| {
        let letters = part.chars().count();
        (LETTERS_MIN..=LETTERS_MAX).contains(&letters) && part.chars().any(char::is_alphabetic)
    };
    let mut words: Vec<String> = parts.filter(is_word).collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(of: &str, text: Option<&str>, rows: u64) -> Group {
        Group { key: vec![Some(of.into()), text.map(Literal::from)], rows, measures: Vec::new() }
    }

    #[test]
    fn a_word_counts_once_a_row() {
        let text = "The Fox, the red fox’s den: it's in 1984, or A1 of Übergröße—quick";
        let expected = ["den", "fox", "fox’s", "it's", "quick", "red", "the", "übergröße"];
        assert_eq!(words(text), expected);
        assert!(words("a 12 of 1984 ---").is_empty());
    }

    #[test]
    fn words_are_counted_by_groups() {
        let groups = vec![
            group("0", Some("red fox, red den"), 3),
            group("0", Some("lazy fox"), 2),
            group("1", Some("fox"), 1),
            group("1", None, 9),
        ];
        let found = of(&Groups { groups, is_cut: false }, 3);
        let expected = [("0", "fox", 5), ("0", "den", 3), ("0", "red", 3)];
        assert_eq!(found.groups, expected.map(|(of, word, rows)| group(of, Some(word), rows)));
        assert!(!found.is_cut);
    }
}
