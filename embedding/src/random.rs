//! Random numbers by counter: the n-th number of a stream is worked out from n alone, so that
//! it is the same whichever thread, block or device asks for it. Philox 4×32 with ten rounds
//! (Salmon, Moraes, Dror, Shaw: Parallel random numbers, as easy as 1, 2, 3. SC 2011).

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: u32 = 10;

/// A stream of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Random {
    key: [u32; 2],
    stream: u64,
}

impl Random {
    /// Streams of one seed have nothing to do with each other.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], stream }
    }

    /// Four words of 32 bits, for a place in the stream.
    pub fn words(&self, at: u64) -> [u32; 4] {
        let mut key = self.key;
        let mut counter =
            [at as u32, (at >> 32) as u32, self.stream as u32, (self.stream >> 32) as u32];
        for _ in 0..ROUNDS {
            let [a, b, c, d] = counter;
            let [low, high] = [a, c];
            let first = u64::from(MULTIPLIERS[0]) * u64::from(low);
            let second = u64::from(MULTIPLIERS[1]) * u64::from(high);
            counter = [
                (second >> 32) as u32 ^ b ^ key[0],
                second as u32,
                (first >> 32) as u32 ^ d ^ key[1],
                first as u32,
            ];
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        counter
    }

    /// From 0 up to, and never, 1, of 53 bits.
    pub fn unit(&self, at: u64) -> f64 {
        let [a, b, ..] = self.words(at);
        let bits = (u64::from(a) << 32 | u64::from(b)) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }

    /// About as a normal number is, of mean 0 and deviation 1: the sum of four uniform ones.
    pub(crate) fn bell(&self, at: u64) -> f64 {
        let sum: f64 = self.words(at).iter().map(|word| f64::from(*word)).sum();
        (sum / f64::from(u32::MAX) - 2.0) * 3_f64.sqrt()
    }

    /// Below a number, which is not 0, each as likely as another but for one in 2⁶⁴.
    pub fn below(&self, at: u64, n: u64) -> u64 {
        let [a, b, ..] = self.words(at);
        let bits = u64::from(a) << 32 | u64::from(b);
        ((u128::from(bits) * u128::from(n)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the known answers that come with Random123.
    #[test]
    fn numbers_are_those_of_the_paper() {
        let zeros = Random::new(0, 0);
        assert_eq!(zeros.words(0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = Random::new(u64::MAX, u64::MAX);
        assert_eq!(ones.words(u64::MAX), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    }

    #[test]
    fn numbers_stay_in_bounds_and_fill_them() {
        let random = Random::new(614, 3);
        let units: Vec<f64> = (0..10_000).map(|at| random.unit(at)).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let mut seen = [0; 7];
        for at in 0..7000 {
            seen[random.below(at, 7) as usize] += 1;
        }
        assert!(seen.iter().all(|&many| (900..1100).contains(&many)), "{seen:?}");
    }
}
