//! Three-valued results: a bit for true and a bit for known, row by row.

use crate::mask::{Mask, WORD_BITS, clear_tail};

/// True, false or unknown for each row. `pass` is clear where `known` is; `known` is
/// `None` where every row is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ternary {
    pass: Vec<u64>,
    known: Option<Vec<u64>>,
    len: usize,
}

impl Ternary {
    /// What passes counts only where it is known.
    pub(super) fn new(mut pass: Vec<u64>, known: Option<Vec<u64>>, len: usize) -> Self {
        pass.resize(len.div_ceil(WORD_BITS), 0);
        clear_tail(&mut pass, len);
        if let Some(known) = &known {
            let known = known.iter().copied().chain(std::iter::repeat(0));
            pass.iter_mut().zip(known).for_each(|(pass, known)| *pass &= known);
        }
        Self { pass, known, len }
    }

    pub(super) fn known(pass: Vec<u64>, len: usize) -> Self {
        Self::new(pass, None, len)
    }

    pub(super) fn constant(passes: bool, len: usize) -> Self {
        let word = if passes { u64::MAX } else { 0 };
        Self::known(vec![word; len.div_ceil(WORD_BITS)], len)
    }

    pub(super) fn unknown(len: usize) -> Self {
        let nothing = vec![0; len.div_ceil(WORD_BITS)];
        Self { pass: nothing.clone(), known: Some(nothing), len }
    }

    pub(super) fn pass(&self) -> &[u64] {
        &self.pass
    }

    pub(super) fn known_words(&self) -> Option<&[u64]> {
        self.known.as_deref()
    }

    /// False wins over unknown.
    pub(super) fn and(&mut self, other: Self) {
        if self.known.is_some() || other.known.is_some() {
            self.known =
                Some(self.combined_known(&other, |a_false, b_false| a_false | b_false, false));
        }
        self.pass.iter_mut().zip(&other.pass).for_each(|(a, b)| *a &= b);
    }

    /// True wins over unknown.
    pub(super) fn or(&mut self, other: Self) {
        if self.known.is_some() || other.known.is_some() {
            self.known = Some(self.combined_known(&other, |a_true, b_true| a_true | b_true, true));
        }
        self.pass.iter_mut().zip(&other.pass).for_each(|(a, b)| *a |= b);
    }

    pub(super) fn not(mut self) -> Self {
        match &self.known {
            None => self.pass.iter_mut().for_each(|pass| *pass = !*pass),
            Some(known) => {
                self.pass.iter_mut().zip(known).for_each(|(pass, known)| *pass = !*pass & known);
            }
        }
        clear_tail(&mut self.pass, self.len);
        self
    }

    pub(super) fn into_mask(self) -> Mask {
        Mask::from_words(self.pass, self.len)
    }

    /// Known where both are, or where either holds the value that decides.
    fn combined_known(
        &self,
        other: &Self,
        either: impl Fn(u64, u64) -> u64,
        true_decides: bool,
    ) -> Vec<u64> {
        let known_at = |ternary: &Self, place: usize| {
            let known = ternary.known.as_ref().map(|known| known.get(place).copied());
            known.map_or(u64::MAX, Option::unwrap_or_default)
        };
        let pairs = self.pass.iter().zip(&other.pass).enumerate();
        let words = pairs.map(|(place, (a, b))| {
            let (a_known, b_known) = (known_at(self, place), known_at(other, place));
            let decided = match true_decides {
                true => either(*a, *b),
                false => either(a_known & !a, b_known & !b),
            };
            a_known & b_known | decided
        });
        words.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row per pair of truth values.
    fn table(op: impl Fn(&mut Ternary, Ternary)) -> [[Option<bool>; 3]; 3] {
        let values = [Some(true), Some(false), None];
        let single = |value: Option<bool>| match value {
            Some(passes) => Ternary::constant(passes, 1),
            None => Ternary::unknown(1),
        };
        values.map(|a| {
            values.map(|b| {
                let mut a = single(a);
                op(&mut a, single(b));
                let is_known = a.known.as_ref().is_none_or(|known| known[0] & 1 == 1);
                is_known.then_some(a.pass[0] == 1)
            })
        })
    }

    #[test]
    fn kleene_decides() {
        let (t, f, u) = (Some(true), Some(false), None);
        assert_eq!(table(|a, b| a.and(b)), [[t, f, u], [f, f, f], [u, f, u]]);
        assert_eq!(table(|a, b| a.or(b)), [[t, t, t], [t, f, u], [t, u, u]]);
        assert_eq!(Ternary::unknown(1).not(), Ternary::unknown(1));
        assert_eq!(Ternary::constant(true, 70).not(), Ternary::constant(false, 70));
    }
}
