//! Heat maps, lines and boxes of a table elsewhere: which values have a place, the counts
//! and numbers of their cells, and the whiskers of boxes, which are asked for once their
//! quartiles are known.

use std::rc::Rc;

use arrow_schema::DataType;
use engine::literal::Literal;
use engine::predicate::Predicate;

use crate::plan::read::Answer;
use crate::plan::sides::{GridPlan, SidePlan, fence, spread_of};
use crate::protocol::{Grid, MarkResult, View};
use crate::texts;
use crate::worker::answer::Question;
use crate::worker::bins::Extent;
use crate::worker::host::Host;
use crate::worker::net::Cancel;
use crate::worker::spec::{Measure, SideSpec, Spec};

use super::ask::{Asking, Picture, Read, measure_of, narrow, whole};
use super::{Remembered, Table, ask_all, scatter};

/// How a grid is made of answers: each by its place among them.
pub struct GridPicture {
    plan: GridPlan,
    counts: Vec<usize>,
    /// Of all rows, or under what name they are remembered.
    unfiltered: Option<Vec<usize>>,
    key: String,
    values: Vec<usize>,
    boxes: Vec<usize>,
    /// Of all rows that pass.
    passing: usize,
    /// What the boxes are of, and which rows.
    spread: Option<(String, DataType, Vec<Predicate>)>,
}

/// Boxes that want whiskers.
pub struct Unfenced {
    side: SidePlan,
    column: String,
    data_type: DataType,
    filters: Vec<Predicate>,
}

fn spec_of(table: &Table, view: &View) -> Option<Spec> {
    Spec::of(&view.mark, |name| table.column(name).ok().map(|(_, kind)| kind))
}

impl Asking {
    pub fn plan_grid(
        &mut self,
        table: &Table,
        view: &View,
        others: Vec<Predicate>,
        memory: &Remembered,
        extent: impl Fn(&str, bool) -> Option<Extent>,
    ) -> Result<Picture, String> {
        let spec = spec_of(table, view).ok_or(texts::refusals::NO_SUCH_CHART)?;
        let side = |side: &SideSpec| -> Result<Option<SidePlan>, String> {
            Ok(Some(match side {
                SideSpec::One => SidePlan::One,
                SideSpec::Bins { column, cutting } => {
                    let (data_type, _) = table.column(column)?;
                    let measure = measure_of(column, &data_type)?;
                    let Some(extent) = extent(column, false) else { return Ok(None) };
                    let cut = cutting.cut(&data_type, measure, extent);
                    SidePlan::bins(column, data_type, cut)
                }
                SideSpec::Names { column, most } => {
                    table.column(column)?;
                    let known = memory.tops.get(&(column.clone(), *most)).cloned();
                    let (values, other) = known.unwrap_or_default();
                    SidePlan::Names { column: column.clone(), values, other }
                }
            }))
        };
        let (Some(x), Some(y)) = (side(&spec.x)?, side(&spec.y)?) else {
            return Ok(Picture::Empty(view.mark.clone()));
        };
        let key = format!("{x:?} {y:?}");
        let plan = GridPlan::new([x, y]);
        let asked = &table.asked;
        let mut ask = |filters: &[Predicate]| -> Vec<usize> {
            plan.parts.iter().map(|part| self.add(asked.cells(part, filters))).collect()
        };
        let counts = ask(&others);
        let unfiltered = match memory.silhouettes.contains_key(&key) {
            true => None,
            false if others.is_empty() => Some(counts.clone()),
            false => Some(ask(&[])),
        };
        let (mut values, mut boxes, mut spread) = (Vec::new(), Vec::new(), None);
        match &spec.measure {
            Measure::Nothing => {}
            Measure::Cells(of) => {
                let (data_type, _) = table.column(&of.column)?;
                for part in &plan.parts {
                    let what = (of.op, of.column.as_str(), &data_type);
                    values.push(self.add(asked.measured(part, &others, what)));
                }
            }
            Measure::Spread { column } => {
                let (data_type, _) = table.column(column)?;
                for line in 0..plan.sides[1].side().many() {
                    let line = (&plan.sides[1], line);
                    boxes.push(self.add(asked.spread(line, (column, &data_type), &others)));
                }
                spread = Some((column.clone(), data_type, others.clone()));
            }
        }
        let passing = self.add(asked.count(&others));
        let picture = GridPicture { plan, counts, unfiltered, key, values, boxes, passing, spread };
        Ok(Picture::Grid(Box::new(picture)))
    }
}

