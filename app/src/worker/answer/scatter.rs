//! A scatter: its points, resident for the renderers, who of them is shown under whatever
//! mask comes, and what its legend says.

use crate::draw::Theme;
use crate::draw::palette::Palette;
use crate::draw::points::Points;
use crate::look::Look;
use crate::protocol::{Legend, MarkResult, Side, Varied};
use crate::texts;
use crate::worker::resident::Resident;
use crate::worker::resident::column::Column;

use super::coloring::Coloring;
use super::nearest::Nearest;
use super::place::Places;
use super::varying::Varying;

#[derive(Debug)]
pub struct Scatter {
    pub x: String,
    pub y: String,
    pub color: Option<String>,
    look: Look,
    axes: [Places; 2],
    /// What names the points lie by.
    revisions: [u32; 2],
    points: Points,
    n_blocks: usize,
    /// Rows with both coordinates.
    placed: Vec<u64>,
    /// Rows that have both, and no place on an axis of logarithms; empty without one.
    without_log: Vec<u64>,
    x_extent: [f64; 2],
    y_extent: [f64; 2],
    coloring: Option<Coloring>,
    varying: Varying,
    /// The rows that are shown, with both coordinates, as of the last answer.
    shown: Vec<u64>,
    /// The same for the answer that is being worked out.
    next: Vec<u64>,
    /// Of the rows that pass.
    n_without_log: u64,
    nearest: Nearest,
    scratch: [Vec<f64>; 2],
}

const NOWHERE: [f64; 2] = [f64::INFINITY, f64::NEG_INFINITY];

impl Scatter {
    /// Or why these columns make no scatter.
    pub fn new(resident: &Resident, [x, y]: [&str; 2], look: Look) -> Result<Self, String> {
        let place = |name: &str, axis: usize| {
            let column = resident.column(name);
            let column = column.ok_or_else(|| texts::refusals::not_loaded(name))?;
            Places::new(column, look, axis)
        };
        Ok(Self {
            axes: [place(x, 0)?, place(y, 1)?],
            revisions: [0, 0],
            x: x.to_owned(),
            y: y.to_owned(),
            color: None,
            look,
            points: Points::new(),
            n_blocks: 0,
            placed: Vec::new(),
            without_log: Vec::new(),
            n_without_log: 0,
            x_extent: NOWHERE,
            y_extent: NOWHERE,
            coloring: None,
            varying: Varying::default(),
            shown: Vec::new(),
            next: Vec::new(),
            nearest: Nearest::default(),
            scratch: [Vec::new(), Vec::new()],
        })
    }

    /// Whether points may stay where they are.
    pub fn is_of(&self, resident: &Resident, [x, y]: [&str; 2], look: Look) -> bool {
        let is_same = |axis: usize, name: &str| {
            resident
                .column(name)
                .zip(self.axes.get(axis))
                .is_some_and(|(column, places)| places.is_of(column, look, axis))
        };
        self.x == x && self.y == y && is_same(0, x) && is_same(1, y)
    }

    /// Colours by another column, or by none, or otherwise; points stay where they are.
    pub fn set_color(
        &mut self,
        resident: &Resident,
        color: Option<&str>,
        look: Look,
    ) -> Result<(), String> {
        self.look = look;
        let Some(name) = color else {
            self.color = None;
            self.coloring = None;
            self.points.clear_colors();
            return Ok(());
        };
        let column = resident.column(name);
        let column = column.ok_or_else(|| texts::refusals::not_loaded(name))?;
        let is_same = self.color.as_deref() == color;
        if let Some(coloring) = self.coloring.as_mut().filter(|c| is_same && c.is_of(column)) {
            coloring.set_look(look);
            return Ok(());
        }
        let coloring = Coloring::of(column, look).ok_or_else(|| texts::refusals::no_color(name))?;
        self.points.clear_colors();
        self.coloring = Some(coloring);
        self.color = Some(name.to_owned());
        Ok(())
    }

