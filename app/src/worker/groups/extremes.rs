//! The rows of each group that have least of a measure, or most: those nearest to the middle of a
//! cluster, and those farthest out.

use std::collections::HashMap;
use std::rc::Rc;

use arrow_array::RecordBatch;
use engine::literal::Literal;
use engine::mask::Mask;
use engine::predicate::Predicate;
use engine::query::{OrderKey, Query};

use super::{Selected, elsewhere, is_here, literal};
use crate::protocol::groups::Extremes;
use crate::worker::elsewhere::ask_all;
use crate::worker::host::Host;
use crate::worker::net::Cancel;
use crate::worker::numbers::floats_into;
use crate::worker::resident::{BLOCK_ROWS, n_blocks};
use crate::worker::turn::Stride;

const ROW: &str = "_row";

pub(super) async fn find(host: &Rc<Host>, asked: &Extremes) -> Result<Vec<Vec<u64>>, String> {
    match is_here(host, [&asked.by, &asked.measure].into_iter()) {
        true => find_here(host, asked).await,
        false => find_elsewhere(host, asked).await,
    }
}

/// The best of each group so far, best first: the measure, such that less is better, and the row.
struct Found<'a> {
    places: HashMap<&'a Literal, usize>,
    groups: Vec<Vec<(f64, u64)>>,
    count: usize,
    sign: f64,
}

impl<'a> Found<'a> {
    fn new(asked: &'a Extremes) -> Self {
        let places = asked.values.iter().enumerate().map(|(at, value)| (value, at)).collect();
        let sign = if asked.is_most { -1.0 } else { 1.0 };
        let groups = vec![Vec::new(); asked.values.len()];
        Self { places, groups, count: asked.count as usize, sign }
    }

    /// Rows of a batch of the column of groups and the measure; `first` is its first row.
    fn take(&mut self, batch: &RecordBatch, mask: &Mask, first: u64) {
        let [by, measure] = batch.columns() else { return };
        let mut values = Vec::with_capacity(batch.num_rows());
        if !floats_into(measure.as_ref(), &mut values) {
            return;
        }
        for row in mask.iter_ones() {
            let value = values.get(row).filter(|value| value.is_finite()).map(|x| x * self.sign);
            let of = literal(by.as_ref(), row);
            let place = of.as_ref().and_then(|of| self.places.get(of));
            let group = place.and_then(|place| self.groups.get_mut(*place));
            if let Some((value, group)) = value.zip(group) {
                let at = group.partition_point(|(other, _)| *other <= value);
                if at < self.count {
                    group.insert(at, (value, first + row as u64));
                    group.truncate(self.count);
                }
            }
        }
    }

    fn rows(self) -> Vec<Vec<u64>> {
        self.groups.into_iter().map(|rows| rows.into_iter().map(|(_, row)| row).collect()).collect()
    }
}

async fn find_here(host: &Host, asked: &Extremes) -> Result<Vec<Vec<u64>>, String> {
    let names = [asked.by.as_str(), asked.measure.as_str()];
    let selected = Selected::of(host, &names, &asked.without).await?;
    let mut found = Found::new(asked);
    let mut stride = Stride::start();
    for block in 0..n_blocks(selected.rows) {
        stride.breathe().await;
        let (batch, mask) = selected.block(host, &names, block)?;
        found.take(&batch, &mask, (block * BLOCK_ROWS) as u64);
    }
    Ok(found.rows())
}

/// One query for each group, all of them together.
async fn find_elsewhere(host: &Rc<Host>, asked: &Extremes) -> Result<Vec<Vec<u64>>, String> {
    let all = elsewhere(host, vec![&asked.by, &asked.measure], &asked.without)?;
    let order = OrderKey {
        column: asked.measure.clone(),
        descending: asked.is_most,
        nulls: Default::default(),
    };
    let of = |value: &Literal| {
        let values = vec![value.clone()];
        let own = Predicate::In { column: asked.by.clone(), values, negated: false };
        Query {
            columns: Some(vec![ROW.to_owned()]),
            filters: Predicate::And(vec![all.filters.clone(), own]),
            order_by: vec![order.clone()],
            limit: Some(u64::from(asked.count)),
            ..all.clone()
        }
    };
    let queries = asked.values.iter().map(of).collect();
    let answers = ask_all(host, queries, &Cancel::default()).await?;
    Ok(answers.iter().map(|answer| answer.whole_numbers(ROW)).collect())
}
