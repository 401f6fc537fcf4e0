//! Keeps the page told of how the columns of its rows are distributed: once nothing has been
//! filtered for a moment, of all rows and of those that pass. From memory, or asked of the
//! companion where the table is elsewhere.

use std::collections::HashMap;
use std::rc::Rc;

use crate::protocol::Reply;
use crate::protocol::table::{Shape, Shapes, TableReply};
use crate::worker::host::{Host, post};
use crate::worker::shapes::Shaping;
use crate::worker::turn::{Stride, sleep};

/// Milliseconds without a change before the counting begins: a drag is not to be held up.
const IDLE_MILLIS: i32 = 120;

/// The task that answers.
pub async fn answer_on_demand(host: Rc<Host>) {
    let mut known = HashMap::new();
    loop {
        host.shape.wait().await;
        let question =
            || (host.answers.borrow().revision(), host.desk.borrow().question().generation);
        let before = question();
        sleep(IDLE_MILLIS).await;
        if question() != before {
            host.shape.raise();
            continue;
        }
        let wanted = host.shaped.borrow().clone();
        if wanted.is_empty() {
            continue;
        }
        let generation = host.desk.borrow().question().generation;
        let is_remote = host.data.borrow().is_remote();
        let shapes = match is_remote {
            false => shapes_here(&host, &mut known, &wanted).await,
            // Without its part columns have no shapes.
            true => (host.parts.shapes_elsewhere)(host.clone(), wanted.clone()).await.flatten(),
        };
        if let Some(shapes) = shapes
            && *host.shaped.borrow() == wanted
        {
            post(&Reply::Table(TableReply::Shapes(Shapes { generation, shapes })));
        }
    }
}

/// `None` where the selection changed meanwhile: whoever changed it raises the flag again.
async fn shapes_here(
    host: &Rc<Host>,
    known: &mut HashMap<String, (u64, Shaping)>,
    wanted: &[String],
) -> Option<Vec<Shape>> {
    let (revision, epoch) = (host.answers.borrow().revision(), host.data.borrow().epoch());
    known.retain(|name, _| wanted.contains(name));
    let mut stride = Stride::start();
    let mut shapes = Vec::with_capacity(wanted.len());
    for name in wanted {
        loop {
            {
                let (data, answers) = (host.data.borrow(), host.answers.borrow());
                let is_same = answers.revision() == revision && data.epoch() == epoch;
                if !is_same || !host.desk.borrow().is_answered() {
                    return None;
                }
                let column = data.resident.as_ref().and_then(|resident| resident.column(name));
                let Some(column) = column.filter(|column| column.is_complete()) else { break };
                if known.get(name).is_none_or(|(_, shaping)| !shaping.is_of(column, epoch)) {
                    known.insert(name.clone(), (revision, Shaping::new(column, epoch)));
                }
                let Some((of, shaping)) = known.get_mut(name) else { break };
                if *of != revision {
                    *of = revision;
                    shaping.renew();
                }
                if !shaping.step(column, answers.selection().0) {
                    shapes.push(shaping.shape(name));
                    break;
                }
            }
            stride.breathe().await;
        }
    }
    Some(shapes)
}
