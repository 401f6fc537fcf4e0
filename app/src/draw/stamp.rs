//! What one point adds to the pixels around it: a disc's coverage in whole numbers, ready
//! made for each of 8 × 8 places that its centre can have within a pixel, or just one for
//! the pixel it falls in. Both renderers add the same numbers.

/// Places per pixel and axis that a disc's centre is rounded to.
pub const SUBPIXELS: usize = 8;
/// Below this many pixels a disc would be smaller than a pixel: it is one.
pub const DISC_RADIUS_MIN: f32 = 0.75;
pub const DISC_RADIUS_MAX: f32 = 24.0;
/// Radii are multiples of this many pixels, so that small changes of the number of points
/// do not redraw them all.
const RADIUS_STEP: f32 = 0.125;
/// Coverage of a whole pixel, at most; a power of two.
const UNIT_MAX: u32 = 128;

/// What a stamp looks like; [`Self::table`] makes its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stamp {
    /// Device pixels; zero for single pixels.
    pub radius: f32,
    /// What a wholly covered pixel counts.
    pub unit: u32,
    /// Pixels from the one under the centre to the edge of the stamp.
    pub reach: u32,
}

impl Stamp {
    /// One count for the pixel that a point falls in. Colours are exact for up to sixteen
    /// million points on one pixel.
    pub const PIXEL: Self = Self { radius: 0.0, unit: 1, reach: 0 };

    /// A disc of about that radius, for at most `points` of them: the unit is chosen so that
    /// no pixel's sum of coverage × colour leaves 32 bits. Small ones are pixels.
    pub fn disc(radius: f32, points: usize) -> Self {
        if radius.is_nan() || radius < DISC_RADIUS_MIN {
            return Self::PIXEL;
        }
        let radius = (radius.min(DISC_RADIUS_MAX) / RADIUS_STEP).round() * RADIUS_STEP;
        let room = (u64::from(u32::MAX) / 255 / points.max(1) as u64).max(1);
        let unit = 1u32 << room.ilog2().min(UNIT_MAX.ilog2());
        Self { radius, unit, reach: radius.ceil() as u32 }
    }

    pub fn is_pixel(&self) -> bool {
        self.reach == 0
    }

    /// Pixels on a side.
    pub fn side(&self) -> usize {
        2 * self.reach as usize + 1
    }

    /// For each place of the centre within its pixel, rows of places first, a square of
    /// weights, row by row. Empty for a pixel.
    pub fn table(&self) -> Vec<u32> {
        if self.is_pixel() {
            return Vec::new();
        }
        let mut weights = Vec::with_capacity((SUBPIXELS * self.side()).pow(2));
        for place_y in 0..SUBPIXELS {
            for place_x in 0..SUBPIXELS {
                self.push_weights(&mut weights, place_x, place_y);
            }
        }
        weights
    }

    fn push_weights(&self, weights: &mut Vec<u32>, place_x: usize, place_y: usize) {
        let centre = |place: usize| (place as f32 + 0.5) / SUBPIXELS as f32;
        let offset =
            |pixel: usize, place: usize| pixel as f32 - self.reach as f32 + 0.5 - centre(place);
        for row in 0..self.side() {
            for column in 0..self.side() {
                let distance = offset(column, place_x).hypot(offset(row, place_y));
                let coverage = (self.radius + 0.5 - distance).clamp(0.0, 1.0);
                weights.push((coverage * self.unit as f32).round() as u32);
            }
        }
    }
}
