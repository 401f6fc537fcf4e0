//! Rows by two sides, for heat maps, lines and boxes: the cell of each row once, counts by
//! cell under whatever mask comes, and what is measured of them. Counts alone are bins like
//! any other, and prepared for a brush like them. What is measured goes once over the values
//! in order of cell and value, so that quantiles of any rows are exact.

use engine::kind::Kind;
use engine::query::{AggregateOp, Nulls, OrderKey};

use crate::protocol::{self, Mark, MarkResult, Side};
use crate::texts;
use crate::worker::bins::Extent;
use crate::worker::numbers::floats_into;
use crate::worker::resident::column::NULL_CODE;
use crate::worker::resident::{BLOCK_ROWS, Resident};
use crate::worker::sort::{RowSort, Sorted};
use crate::worker::spec::{Measure, SideSpec, Spec, quantile, spread};
use crate::worker::tally::{Codes, Tally};

use super::binner::{Binned, Binner};
use super::masks::BLOCK_WORDS;
use super::names::Names;

#[derive(Debug)]
pub struct Grid {
    spec: Spec,
    x: Axis,
    y: Axis,
    /// The revisions of the sides that the codes are of.
    revisions: [u32; 2],
    codes: Vec<Vec<u16>>,
    n_cells: usize,
    unfiltered: Tally,
    tally: Tally,
    values: Values,
}

#[derive(Debug)]
enum Axis {
    One,
    Bins(Box<Binner>),
    Names(Box<Names>),
}

/// The numbers to measure, in order of group and value.
#[derive(Default)]
struct Values {
    work: Option<RowSort>,
    /// Rows that are in order, and the codes that they are grouped by.
    rows: usize,
    revisions: [u32; 2],
    order: Vec<u32>,
    numbers: Vec<f64>,
    /// Where each group begins, and the end of the last.
    starts: Vec<usize>,
    cells: Vec<Option<f64>>,
    boxes: Vec<Option<protocol::Spread>>,
    passing: Vec<f64>,
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Values").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Grid {
    pub fn new(
        mark: &Mark,
        resident: &Resident,
        before: Option<Self>,
        known: &std::collections::HashMap<String, Extent>,
    ) -> Result<Self, String> {
        let kind = |name: &str| resident.column(name).map(|column| column.kind());
        let spec = Spec::of(mark, kind).ok_or(texts::refusals::NO_SUCH_CHART)?;
        for name in spec.columns() {
            if resident.column(name).is_none() {
                return Err(texts::refusals::not_loaded(name));
            }
        }
        if let Some(same) = before.filter(|before| before.spec == spec && before.is_of(resident)) {
            return Ok(same);
        }
        if let Measure::Cells(protocol::Measured { column, .. }) | Measure::Spread { column } =
            &spec.measure
            && kind(column) != Some(Kind::Number)
        {
            return Err(texts::refusals::no_number(column));
        }
        let (x, y) = (Axis::new(&spec.x, resident, known)?, Axis::new(&spec.y, resident, known)?);
        Ok(Self {
            spec,
            x,
            y,
            revisions: [0, 0],
            codes: Vec::new(),
            n_cells: 0,
            unfiltered: Tally::default(),
            tally: Tally::default(),
            values: Values::default(),
        })
    }

    fn is_of(&self, resident: &Resident) -> bool {
        [(&self.x, &self.spec.x), (&self.y, &self.spec.y)].into_iter().all(|(axis, spec)| {
            let column = spec.column().and_then(|name| resident.column(name));
            match (axis, column) {
                (Axis::Names(names), Some(column)) => names.is_of(column),
                _ => true,
            }
        })
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.spec.columns()
    }

    /// Does a little of what comes before counting; false where all is done.
    pub fn step(&mut self, resident: &Resident) -> bool {
        if self.x.step(&self.spec.x, resident) || self.y.step(&self.spec.y, resident) {
            return true;
        }
        let revisions = [self.x.revision(), self.y.revision()];
        if revisions != self.revisions {
            self.revisions = revisions;
            self.codes.clear();
            self.n_cells = self.x.many() * self.y.many();
            self.unfiltered = Tally::new(self.n_cells);
            self.tally = Tally::new(self.n_cells);
        }
        let index = self.codes.len();
        let x = self.x.block(&self.spec.x, resident, index);
        let y = self.y.block(&self.spec.y, resident, index);
        let (width, height) = (self.x.many(), self.y.many());
        let cell = |x: u16, y: u16| {
            let (x, y) = (usize::from(x), usize::from(y));
            // What has no place on a side is in no cell.
            if x < width && y < height { (y * width + x) as u16 } else { NULL_CODE }
        };
        let codes: Vec<u16> = match (x, y) {
            (Some(x), Some(y)) => x.iter().zip(&y).map(|(&x, &y)| cell(x, y)).collect(),
            (Some(x), None) if matches!(self.y, Axis::One) => {
                x.iter().map(|&x| cell(x, 0)).collect()
            }
            _ => return self.sort_values(resident),
        };
        self.unfiltered.add(Codes::Narrow(&codes));
        self.codes.push(codes);
        true
    }

