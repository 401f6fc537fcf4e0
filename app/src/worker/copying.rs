//! Cells on their way to the clipboard: taken in the order of the rows on screen, a few rows
//! at a time, from memory, or where the table is elsewhere page by page from the companion.

use std::rc::Rc;

use arrow_array::ArrayRef;

use crate::protocol::Reply;
use crate::protocol::table::{COPY_CELLS_MAX, Copied, CopyAsked, TableReply};
use crate::texts;
use crate::worker::clip::Clip;
use crate::worker::elsewhere;
use crate::worker::host::{Host, post};
use crate::worker::net::Cancel;
use crate::worker::pages::ordered;
use crate::worker::resident::BLOCK_ROWS;
use crate::worker::rows::RowOrder;
use crate::worker::turn::{Stride, now_millis, turn};

/// Rows that are copied between two looks at what else is wanted.
const COPIED_A_STEP: u64 = 512;
/// Rows that the companion is asked for at once.
const COPIED_A_PAGE: u64 = 20_000;
/// Milliseconds between two words of how far a copy is.
const TOLD_EVERY: f64 = 150.0;

/// Cells on their way to the clipboard.
pub struct Copying {
    asked: CopyAsked,
    clip: Clip,
    /// The rows that it began with; others may not be mixed in.
    of: (u64, u64),
    told: f64,
}

/// What is left to do, or `None` when it has been answered; and the order of the rows.
pub type CopyLeft = (Option<Copying>, RowOrder);

impl Copying {
    pub fn begin(host: &Host, asked: CopyAsked) -> Option<Self> {
        let n_cells = asked.count.saturating_mul(asked.columns.len() as u64);
        if n_cells > COPY_CELLS_MAX {
            let detail = texts::refusals::too_many_cells(n_cells, COPY_CELLS_MAX);
            tell(&asked, 0, Some(Err(detail)));
            return None;
        }
        let table = {
            let data = host.data.borrow();
            let here = data.resident.as_ref().map(|resident| resident.table.clone());
            data.remote.as_ref().map(|remote| remote.table.name.clone()).or(here)
        };
        let table = table.unwrap_or_default();
        let name = table.rsplit('/').next().unwrap_or(&table);
        let clip = Clip::new(asked.form, name, &asked.columns);
        Some(Self { clip, of: revision(host), told: now_millis(), asked })
    }

    /// Adds some rows.
    pub async fn step(self, host: &Rc<Host>, mut order: RowOrder) -> CopyLeft {
        let left = self.step_in(host, &mut order).await;
        (left, order)
    }

    async fn step_in(mut self, host: &Rc<Host>, order: &mut RowOrder) -> Option<Self> {
        let is_remote = host.data.borrow().is_remote();
        let outcome = match is_remote {
            true => self.step_elsewhere(host).await,
            false => {
                turn().await;
                self.step_here(host, order).await
            }
        };
        if !host.desk.borrow().is_copy_wanted(self.asked.request) {
            return None;
        }
        let rows = self.clip.rows();
        match outcome {
            Err(detail) => tell(&self.asked, rows, Some(Err(detail))),
            Ok(true) => tell(&self.asked, rows, Some(Ok(self.clip.finish()))),
            Ok(false) => {
                if now_millis() - self.told > TOLD_EVERY {
                    self.told = now_millis();
                    tell(&self.asked, rows, None);
                }
                return Some(self);
            }
        }
        None
    }

    async fn step_here(&mut self, host: &Host, order: &mut RowOrder) -> Result<bool, String> {
        if revision(host) != self.of {
            return Err(texts::refusals::ROWS_CHANGED.to_owned());
        }
        let Self { asked, clip, .. } = self;
        let keys = asked.order_by.clone();
        ordered(host, order, &keys, |order, resident, selection| {
            let stride = Stride::start();
            while clip.rows() < asked.count && !stride.is_over() {
                let first = asked.first + clip.rows();
                let count = (asked.count - clip.rows()).min(COPIED_A_STEP);
                let numbers = order.window(selection, first as usize, count as usize);
                if numbers.is_empty() {
                    return Ok(true);
                }
                let columns: Vec<_> =
                    asked.columns.iter().map(|name| resident.column(name)).collect();
                for row in numbers {
                    let row = row as usize;
                    let cells = columns.iter().map(|column| place_of(*column, row));
                    clip.push(&cells.collect::<Vec<_>>())?;
                }
            }
            Ok(clip.rows() >= asked.count)
        })
        .await
    }

    async fn step_elsewhere(&mut self, host: &Rc<Host>) -> Result<bool, String> {
        let (table, filters) = elsewhere::selection(host).await?;
        if revision(host) != self.of {
            return Err(texts::refusals::ROWS_CHANGED.to_owned());
        }
        let Self { asked, clip, .. } = self;
        let count = (asked.count - clip.rows()).min(COPIED_A_PAGE);
        let first = asked.first + clip.rows();
        let query =
            table.asked.rows(&asked.columns, &asked.order_by, first, count as u32, &filters);
        let before = clip.rows();
        let cancel = Cancel::default();
        host.asking_copy.replace(Some(cancel.clone()));
        let batches = elsewhere::batches(host, &query, &cancel).await;
        host.asking_copy.replace(None);
        for batch in batches? {
            let columns: Vec<_> =
                asked.columns.iter().map(|name| batch.column_by_name(name)).collect();
            for row in 0..batch.num_rows() {
                let cell = |column: &Option<_>| column.map(|column| (column, row));
                clip.push(&columns.iter().map(cell).collect::<Vec<_>>())?;
            }
        }
        Ok(clip.rows() >= asked.count || clip.rows() == before)
    }
}

fn place_of(
    column: Option<&crate::worker::resident::column::Column>,
    row: usize,
) -> Option<(&ArrayRef, usize)> {
    Some((column?.blocks().get(row / BLOCK_ROWS)?, row % BLOCK_ROWS))
}

/// Changes with the rows that pass; of a table elsewhere with the question.
fn revision(host: &Host) -> (u64, u64) {
    let epoch = host.data.borrow().epoch();
    match host.data.borrow().is_remote() {
        true => (host.desk.borrow().question().generation, epoch),
        false => (host.answers.borrow().revision(), epoch),
    }
}

/// How far a copy is, or what became of it.
pub fn tell(asked: &CopyAsked, rows: u64, text: Option<Result<String, String>>) {
    let copied = Copied { request: asked.request, rows, total: asked.count, text };
    post(&Reply::Table(TableReply::Copied(copied)));
}
