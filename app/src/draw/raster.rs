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
/// For so long a picture goes on though another viewport is wanted by now.
const HOLD_MILLIS: f64 = 300.0;

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
    work: Option<Work>,
    /// What the pixels show in whole.
    shown: Option<Shown>,
}

/// A picture on its way.
struct Work {
    plan: Plan,
    subject: Subject,
    began: f64,
    /// When a part was last shown, or the work begun.
    shown_at: f64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Rows are added to the sums.
    Adding,
    /// Sums become pixels; rows wait, or it would begin anew.
    Coloring { is_whole: bool },
}

/// Whose sums the layers have, apart from the plan.
type Subject = (u64, u64);

/// All that a whole picture depends on; the sums count their own changes.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    plan: Plan,
    palette: Palette,
    changes: (u64, u64),
}

impl Raster {
    /// Works towards the picture until `deadline`, by `clock`. A new selection takes over
    /// at once. A new viewport waits until the picture under way is shown: pictures that
    /// take longer than the pointer to move on would otherwise never be.
    pub fn draw(
        &mut self,
        picture: Picture<'_>,
        frame: &Frame<'_>,
        size: Size,
        clock: Clock<'_>,
        deadline: f64,
    ) -> Drawn {
        let wanted = self.planner.plan(picture, frame, size);
        let out_of_time = &mut || clock() >= deadline;
        let now = clock();
        let subject = match picture {
            Picture::Points(points) => (points.id(), points.revision()),
            Picture::Density(density) => (density.id(), 0),
        };
        let is_current = |work: &Work| {
            let is_held = work.plan.size == wanted.size && now - work.began < HOLD_MILLIS;
            work.subject == subject && (work.plan == wanted || is_held)
        };
        let mut work = self.work.take().filter(is_current).unwrap_or_else(|| Work {
            plan: wanted.clone(),
            subject,
            began: now,
            shown_at: now,
            stage: Stage::Adding,
        });
        let is_adding = work.stage == Stage::Adding;
        if is_adding {
            let is_whole = self.accumulate(picture, frame, &work.plan, out_of_time);
            if !is_whole && clock() - work.shown_at < PARTIAL_MILLIS {
                self.work = Some(work);
                return Drawn::Nothing;
            }
            work.stage = Stage::Coloring { is_whole };
        }
        let is_wanted = is_adding && work.plan == wanted;
        self.color(work, frame.palette, is_wanted, clock, out_of_time)
    }

    /// Colours the pixels; `is_wanted` if they will show all that was asked for.
    fn color(
        &mut self,
        mut work: Work,
        palette: &Palette,
        is_wanted: bool,
        clock: Clock<'_>,
        out_of_time: &mut dyn FnMut() -> bool,
    ) -> Drawn {
        let is_whole = work.stage == Stage::Coloring { is_whole: true };
        let changes = (self.selected.changes(), self.context.changes());
        let shown = Shown { plan: work.plan.clone(), palette: palette.clone(), changes };
        let is_shown = is_whole && self.shown.as_ref() == Some(&shown);
        if !is_shown {
            self.shown = None;
            let layers = (&self.selected, &self.context);
            if !self.resolve.work(&shown.plan, palette, layers, changes, out_of_time) {
                self.work = Some(work);
                return Drawn::Nothing;
            }
        }
        if !is_whole {
            work.stage = Stage::Adding;
            work.shown_at = clock();
            self.work = Some(work);
            return Drawn::Part;
        }
        self.shown = Some(shown);
        match (is_wanted, is_shown) {
            (true, _) => Drawn::Whole { changed: !is_shown },
            (false, true) => Drawn::Nothing,
            (false, false) => Drawn::Part,
        }
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
            Some(layer) => self.context.advance(points, Rows::All, plan, layer, None, out_of_time),
            None => true,
        };
        let rows = frame.selected.map_or(Rows::All, Rows::Some);
        let palette = points.is_colored().then_some(frame.palette);
        context_complete
            && self.selected.advance(points, rows, plan, &plan.selected, palette, out_of_time)
    }
}
