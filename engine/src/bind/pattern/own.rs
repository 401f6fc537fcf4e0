//! Patterns by automata. A lazy DFA answers whether there is a match in one pass; where it cannot (a Unicode word boundary
//! in text that is not ASCII, too many states) the Pike VM does, in linear time as well.
//!
//! The crate `regex` is built of the same parts; its other engines are for captures and
//! positions, and left out.

use regex_automata::hybrid::dfa::{Cache as LazyCache, DFA};
use regex_automata::nfa::thompson::pikevm::{Cache as PikeCache, PikeVM};
use regex_automata::nfa::thompson::{Compiler, Config, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

/// A compiled pattern may take this many bytes: room for any a person writes, and an
/// end to those that repeat repetitions.
const PATTERN_BYTES_MAX: usize = 4 << 20;
/// The states of the lazy DFA are forgotten when they take more than its cache. A text
/// after which that has happened so often is left to the Pike VM.
const FORGOTTEN_MAX: usize = 8;

/// A compiled pattern, to be asked by several threads at once.
pub struct Automaton {
    lazy: DFA,
    pike: PikeVM,
    scratch: Pool<Scratch, Box<dyn Fn() -> Scratch + Send + Sync>>,
}

/// What a search writes to, kept from one to the next.
struct Scratch {
    lazy: LazyCache,
    pike: Option<PikeCache>,
}

impl Automaton {
    /// Compiles a pattern that is to match somewhere in a text. The error says what is
    /// wrong with it, for people.
    pub fn new(text: &str, case_sensitive: bool) -> Result<Self, String> {
        let syntax = syntax::Config::new().case_insensitive(!case_sensitive);
        let parsed = syntax::parse_with(text, &syntax).map_err(|error| error.to_string())?;
        let config = Config::new()
            .nfa_size_limit(Some(PATTERN_BYTES_MAX))
            .which_captures(WhichCaptures::None);
        let nfa = Compiler::new().configure(config).build_from_hir(&parsed);
        let nfa = nfa.map_err(|error| match error.size_limit() {
            Some(_) => "too large when compiled".to_owned(),
            None => error.to_string(),
        })?;
        Self::from_nfa(nfa).map_err(|error| error.to_string())
    }

    fn from_nfa(nfa: NFA) -> Result<Self, Box<dyn std::error::Error>> {
        let config = DFA::config()
            .unicode_word_boundary(true)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(FORGOTTEN_MAX));
        let lazy = DFA::builder().configure(config).build_from_nfa(nfa.clone())?;
        let pike = PikeVM::new_from_nfa(nfa)?;
        let for_scratch = lazy.clone();
        let fresh = move || Scratch { lazy: for_scratch.create_cache(), pike: None };
        Ok(Self { lazy, pike, scratch: Pool::new(Box::new(fresh)) })
    }

    /// Whether the pattern matches somewhere in a text, which is UTF-8.
    pub fn is_match(&self, text: &[u8]) -> bool {
        let mut scratch = self.scratch.get();
        let input = Input::new(text).anchored(Anchored::No).earliest(true);
        match self.lazy.try_search_fwd(&mut scratch.lazy, &input) {
            Ok(found) => found.is_some(),
            Err(_) => {
                let cache = scratch.pike.get_or_insert_with(|| self.pike.create_cache());
                self.pike.is_match(cache, input)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Automaton;

    fn is_match(pattern: &str, case_sensitive: bool, text: &str) -> bool {
        Automaton::new(pattern, case_sensitive).unwrap().is_match(text.as_bytes())
    }

    #[test]
    fn a_pattern_matches_anywhere() {
        assert!(is_match("b+", true, "abbc"));
        assert!(!is_match("^b+", true, "abbc"));
        assert!(is_match("", true, ""));
        assert!(is_match("(?m)^b$", true, "a\nb\nc"));
    }

    #[test]
    fn case_is_that_of_unicode() {
        assert!(!is_match("straße", true, "STRASSE"));
        assert!(is_match("ÉCOLE", false, "une école"));
        assert!(is_match("k", false, "\u{212a}"), "the sign of kelvin folds to k");
    }

    #[test]
    fn word_boundaries_hold_in_text_that_is_not_ascii() {
        assert!(is_match(r"\bété\b", true, "un été chaud"));
        assert!(!is_match(r"\bt\b", true, "été"));
    }

    #[test]
    fn many_states_are_answered_all_the_same() {
        // The DFA has 2^18 states, more than its cache holds.
        let pattern = Automaton::new("[ab]*a[ab]{17}c", true).unwrap();
        let mut state = 1_u32;
        let letters: String = (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if state >> 31 == 0 { 'a' } else { 'b' }
            })
            .collect();
        assert!(!pattern.is_match(letters.as_bytes()));
        assert!(pattern.is_match(format!("{letters}abbbbbbbbbbbbbbbbbc").as_bytes()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(Automaton::new("a(", true).err().unwrap().contains("unclosed group"));
        assert_eq!(
            Automaton::new("((a{999}){999}){9}", true).err().unwrap(),
            "too large when compiled"
        );
        // Bytes that are no text.
        assert!(Automaton::new(r"(?-u)\xff", true).is_err());
    }
}