    /// Puts the values into order, a step at a time.
    fn sort_values(&mut self, resident: &Resident) -> bool {
        let (column, by_line) = match &self.spec.measure {
            Measure::Nothing => return false,
            Measure::Cells(measured) => (&measured.column, false),
            Measure::Spread { column } => (column, true),
        };
        let coded: usize = self.codes.iter().map(Vec::len).sum();
        let rows = coded.min(resident.rows_of([column.as_str()]));
        let values = &mut self.values;
        match values.work.take() {
            None if values.rows == rows && values.revisions == self.revisions => return false,
            None => {
                let column = column.clone();
                let key = OrderKey { column, descending: false, nulls: Nulls::Last };
                values.rows = rows;
                values.revisions = self.revisions;
                values.work = RowSort::new(&[key], rows, resident).ok();
            }
            Some(sort) => match sort.step(resident) {
                Ok(Sorted::Partly(sort)) => values.work = Some(sort),
                Ok(Sorted::Whole(sorting)) => {
                    let width = if by_line { self.x.many().max(1) } else { 1 };
                    let groups = self.n_cells / width;
                    values.group(column, sorting.into_valued(), groups, resident, |row| {
                        let code = *self.codes.get(row / BLOCK_ROWS)?.get(row % BLOCK_ROWS)?;
                        (code != NULL_CODE).then_some(usize::from(code) / width)
                    });
                }
                Err(_) => {}
            },
        }
        true
    }

    /// Counts one block under a mask; false past the last.
    pub fn count(&mut self, block: usize, mask: &[u64]) -> bool {
        if block == 0 {
            self.tally.prepare(mask);
        }
        let first = block * BLOCK_WORDS;
        let end = (first + BLOCK_WORDS).min(mask.len());
        let words = mask.get(first..end).filter(|words| !words.is_empty());
        if let (Some(codes), Some(words)) = (self.codes.get(block), words) {
            self.tally.follow(first, words, Codes::Narrow(codes));
            return true;
        }
        match &self.spec.measure {
            Measure::Nothing => {}
            Measure::Cells(measured) => self.values.measure_cells(measured.op, mask),
            Measure::Spread { .. } => self.values.measure_spread(mask),
        }
        false
    }

    /// The code of each row, block by block, and how many codes there are; `None` where
    /// counts are not all.
    pub fn codes(&self) -> Option<(Vec<Codes<'_>>, usize)> {
        let codes = self.codes.iter().map(|codes| Codes::Narrow(codes)).collect();
        (self.spec.measure == Measure::Nothing).then_some((codes, self.n_cells))
    }

    /// The counts under the mask.
    pub fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    pub fn result(&self, resident: &Resident) -> MarkResult {
        MarkResult::Grid(protocol::Grid {
            x: self.x.side(&self.spec.x, resident),
            y: self.y.side(&self.spec.y, resident),
            counts: self.tally.counts().to_vec(),
            unfiltered: self.unfiltered.counts().to_vec(),
            missing: u64::from(self.tally.nulls()),
            values: self.values.cells.clone(),
            boxes: self.values.boxes.clone(),
        })
    }
}

