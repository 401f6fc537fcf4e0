//! The inner loops, in the widest instructions that the processor has: found out once, when
//! the program runs. Everything here is in lanes of sixteen floats, whatever the registers
//! hold, so that a sum has one order of its terms, and one value, on every machine.

mod below;
mod dot;
mod gram;
mod lanes;
mod nearest;
mod panels;
mod products;
mod project;
mod ranges;
mod scores;
mod whole;

pub(crate) use below::first_below;
pub(crate) use dot::{squared_distances, squared_distances_about};
pub(crate) use gram::{GRAM_ROWS, Gram};
pub(crate) use nearest::{Near, nearest};
pub(crate) use panels::Panels;
pub(crate) use project::project;
pub(crate) use ranges::Ranges;
pub(crate) use scores::scores;
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
