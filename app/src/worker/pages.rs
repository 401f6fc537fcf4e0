//! Answers `Rows` for as long as the worker lives: windows of the selection in an order,
//! from memory, or where the table is elsewhere page by page from the companion. Between the
//! windows, cells are copied in the same order.

use std::rc::Rc;

use crate::protocol::{Origin, Reply, Rows};
use crate::texts;
use crate::worker::copying::tell;
use crate::worker::desk::RowsAsked;
use crate::worker::host::{Host, post};
use crate::worker::resident::Resident;
use crate::worker::rows::{RowOrder, Selection, cells, here};
use crate::worker::turn::{Stride, now_millis};

/// The task that answers.
pub async fn answer_on_demand(host: Rc<Host>) {
    let mut order = RowOrder::default();
    let mut copying = None;
    loop {
        host.rows.wait().await;
        loop {
            let is_remote = host.data.borrow().is_remote();
            // Rows are of the selection that was sent before them.
            if !is_remote && !host.desk.borrow().is_answered() {
                break;
            }
            let asked = host.desk.borrow_mut().next_rows();
            if let Some(asked) = asked {
                let started = now_millis();
                let rows = match is_remote {
                    true => rows_elsewhere(&host, &asked).await,
                    false => Some(rows_here(&host, &mut order, &asked).await),
                };
                if let Some(mut rows) = rows {
                    rows.elapsed_millis = now_millis() - started;
                    post(&Reply::Rows(rows));
                }
                continue;
            }
            let fresh = host.desk.borrow_mut().next_copy();
            if let Some(asked) = fresh {
                let begun = (host.parts.copy)(host.clone(), asked.clone()).await;
                copying = begun.unwrap_or_else(|| {
                    tell(&asked, 0, Some(Err(texts::refusals::PART_NOT_FETCHED.to_owned())));
                    None
                });
            }
            let Some(work) = copying.take() else { break };
            let step = (host.parts.copy_on)(host.clone(), work, std::mem::take(&mut order));
            (copying, order) = step.await.unwrap_or_default();
        }
    }
}

/// Puts an order into order, in steps, and does something with it once it is.
pub async fn ordered<T>(
    host: &Host,
    order: &mut RowOrder,
    keys: &[engine::query::OrderKey],
    then: impl FnOnce(&RowOrder, &Resident, &Selection<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let mut stride = Stride::start();
    loop {
        {
            let data = host.data.borrow();
            let answers = host.answers.borrow();
            let Some(resident) = &data.resident else {
                return Err(texts::refusals::NO_TABLE.to_owned());
            };
            let (words, rows) = answers.selection();
            let (revision, epoch) = (answers.revision(), data.epoch());
            let selection = Selection { words, rows, revision, epoch };
            if order.step(keys, resident, &selection)? {
                return then(order, resident, &selection);
            }
        }
        stride.breathe().await;
    }
}

/// `None` where others are wanted by now.
async fn rows_elsewhere(host: &Rc<Host>, asked: &RowsAsked) -> Option<Rows> {
    let fetched = (host.parts.rows_elsewhere)(host.clone(), asked.clone()).await;
    fetched.unwrap_or_else(|| Some(no_rows(asked, texts::refusals::PART_NOT_FETCHED.to_owned())))
}

async fn rows_here(host: &Rc<Host>, order: &mut RowOrder, asked: &RowsAsked) -> Rows {
    let found = ordered(host, order, &asked.order_by, |order, resident, selection| {
        let numbers = order.window(selection, asked.first as usize, asked.count as usize);
        let columns = here(resident, &asked.columns, &numbers);
        Ok(Rows {
            request: asked.request,
            first: asked.first,
            selected: order.selected() as u64,
            cells: cells(resident, &columns, &numbers),
            columns,
            row_numbers: numbers,
            origin: resident.origin,
            elapsed_millis: 0.0,
            error: None,
        })
    });
    found.await.unwrap_or_else(|detail| no_rows(asked, detail))
}

/// An answer that says why there is none.
pub fn no_rows(asked: &RowsAsked, error: String) -> Rows {
    Rows {
        request: asked.request,
        first: asked.first,
        selected: 0,
        columns: Vec::new(),
        row_numbers: Vec::new(),
        cells: Vec::new(),
        origin: Origin::Browser,
        elapsed_millis: 0.0,
        error: Some(error),
    }
}
