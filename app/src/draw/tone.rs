//! How much lies on a pixel → how opaque it is. Up to one point's coverage opacity is
//! proportional, so edges are smooth; beyond, it grows with the logarithm, and is whole
//! where most lies. A lone point is always seen and the densest places still differ.

/// Depths below this are shown as if this were the deepest, so that a few points on top
/// of each other are not opaque yet.
pub const DEEPEST_MIN: f32 = 8.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// Coverage of one point, as in the stamp.
    pub unit: u32,
    /// Of one point.
    pub opacity: f32,
    /// The most that lies on any pixel.
    pub peak: u32,
    /// What the whole is multiplied by.
    pub strength: f32,
}

impl Tone {
    /// 1 / ln(deepest): what the logarithm of the depth is multiplied by.
    pub fn log_scale(&self) -> f32 {
        1.0 / (self.peak as f32 / self.unit as f32).max(DEEPEST_MIN).ln()
    }

    pub fn opacity_of(&self, coverage: u32) -> f32 {
        let depth = coverage as f32 / self.unit as f32;
        let opacity = if depth <= 1.0 {
            depth * self.opacity
        } else {
            self.opacity + (1.0 - self.opacity) * (depth.ln() * self.log_scale()).min(1.0)
        };
        opacity * self.strength
    }
}

/// [`Tone::opacity_of`] by table: coverage with its leading 9 bits decides, which is exact
/// up to 511 and within a five-hundredth of an octave beyond.
#[derive(Debug, Clone)]
pub struct ToneTable {
    opacities: Vec<f32>,
}

const MANTISSA_BITS: u32 = 8;

/// How many keys there are.
pub const KEYS: usize = ((u32::BITS - MANTISSA_BITS + 1) << MANTISSA_BITS) as usize;

impl ToneTable {
    pub fn new(tone: Tone) -> Self {
        let opacities = (0..KEYS).map(|key| tone.opacity_of(coverage_of(key))).collect();
        Self { opacities }
    }

    /// Opacity grows with the rank of a sum among `sums`, from that of one point to the whole.
    pub fn equalized(tone: Tone, sums: impl Iterator<Item = u32>) -> Self {
        let mut ranks = vec![0u32; KEYS];
        let mut many = 0u32;
        for sum in sums.filter(|sum| *sum > 0) {
            many += 1;
            if let Some(rank) = ranks.get_mut(key_of(sum)) {
                *rank += 1;
            }
        }
        let mut before = 0;
        let opacities = ranks.into_iter().map(|own| {
            // Twice as many, so that the middle of those that are alike is whole.
            let rank = 2 * before + own;
            before += own;
            let share = rank as f32 / (2 * many).max(1) as f32;
            (tone.opacity + (1.0 - tone.opacity) * share) * tone.strength
        });
        let mut opacities: Vec<f32> = opacities.collect();
        if let Some(nothing) = opacities.first_mut() {
            *nothing = 0.0;
        }
        Self { opacities }
    }

    /// By [`key_of`].
    pub fn opacities(&self) -> &[f32] {
        &self.opacities
    }

    #[inline(always)]
    pub fn opacity(&self, coverage: u32) -> f32 {
        self.opacities.get(key_of(coverage)).copied().unwrap_or(0.0)
    }
}

/// Small numbers are their own keys; others are cut to their leading bits and counted on.
#[inline(always)]
pub fn key_of(coverage: u32) -> usize {
    let cut = (u32::BITS - 1 - MANTISSA_BITS).saturating_sub(coverage.leading_zeros());
    ((cut << MANTISSA_BITS) + (coverage >> cut)) as usize
}

/// The middle of the coverages that have this key.
fn coverage_of(key: usize) -> u32 {
    let key = key as u32;
    let cut = (key >> MANTISSA_BITS).saturating_sub(1);
    let leading = key - (cut << MANTISSA_BITS);
    ((u64::from(leading) << cut) + ((1u64 << cut) - 1) / 2).min(u64::from(u32::MAX)) as u32
}
