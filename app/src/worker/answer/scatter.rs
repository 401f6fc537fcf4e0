//! A scatter: its points, resident for the renderers, who of them is shown under whatever
//! mask comes, and what its legend says.

use crate::draw::Theme;
use crate::draw::palette::Palette;
use crate::draw::points::Points;
use crate::look::Look;
use crate::protocol::{Legend, MarkResult};
use crate::worker::numbers::{Measure, floats_into};
use crate::worker::resident::Resident;

use super::coloring::Coloring;
use super::nearest::Nearest;

#[derive(Debug)]
pub struct Scatter {
    pub x: String,
    pub y: String,
    pub color: Option<String>,
    look: Look,
    points: Points,
    n_blocks: usize,
    /// Rows with both coordinates.
    placed: Vec<u64>,
    x_extent: [f64; 2],
    y_extent: [f64; 2],
    coloring: Option<Coloring>,
    /// The rows that are shown, with both coordinates, as of the last answer.
    shown: Vec<u64>,
    /// The same for the answer that is being worked out.
    next: Vec<u64>,
    nearest: Nearest,
    scratch: [Vec<f64>; 2],
}

const NOWHERE: [f64; 2] = [f64::INFINITY, f64::NEG_INFINITY];

impl Scatter {
    /// Or why these columns make no scatter.
    pub fn new(resident: &Resident, x: &str, y: &str) -> Result<Self, String> {
        for name in [x, y] {
            let column = resident.column(name);
            let column = column.ok_or_else(|| format!("column {name:?} is not loaded"))?;
            if Measure::of(column.field().data_type()).is_none() {
                return Err(format!("column {name:?} is not a number or a time"));
            }
        }
        Ok(Self {
            x: x.to_owned(),
            y: y.to_owned(),
            color: None,
            look: Look::default(),
            points: Points::new(),
            n_blocks: 0,
            placed: Vec::new(),
            x_extent: NOWHERE,
            y_extent: NOWHERE,
            coloring: None,
            shown: Vec::new(),
            next: Vec::new(),
            nearest: Nearest::default(),
            scratch: [Vec::new(), Vec::new()],
        })
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
        let column = column.ok_or_else(|| format!("column {name:?} is not loaded"))?;
        let is_same = self.color.as_deref() == color;
        if let Some(coloring) = self.coloring.as_mut().filter(|c| is_same && c.is_of(column)) {
            coloring.set_look(look);
            return Ok(());
        }
        let coloring = Coloring::of(column, look)
            .ok_or_else(|| format!("column {name:?} cannot be a colour"))?;
        self.points.clear_colors();
        self.coloring = Some(coloring);
        self.color = Some(name.to_owned());
        Ok(())
    }

    /// The columns that this reads.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        [self.x.as_str(), self.y.as_str()].into_iter().chain(self.color.as_deref())
    }

    /// Places or colours one more block; false where all are.
    pub fn step(&mut self, resident: &Resident) -> bool {
        if self.place_next(resident).is_some() {
            return true;
        }
        let column = self.color.as_deref().and_then(|name| resident.column(name));
        match (&mut self.coloring, column) {
            (Some(coloring), Some(column)) => coloring.step(column, &mut self.points),
            _ => false,
        }
    }

    fn place_next(&mut self, resident: &Resident) -> Option<()> {
        let x = resident.column(&self.x)?.blocks().get(self.n_blocks)?;
        let y = resident.column(&self.y)?.blocks().get(self.n_blocks)?;
        let [xs, ys] = &mut self.scratch;
        floats_into(x.as_ref(), xs);
        floats_into(y.as_ref(), ys);
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
        self.points.append(xs, ys, &[]);
        self.n_blocks += 1;
        Some(())
    }

    /// Finds who is shown under a mask, a block a step; false past the last.
    pub fn count(&mut self, resident: &Resident, block: usize, mask: &[u64]) -> bool {
        if block == 0 {
            self.next.clear();
            self.next.extend(mask.iter().zip(&self.placed).map(|(mask, placed)| mask & placed));
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
        MarkResult::Scatter {
            x_extent: or_unit(self.x_extent),
            y_extent: or_unit(self.y_extent),
            points: self.next.iter().map(|word| u64::from(word.count_ones())).sum(),
            legend: self.legend(resident, theme),
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
        (self.x_extent, self.y_extent)
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
