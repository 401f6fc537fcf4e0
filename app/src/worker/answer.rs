//! The answer to `Show`, worked out from the resident columns in small steps: masks of the
//! clauses that changed, what is new of each view's columns, then counts under the other
//! clauses' masks. What was worked out stays for the next question, so that a step of a
//! brush costs one mask and the rows that it moves. All views answer together. Pure.

pub mod nearest;
pub mod place;
pub mod scatter;

mod bars;
mod binner;
mod brush;
mod coding;
mod coloring;
mod grid;
pub mod histogram;
mod masks;
mod names;
mod ramp;
mod varying;

use std::collections::{BTreeMap, HashMap};

use crate::draw::Theme;
use crate::protocol::{
    Clause, ClauseError, Generation, Mark, MarkResult, View, ViewId, ViewResult,
};
use crate::texts;
use crate::worker::bins::Extent;
use crate::worker::resident::Resident;
use crate::worker::tally::{Codes, Tally, Under};

pub use binner::ExtentScan;

use bars::Bars;
use brush::Brush;
use grid::Grid;
use histogram::Histogram;
use masks::Masks;
use scatter::Scatter;

/// What is asked: a selection and the views that show it.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub generation: Generation,
    pub clauses: Vec<Clause>,
    pub views: Vec<View>,
}

/// The answer, but for what the worker adds: origin and time.
#[derive(Debug, Clone)]
pub struct Answer {
    pub generation: Generation,
    pub selected: u64,
    pub total: u64,
    pub complete: bool,
    pub results: Vec<ViewResult>,
    pub clause_errors: Vec<ClauseError>,
}

/// What is known for answering, and how far the present answer is.
#[derive(Debug, Default)]
pub struct Answers {
    /// The rows that this is about; others mean starting over.
    epoch: u64,
    masks: Masks,
    brush: Brush,
    views: BTreeMap<ViewId, Shown>,
    question: Question,
    phase: Phase,
    /// The mask of the view that is being counted.
    mask: Vec<u64>,
    under: Under,
    /// The rows that pass all clauses, as of the last answer.
    selection: Vec<u64>,
    selected_rows: usize,
    /// Counts changes of the selection.
    revision: u64,
    /// What the companion says of the extents of columns.
    pub known_extents: HashMap<String, Extent>,
    pub theme: ThemeChoice,
}

/// Light until the page says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThemeChoice {
    pub dark: bool,
}

impl ThemeChoice {
    pub fn theme(self) -> Theme {
        Theme::of(self.dark)
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Phase {
    #[default]
    Masks,
    /// Of the view of this number: codes, bins and places.
    Prepare(usize),
    /// Of the view of this number: the mask, and counts from this block on.
    Count(usize, usize),
    Done,
}

/// A view and what was worked out for it.
#[derive(Debug)]
enum Shown {
    Histogram(Histogram),
    Bars(Bars),
    Scatter(Scatter),
    Grid(Box<Grid>),
    Failed(String),
}

impl Answers {
    /// Forgets rows that are gone.
    pub fn renew(&mut self, epoch: u64) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.masks.clear();
            self.brush.clear();
            self.views.clear();
            self.selection.clear();
            self.selected_rows = 0;
            self.revision += 1;
            self.known_extents.clear();
        }
    }

    /// Begins to answer; an answer that was not finished is given up.
    pub fn begin(&mut self, question: Question, resident: &Resident) {
        self.brush.notice(&self.question.clauses, &question.clauses);
        self.masks.set(&question.clauses, resident, &mut self.brush);
        self.views.retain(|id, _| question.views.iter().any(|view| view.id == *id));
        for view in &question.views {
            let before = self.views.remove(&view.id);
            let known = &self.known_extents;
            let shown = Shown::of(view, resident, before, known).unwrap_or_else(Shown::Failed);
            self.views.insert(view.id, shown);
        }
        self.question = question;
        self.phase = Phase::Masks;
    }

    /// Does a little; the answer when there is nothing more to do.
    pub fn step(&mut self, resident: &Resident) -> Option<Answer> {
        match self.phase {
            Phase::Masks => {
                if !self.masks.step(resident) {
                    self.phase = Phase::Prepare(0);
                }
            }
            Phase::Prepare(index) => self.prepare(index, resident),
            Phase::Count(index, block) => self.count(index, block, resident),
            Phase::Done => return Some(self.finish(resident)),
        }
        None
    }

    fn prepare(&mut self, index: usize, resident: &Resident) {
        let Some(view) = self.question.views.get(index) else {
            self.phase = Phase::Count(0, 0);
            return;
        };
        let shown = self.views.get_mut(&view.id);
        if !shown.is_some_and(|shown| shown.step(resident)) {
            self.phase = Phase::Prepare(index + 1);
        }
    }

