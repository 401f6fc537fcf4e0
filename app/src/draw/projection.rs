//! Data units ↔ pixels. [`Projection`] works in f64 and is what hover, boxes and axes use;
//! [`Lens`] is the same in f32, as both renderers compute it for each point.

use super::Size;
use super::axis::{Axis, Split};
use crate::protocol::Viewport;

/// The pixels' y runs down from the viewport's high end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection {
    pub viewport: Viewport,
    pub width: f64,
    pub height: f64,
}

impl Projection {
    pub fn new(viewport: Viewport, width: f64, height: f64) -> Self {
        Self { viewport, width, height }
    }

    pub fn pixel(&self, x: f64, y: f64) -> (f64, f64) {
        let Viewport { x: [left, right], y: [bottom, top] } = self.viewport;
        ((x - left) / (right - left) * self.width, (top - y) / (top - bottom) * self.height)
    }

    pub fn data(&self, pixel_x: f64, pixel_y: f64) -> (f64, f64) {
        let Viewport { x: [left, right], y: [bottom, top] } = self.viewport;
        (left + pixel_x / self.width * (right - left), top - pixel_y / self.height * (top - bottom))
    }
}

/// How a stored coordinate becomes a pixel's: `((hi - edge.hi) + (lo - edge.lo)) * scale`,
/// each operation rounded to f32 and none fused, so that CPU and GPU agree to the bit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AxisLens {
    pub edge: Split,
    /// Pixels per stored unit.
    pub scale: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    pub x: AxisLens,
    pub y: AxisLens,
    /// Whether `lo` matters: without it a pixel is still whole.
    pub fine: bool,
}

/// What part of a pixel the coarse coordinates may be off.
const COARSE_ERROR_MAX: f64 = 1.0 / 64.0;

impl Lens {
    /// `lengths` are those of the canvas, `extent` is that of the stored values. `None` where the viewport or the canvas is
    /// empty, or too small or large for f32: then no point can be placed.
    pub fn new(
        viewport: Viewport,
        lengths: [f64; 2],
        axes: (Axis, Axis),
        extent: [[f32; 2]; 2],
    ) -> Option<Self> {
        let Viewport { x: [left, right], y: [bottom, top] } = viewport;
        let x = AxisLens::new(&axes.0, left, right - left, lengths[0])?;
        let y = AxisLens::new(&axes.1, top, bottom - top, lengths[1])?;
        let fine = x.coarse_error(extent[0]).max(y.coarse_error(extent[1])) > COARSE_ERROR_MAX;
        Some(Self { x, y, fine })
    }

    /// Whether points within these bounds, widened by `margin` pixels, may be on the canvas.
    pub fn may_see(&self, bounds: [[f32; 2]; 2], margin: f32, size: Size) -> bool {
        let lengths = [size.width, size.height];
        [self.x, self.y].into_iter().zip(bounds).zip(lengths).all(
            |((axis, [low, high]), length)| {
                if low > high {
                    return false;
                }
                // A step outwards covers what `lo` may add.
                let a = axis.pixel(Split { hi: low.next_down(), lo: 0.0 });
                let b = axis.pixel(Split { hi: high.next_up(), lo: 0.0 });
                a.max(b) >= -margin && a.min(b) <= length as f32 + margin
            },
        )
    }
}

impl AxisLens {
    fn new(axis: &Axis, start: f64, span: f64, pixels: f64) -> Option<Self> {
        let scale = (pixels / axis.stored_length(span)) as f32;
        let edge = Split::of(axis.stored(start));
        let usable = scale.is_normal() && !edge.hi.is_nan() && pixels > 0.0;
        usable.then_some(Self { edge, scale })
    }

    pub fn pixel(&self, value: Split) -> f32 {
        ((value.hi - self.edge.hi) + (value.lo - self.edge.lo)) * self.scale
    }

    fn coarse_error(&self, [low, high]: [f32; 2]) -> f64 {
        let reach =
            if low > high { 0.0 } else { low.abs().max(high.abs()).max(self.edge.hi.abs()) };
        f64::from(reach) * f64::from(f32::EPSILON) * f64::from(self.scale.abs())
    }
}
