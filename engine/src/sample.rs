//! Seeded samples: the same rows in the browser and on the server.

/// A well-mixed 64-bit hash of a seed and a row number (the finaliser of
/// SplitMix64, Steele, Lea & Flood 2014, applied to each in turn). A sample of n rows
/// is the n smallest hashes, so samples of growing size contain each other.
pub fn hash64(seed: u64, row: u64) -> u64 {
    mix(row.wrapping_add(mix(seed.wrapping_add(GOLDEN_GAMMA))))
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
