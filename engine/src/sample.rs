//! Seeded samples: the same rows in the browser and on the server.

use std::collections::BinaryHeap;

use crate::mask::Mask;
use crate::query::Sample;

/// A well-mixed 64-bit hash of a seed and a row number (the finaliser of
/// SplitMix64, Steele, Lea & Flood 2014, applied to each in turn). A sample of n rows
/// is the n smallest hashes, so samples of growing size contain each other.
pub fn hash64(seed: u64, row: u64) -> u64 {
    mix(row.wrapping_add(mix(seed.wrapping_add(GOLDEN_GAMMA))))
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Draws a sample from rows that it is fed in table order. Two row numbers never hash
/// alike under one seed, so there are no ties.
#[derive(Debug)]
pub struct Sampler {
    sample: Sample,
    /// Hash and place of the rows drawn so far, the largest hash on top.
    drawn: BinaryHeap<(u64, u64)>,
    places: u64,
}

impl Sampler {
    pub fn new(sample: Sample) -> Self {
        Self { sample, drawn: BinaryHeap::new(), places: 0 }
    }

    /// Takes the rows of the batch that follows which are in the mask; `row_number` tells
    /// the number in the table of a row of the batch.
    pub fn push(&mut self, mask: &Mask, row_number: impl Fn(usize) -> u64) {
        for row in mask.iter_ones() {
            let hash = hash64(self.sample.seed, row_number(row));
            let is_full = self.drawn.len() as u64 >= self.sample.rows;
            if is_full && self.drawn.peek().is_none_or(|(largest, _)| hash > *largest) {
                continue;
            }
            if is_full {
                self.drawn.pop();
            }
            self.drawn.push((hash, self.places + row as u64));
        }
        self.places += mask.len() as u64;
    }

    /// The places of the rows drawn, ascending, counted from the first row fed.
    pub fn finish(self) -> Vec<u64> {
        let mut places: Vec<u64> = self.drawn.into_iter().map(|(_, place)| place).collect();
        places.sort_unstable();
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: u64, seed: u64, batches: &[usize]) -> Vec<u64> {
        let mut sampler = Sampler::new(Sample { rows, seed });
        let mut first = 0;
        for len in batches {
            sampler.push(&Mask::all(*len), |row| first + row as u64);
            first += *len as u64;
        }
        sampler.finish()
    }

    #[test]
    fn hashes_are_those_of_every_side() {
        // Worked out apart from this code, by the published constants.
        assert_eq!(hash64(0, 0), 0x4821_8226_ff3c_d4bf);
        assert_eq!(hash64(7, 123_456_789), 0xd8bb_20cc_8e9c_ae50);
        assert_eq!(hash64(u64::MAX, u64::MAX), 0xe8ba_9f99_ca93_3538);
    }

    #[test]
    fn samples_are_the_smallest_hashes_however_rows_arrive() {
        let mut hashes: Vec<(u64, u64)> = (0..1_000).map(|row| (hash64(7, row), row)).collect();
        hashes.sort_unstable();
        let mut expected: Vec<u64> = hashes.iter().take(50).map(|(_, row)| *row).collect();
        expected.sort_unstable();
        assert_eq!(drawn(50, 7, &[1_000]), expected);
        assert_eq!(drawn(50, 7, &[1, 0, 499, 500]), expected);
        assert!(drawn(20, 7, &[1_000]).iter().all(|row| expected.contains(row)));
        assert_ne!(drawn(50, 8, &[1_000]), expected);
        assert_eq!(drawn(5, 7, &[3]), [0, 1, 2]);
        assert_eq!(drawn(0, 7, &[3]), [0; 0]);
    }

    #[test]
    fn only_rows_of_the_mask_are_drawn() {
        let mut sampler = Sampler::new(Sample { rows: 10, seed: 1 });
        let mask = Mask::from_fn(100, |row| row % 7 == 3);
        sampler.push(&mask, |row| 1_000 + row as u64);
        assert!(sampler.finish().iter().all(|row| row % 7 == 3));
    }
}