    /// Sizes and shapes points by other columns, or by none.
    pub fn vary(&mut self, resident: &Resident, varied: &Varied) -> Result<(), String> {
        self.varying.set(resident, varied, &mut self.points)
    }

    /// The columns that this reads.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        [self.x.as_str(), self.y.as_str()]
            .into_iter()
            .chain(self.color.as_deref())
            .chain(self.varying.columns())
    }

    /// Places or colours one more block; false where all are.
    pub fn step(&mut self, resident: &Resident) -> bool {
        for (places, name) in self.axes.iter_mut().zip([&self.x, &self.y]) {
            if resident.column(name).is_some_and(|column| places.step(column)) {
                return true;
            }
        }
        let revisions = [self.axes[0].revision(), self.axes[1].revision()];
        if revisions != self.revisions {
            self.revisions = revisions;
            self.place_anew(resident);
        }
        if self.place_next(resident).is_some() {
            return true;
        }
        let column = self.color.as_deref().and_then(|name| resident.column(name));
        let is_stepped = match (&mut self.coloring, column) {
            (Some(coloring), Some(column)) => coloring.step(column, &mut self.points),
            _ => false,
        };
        is_stepped || self.varying.step(resident, &mut self.points)
    }

    /// Names have other places than before, and so have their rows.
    fn place_anew(&mut self, resident: &Resident) {
        self.points = Points::new();
        self.nearest = Nearest::default();
        (self.n_blocks, self.x_extent, self.y_extent) = (0, NOWHERE, NOWHERE);
        self.placed.clear();
        self.without_log.clear();
        let column = self.color.as_deref().and_then(|name| resident.column(name));
        self.coloring = column.and_then(|column| Coloring::of(column, self.look));
        self.varying.start_over(resident, &mut self.points);
    }

    fn place_next(&mut self, resident: &Resident) -> Option<()> {
        let [xs, ys] = &mut self.scratch;
        self.axes[0].fill(resident.column(&self.x)?, self.n_blocks, xs)?;
        self.axes[1].fill(resident.column(&self.y)?, self.n_blocks, ys)?;
        let log = [self.axes[0].is_log(), self.axes[1].is_log()];
        if log != [false, false] {
            logarithms(xs, ys, log, &mut self.without_log);
        }
        let mut word = 0;
        for (row, (x, y)) in xs.iter().zip(ys.iter()).enumerate() {
            if x.is_finite() && y.is_finite() {
                word |= 1 << (row % 64);
                self.x_extent = [self.x_extent[0].min(*x), self.x_extent[1].max(*x)];
                self.y_extent = [self.y_extent[0].min(*y), self.y_extent[1].max(*y)];
            }
            if row % 64 == 63 {
                self.placed.push(std::mem::take(&mut word));
            }
        }
        if xs.len() % 64 != 0 {
            self.placed.push(word);
        }
        let columns = [resident.column(&self.x)?, resident.column(&self.y)?];
        let kept = [0, 1].map(|axis| self.axes[axis].kept(columns[axis], self.n_blocks));
        self.points.append_kept([xs, ys], kept, &[]);
        self.n_blocks += 1;
        Some(())
    }

    /// Finds who is shown under a mask, a block a step; false past the last.
    pub fn count(&mut self, resident: &Resident, block: usize, mask: &[u64]) -> bool {
        if block == 0 {
            self.next.clear();
            self.next.extend(mask.iter().zip(&self.placed).map(|(mask, placed)| mask & placed));
            let without = mask.iter().zip(&self.without_log);
            self.n_without_log = without.map(|(m, w)| u64::from((m & w).count_ones())).sum();
        }
        let column = self.color.as_deref().and_then(|name| resident.column(name));
        match (&mut self.coloring, column) {
            (Some(coloring), Some(column)) => {
                coloring.count(column, block, &self.next, &self.points)
            }
            _ => false,
        }
    }

    /// Makes the answer what is drawn: all views change at once.
    pub fn settle(&mut self) {
        std::mem::swap(&mut self.shown, &mut self.next);
    }

    pub fn result(&self, resident: &Resident, theme: Theme) -> MarkResult {
        let or_unit = |extent: [f64; 2]| if extent[0] <= extent[1] { extent } else { [0.0, 1.0] };
        let (x_extent, y_extent) = self.extent();
        let side = |places: &Places, name: &str| {
            resident.column(name).map_or(Side::One, |column: &Column| places.side(column))
        };
        MarkResult::Scatter {
            x_extent: or_unit(x_extent),
            y_extent: or_unit(y_extent),
            names: Box::new([side(&self.axes[0], &self.x), side(&self.axes[1], &self.y)]),
            without_log: self.n_without_log,
            points: self.next.iter().map(|word| u64::from(word.count_ones())).sum(),
            legend: self.legend(resident, theme),
            sizes: self.varying.sizes(),
            shapes: Box::new(self.varying.shapes(resident)),
            density: false,
        }
    }

    pub fn legend(&self, resident: &Resident, theme: Theme) -> Legend {
        let column = self.color.as_deref().and_then(|name| resident.column(name));
        match (&self.coloring, column) {
            (Some(coloring), Some(column)) => {
                coloring.legend(column, &coloring.palette(theme, self.look))
            }
            _ => Legend::None,
        }
    }

    pub fn points(&self) -> &Points {
        &self.points
    }

    /// The rows to draw.
    pub fn shown(&self) -> &[u64] {
        &self.shown
    }

    pub fn palette(&self, theme: Theme) -> Palette {
        match &self.coloring {
            Some(coloring) => coloring.palette(theme, self.look),
            None => Palette::single(theme, self.look.ramp, self.look.is_reversed),
        }
    }

    pub fn look(&self) -> Look {
        self.look
    }

    pub fn extent(&self) -> ([f64; 2], [f64; 2]) {
        let [x, y] = &self.axes;
        (x.extent().unwrap_or(self.x_extent), y.extent().unwrap_or(self.y_extent))
    }

    /// Prepares for hovering, a share of the rows a step; false when it is done.
    pub fn step_nearest(&mut self) -> bool {
        self.nearest.step(&self.points, &self.placed, (self.x_extent, self.y_extent))
    }

    /// The shown row whose point is nearest to a place; see [`Nearest::find`].
    pub fn find(&self, look: &super::nearest::Reach) -> Option<(usize, [f64; 2])> {
        self.nearest.find(&self.points, &self.shown, look)
    }

    /// The shown row next to another in a direction; see [`Nearest::next`].
    pub fn next(&self, look: &super::nearest::Reach, row: usize) -> Option<(usize, [f64; 2])> {
        self.nearest.next(&self.points, &self.shown, look, row)
    }

    /// Blocks whose points are placed.
    pub fn rows(&self) -> usize {
        self.points.rows()
    }
}

/// Takes logarithms, and adds a bit a row for those that have both numbers and no logarithm
/// of one. What has no number gets none.
fn logarithms(xs: &mut [f64], ys: &mut [f64], log: [bool; 2], without: &mut Vec<u64>) {
    for (xs, ys) in xs.chunks_mut(64).zip(ys.chunks_mut(64)) {
        let mut word = 0;
        for (row, (x, y)) in xs.iter_mut().zip(ys).enumerate() {
            let is_low = |value: f64, log: bool| log && value <= 0.0;
            let is_there = x.is_finite() && y.is_finite();
            word |= u64::from(is_there && (is_low(*x, log[0]) || is_low(*y, log[1]))) << row;
            // Of zero and below it is not finite.
            for (value, log) in [(x, log[0]), (y, log[1])] {
                if log {
                    *value = value.log10();
                }
            }
        }
        without.push(word);
    }
}
