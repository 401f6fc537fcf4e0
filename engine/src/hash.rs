//! A hash of bytes for tables in memory: quick on short strings, seeded so that nobody
//! outside can make them collide. Never stored and never sent.

/// The high and low half of a product, folded together.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

const MULTIPLIER: u64 = 0x9fb2_1c65_1e98_df25;

/// Eight bytes at a time, by folded products.
#[inline]
pub(crate) fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = seed ^ bytes.len() as u64;
    for word in words {
        hash = folded(hash ^ u64::from_le_bytes(*word), MULTIPLIER);
    }
    let rest = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    folded(folded(hash ^ rest, MULTIPLIER) ^ seed.rotate_left(32), MULTIPLIER)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn near_texts_hash_apart() {
        let texts = (0..100_000).map(|number| format!("{:0width$}", number, width = number % 20));
        let mut hashes: HashSet<u64> = texts.map(|text| hash_bytes(7, text.as_bytes())).collect();
        let distinct: HashSet<String> =
            (0..100_000).map(|number| format!("{:0width$}", number, width = number % 20)).collect();
        assert_eq!(hashes.len(), distinct.len());
        // The table takes its tags from the top and its places from the bottom.
        assert!(hashes.iter().map(|hash| hash >> 57).collect::<HashSet<_>>().len() == 128);
        assert!(hashes.iter().map(|hash| hash & 0xfff).collect::<HashSet<_>>().len() == 4_096);
        let before = hashes.len();
        hashes.extend([hash_bytes(7, b""), hash_bytes(7, b"\0"), hash_bytes(7, b"\0\0")]);
        assert_eq!(hashes.len(), before + 3);
        assert_ne!(hash_bytes(7, b"a"), hash_bytes(8, b"a"));
    }
}
