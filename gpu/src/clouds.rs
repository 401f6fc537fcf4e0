//! The device, the rows and the onlooker that tests share.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::rc::Rc;

use embedding::random::Random;
use embedding::watch::{Phase, Watch};
use pollster::block_on;

use crate::{Error, Gpu};

/// The adapter of tests is played by the processor.
pub(crate) fn gpu() -> Rc<Gpu> {
    let opened = block_on(Gpu::open(true));
    if let Err(Error::NoAdapter(why)) = &opened {
        panic!("{why}; tests want a Vulkan driver: install mesa-vulkan-drivers");
    }
    Rc::new(opened.unwrap())
}

/// Rows about some centres.
pub(crate) fn blobs(n: usize, d: usize, centres: u64, seed: u64) -> Vec<f32> {
    let (places, noise) = (Random::new(seed, 10), Random::new(seed, 11));
    let value = |at: usize| {
        let (row, t) = ((at / d) as u64, (at % d) as u64);
        let centre = Random::new(seed, 12).below(row, centres);
        let bell: f64 = (0..4).map(|nth| noise.unit((4 * at + nth) as u64) - 0.5).sum();
        (4.0 * places.unit(centre * d as u64 + t) + bell) as f32
    };
    (0..n * d).map(value).collect()
}

/// Wants nothing of it.
pub(crate) struct Impatient;

impl Watch for Impatient {
    fn progress(&self, _: Phase, _: u64, _: u64) {}

    fn is_cancelled(&self) -> bool {
        true
    }
}
