//! Regular expressions over the bytes of text, which only ever ask whether there is a
//! match. Syntax and meaning are those of the crate `regex`.
//!
//! With the feature `regex` the engine matches by itself ([`own`]). Without it, whoever
//! embeds the engine brings what matches: in the browser that is a program of its own,
//! fetched with the first pattern: 190 kB gzip, most of it tables of Unicode, that
//! everybody would load.

#[cfg(feature = "regex")]
pub mod own;

use std::fmt;
use std::sync::OnceLock;

/// What matches a compiled pattern, where the engine does not do so itself.
pub trait Matcher: Send + Sync {
    /// A bit for each text that is matched, 64 in a word. The texts, which are UTF-8, lie
    /// end to end in `bytes`; `ends` tells where each ends.
    fn words(&self, bytes: &[u8], ends: &[u32]) -> Vec<u64>;
}

/// Compiles a pattern, case-sensitive or not. The error says what is wrong with it, for people.
pub type Compile = fn(&str, bool) -> Result<Box<dyn Matcher>, String>;

static BROUGHT: OnceLock<Compile> = OnceLock::new();

/// Gives the engine what compiles patterns from now on; the first to be given stays.
pub fn bring_patterns(compile: Compile) {
    BROUGHT.get_or_init(|| compile);
}

/// A compiled pattern, to be asked by several threads at once.
pub struct Pattern {
    text: String,
    #[cfg(feature = "regex")]
    own: own::Automaton,
    #[cfg(not(feature = "regex"))]
    brought: Box<dyn Matcher>,
}

impl Pattern {
    /// Compiles a pattern that is to match somewhere in a text. The error says what is
    /// wrong with it, for people.
    pub(super) fn new(text: &str, case_sensitive: bool) -> Result<Self, String> {
        #[cfg(feature = "regex")]
        let own = own::Automaton::new(text, case_sensitive)?;
        #[cfg(not(feature = "regex"))]
        let brought = match BROUGHT.get() {
            Some(compile) => compile(text, case_sensitive)?,
            None => return Err("what matches regular expressions is not at hand".to_owned()),
        };
        Ok(Self {
            // The flag is written into the pattern, so that whoever compiles it onward has
            // all of it.
            text: format!("{}{text}", if case_sensitive { "" } else { "(?i)" }),
            #[cfg(feature = "regex")]
            own,
            #[cfg(not(feature = "regex"))]
            brought,
        })
    }

    /// The pattern as the crate `regex` reads it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What matches, if it is not the engine itself: better asked about many texts at once.
    pub(crate) fn brought(&self) -> Option<&dyn Matcher> {
        #[cfg(feature = "regex")]
        return None;
        #[cfg(not(feature = "regex"))]
        return Some(&*self.brought);
    }

    /// Whether the pattern matches somewhere in a text, which is UTF-8.
    pub fn is_match(&self, text: &[u8]) -> bool {
        #[cfg(feature = "regex")]
        return self.own.is_match(text);
        #[cfg(not(feature = "regex"))]
        return self
            .brought
            .words(text, &[text.len() as u32])
            .first()
            .is_some_and(|word| word & 1 == 1);
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}
