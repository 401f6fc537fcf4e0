//! One view of a table elsewhere: the queries that it takes, and its picture from their
//! answers.

use arrow_schema::DataType;
use engine::kind::Kind;
use engine::literal::Literal;
use engine::predicate::Predicate;
use engine::query::Query;

use crate::draw::density::Density;
use crate::plan::read::Answer;
use crate::protocol::{Bar, Grid, Legend, Mark, MarkResult, Side, View, Viewport};
use crate::texts;
use crate::worker::answer::histogram;
use crate::worker::bins::Extent;
use crate::worker::cut::Cut;
use crate::worker::numbers::Measure;

use super::{Remembered, Table};
use super::{grid, scatter};

/// The queries of one request, each known by its place.
#[derive(Default)]
pub struct Asking {
    queries: Vec<Query>,
}

/// What part of the data a canvas shows, if there is one.
#[derive(Debug, Clone, Copy)]
pub struct View2d {
    pub viewport: Option<Viewport>,
    pub size: Option<[f64; 2]>,
}

/// How a view's picture is made of answers.
pub enum Picture {
    Histogram {
        data_type: DataType,
        cut: Cut,
        extent: [f64; 2],
        counts: usize,
        /// The place of the unfiltered counts, or under what name they are remembered.
        unfiltered: Result<usize, ()>,
        key: String,
    },
    Bars {
        column: String,
        search: String,
        limit: u16,
        counts: usize,
        nulls: usize,
        /// The place of the number, or the number that is remembered.
        distinct: Result<usize, u64>,
        /// The place of the first values, where they are not remembered.
        first_values: Option<usize>,
    },
    Scatter(Box<scatter::ScatterPicture>),
    Grid(Box<grid::GridPicture>),
    /// There are no values to show.
    Empty(Mark),
}

/// A picture, and what it lacks yet.
pub struct Read {
    pub result: MarkResult,
    pub density: Option<Density>,
    /// Values whose number in the whole table is not known.
    pub unknown: Option<(String, Vec<Literal>)>,
    /// Boxes whose whiskers are not known.
    pub unfenced: Option<Box<grid::Unfenced>>,
}

/// The columns of a view whose extent decides on bins, and whether of what is above zero.
pub fn measured(view: &View) -> Vec<(&str, bool)> {
    match &view.mark {
        Mark::Histogram { column, form, .. } if form.log_axis => {
            vec![(column, false), (column, true)]
        }
        Mark::Histogram { column, .. } => vec![(column, false)],
        Mark::Scatter { x, y, look, .. } => vec![(x, look.log[0]), (y, look.log[1])],
        Mark::Bars { .. } => vec![],
        Mark::Line { time, .. } => vec![(time, false)],
        Mark::Boxes { column, .. } => vec![(column, false)],
        Mark::Heat { x, y, .. } => vec![(x, false), (y, false)],
    }
}

impl Asking {
    pub fn add(&mut self, query: Query) -> usize {
        self.queries.push(query);
        self.queries.len() - 1
    }

    pub fn len(&self) -> usize {
        self.queries.len()
    }

    pub fn queries(self) -> Vec<Query> {
        self.queries
    }

