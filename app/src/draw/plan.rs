//! Picture, frame and size → the numbers that both renderers draw by. Pure, so that both
//! decide alike.

use super::palette::Rgb;
use super::points::{CHUNK_ROWS, Points};
use super::projection::Lens;
use super::stamp::Stamp;
use super::{Frame, Picture, Size, Unselected};

/// Of a lone point, CSS pixels.
const RADIUS_MAX: f32 = 4.0;
const RADIUS_MIN: f32 = 0.4;
/// Up to so many points in view the radius is the largest.
const POINTS_OF_RADIUS_MAX: f32 = 1000.0;
/// Additions per picture above which discs shrink; a chosen radius is worth more.
const WORK_MAX: f32 = 16e6;
const WORK_OF_CHOSEN_MAX: f32 = 256e6;
/// Of unselected points.
const FAINT_STRENGTH: f32 = 0.45;
/// Rows looked at to tell how many are in view.
const SAMPLE_ROWS: usize = 1 << 14;

/// Everything but the points themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub size: Size,
    /// `None` where nothing can be placed, and for a density.
    pub lens: Option<Lens>,
    pub selected: LayerPlan,
    /// Of all rows, where the unselected are shown.
    pub context: Option<LayerPlan>,
    pub shade: Shade,
    pub background: Rgb,
    pub faint: Rgb,
    pub highlight: Option<Highlight>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LayerPlan {
    pub stamp: Stamp,
    /// Of one point.
    pub opacity: f32,
    pub strength: f32,
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
        let lens = Lens::new(frame.viewport, size, points.axes(), points.stored_extent());
        let in_view = lens.map_or(1.0, |lens| self.in_view(points, lens, size));
        let selected =
            frame.selected.map_or(points.rows(), |words| count_bits(words, points.rows()));
        let layer = |rows: usize, strength: f32| layer_plan(frame, size, rows, in_view, strength);
        let context = (frame.unselected == Unselected::Faint && selected < points.rows())
            .then(|| layer(points.rows(), FAINT_STRENGTH));
        let shade =
            if points.is_colored() { Shade::Mean } else { Shade::Single(frame.palette.color(0)) };
        let selected = layer(selected, 1.0);
        let highlight =
            lens.and_then(|lens| highlight(points, frame, size, lens, selected.stamp.radius));
        Plan {
            size,
            lens,
            selected,
            context,
            shade,
            background: frame.theme.background(),
            faint: frame.theme.faint(),
            highlight,
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

fn layer_plan(
    frame: &Frame<'_>,
    size: Size,
    rows: usize,
    in_view: f32,
    strength: f32,
) -> LayerPlan {
    let shown = (rows as f32 * in_view).max(1.0);
    let crowd = (shown / POINTS_OF_RADIUS_MAX).max(1.0);
    let (radius, work_max) = match frame.style.radius.filter(|radius| radius.is_finite()) {
        Some(radius) => (radius.max(0.0), WORK_OF_CHOSEN_MAX),
        None => ((RADIUS_MAX * crowd.powf(-0.3)).max(RADIUS_MIN), WORK_MAX),
    };
    let side_max = (work_max / shown).sqrt();
    let affordable = ((side_max - 1.0) / 2.0).floor();
    let radius = (radius * size.pixel_ratio).min(affordable);
    let stamp = Stamp::disc(radius, rows);
    let opacity = match frame.style.opacity.filter(|opacity| opacity.is_finite()) {
        Some(opacity) => opacity.clamp(0.02, 1.0),
        None => (0.85 - 0.22 * crowd.log10()).max(0.15),
    };
    LayerPlan { stamp, opacity, strength }
}

fn highlight(
    points: &Points,
    frame: &Frame<'_>,
    size: Size,
    lens: Lens,
    radius: f32,
) -> Option<Highlight> {
    let row = frame.highlight?;
    let (x, y) = pixel_of(points, row, lens)?;
    let radius = radius.max(3.0 * size.pixel_ratio) + size.pixel_ratio;
    let color = frame.palette.color(points.color(row));
    let ring = 1.5 * size.pixel_ratio;
    Some(Highlight { x, y, radius, ring, color, ring_color: frame.theme.ink() })
}

fn plan_density(frame: &Frame<'_>, size: Size) -> Plan {
    let selected = LayerPlan { stamp: Stamp::PIXEL, opacity: 0.12, strength: 1.0 };
    Plan {
        size,
        lens: None,
        selected,
        context: None,
        shade: Shade::Ramp,
        background: frame.theme.background(),
        faint: frame.theme.faint(),
        highlight: None,
    }
}

fn count_bits(words: &[u64], rows: usize) -> usize {
    let whole = rows / 64;
    let counted: usize = words.iter().take(whole).map(|word| word.count_ones() as usize).sum();
    let rest = words.get(whole).map_or(0, |word| word & ((1u64 << (rows % 64)) - 1));
    counted + rest.count_ones() as usize
}
