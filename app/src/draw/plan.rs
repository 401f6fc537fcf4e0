//! Picture, frame and size → the numbers that both renderers draw by. Pure, so that both
//! decide alike.

use super::palette::Rgb;
use super::points::{CHUNK_ROWS, Points};
use super::projection::Lens;
use super::stamp::{SIZES, Shape, Stamp};
use super::{Frame, Picture, Size, Unselected};
use crate::look::Form;

/// Of a lone point, CSS pixels.
const RADIUS_MAX: f32 = 4.0;
const RADIUS_MIN: f32 = 0.4;
/// Of points with sizes or shapes: CSS pixels at least, and pixels at most.
const VARIED_RADIUS_MIN: f32 = 3.0;
const VARIED_RADIUS_MAX: f32 = 16.0;
const SIZED_GROWTH: f32 = 2.0;
/// Up to so many points in view the radius is the largest.
const POINTS_OF_RADIUS_MAX: f32 = 1000.0;
/// Additions per picture above which discs shrink; a chosen radius is worth more.
const WORK_MAX: f32 = 16e6;
const WORK_OF_CHOSEN_MAX: f32 = 256e6;
/// Of unselected points.
const FAINT_STRENGTH: f32 = 0.45;
/// Rows looked at to tell how many are in view.
const SAMPLE_ROWS: usize = 1 << 14;
/// Of a side of a density's cells, CSS pixels.
const CELL: f32 = 2.0;
/// Of a cell with a single point, in a density.
const DENSITY_OPACITY: f32 = 0.12;

/// Everything but the points themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub size: Size,
    /// Counts per cell are drawn rather than points.
    pub is_density: bool,
    /// Pixels on a side of a cell of the sums: one, but for densities of points.
    pub cell: u32,
    /// How many cells there are: as many as cover the picture.
    pub cells: Size,
    /// From stored coordinates to cells. `None` where nothing can be placed, and for a density.
    pub lens: Option<Lens>,
    pub selected: LayerPlan,
    /// Of all rows, where the unselected are shown.
    pub context: Option<LayerPlan>,
    pub shade: Shade,
    pub background: Rgb,
    pub faint: Rgb,
    pub highlight: Option<Highlight>,
    pub pinned: Option<Highlight>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LayerPlan {
    /// The largest one, where points have sizes.
    pub stamp: Stamp,
    /// Points have sizes or shapes of their own.
    pub is_varied: bool,
    /// Of one point.
    pub opacity: f32,
    pub strength: f32,
    /// Opacity follows the rank of a cell's sum rather than its logarithm.
    pub is_equalized: bool,
}

impl LayerPlan {
    /// Pixels from a point to the edge of the widest stamp.
    pub fn reach(&self) -> u32 {
        let shapes = Shape::ALL.into_iter().filter(|_| self.is_varied);
        let widest = shapes.map(|shape| self.stamp.sized(SIZES - 1, shape).reach).max();
        widest.unwrap_or(self.stamp.reach)
    }
}

/// What colour a pixel of the selected layer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// One colour; cells are coverage alone.
    Single(Rgb),
    /// The mean of the points' colours; cells are coverage, red, green and blue.
    Mean,
    /// Opaque, from the palette's ramp by how much lies there.
    Ramp,
}

/// A disc in the point's colour with a ring around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Highlight {
    pub x: f32,
    pub y: f32,
    pub radius: f32,
    pub ring: f32,
    pub color: Rgb,
    pub ring_color: Rgb,
}

/// Makes plans, and remembers what is costly to find out.
#[derive(Debug, Default)]
pub struct Planner {
    in_view: Option<(InViewKey, f32)>,
}

type InViewKey = (u64, u64, usize, Lens, u32, u32);

impl Planner {
    /// Equal arguments make equal plans, so nothing in one is NaN.
    pub fn plan(&mut self, picture: Picture<'_>, frame: &Frame<'_>, size: Size) -> Plan {
        let is_usable = size.pixel_ratio.is_finite() && size.pixel_ratio > 0.0;
        let size = Size { pixel_ratio: if is_usable { size.pixel_ratio } else { 1.0 }, ..size };
        match picture {
            Picture::Points(points) => self.plan_points(points, frame, size),
            Picture::Density(_) => plan_density(frame, size),
        }
    }