    fn count(&mut self, index: usize, block: usize, resident: &Resident) {
        let Some(view) = self.question.views.get(index) else {
            self.phase = Phase::Done;
            return;
        };
        let Some(shown) = self.views.get_mut(&view.id) else {
            self.phase = Phase::Count(index + 1, 0);
            return;
        };
        if block == 0 {
            let cubed = self.brush.counts(view, shown, &self.question, &self.masks, resident);
            if let Some((counts, tally)) = cubed.zip(shown.tally()) {
                tally.give(counts);
                self.phase = Phase::Count(index + 1, 0);
                return;
            }
            let own = view.own_clause();
            let here = shown.rows(resident);
            let rows = self.masks.rows(&[&own], here);
            self.under = self.masks.under(&[&own], rows);
            if shown.tally().is_some_and(|tally| tally.is_under(&self.under)) {
                self.phase = Phase::Count(index + 1, 0);
                return;
            }
            self.masks.combine(&[&own], rows, &mut self.mask);
        }
        if shown.count(resident, block, &self.mask) {
            self.phase = Phase::Count(index, block + 1);
            return;
        }
        if let Some(tally) = shown.tally() {
            tally.conclude(std::mem::take(&mut self.under));
        }
        self.phase = Phase::Count(index + 1, 0);
    }

    fn finish(&mut self, resident: &Resident) -> Answer {
        let rows = self.masks.rows(&[], resident.rows());
        let mut selection = std::mem::take(&mut self.mask);
        self.masks.combine(&[], rows, &mut selection);
        if selection != self.selection || rows != self.selected_rows {
            std::mem::swap(&mut self.selection, &mut selection);
            self.selected_rows = rows;
            self.revision += 1;
        }
        self.mask = selection;
        let mut results = Vec::with_capacity(self.question.views.len());
        let mut complete = self.masks.is_complete(resident);
        for view in &self.question.views {
            // It has no result yet rather than one that says what is missing.
            if resident.awaits(view.mark.columns()) {
                complete = false;
                continue;
            }
            let Some(shown) = self.views.get_mut(&view.id) else { continue };
            let own = self.masks.predicate(&view.own_clause());
            let result = shown.result(resident, own, self.theme.theme());
            complete &= shown.is_complete(resident);
            if let Shown::Scatter(scatter) = shown {
                scatter.settle();
            }
            results.push(ViewResult { id: view.id, result });
        }
        Answer {
            generation: self.question.generation,
            selected: self.selection.iter().map(|word| u64::from(word.count_ones())).sum(),
            total: rows as u64,
            complete: complete && !resident.columns().is_empty(),
            results,
            clause_errors: self.masks.errors(resident),
        }
    }

    /// The clause of a column is about to move: prepares for it from now on.
    pub fn approach(&mut self, column: &str) {
        self.brush.approach(column);
    }

    /// The column whose clause is prepared for.
    pub fn prepared(&self) -> Option<&str> {
        self.brush.prepared()
    }

    /// Prepares a little for what is likely to be asked next, once the present question has
    /// its answer; false where nothing is left to do.
    pub fn prepare_next(&mut self, resident: &Resident, epoch: u64) -> bool {
        self.phase == Phase::Done
            && self.epoch == epoch
            && self.brush.step(resident, &self.question, &self.views, &self.masks)
    }

    /// The rows that pass all clauses, and how many rows there are to pass them.
    pub fn selection(&self) -> (&[u64], usize) {
        (&self.selection, self.selected_rows)
    }

    /// The rows that pass all clauses but some, and how many rows there are to pass them.
    pub fn selection_without(&self, clauses: &[&str], rows: usize) -> (Vec<u64>, usize) {
        let rows = self.masks.rows(clauses, rows);
        let mut mask = Vec::new();
        self.masks.combine(clauses, rows, &mut mask);
        (mask, rows)
    }

    /// Changes when [`Self::selection`] does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn scatter(&self, view: ViewId) -> Option<&Scatter> {
        match self.views.get(&view) {
            Some(Shown::Scatter(scatter)) => Some(scatter),
            _ => None,
        }
    }

    pub fn scatter_mut(&mut self, view: ViewId) -> Option<&mut Scatter> {
        match self.views.get_mut(&view) {
            Some(Shown::Scatter(scatter)) => Some(scatter),
            _ => None,
        }
    }
}

