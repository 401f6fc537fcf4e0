//! The uniforms of the shaders as Rust has them; `tests/shaders.rs` compares each with its
//! twin in WGSL, field by field.

use bytemuck::{Pod, Zeroable};

use crate::draw::Size;
use crate::draw::palette::Rgb;
use crate::draw::plan::{Highlight, LayerPlan, Plan, Shade};
use crate::draw::projection::Lens;

/// Invocations of a workgroup, as `GROUP` in common.wgsl.
pub const GROUP: u32 = 256;

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Layer {
    pub x_edge: [f32; 2],
    pub y_edge: [f32; 2],
    pub scale: [f32; 2],
    pub size: [u32; 2],
    pub reach: i32,
    pub stride: u32,
    pub masked: u32,
    pub varied: u32,
}

impl Layer {
    /// Without a lens for layers that no row is drawn on.
    pub fn new(
        lens: Option<Lens>,
        size: Size,
        of: &LayerPlan,
        colored: bool,
        masked: bool,
    ) -> Self {
        let mut layer = Self::zeroed();
        if let Some(lens) = lens {
            // Where the low parts of coordinates do not matter, the edge's do not either.
            let low = f32::from(u8::from(lens.fine));
            layer.x_edge = [lens.x.edge.hi, lens.x.edge.lo * low];
            layer.y_edge = [lens.y.edge.hi, lens.y.edge.lo * low];
            layer.scale = [lens.x.scale, lens.y.scale];
        }
        layer.size = [size.width, size.height];
        layer.reach = of.reach() as i32;
        layer.varied = u32::from(of.is_varied);
        layer.stride = stride(colored);
        layer.masked = u32::from(masked);
        layer
    }
}

/// Words of a cell.
pub fn stride(colored: bool) -> u32 {
    if colored { 4 } else { 1 }
}

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Chunk {
    pub rows: u32,
    pub first_word: u32,
    pub fine: u32,
    pub colored: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Tone {
    pub per_unit: f32,
    pub opacity: f32,
    pub strength: f32,
    pub equalized: u32,
}

impl Tone {
    fn new(layer: &LayerPlan) -> Self {
        let LayerPlan { stamp, opacity, strength, is_equalized, .. } = *layer;
        let equalized = u32::from(is_equalized);
        Self { per_unit: 1.0 / stamp.unit as f32, opacity, strength, equalized }
    }
}

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Ringed {
    pub color: [f32; 4],
    pub at: [f32; 2],
    pub radius: f32,
    pub ring: f32,
}

impl Ringed {
    fn new(highlight: Option<Highlight>) -> Self {
        highlight.map_or(Self::zeroed(), |Highlight { x, y, radius, ring, color, .. }| Self {
            color: color_of(color),
            at: [x, y],
            radius,
            ring,
        })
    }
}

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Resolve {
    pub tone: Tone,
    pub context_tone: Tone,
    pub background: [f32; 4],
    pub faint: [f32; 4],
    pub single: [f32; 4],
    pub ring_color: [f32; 4],
    pub highlight: Ringed,
    pub pinned: Ringed,
    pub width: u32,
    pub cell: u32,
    pub stride: u32,
    pub shade: u32,
    pub context: u32,
    pub padding_1: u32,
    pub padding_2: u32,
    pub padding_3: u32,
}

pub const SHADE_SINGLE: u32 = 0;
pub const SHADE_MEAN: u32 = 1;
pub const SHADE_RAMP: u32 = 2;

impl Resolve {
    pub fn new(plan: &Plan) -> Self {
        let (shade, single) = match plan.shade {
            Shade::Single(color) => (SHADE_SINGLE, color),
            Shade::Mean => (SHADE_MEAN, plan.faint),
            Shade::Ramp => (SHADE_RAMP, plan.faint),
        };
        let ring = plan.highlight.or(plan.pinned);
        Self {
            tone: Tone::new(&plan.selected),
            context_tone: Tone::new(plan.context.as_ref().unwrap_or(&plan.selected)),
            background: color_of(plan.background),
            faint: color_of(plan.faint),
            single: color_of(single),
            ring_color: ring.map_or([0.0; 4], |ringed| color_of(ringed.ring_color)),
            highlight: Ringed::new(plan.highlight),
            pinned: Ringed::new(plan.pinned),
            width: plan.cells.width,
            cell: plan.cell,
            stride: stride(plan.shade == Shade::Mean),
            shade,
            context: u32::from(plan.context.is_some()),
            ..Self::zeroed()
        }
    }
}

fn color_of(color: Rgb) -> [f32; 4] {
    let [red, green, blue] = color.channels();
    [red, green, blue, 255.0]
}