impl GridPicture {
    pub fn groups(&self) -> usize {
        self.plan.many()
    }

    pub fn read(self, answers: &[Answer], memory: &mut Remembered) -> Read {
        let of = |places: &[usize]| -> Vec<Option<&Answer>> {
            places.iter().map(|place| answers.get(*place)).collect()
        };
        if let Some(places) = &self.unfiltered {
            let counts = self.plan.counts(of(places).into_iter());
            memory.silhouettes.insert(self.key.clone(), counts);
        }
        let unfiltered = memory.silhouettes.get(&self.key).cloned().unwrap_or_default();
        let counts = self.plan.counts(of(&self.counts).into_iter());
        let passing = answers.get(self.passing).and_then(Answer::number).unwrap_or_default();
        let values = match self.values.as_slice() {
            [] => Vec::new(),
            places => self.plan.values(of(places).into_iter()),
        };
        let boxes = of(&self.boxes).into_iter().map(|answer| spread_of(answer?)).collect();
        let [x, y] = &self.plan.sides;
        let mut read = whole(MarkResult::Grid(Grid {
            x: x.side(),
            y: y.side(),
            missing: passing.saturating_sub(counts.iter().sum()),
            counts: narrow(&counts),
            unfiltered: narrow(&unfiltered),
            values,
            boxes,
        }));
        let [_, side] = self.plan.sides;
        read.unfenced = self.spread.map(|(column, data_type, filters)| {
            Box::new(Unfenced { side, column, data_type, filters })
        });
        read
    }
}

/// Asks which values of a side are the most frequent in all of the table.
pub async fn learn_tops(
    host: &Rc<Host>,
    table: &Table,
    question: &Question,
    cancel: &Cancel,
) -> Result<(), String> {
    let mut unknown: Vec<(String, usize)> = Vec::new();
    for view in &question.views {
        let sides = spec_of(table, view).map(|spec| [spec.x, spec.y]).into_iter().flatten();
        let named = sides.filter_map(|side| match side {
            SideSpec::Names { column, most } => Some((column, most)),
            _ => None,
        });
        let of_scatter = scatter::named(table, view).map(|(name, most)| (name.clone(), most));
        for key in named.chain(of_scatter) {
            if !host.memory.borrow().tops.contains_key(&key) && !unknown.contains(&key) {
                unknown.push(key);
            }
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let queries = unknown.iter().map(|(column, most)| {
        // One more than there is room for tells whether there are others.
        table.asked.bars(column, *most as u16 + 1, "", &[])
    });
    let answers = ask_all(host, queries.collect(), cancel).await?;
    let mut memory = host.memory.borrow_mut();
    for ((column, most), answer) in unknown.into_iter().zip(&answers) {
        let mut values: Vec<Literal> = answer.bars().into_iter().map(|(value, _)| value).collect();
        let other = values.len() > most;
        values.truncate(most);
        memory.tops.insert((column, most), (values, other));
    }
    Ok(())
}

/// Asks for the whiskers of boxes, and what lies outside of them.
pub async fn complete_boxes(
    host: &Rc<Host>,
    table: &Table,
    mut read: Read,
    cancel: &Cancel,
) -> Result<Read, String> {
    let Some(of) = read.unfenced.take() else { return Ok(read) };
    let MarkResult::Grid(grid) = &mut read.result else { return Ok(read) };
    let lines = grid.boxes.iter().enumerate().filter_map(|(line, spread)| Some((line, (*spread)?)));
    let queries = lines.flat_map(|(line, spread)| {
        let what = (of.column.as_str(), &of.data_type);
        table.asked.fenced((&of.side, line), what, &of.filters, spread.quartiles)
    });
    let queries: Vec<_> = queries.collect();
    if queries.is_empty() {
        return Ok(read);
    }
    let answers = ask_all(host, queries, cancel).await?;
    let boxes = grid.boxes.iter_mut().flatten();
    for (spread, answers) in boxes.zip(answers.chunks(2)) {
        if let [within, below] = answers {
            fence(spread, within, below);
        }
    }
    Ok(read)
}
