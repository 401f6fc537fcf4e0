//! A map that is made, and somebody who looks at it: its clusters are made otherwise as fast as
//! they are asked for, and the file that was kept follows once that rests.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Asked, Made, Session, Teller, request};
use crate::mapping::{Metrics, Tell};
use crate::protocol::MAP_VIEW;
use crate::texts;
use crate::worker::host::Host;

/// Stays as long as somebody looks, and no other map is made.
pub(super) async fn sit(host: &Rc<Host>, mut session: Session, teller: &Teller, number: u64) {
    // The step that was made in haste, if one was.
    let mut rough = None;
    let is_wanted = || host.canvases.borrow().has(MAP_VIEW) && host.mapping.jobs.get() == number;
    while is_wanted() {
        let wanted = host.mapping.wanted.take();
        let Some((text, is_last)) = wanted else {
            host.mapping.called.wait().await;
            continue;
        };
        let Ok(asked) = serde_json::from_str::<Asked>(&text) else { continue };
        let Some(step) = session.other_step(&asked).or_else(|| rough.filter(|_| is_last)) else {
            continue;
        };
        session.asked.steps = asked.steps;
        let made = session.again(step, !is_last).await;
        if !is_wanted() {
            return;
        }
        let said = made.and_then(|(made, metrics)| {
            session.take(host, step, made);
            rough = (!is_last).then_some(step);
            if is_last {
                session.keep(host)?;
            }
            Ok(texts::mapping::again(session.shape[0] - session.left_out, &metrics))
        });
        match said {
            Ok(_) if !is_last => {}
            Ok(message) => {
                if let Ok(job) = serde_json::from_str(&text) {
                    teller.job.replace(job);
                }
                session.tell(teller, &message);
            }
            Err(detail) => session.tell(teller, &detail),
        }
    }
}

impl Session {
    /// The clusters that are asked for otherwise, where nothing else is.
    fn other_step(&self, asked: &Asked) -> Option<usize> {
        let is_same = Asked { steps: Vec::new(), ..self.asked.clone() }
            == Asked { steps: Vec::new(), ..asked.clone() };
        if !is_same || asked.steps.len() != self.asked.steps.len() {
            return None;
        }
        let pairs = || self.asked.steps.iter().zip(&asked.steps);
        let at = pairs().position(|(own, other)| own != other)?;
        let is_cluster = asked.steps.get(at)?.get("kind").and_then(Value::as_str)? == "cluster";
        let is_only = pairs().filter(|(own, other)| own != other).count() == 1;
        (is_cluster && is_only).then_some(at)
    }

    /// Has one step made anew.
    async fn again(&mut self, step: usize, is_rough: bool) -> Result<(Made, Metrics), String> {
        let mut text = request(&self.asked, self.shape);
        if let Some(fields) = text.as_object_mut() {
            fields.insert("again".to_owned(), json!(step));
            fields.insert("rough".to_owned(), json!(is_rough));
        }
        self.mapper.ask(&text.to_string())?;
        loop {
            let (tell, arrays) = self.mapper.next().await;
            match tell {
                Tell::Made { columns, metrics, .. } => {
                    let columns = columns.into_iter().zip(arrays).collect();
                    return Ok((Made { columns }, *metrics));
                }
                Tell::Failed { detail, .. } | Tell::Panicked { text: detail } => {
                    return Err(detail);
                }
                Tell::Taken { .. }
                | Tell::Progress { .. }
                | Tell::Layout { .. }
                | Tell::Done { .. } => {}
            }
        }
    }
}
