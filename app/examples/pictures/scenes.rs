//! What is on the test pictures: few points and many, coloured and not, selected and not,
//! sizes and shapes of their own, f64 coordinates that differ in their last digits, counts per bin, a highlighted point.

use app::draw::density::Density;
use app::draw::palette::Palette;
use app::draw::points::Points;
use app::draw::stamp::Part;
use app::draw::{Frame, Picture, Style, Theme, Unselected};
use app::look::Form;
use app::protocol::Viewport;

pub const NAMES: [&str; 14] = [
    "few", "some", "many", "selected", "one", "large", "deep", "bins", "nothing", "density",
    "ranked", "mixed", "shapes", "sizes",
];

const POINTS: Style =
    Style { radius: None, opacity: None, form: Form::Points, is_equalized: false };
const DENSITY: Style = Style { form: Form::Density, ..POINTS };

const UNIT: Viewport = Viewport { x: [0.0, 1.0], y: [0.0, 1.0] };

pub struct Scene {
    points: Points,
    density: Option<Density>,
    palette: Palette,
    selected: Option<Vec<u64>>,
    viewport: Viewport,
    theme: Theme,
    style: Style,
    highlight: Option<usize>,
    pinned: Option<usize>,
}

impl Scene {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "few" => Self { highlight: Some(7), ..Self::of_points(300, true) },
            "some" => Self { theme: Theme::Dark, ..Self::of_points(20_000, false) },
            "many" => Self::of_points(400_000, true),
            "selected" => Self {
                selected: Some((0..5000u64).map(scattered_bits).collect()),
                palette: Palette::ramp(Theme::Dark, app::look::Ramp::Viridis, false),
                theme: Theme::Dark,
                ..Self::of_points(300_000, true)
            },
            "one" => Self::showing(points(&[(0.5, 0.5)], &[]), UNIT),
            "large" => Self {
                style: Style { radius: Some(12.5), opacity: Some(0.4), ..POINTS },
                ..Self::of_points(200, true)
            },
            "deep" => Self::showing(deep(), Viewport { x: [1e15, 1e15 + 16.0], y: [-0.5, 8.5] }),
            "bins" => Self {
                density: Some(bins()),
                palette: Palette::ramp(Theme::Light, app::look::Ramp::Viridis, false),
                ..Self::showing(Points::new(), Viewport { x: [-0.5, 3.5], y: [0.2, 2.0] })
            },
            "nothing" => {
                let nowhere = Viewport { x: [1.0, 1.0], y: [0.0, f64::NAN] };
                Self { viewport: nowhere, ..Self::of_points(1000, false) }
            }
            // Counts per cell over those of all rows; by rank, of an odd size of cells; and in
            // the colours of categories.
            "density" => Self {
                selected: Some((0..5000u64).map(scattered_bits).collect()),
                palette: Palette::single(Theme::Dark, app::look::Ramp::Magma, false),
                theme: Theme::Dark,
                style: DENSITY,
                ..Self::of_points(300_000, false)
            },
            "ranked" => Self {
                palette: Palette::single(Theme::Light, app::look::Ramp::Cividis, true),
                style: Style { is_equalized: true, ..DENSITY },
                highlight: Some(7),
                pinned: Some(9),
                ..Self::of_points(60_000, false)
            },
            "mixed" => Self {
                style: Style { is_equalized: true, form: Form::Auto, ..POINTS },
                ..Self::of_points(1_000_000, true)
            },
            // Every size of every shape; and so many sizes that only some rows of them show.
            "shapes" => {
                let mut scene = Self { pinned: Some(3), ..Self::of_points(260, true) };
                scene.points.set_stamps(0, Part::Size, &cycle(260, 16));
                scene.points.set_stamps(0, Part::Shape, &cycle(260, 7));
                scene
            }
            "sizes" => {
                let selected = Some((0..400u64).map(scattered_bits).collect());
                let mut scene = Self { selected, ..Self::of_points(20_000, false) };
                scene.points.set_stamps(0, Part::Size, &cycle(20_000, 16));
                scene
            }
            _ => return None,
        })
    }

    /// So many points in clusters.
    pub fn of_points(count: usize, colored: bool) -> Self {
        let palette = match colored {
            true => Palette::categorical(Theme::Light),
            false => Palette::single(Theme::Light, app::look::Ramp::Viridis, false),
        };
        Self { palette, ..Self::showing(clusters(count, colored), UNIT) }
    }

    fn showing(points: Points, viewport: Viewport) -> Self {
        Self {
            points,
            density: None,
            palette: Palette::single(Theme::Light, app::look::Ramp::Viridis, false),
            selected: None,
            viewport,
            theme: Theme::Light,
            style: POINTS,
            highlight: None,
            pinned: None,
        }
    }

    /// Moves the view by a share of the unit square.
    pub fn pan(&mut self, share: f64) {
        self.viewport.x = self.viewport.x.map(|edge| edge + share);
    }

    /// Another selection, which differs from the last in one word of `every`.
    pub fn reselect(&mut self, every: usize) {
        let words = self.points.rows().div_ceil(64);
        let selected =
            self.selected.get_or_insert_with(|| (0..words as u64).map(scattered_bits).collect());
        selected.iter_mut().step_by(every).for_each(|word| *word = !*word);
    }

    pub fn picture(&self) -> Picture<'_> {
        self.density.as_ref().map_or(Picture::Points(&self.points), Picture::Density)
    }

    pub fn frame(&self) -> Frame<'_> {
        Frame {
            viewport: self.viewport,
            palette: &self.palette,
            theme: self.theme,
            style: self.style,
            selected: self.selected.as_deref(),
            unselected: Unselected::Faint,
            highlight: self.highlight,
            pinned: self.pinned,
        }
    }
}