    /// Adds what a view needs; or says why it cannot be.
    pub fn plan(
        &mut self,
        table: &Table,
        view: &View,
        others: Vec<Predicate>,
        frame: View2d,
        memory: &Remembered,
        extent: impl Fn(&str, bool) -> Option<Extent>,
    ) -> Result<Picture, String> {
        match &view.mark {
            Mark::Histogram { column, bins, domain, form } => {
                let (data_type, _) = table.column(column)?;
                let measure = measure_of(column, &data_type)?;
                let (whole, cut) = (extent(column, false), extent(column, form.log_axis));
                let Some((extent, cut)) = whole.zip(cut) else {
                    return Ok(Picture::Empty(view.mark.clone()));
                };
                let cut = histogram::cutting(*bins, *domain, *form).cut(&data_type, measure, cut);
                let zoomed = domain.is_some();
                let query = table.asked.histogram(column, &data_type, &cut, zoomed, &others);
                let counts = self.add(query);
                let key = format!("{column} {cut:?}");
                let unfiltered = if others.is_empty() {
                    Ok(counts)
                } else if memory.silhouettes.contains_key(&key) {
                    Err(())
                } else {
                    Ok(self.add(table.asked.histogram(column, &data_type, &cut, zoomed, &[])))
                };
                let extent = extent.in_units(measure);
                Ok(Picture::Histogram { data_type, cut, extent, counts, unfiltered, key })
            }
            Mark::Bars { column, limit, search } => {
                self.plan_bars(table, (column, *limit, search), others, memory)
            }
            Mark::Heat { .. } | Mark::Line { .. } | Mark::Boxes { .. } => {
                self.plan_grid(table, view, others, memory, extent)
            }
            Mark::Scatter { x, y, look, .. } => {
                let axes = ([x, y], *look);
                let picture = self.plan_scatter(table, axes, &others, frame, memory, &extent)?;
                Ok(picture.unwrap_or_else(|| Picture::Empty(view.mark.clone())))
            }
        }
    }

    fn plan_bars(
        &mut self,
        table: &Table,
        (column, limit, search): (&String, u16, &str),
        others: Vec<Predicate>,
        memory: &Remembered,
    ) -> Result<Picture, String> {
        let (_, kind) = table.column(column)?;
        if !matches!(kind, Kind::Category | Kind::Text | Kind::Boolean) {
            return Err(texts::refusals::no_categories(column));
        }
        // Booleans have no part that could be searched for.
        let search = if kind == Kind::Boolean { "" } else { search };
        let counts = self.add(table.asked.bars(column, limit, search, &others));
        let nulls = self.add(table.asked.nulls(column, &others));
        let known = memory.distinct.get(&(column.clone(), search.to_owned()));
        let distinct = match known {
            Some(known) => Err(*known),
            None => Ok(self.add(table.asked.distinct(column, search))),
        };
        let (column, search, limit) = (column.clone(), search.to_owned(), limit);
        let key = (column.clone(), search.clone(), limit);
        let first_values = (!memory.first_values.contains_key(&key))
            .then(|| self.add(table.asked.first_values(&column, limit, &search)));
        Ok(Picture::Bars { column, search, limit, counts, nulls, distinct, first_values })
    }
}

pub fn measure_of(column: &str, data_type: &DataType) -> Result<Measure, String> {
    Measure::of(data_type).ok_or_else(|| texts::refusals::no_number_or_time(column))
}

impl Picture {
    /// How many groups its counts have at most, where that is known.
    pub fn groups(&self, memory: &Remembered) -> Option<usize> {
        match self {
            // Nulls are one, too, and the very end of floats.
            Self::Histogram { cut, .. } => Some(cut.n_codes() + 2),
            Self::Bars { column, search, .. } => {
                let distinct = memory.distinct.get(&(column.clone(), search.clone()))?;
                usize::try_from(*distinct).ok()
            }
            Self::Scatter(picture) => Some(picture.groups()),
            Self::Grid(picture) => Some(picture.groups()),
            Self::Empty(_) => Some(0),
        }
    }

