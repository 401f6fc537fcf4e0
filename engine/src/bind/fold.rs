//! Substrings in any case: two letters are the same if Unicode's simple case folding
//! (CaseFolding.txt, statuses C and S) makes them the same, as the crate `regex` has it.

use memchr::memmem::Finder;
use memchr::{memchr, memchr2};

/// What text is searched for, whatever the case of its letters.
#[derive(Debug)]
pub struct FoldedFinder {
    /// Folded.
    needle: String,
    finder: Finder<'static>,
    /// The place in the needle of its rarest letter, and both cases of that letter.
    rare: (usize, u8, u8),
}

/// Letters of ASCII from common to rare; what is not among them is rarer still.
const COMMON: &[u8] = b" etaoinsrhldcum01fpgw2ybv35k-4678.9,xjqz";

impl FoldedFinder {
    pub fn new(text: &str) -> Self {
        let needle: String = text.chars().map(fold).collect();
        let commonness = |byte: u8| {
            COMMON.iter().position(|common| *common == byte).map_or(0, |at| COMMON.len() - at)
        };
        let rarest = needle.bytes().enumerate().min_by_key(|(_, byte)| commonness(*byte));
        let (at, byte) = rarest.unwrap_or_default();
        let finder = Finder::new(needle.as_bytes()).into_owned();
        Self { needle, finder, rare: (at, byte, byte.to_ascii_uppercase()) }
    }

    /// Whether a text, which is UTF-8, holds what is searched for.
    pub fn is_in(&self, text: &[u8]) -> bool {
        if text.is_ascii() {
            return self.find_in_ascii(text).is_some();
        }
        let Ok(text) = str::from_utf8(text) else { return false };
        let folded: String = text.chars().map(fold).collect();
        self.finder.find(folded.as_bytes()).is_some()
    }

    /// What is searched for, folded.
    pub fn needle(&self) -> &str {
        &self.needle
    }

    /// How many bytes of ASCII a match has.
    pub(crate) fn len(&self) -> usize {
        self.needle.len()
    }

    /// Where the first match in ASCII starts.
    pub(crate) fn find_in_ascii(&self, text: &[u8]) -> Option<usize> {
        let needle = self.needle.as_bytes();
        if needle.is_empty() {
            return Some(0);
        }
        if !needle.is_ascii() {
            return None;
        }
        let (at, lower, upper) = self.rare;
        let mut from = at;
        loop {
            let rest = text.get(from..)?;
            let found = match lower == upper {
                true => memchr(lower, rest),
                false => memchr2(lower, upper, rest),
            };
            let start = from + found? - at;
            if text.get(start..start + needle.len())?.eq_ignore_ascii_case(needle) {
                return Some(start);
            }
            from = start + at + 1;
        }
    }
}

/// A letter as its simple case folding: one letter for all that differ in case only.
fn fold(letter: char) -> char {
    match letter {
        _ if letter.is_ascii() => letter.to_ascii_lowercase(),
        // Their case is that of Turkish and Azeri, which folding leaves aside.
        'İ' | 'ı' => letter,
        // Written with two marks or as two letters when large, and the same all the same.
        '\u{1fd3}' => '\u{390}',
        '\u{1fe3}' => '\u{3b0}',
        '\u{fb05}' => '\u{fb06}',
        _ => only(only(letter, char::to_uppercase), char::to_lowercase),
    }
}

/// The letter in another case, where that is one letter.
fn only<I: Iterator<Item = char>>(letter: char, to_case: impl Fn(char) -> I) -> char {
    let mut cased = to_case(letter);
    match (cased.next(), cased.next()) {
        (Some(cased), None) => cased,
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

    use super::{FoldedFinder, fold};

    /// The letters that Unicode had when this was written: newer tables of either side
    /// must not fail it.
    fn known() -> ClassUnicode {
        let parsed = regex_syntax::parse(r"\p{age=15.0}").unwrap();
        let HirKind::Class(Class::Unicode(class)) = parsed.into_kind() else { unreachable!() };
        class
    }

    #[test]
    fn letters_are_the_same_as_for_regular_expressions() {
        let known = known();
        let letters = || known.iter().flat_map(|range| range.start()..=range.end());
        let mut by_fold: BTreeMap<char, Vec<char>> = BTreeMap::new();
        for letter in letters() {
            by_fold.entry(fold(letter)).or_default().push(letter);
        }
        let mut wrong = Vec::new();
        for (folded, alike) in by_fold {
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(alike[0], alike[0])]);
            class.case_fold_simple();
            class.intersect(&known);
            let expected: Vec<char> =
                class.iter().flat_map(|range| range.start()..=range.end()).collect();
            if alike != expected {
                wrong.push((folded, alike, expected));
            }
        }
        assert_eq!(wrong, []);
    }

    #[test]
    fn text_is_found_in_any_case() {
        for (needle, text, is_in) in [
            ("", "", true),
            ("", "a", true),
            ("a", "", false),
            ("brca", "BRCA1", true),
            ("BRCA1", "brca", false),
            ("zaz", "zazaZ", true),
            ("aab", "aaaAB", true),
            ("école", "Une ÉCOLE", true),
            ("ecole", "école", false),
            ("k", "\u{212a}", true),
            ("σας", "ΣΑΣ", true),
            ("strasse", "straße", false),
            ("ẞ", "straße", true),
            ("i", "İ", false),
            ("x", "é x", true),
        ] {
            let finder = FoldedFinder::new(needle);
            assert_eq!(finder.is_in(text.as_bytes()), is_in, "{needle:?} in {text:?}");
        }
    }
}