    fn plan_points(&mut self, points: &Points, frame: &Frame<'_>, size: Size) -> Plan {
        points.mark_shown();
        let lens_of = |cell: u32| {
            let lengths =
                [size.width, size.height].map(|pixels| f64::from(pixels) / f64::from(cell));
            Lens::new(frame.viewport, lengths, points.axes(), points.stored_extent())
        };
        let pixels = lens_of(1);
        let in_view = pixels.map_or(1.0, |lens| self.in_view(points, lens, size));
        let selected =
            frame.selected.map_or(points.rows(), |words| count_bits(words, points.rows()));
        let cell = cell_of(frame.style.form, size, selected as f32 * in_view);
        let is_density = cell > 0;
        let layer = |rows: usize, strength: f32| match is_density {
            false => layer_plan(frame, size, rows, in_view, (strength, growth_of(points))),
            true => density_layer(frame, !points.is_colored(), strength),
        };
        let context = (frame.unselected == Unselected::Faint && selected < points.rows())
            .then(|| layer(points.rows(), FAINT_STRENGTH));
        let shade = match points.is_colored() {
            true => Shade::Mean,
            false if is_density => Shade::Ramp,
            false => Shade::Single(frame.palette.lone()),
        };
        let selected = layer(selected, 1.0);
        let ringed = |row: Option<usize>| {
            highlight(points, frame, row?, size, pixels?, selected.stamp.radius)
        };
        let (highlight, pinned) = (ringed(frame.highlight), ringed(frame.pinned));
        let cell = cell.max(1);
        Plan {
            size,
            is_density,
            cell,
            cells: cells_of(size, cell),
            lens: lens_of(cell),
            selected,
            context,
            shade,
            background: frame.theme.background(),
            faint: frame.theme.faint(),
            highlight,
            pinned,
        }
    }

    /// The share of points that the viewport holds, roughly: never far too low, or a crowd
    /// would be drawn as large discs. What area of the extent is shown tells where points
    /// are spread evenly, a sample tells where outliers make the extent large.
    fn in_view(&mut self, points: &Points, lens: Lens, size: Size) -> f32 {
        let key = (points.id(), points.revision(), points.rows(), lens, size.width, size.height);
        if let Some((known, share)) = &self.in_view
            && *known == key
        {
            return *share;
        }
        let [x, y] = points.stored_extent();
        let shown = |pixels: u32, extent: [f32; 2], scale: f32| {
            (pixels as f32 / ((extent[1] - extent[0]) * scale.abs())).clamp(0.0, 1.0)
        };
        let area = shown(size.width, x, lens.x.scale) * shown(size.height, y, lens.y.scale);
        let share = area.max(sampled_share(points, lens, size)).clamp(0.0, 1.0);
        self.in_view = Some((key, share));
        share
    }
}

fn sampled_share(points: &Points, lens: Lens, size: Size) -> f32 {
    let step = points.rows().div_ceil(SAMPLE_ROWS).max(1);
    let (mut seen, mut looked_at) = (0usize, 0usize);
    let mut row = 0;
    while row < points.rows() {
        looked_at += 1;
        if let Some((x, y)) = pixel_of(points, row, lens) {
            let inside = |at: f32, length: u32| at >= 0.0 && at < length as f32;
            seen += usize::from(inside(x, size.width) && inside(y, size.height));
        }
        row += step;
    }
    seen as f32 / looked_at.max(1) as f32
}

/// Where a row is drawn, in pixels of the canvas.
pub fn pixel_of(points: &Points, row: usize, lens: Lens) -> Option<(f32, f32)> {
    let chunk = points.chunks().get(row / CHUNK_ROWS)?;
    let (x, y) = (chunk.x.at(row % CHUNK_ROWS)?, chunk.y.at(row % CHUNK_ROWS)?);
    Some((lens.x.pixel(x), lens.y.pixel(y)))
}

/// How much larger the largest point is where points have sizes or shapes.
fn growth_of(points: &Points) -> Option<f32> {
    let growth = if points.is_sized() { SIZED_GROWTH } else { 1.0 };
    points.is_stamped().then_some(growth)
}