impl Shown {
    /// What a view needs, from what it had if that is still of use; or why it cannot be.
    fn of(
        view: &View,
        resident: &Resident,
        before: Option<Self>,
        known: &HashMap<String, Extent>,
    ) -> Result<Self, String> {
        let find =
            |name: &str| resident.column(name).ok_or_else(|| texts::refusals::not_loaded(name));
        match &view.mark {
            Mark::Histogram { column, bins, domain, form } => {
                let here = find(column)?;
                let cutting = histogram::cutting(*bins, *domain, *form);
                if let Some(Self::Histogram(same)) = before
                    && same.binner.is_of(column, cutting)
                {
                    return Ok(Self::Histogram(same));
                }
                Histogram::new(here, cutting, known.get(column).copied())
                    .map(Self::Histogram)
                    .ok_or_else(|| texts::refusals::no_number_or_time(column))
            }
            Mark::Bars { column, limit, search } => {
                let here = find(column)?;
                if let Some(Self::Bars(mut same)) = before
                    && same.is_of(column, here)
                {
                    same.set_search(*limit, search);
                    return Ok(Self::Bars(same));
                }
                Bars::new(here, *limit, search)
                    .map(Self::Bars)
                    .ok_or_else(|| texts::refusals::no_categories(column))
            }
            Mark::Heat { .. } | Mark::Line { .. } | Mark::Boxes { .. } => {
                let before = match before {
                    Some(Self::Grid(same)) => Some(*same),
                    _ => None,
                };
                let grid = Grid::new(&view.mark, resident, before, known)?;
                Ok(Self::Grid(Box::new(grid)))
            }
            Mark::Scatter { x, y, color, look, varied } => {
                let mut scatter = match before {
                    Some(Self::Scatter(same)) if same.is_of(resident, [x, y], *look) => same,
                    _ => Scatter::new(resident, [x, y], *look)?,
                };
                scatter.set_color(resident, color.as_deref(), *look)?;
                scatter.vary(resident, varied)?;
                Ok(Self::Scatter(scatter))
            }
        }
    }

    /// Takes one more block in; false where there is none.
    fn step(&mut self, resident: &Resident) -> bool {
        match self {
            Self::Histogram(histogram) => resident
                .column(&histogram.binner.column)
                .is_some_and(|column| histogram.step(column)),
            Self::Bars(bars) => {
                resident.column(&bars.column).is_some_and(|column| bars.step(column))
            }
            Self::Scatter(scatter) => scatter.step(resident),
            Self::Grid(grid) => grid.step(resident),
            Self::Failed(_) => false,
        }
    }

    /// Counts one block under a mask; false past the last.
    fn count(&mut self, resident: &Resident, block: usize, mask: &[u64]) -> bool {
        match self {
            Self::Histogram(histogram) => histogram.count(block, mask),
            Self::Bars(bars) => {
                let column = resident.column(&bars.column);
                column.is_some_and(|column| bars.count(column, block, mask))
            }
            Self::Scatter(scatter) => scatter.count(resident, block, mask),
            Self::Grid(grid) => grid.count(block, mask),
            Self::Failed(_) => false,
        }
    }

    /// The code of each row, block by block, and how many codes there are; `None` for what
    /// is not counted by codes.
    fn codes<'a>(&'a self, resident: &'a Resident) -> Option<(Vec<Codes<'a>>, usize)> {
        match self {
            Self::Histogram(histogram) => histogram.binner.codes(),
            Self::Bars(bars) => bars.codes(resident.column(&bars.column)?),
            Self::Grid(grid) => grid.codes(),
            Self::Scatter(_) | Self::Failed(_) => None,
        }
    }

    /// The counts of what is counted by codes.
    fn tally(&mut self) -> Option<&mut Tally> {
        match self {
            Self::Histogram(histogram) => Some(histogram.tally()),
            Self::Bars(bars) => Some(bars.tally()),
            Self::Grid(grid) => Some(grid.tally()),
            Self::Scatter(_) | Self::Failed(_) => None,
        }
    }

    /// Rows that this can be counted over.
    fn rows(&self, resident: &Resident) -> usize {
        match self {
            Self::Histogram(histogram) => resident.rows_of([histogram.binner.column.as_str()]),
            Self::Bars(bars) => resident.rows_of([bars.column.as_str()]),
            Self::Scatter(scatter) => scatter.rows(),
            Self::Grid(grid) => resident.rows_of(grid.columns()),
            Self::Failed(_) => 0,
        }
    }

    fn is_complete(&self, resident: &Resident) -> bool {
        match self {
            Self::Histogram(histogram) => resident.is_complete([histogram.binner.column.as_str()]),
            Self::Bars(bars) => resident.is_complete([bars.column.as_str()]),
            Self::Scatter(scatter) => resident.is_complete(scatter.columns()),
            Self::Grid(grid) => resident.is_complete(grid.columns()),
            Self::Failed(_) => true,
        }
    }

    fn result(
        &mut self,
        resident: &Resident,
        own: Option<&engine::predicate::Predicate>,
        theme: Theme,
    ) -> MarkResult {
        match self {
            Self::Histogram(histogram) => histogram.result(),
            Self::Bars(bars) => match resident.column(&bars.column) {
                Some(column) => bars.result(column, own),
                None => MarkResult::Failed { detail: texts::refusals::COLUMN_GONE.to_owned() },
            },
            Self::Scatter(scatter) => scatter.result(resident, theme),
            Self::Grid(grid) => grid.result(resident),
            Self::Failed(detail) => MarkResult::Failed { detail: detail.clone() },
        }
    }
}

#[cfg(test)]
mod grid_tests;
#[cfg(test)]
mod scatter_tests;
#[cfg(test)]
mod tests;
