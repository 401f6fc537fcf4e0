//! The CPU's renderer: the picture as RGBA bytes. It works in slices, so that a drag or a
//! cancel gets in between, and remembers which rows its sums contain: a changed selection
//! or new rows add and take back the difference only.

pub mod accumulate;
pub mod layer;
pub mod resolve;

use super::palette::Palette;
use super::plan::{Plan, Planner};
use super::{Frame, Picture, Size};
use layer::{Layer, Rows};
use resolve::Resolve;

/// A picture that takes longer than this is shown in part, and then again this often.
const PARTIAL_MILLIS: f64 = 80.0;

/// How far [`Raster::draw`] got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// [`Raster::pixels`] is the whole picture; `changed` unless it was already.
    Whole { changed: bool },
    /// [`Raster::pixels`] has what was added so far; call again.
    Part,
    /// Nothing new to show; call again.
    Nothing,
}

/// Tells the time in milliseconds, from any beginning.
pub type Clock<'a> = &'a dyn Fn() -> f64;

#[derive(Default)]
pub struct Raster {
    planner: Planner,
    selected: Layer,
    context: Layer,
    resolve: Resolve,
    /// What the pixels show in whole.
    shown: Option<Shown>,
    /// While a picture is under way.
    part: Option<Part>,
}

/// Showing what there is of a picture.
struct Part {
    /// When the last part was shown, or the picture begun.
    shown_at: f64,
    /// The plan by which a part is being coloured.
    coloring: Option<Plan>,
}

impl Part {
    fn is_coloring(&self, plan: &Plan) -> bool {
        self.coloring.as_ref() == Some(plan)
    }
}

/// All that a whole picture depends on but the sums, which count their own changes.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    plan: Plan,
    palette: Palette,
    changes: (u64, u64),
}

impl Raster {
    /// Works towards the picture until `deadline`, by `clock`. A frame or picture that
    /// differs from the last call's takes over at once.
    pub fn draw(
        &mut self,
        picture: Picture<'_>,
        frame: &Frame<'_>,
        size: Size,
        clock: Clock<'_>,
        deadline: f64,
    ) -> Drawn {
        let plan = self.planner.plan(picture, frame, size);
        let out_of_time = &mut || clock() >= deadline;
        // A part that is being coloured is finished first: more rows would begin it anew.
        let coloring_part = self.part.as_ref().is_some_and(|part| part.is_coloring(&plan));
        let complete = !coloring_part && self.accumulate(picture, frame, &plan, out_of_time);
        let now = clock();
        if complete {
            self.part = None;
        } else {
            let part = self.part.get_or_insert(Part { shown_at: now, coloring: None });
            if part.coloring.is_none() && now - part.shown_at < PARTIAL_MILLIS {
                return Drawn::Nothing;
            }
            part.coloring = Some(plan.clone());
        }
        let shown = Shown { plan, palette: frame.palette.clone(), changes: self.changes() };
        if complete && self.shown.as_ref() == Some(&shown) {
            return Drawn::Whole { changed: false };
        }
        self.shown = None;
        let (layers, palette) = ((&self.selected, &self.context), frame.palette);
        if !self.resolve.work(&shown.plan, palette, layers, shown.changes, out_of_time) {
            return Drawn::Nothing;
        }
        if complete {
            self.shown = Some(shown);
            return Drawn::Whole { changed: true };
        }
        self.part = Some(Part { shown_at: clock(), coloring: None });
        Drawn::Part
    }

    /// RGBA, opaque, row by row from the top; as large as the size last drawn.
    pub fn pixels(&self) -> &[u8] {
        self.resolve.pixels()
    }

    /// Bytes held in memory.
    pub fn bytes(&self) -> usize {
        self.selected.bytes() + self.context.bytes() + self.pixels().len()
    }

    /// Brings the sums up to the frame; true when they are.
    fn accumulate(
        &mut self,
        picture: Picture<'_>,
        frame: &Frame<'_>,
        plan: &Plan,
        out_of_time: &mut dyn FnMut() -> bool,
    ) -> bool {
        let points = match picture {
            Picture::Points(points) => points,
            Picture::Density(density) => {
                self.selected.fill(density, frame, plan.size);
                return true;
            }
        };
        // The context first: it lies beneath, and stays while selections change.
        let context_complete = match &plan.context {
            Some(layer) => {
                self.context.advance(points, Rows::All, plan, layer.stamp, None, out_of_time)
            }
            None => true,
        };
        let rows = frame.selected.map_or(Rows::All, Rows::Some);
        let palette = points.is_colored().then_some(frame.palette);
        context_complete
            && self.selected.advance(points, rows, plan, plan.selected.stamp, palette, out_of_time)
    }

    fn changes(&self) -> (u64, u64) {
        (self.selected.changes(), self.context.changes())
    }
}