    /// Makes the picture of the answers.
    pub fn read(self, answers: &[Answer], memory: &mut Remembered) -> Read {
        let number = |place: usize| answers.get(place).and_then(Answer::number).unwrap_or_default();
        match self {
            Self::Histogram { data_type, cut, extent, counts, unfiltered, key } => {
                let binned = |place: usize| {
                    answers.get(place).map(|answer| answer.histogram(&data_type, &cut))
                };
                if let Some(whole) = unfiltered.ok().and_then(binned) {
                    memory.silhouettes.insert(key.clone(), whole.counts);
                }
                let (counts, nulls) =
                    binned(counts).map(|found| (found.counts, found.nulls)).unwrap_or_default();
                let unfiltered = memory.silhouettes.get(&key).cloned().unwrap_or_default();
                let without = counts.get(cut.count()).copied().unwrap_or_default();
                let counts = [counts, unfiltered]
                    .map(|counts| narrow(counts.get(..cut.count()).unwrap_or_default()));
                whole(histogram::result(&cut, extent, counts, nulls, without))
            }
            Self::Bars { column, search, limit, counts, nulls, distinct, first_values } => {
                let distinct = match distinct {
                    Err(known) => known,
                    Ok(place) => {
                        memory.distinct.insert((column.clone(), search.clone()), number(place));
                        number(place)
                    }
                };
                let bars_of =
                    |place: usize| answers.get(place).map(Answer::bars).unwrap_or_default();
                let key = (column.clone(), search, limit);
                if let Some(place) = first_values {
                    let values = bars_of(place);
                    for (value, count) in &values {
                        memory.totals.insert((column.clone(), value.clone()), *count);
                    }
                    let values = values.into_iter().map(|(value, _)| value).collect();
                    memory.first_values.insert(key.clone(), values);
                }
                let first_values = memory.first_values.get(&key).cloned().unwrap_or_default();
                let bars = bars(bars_of(counts), first_values, usize::from(limit));
                let is_unknown =
                    |bar: &&Bar| !memory.totals.contains_key(&(column.clone(), bar.value.clone()));
                let unknown: Vec<Literal> =
                    bars.iter().filter(is_unknown).map(|bar| bar.value.clone()).collect();
                let mut read = whole(MarkResult::Bars { bars, distinct, nulls: number(nulls) });
                read.fill_totals(&column, memory);
                read.unknown = (!unknown.is_empty()).then_some((column, unknown));
                read
            }
            Self::Scatter(picture) => picture.read(answers),
            Self::Grid(picture) => picture.read(answers, memory),
            Self::Empty(mark) => whole(nothing(&mark)),
        }
    }
}

/// Bars of the values found, and of those that no row has any more: they can still be
/// chosen.
fn bars(mut found: Vec<(Literal, u64)>, first_values: Vec<Literal>, limit: usize) -> Vec<Bar> {
    for value in first_values {
        if found.len() < limit && !found.iter().any(|(other, _)| *other == value) {
            found.push((value, 0));
        }
    }
    let bar = |(value, count): (Literal, u64)| Bar {
        label: value.as_text().to_owned(),
        value,
        count,
        unfiltered: 0,
    };
    found.into_iter().map(bar).collect()
}

/// What a view shows of no rows at all.
fn nothing(mark: &Mark) -> MarkResult {
    match mark {
        Mark::Scatter { .. } => MarkResult::Scatter {
            x_extent: [0.0, 1.0],
            y_extent: [0.0, 1.0],
            names: Box::new([Side::One, Side::One]),
            points: 0,
            without_log: 0,
            legend: Legend::None,
            sizes: None,
            shapes: Box::new(Side::One),
            density: true,
        },
        Mark::Histogram { .. } | Mark::Bars { .. } => histogram::empty(0),
        _ => MarkResult::Grid(Grid {
            x: Side::One,
            y: Side::One,
            counts: Vec::new(),
            unfiltered: Vec::new(),
            missing: 0,
            values: Vec::new(),
            boxes: Vec::new(),
        }),
    }
}

pub fn whole(result: MarkResult) -> Read {
    Read { result, density: None, unknown: None, unfenced: None }
}

pub fn narrow(counts: &[u64]) -> Vec<u32> {
    counts.iter().map(|&count| u32::try_from(count).unwrap_or(u32::MAX)).collect()
}

impl Read {
    /// Puts what is remembered of the whole table beside the counts of bars.
    pub fn fill_totals(&mut self, column: &str, memory: &Remembered) {
        let MarkResult::Bars { bars, .. } = &mut self.result else { return };
        for bar in bars {
            let key = (column.to_owned(), bar.value.clone());
            bar.unfiltered = memory.totals.get(&key).copied().unwrap_or(bar.unfiltered);
        }
    }
}
