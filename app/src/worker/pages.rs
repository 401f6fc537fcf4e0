//! Answers `Rows` for as long as the worker lives: windows of the selection in an order,
//! from memory, or where the table is elsewhere page by page from the companion.

use std::rc::Rc;

use crate::protocol::{Origin, Reply, Rows};
use crate::worker::desk::RowsAsked;
use crate::worker::elsewhere;
use crate::worker::host::{Host, post};
use crate::worker::rows::{RowOrder, Selection, cells};
use crate::worker::turn::{Stride, now_millis};

/// The task that answers.
pub async fn answer_on_demand(host: Rc<Host>) {
    let mut order = RowOrder::default();
    loop {
        host.rows.wait().await;
        loop {
            let is_remote = host.data.borrow().is_remote();
            // Rows are of the selection that was sent before them.
            if !is_remote && !host.desk.borrow().is_answered() {
                break;
            }
            let Some(asked) = host.desk.borrow_mut().next_rows() else { break };
            let started = now_millis();
            let mut rows = if is_remote {
                elsewhere::rows(&host, &asked).await
            } else {
                rows_here(&host, &mut order, &asked).await
            };
            rows.elapsed_millis = now_millis() - started;
            post(&Reply::Rows(rows));
        }
    }
}

async fn rows_here(host: &Rc<Host>, order: &mut RowOrder, asked: &RowsAsked) -> Rows {
    let mut stride = Stride::start();
    loop {
        {
            let data = host.data.borrow();
            let answers = host.answers.borrow();
            let Some(resident) = &data.resident else {
                return no_rows(asked, "no table is loaded".to_owned());
            };
            let (words, rows) = answers.selection();
            let (revision, epoch) = (answers.revision(), data.epoch());
            let selection = Selection { words, rows, revision, epoch };
            match order.step(&asked.order_by, resident, &selection) {
                Err(detail) => return no_rows(asked, detail),
                Ok(false) => {}
                Ok(true) => {
                    let first = asked.first as usize;
                    let numbers = order.window(&selection, first, asked.count as usize);
                    return Rows {
                        request: asked.request,
                        first: asked.first,
                        selected: order.selected() as u64,
                        cells: cells(resident, &asked.columns, &numbers),
                        row_numbers: numbers,
                        origin: resident.origin,
                        elapsed_millis: 0.0,
                        error: None,
                    };
                }
            }
        }
        stride.breathe().await;
    }
}

/// An answer that says why there is none.
pub fn no_rows(asked: &RowsAsked, error: String) -> Rows {
    Rows {
        request: asked.request,
        first: asked.first,
        selected: 0,
        row_numbers: Vec::new(),
        cells: Vec::new(),
        origin: Origin::Browser,
        elapsed_millis: 0.0,
        error: Some(error),
    }
}