fn scattered_bits(seed: u64) -> u64 {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29) ^ (mixed << 17)
}

/// Numbers from 0 to 1, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn bell(&mut self) -> f64 {
        self.next() + self.next() + self.next() - 1.5
    }
}

/// Twenty-four clusters of twelve colours, some points beyond the edges and some missing.
fn clusters(count: usize, colored: bool) -> Points {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut points = Points::new();
    let mut first = 0;
    while first < count {
        let rows = first..(first + 50_000).min(count);
        let (mut x, mut y, mut colors) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows.clone() {
            let cluster = (row % 24) as f64;
            let missing = row % 97 == 96;
            x.push(if missing {
                f64::NAN
            } else {
                0.5 + 0.35 * cluster.cos() + 0.08 * numbers.bell()
            });
            y.push(0.5 + 0.4 * (cluster * 1.7).sin() + 0.08 * numbers.bell());
            colors.push((row % 12) as u8);
        }
        points.append(&x, &y, if colored { &colors } else { &[] });
        first = rows.end;
    }
    points
}

fn points(places: &[(f64, f64)], colors: &[u8]) -> Points {
    let (x, y): (Vec<f64>, Vec<f64>) = places.iter().copied().unzip();
    let mut points = Points::new();
    points.append(&x, &y, colors);
    points
}

/// A lattice whose x differ by a part of 1e15; one far away, so that the origin is not near.
fn deep() -> Points {
    let lattice = (0..128).map(|i| (1e15 + f64::from(i % 16) + 0.5, f64::from(i / 16) + 0.5));
    let places: Vec<_> = lattice.chain([(0.0, 4.0)]).collect();
    points(&places, &[])
}

fn bins() -> Density {
    let counts: Vec<u64> =
        (0..40 * 30).map(|bin: u64| (bin % 40) * (bin / 40).pow(3) * (bin % 3)).collect();
    Density::new(&counts, 40, Viewport { x: [0.0, 4.0], y: [0.0, 2.0] })
}

/// So many numbers from zero up to below another, again and again.
fn cycle(many: usize, below: u8) -> Vec<u8> {
    (0..below).cycle().take(many).collect()
}