fn layer_plan(
    frame: &Frame<'_>,
    size: Size,
    rows: usize,
    in_view: f32,
    (strength, growth): (f32, Option<f32>),
) -> LayerPlan {
    let shown = (rows as f32 * in_view).max(1.0);
    let crowd = (shown / POINTS_OF_RADIUS_MAX).max(1.0);
    let (radius, work_max) = match frame.style.radius.filter(|radius| radius.is_finite()) {
        Some(radius) => (radius.max(0.0), WORK_OF_CHOSEN_MAX),
        None => ((RADIUS_MAX * crowd.powf(-0.3)).max(RADIUS_MIN), WORK_MAX),
    };
    // Shapes are told apart from here on.
    let radius = growth.map_or(radius, |growth| (radius * growth).max(VARIED_RADIUS_MIN));
    let side_max = (work_max / shown).sqrt();
    let affordable = ((side_max - 1.0) / 2.0).floor();
    let radius = (radius * size.pixel_ratio).min(affordable);
    let radius = if growth.is_some() { radius.min(VARIED_RADIUS_MAX) } else { radius };
    let stamp = Stamp::disc(radius, rows);
    let is_varied = growth.is_some() && !stamp.is_pixel();
    let opacity = match frame.style.opacity.filter(|opacity| opacity.is_finite()) {
        Some(opacity) => opacity.clamp(0.02, 1.0),
        None => (0.85 - 0.22 * crowd.log10()).max(0.15),
    };
    LayerPlan { stamp, is_varied, opacity, strength, is_equalized: false }
}

/// Pixels on a side of a density's cells; zero where points are drawn.
fn cell_of(form: Form, size: Size, shown: f32) -> u32 {
    let pixels = size.width as f32 * size.height as f32 / size.pixel_ratio.powi(2);
    let is_density = match form {
        Form::Points => false,
        Form::Density => true,
        Form::Auto => shown > pixels,
    };
    if is_density { ((CELL * size.pixel_ratio).round() as u32).max(1) } else { 0 }
}

fn cells_of(size: Size, cell: u32) -> Size {
    let [width, height] = [size.width, size.height].map(|pixels| pixels.div_ceil(cell));
    Size { width, height, ..size }
}

/// Counts as they are. In colours of their own they are paler where they are few.
fn density_layer(frame: &Frame<'_>, is_ramp: bool, strength: f32) -> LayerPlan {
    let opacity = if is_ramp { DENSITY_OPACITY } else { 0.3 };
    let is_equalized = frame.style.is_equalized && strength == 1.0;
    LayerPlan { stamp: Stamp::PIXEL, is_varied: false, opacity, strength, is_equalized }
}

fn highlight(
    points: &Points,
    frame: &Frame<'_>,
    row: usize,
    size: Size,
    lens: Lens,
    radius: f32,
) -> Option<Highlight> {
    let (x, y) = pixel_of(points, row, lens)?;
    let radius = radius.max(3.0 * size.pixel_ratio) + size.pixel_ratio;
    let color = match points.is_colored() {
        true => frame.palette.color(points.color(row)),
        false => frame.palette.lone(),
    };
    let ring = 1.5 * size.pixel_ratio;
    Some(Highlight { x, y, radius, ring, color, ring_color: frame.theme.ink() })
}

fn plan_density(frame: &Frame<'_>, size: Size) -> Plan {
    let selected = density_layer(frame, true, 1.0);
    Plan {
        size,
        is_density: true,
        cell: 1,
        cells: size,
        lens: None,
        selected,
        context: None,
        shade: Shade::Ramp,
        background: frame.theme.background(),
        faint: frame.theme.faint(),
        highlight: None,
        pinned: None,
    }
}

fn count_bits(words: &[u64], rows: usize) -> usize {
    let whole = rows / 64;
    let counted: usize = words.iter().take(whole).map(|word| word.count_ones() as usize).sum();
    let rest = words.get(whole).map_or(0, |word| word & ((1u64 << (rows % 64)) - 1));
    counted + rest.count_ones() as usize
}
