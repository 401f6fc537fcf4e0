//! What the data worker calls for a regular expression: the engine's own automata,
//! compiled for a memory of their own. Texts come in many at once.

fn main() {}

#[cfg(target_arch = "wasm32")]
mod pattern {
    use engine::bind::pattern::own::Automaton;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// A compiled pattern.
    #[wasm_bindgen]
    pub struct Pattern(Automaton);

    #[wasm_bindgen]
    impl Pattern {
        /// Throws what is wrong with the pattern, as text.
        #[wasm_bindgen(constructor)]
        pub fn new(text: &str, case_sensitive: bool) -> Result<Self, String> {
            Automaton::new(text, case_sensitive).map(Self)
        }

        /// A bit for each text that is matched, 64 in a word. The texts lie end to end in
        /// `bytes`; `ends` tells where each ends.
        pub fn words(&self, bytes: &[u8], ends: &[u32]) -> Vec<u64> {
            let mut words = vec![0_u64; ends.len().div_ceil(64)];
            let mut start = 0;
            for (row, end) in ends.iter().enumerate() {
                let text = bytes.get(start..*end as usize).unwrap_or_default();
                start = *end as usize;
                if self.0.is_match(text)
                    && let Some(word) = words.get_mut(row / 64)
                {
                    *word |= 1 << (row % 64);
                }
            }
            words
        }
    }
}