impl Values {
    /// From rows in order of value: their numbers, group by group.
    fn group(
        &mut self,
        column: &str,
        order: Vec<u32>,
        groups: usize,
        resident: &Resident,
        group: impl Fn(usize) -> Option<usize>,
    ) {
        let mut block = Vec::new();
        let mut numbers: Vec<f64> = Vec::with_capacity(self.rows);
        for array in resident.column(column).map(|column| column.blocks()).unwrap_or_default() {
            floats_into(array.as_ref(), &mut block);
            numbers.extend_from_slice(&block);
        }
        let number = |row: u32| numbers.get(row as usize).copied().filter(|n| n.is_finite());
        let placed = |row: &u32| Some((*row, number(*row)?, group(*row as usize)?));
        let mut starts = vec![0_usize; groups + 1];
        for (_, _, group) in order.iter().filter_map(placed) {
            if let Some(start) = starts.get_mut(group + 1) {
                *start += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        self.order = vec![0; total];
        self.numbers = vec![0.0; total];
        let mut next = starts.clone();
        for (row, number, group) in order.iter().filter_map(placed) {
            let Some(place) = next.get_mut(group) else { continue };
            if let (Some(order), Some(slot)) =
                (self.order.get_mut(*place), self.numbers.get_mut(*place))
            {
                (*order, *slot) = (row, number);
            }
            *place += 1;
        }
        self.starts = starts;
    }

    /// Calls `found` with the numbers of each group that pass, in ascending order.
    fn each_group(&mut self, mask: &[u64], mut found: impl FnMut(&[f64])) {
        let mut passing = std::mem::take(&mut self.passing);
        for ends in self.starts.windows(2) {
            passing.clear();
            let &[start, end] = ends else { continue };
            let rows = self.order.get(start..end).unwrap_or_default();
            let numbers = self.numbers.get(start..end).unwrap_or_default();
            for (row, number) in rows.iter().zip(numbers) {
                let word = mask.get(*row as usize / 64).copied().unwrap_or_default();
                if word >> (row % 64) & 1 == 1 {
                    passing.push(*number);
                }
            }
            found(&passing);
        }
        self.passing = passing;
    }

    fn measure_cells(&mut self, op: AggregateOp, mask: &[u64]) {
        let mut cells = Vec::with_capacity(self.starts.len());
        self.each_group(mask, |numbers| {
            let sum = || numbers.iter().sum::<f64>();
            cells.push(match op {
                _ if numbers.is_empty() => None,
                AggregateOp::Sum => Some(sum()),
                AggregateOp::Min => numbers.first().copied(),
                AggregateOp::Max => numbers.last().copied(),
                AggregateOp::Median => quantile(numbers, 0.5),
                _ => Some(sum() / numbers.len() as f64),
            });
        });
        self.cells = cells;
    }

    fn measure_spread(&mut self, mask: &[u64]) {
        let mut boxes = Vec::with_capacity(self.starts.len());
        self.each_group(mask, |numbers| boxes.push(spread(numbers)));
        self.boxes = boxes;
    }
}

impl Axis {
    fn new(
        spec: &SideSpec,
        resident: &Resident,
        known: &std::collections::HashMap<String, Extent>,
    ) -> Result<Self, String> {
        let Some(column) = spec.column().and_then(|name| resident.column(name)) else {
            return Ok(Self::One);
        };
        let name = column.name();
        match spec {
            SideSpec::One => Ok(Self::One),
            SideSpec::Bins { cutting, .. } => {
                Binner::new(column, *cutting, known.get(name).copied())
                    .map(|binner| Self::Bins(Box::new(binner)))
                    .ok_or_else(|| texts::refusals::no_number_or_time(name))
            }
            SideSpec::Names { most, .. } => Names::new(column, *most)
                .map(|names| Self::Names(Box::new(names)))
                .ok_or_else(|| texts::refusals::no_categories(name)),
        }
    }

    fn step(&mut self, spec: &SideSpec, resident: &Resident) -> bool {
        let column = spec.column().and_then(|name| resident.column(name));
        match (self, column) {
            (Self::Bins(binner), Some(column)) => binner.step(column) != Binned::Done,
            (Self::Names(names), Some(column)) => names.step(column),
            _ => false,
        }
    }

    fn revision(&self) -> u32 {
        match self {
            Self::One => 0,
            Self::Bins(binner) => binner.revision,
            Self::Names(names) => names.revision,
        }
    }

    fn many(&self) -> usize {
        match self {
            Self::One => 1,
            Self::Bins(binner) => binner.cut.as_ref().map_or(0, |cut| cut.count()),
            Self::Names(names) => names.many(),
        }
    }

    fn block(&self, spec: &SideSpec, resident: &Resident, index: usize) -> Option<Vec<u16>> {
        match self {
            Self::One => None,
            Self::Bins(binner) => binner
                .block(index)
                .map(|codes| codes.map(|code| code.map_or(NULL_CODE, |code| code as u16))),
            Self::Names(names) => names.block(resident.column(spec.column()?)?, index),
        }
    }

    fn side(&self, spec: &SideSpec, resident: &Resident) -> Side {
        let column = spec.column().and_then(|name| resident.column(name));
        match (self, column) {
            (Self::Bins(binner), _) => {
                let edges = binner.cut.as_ref().map(|cut| cut.edges()).unwrap_or_default();
                Side::Bins { edges }
            }
            (Self::Names(names), Some(column)) => names.side(column),
            _ => Side::One,
        }
    }
}
