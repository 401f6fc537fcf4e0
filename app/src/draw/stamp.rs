//! What one point adds to the pixels around it: a disc's coverage, or that of another shape,
//! in whole numbers, ready made for each of 8 × 8 places that its centre can have within a
//! pixel, or just one for the pixel it falls in. Both renderers add the same numbers.

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
    pub shape: Shape,
}

/// All are of the same area, so that none is louder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    #[default]
    Disc,
    Square,
    Triangle,
    Diamond,
    Cross,
    Wedge,
    /// Of all others.
    Ring,
}

impl Shape {
    pub const ALL: [Self; 7] = [
        Self::Disc,
        Self::Square,
        Self::Triangle,
        Self::Diamond,
        Self::Cross,
        Self::Wedge,
        Self::Ring,
    ];

    /// How far the farthest of it lies from the centre, in radii of a disc of that area.
    fn extent(self) -> f32 {
        match self {
            Self::Disc => 1.0,
            Self::Square => 1.26,
            Self::Triangle | Self::Wedge => 1.56,
            Self::Diamond => 1.26,
            Self::Cross => 1.2,
            Self::Ring => 1.12,
        }
    }

    /// How far a place is outside of it; below zero inside.
    fn distance(self, x: f32, y: f32, radius: f32) -> f32 {
        match self {
            Self::Disc => x.hypot(y) - radius,
            Self::Square => x.abs().max(y.abs()) - 0.886 * radius,
            // Pixels run downwards.
            Self::Triangle => triangle(x, y, radius),
            Self::Wedge => triangle(x, -y, radius),
            Self::Diamond => (x.abs() + y.abs()) * std::f32::consts::FRAC_1_SQRT_2 - 0.886 * radius,
            Self::Cross => {
                let (long, wide) = (1.19 * radius, 0.4 * radius);
                let (x, y) = (x.abs(), y.abs());
                (x - long).max(y - wide).min((x - wide).max(y - long))
            }
            Self::Ring => (x.hypot(y) - 0.9 * radius).abs() - (0.2 * radius).max(0.5),
        }
    }
}

impl Shape {
    /// The outline as the path of an SVG, about a middle; for legends.
    pub fn path(self, [x, y]: [f64; 2], radius: f64) -> String {
        let (flat, long, wide) = (0.886 * radius, 1.19 * radius, 0.4 * radius);
        let (tip, base, half) = (1.555 * radius, 0.7775 * radius, 1.347 * radius);
        let corners: Vec<[f64; 2]> = match self {
            Self::Disc | Self::Ring => {
                let turn = |at: i32| {
                    let angle = f64::from(at) * std::f64::consts::TAU / 24.0;
                    [radius * angle.cos(), radius * angle.sin()]
                };
                (0..24).map(turn).collect()
            }
            Self::Square => vec![[-flat, -flat], [flat, -flat], [flat, flat], [-flat, flat]],
            Self::Triangle => vec![[0.0, -tip], [half, base], [-half, base]],
            Self::Wedge => vec![[0.0, tip], [half, -base], [-half, -base]],
            Self::Diamond => {
                let far = 1.2533 * radius;
                vec![[0.0, -far], [far, 0.0], [0.0, far], [-far, 0.0]]
            }
            Self::Cross => {
                let corner = [[wide, long], [wide, wide], [long, wide]];
                let back = [[long, wide], [wide, wide], [wide, long]];
                let turned =
                    |all: [[f64; 2]; 3], by: [f64; 2]| all.map(|[x, y]| [x * by[0], y * by[1]]);
                [
                    turned(corner, [1.0, 1.0]),
                    turned(back, [1.0, -1.0]),
                    turned(corner, [-1.0, -1.0]),
                    turned(back, [-1.0, 1.0]),
                ]
                .concat()
            }
        };
        let mut path = String::new();
        for (at, [right, down]) in corners.into_iter().enumerate() {
            let step = if at == 0 { "M" } else { "L" };
            path += &[step, &decimals(x + right), " ", &decimals(y + down)].concat();
        }
        path.push('Z');
        path
    }
}

fn decimals(number: f64) -> String {
    ((number * 100.0).round() / 100.0).to_string()
}

/// Its tip is up; its sides lie half as far from the centre as its corners.
fn triangle(x: f32, y: f32, radius: f32) -> f32 {
    let side = 0.866 * x.abs() - 0.5 * y;
    side.max(y) - 0.7775 * radius
}

/// How many sizes a point can have; the last is the largest.
pub const SIZES: usize = 16;
/// How many sizes and shapes there are together.
pub const STAMPS: usize = SIZES * 8;
/// The size and shape of points that are all alike.
pub const ALIKE: u8 = SIZES as u8 - 1;
/// The area of the smallest size, of the largest one's.
const AREA_MIN: f32 = 0.06;

/// What of a point's stamp a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Size,
    Shape,
}

impl Part {
    /// Where it lies in a byte: how far up, and in which bits.
    pub fn bits(self) -> (u32, u8) {
        match self {
            Self::Size => (0, 0x0f),
            Self::Shape => (4, 0x70),
        }
    }
}

/// The radius of a size, of the largest one's: areas grow evenly.
pub fn radius_of(size: usize) -> f32 {
    let share = size.min(SIZES - 1) as f32 / (SIZES - 1) as f32;
    (AREA_MIN + (1.0 - AREA_MIN) * share).sqrt()
}

/// The weights of all sizes and shapes, one after another, and where each begins.
#[derive(Debug, Clone, Default)]
pub struct Stamps {
    pub weights: Vec<u32>,
    pub all: Vec<(Stamp, usize)>,
}

impl Stamps {
    /// Of which this is the largest disc.
    pub fn of(largest: Stamp) -> Self {
        let mut stamps = Self::default();
        for shape in Shape::ALL {
            for size in 0..SIZES {
                let stamp = largest.sized(size, shape);
                stamps.all.push((stamp, stamps.weights.len()));
                stamps.weights.extend(stamp.table());
            }
        }
        stamps
    }
}

impl Stamp {
    /// One count for the pixel that a point falls in. Colours are exact for up to sixteen
    /// million points on one pixel.
    pub const PIXEL: Self = Self { radius: 0.0, unit: 1, reach: 0, shape: Shape::Disc };

    /// A disc of about that radius, for at most `points` of them: the unit is chosen so that
    /// no pixel's sum of coverage × colour leaves 32 bits. Small ones are pixels.
    pub fn disc(radius: f32, points: usize) -> Self {
        if radius.is_nan() || radius < DISC_RADIUS_MIN {
            return Self::PIXEL;
        }
        let radius = (radius.min(DISC_RADIUS_MAX) / RADIUS_STEP).round() * RADIUS_STEP;
        let room = (u64::from(u32::MAX) / 255 / points.max(1) as u64).max(1);
        let unit = 1u32 << room.ilog2().min(UNIT_MAX.ilog2());
        Self { radius, unit, reach: radius.ceil() as u32, shape: Shape::Disc }
    }

    /// The same in another size and shape.
    pub fn sized(self, size: usize, shape: Shape) -> Self {
        let radius = (self.radius * radius_of(size)).max(DISC_RADIUS_MIN);
        Self { radius, reach: (radius * shape.extent()).ceil() as u32, shape, ..self }
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
                let (x, y) = (offset(column, place_x), offset(row, place_y));
                let inside = match self.shape {
                    Shape::Disc => self.radius + 0.5 - x.hypot(y),
                    shape => 0.5 - shape.distance(x, y, self.radius),
                };
                let coverage = inside.clamp(0.0, 1.0);
                weights.push((coverage * self.unit as f32).round() as u32);
            }
        }
    }
}
