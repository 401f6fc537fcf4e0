//! The inner loops, in the widest instructions that the processor has: found out once, when
//! the program runs. Everything here is in lanes of sixteen floats, or eight of 64 bits,
//! whatever the registers hold, so that a sum has one order of its terms, and one value, on
//! every machine.

/// Functions that are given a [`Level`], and by it choose one of the loops that are compiled of
/// one for every kind of register.
macro_rules! by_level {
    ($($(#[$about:meta])*
    pub(crate) fn $name:ident = $loop:ident($($of:ident: $kind:ty),* $(,)?);)*) => {$(
        $(#[$about])*
        pub(crate) fn $name(level: Level, $($of: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f")]
            fn avx512($($of: $kind),*) {
                // SAFETY: the features are this function's.
                unsafe { $loop::<super::doubles::x86::Avx512>($($of),*) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($($of: $kind),*) {
                // SAFETY: the features are this function's.
                unsafe { $loop::<super::doubles::x86::Avx2>($($of),*) }
            }

            #[cfg(target_arch = "aarch64")]
            #[target_feature(enable = "neon")]
            fn neon($($of: $kind),*) {
                // SAFETY: the features are this function's.
                unsafe { $loop::<super::doubles::arm::Neon>($($of),*) }
            }

            match level {
                // SAFETY: the level was found by asking the processor.
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => unsafe { avx512($($of),*) },
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { avx2($($of),*) },
                #[cfg(target_arch = "aarch64")]
                Level::Neon => unsafe { neon($($of),*) },
                // SAFETY: needs no feature.
                Level::Portable => unsafe { $loop::<super::doubles::Plain>($($of),*) },
            }
        }
    )*};
}

mod apart;
mod below;
mod coarse;
mod dot;
mod doubles;
mod gram;
mod lanes;
mod nearest;
mod panels;
mod products;
mod project;
mod ranges;
mod scores;
mod symmetric;
mod vectors;
mod whole;

pub(crate) use apart::squared_distances_about;
pub(crate) use below::first_below;
pub(crate) use coarse::{Coarse, Room};
pub(crate) use dot::squared_distances;
pub(crate) use doubles::DOUBLES;
pub(crate) use gram::{GRAM_ROWS, Gram};
pub(crate) use nearest::{Near, nearest};
pub(crate) use panels::Panels;
pub(crate) use project::project;
pub(crate) use ranges::Ranges;
pub(crate) use scores::scores;
pub(crate) use symmetric::{
    Block, TILE, blocks_before, reflect, subtract_products, symmetric_product,
};
pub(crate) use vectors::{Counted, counts_below, dots, subtract_rows};
pub(crate) use whole::{VALUE_BITS_MAX, add_whole};

/// Floats that are worked on together.
pub(crate) const LANES: usize = 16;

/// What the processor can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

impl Level {
    /// The best there is.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Self::Neon;
        }
        Self::Portable
    }

    /// All that this machine has, the best first.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut levels = vec![Self::detect()];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Self::Avx2);
        }
        levels.push(Self::Portable);
        levels.dedup();
        levels
    }
}
