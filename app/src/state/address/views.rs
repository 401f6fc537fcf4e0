//! One view of an address: `1:scatter:distance:delay:origin@0:4000:-60:600` (the part
//! after `@` is the viewport; a look may follow the colour: `:log;clip5-95`, then what
//! sizes and what shapes points: `:delay:carrier`),
//! `2:histogram:delay:40`, with `@low:high` for its domain and
//! `:log`, `:log-rows` and `:share` before it for how it is drawn,
//! `3:bars:origin:12:at` (the last part is a search), `4:heat:delay:distance:40:log`,
//! `5:line:date:mean:delay:origin:month`, `6:box:delay:origin`, `7:violin:delay`.

use engine::query::AggregateOp;

use super::atoms::{decoded, encoded, read_range, shortened, written_number};
use crate::look::Look;
use crate::protocol::{Form, Mark, Measured, Varied, ViewId, Viewport};
use crate::scale::step::TimeStep;
use crate::state::ShownView;
use crate::texts;

/// More bins than a chart has pixels say nothing.
const BINS_MAX: u16 = 1000;
const BARS_MAX: u16 = 1000;
/// Squared, these stay below what codes of cells can tell apart.
const HEAT_BINS_MAX: u16 = 200;

pub(super) fn write(view: &ShownView) -> String {
    let id = view.id.0;
    match &view.mark {
        Mark::Scatter { x, y, color, look, varied } => {
            let name = |name: &Option<String>| name.as_deref().map(axis).unwrap_or_default();
            let rest = [name(color), look.written(), name(&varied.size), name(&varied.shape)];
            let rest: String = rest.iter().flat_map(|part| [":", part]).collect();
            // What is left out at the end is not written.
            let rest = rest.trim_end_matches(':');
            let viewport = view.viewport.map(|Viewport { x, y }| {
                let ends = [x[0], x[1], y[0], y[1]].map(written_number);
                format!("@{}", ends.join(":"))
            });
            format!("{id}:scatter:{}:{}{rest}{}", axis(x), axis(y), viewport.unwrap_or_default())
        }
        Mark::Histogram { column, bins, domain, form } => {
            let domain = domain.map(|ends| format!("@{}", ends.map(written_number).join(":")));
            let Form { log_axis, log_counts, cumulative } = *form;
            let words = [(log_axis, ":log"), (log_counts, ":log-rows"), (cumulative, ":share")];
            let words: String =
                words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
            format!("{id}:histogram:{}:{bins}{words}{}", axis(column), domain.unwrap_or_default())
        }
        Mark::Heat { x, y, bins, log } => {
            let log = if *log { ":log" } else { "" };
            format!("{id}:heat:{}:{}:{bins}{log}", axis(x), axis(y))
        }
        // What is left out at the end is not written.
        Mark::Line { time, of, split, step } => {
            let of = of.as_ref().map(|of| format!("{}:{}", of.op.name(), axis(&of.column)));
            let of = of.unwrap_or_else(|| "count:".to_owned());
            let split = split.as_deref().map(axis).unwrap_or_default();
            let step = step.map(|step| axis(step.name())).unwrap_or_default();
            let text = format!("{id}:line:{}:{of}:{split}:{step}", axis(time));
            text.trim_end_matches(':').to_owned()
        }
        Mark::Boxes { column, by, violin } => {
            let kind = if *violin { "violin" } else { "box" };
            let by = by.as_deref().map(|by| format!(":{}", axis(by))).unwrap_or_default();
            format!("{id}:{kind}:{}{by}", axis(column))
        }
        Mark::Bars { column, limit, search } => {
            let search =
                if search.is_empty() { String::new() } else { format!(":{}", axis(search)) };
            format!("{id}:bars:{}:{limit}{search}", axis(column))
        }
    }
}

/// A name in a view: here `@` separates too.
fn axis(name: &str) -> String {
    encoded(name).replace('@', "%40")
}

pub(super) fn read(value: &str) -> Result<ShownView, String> {
    let broken = || texts::address::unreadable_view(&shortened(value));
    let (marks, numbers) = match value.split_once('@') {
        Some((marks, numbers)) => (marks, numbers.split(':').collect()),
        None => (value, Vec::new()),
    };
    let mut atoms = marks.split(':');
    let id = atoms.next().unwrap_or_default().parse().map_err(|_| broken())?;
    let kind = atoms.next().unwrap_or_default();
    let atoms = atoms.map(decoded).collect::<Result<Vec<String>, String>>()?;
    if atoms.first().is_none_or(String::is_empty) {
        return Err(broken());
    }
    let mut viewport = None;
    let mark = match (kind, atoms.as_slice()) {
        ("scatter", [x, y, rest @ ..]) if rest.len() < 5 && !y.is_empty() => {
            viewport = read_viewport(&numbers).ok_or_else(broken)??;
            let name = |at: usize| rest.get(at).filter(|name| !name.is_empty()).cloned();
            let look = rest.get(1).map_or(Some(Look::default()), |look| Look::read(look));
            Mark::Scatter {
                x: x.clone(),
                y: y.clone(),
                color: name(0),
                look: look.ok_or_else(broken)?,
                varied: Varied { size: name(2), shape: name(3) },
            }
        }
        ("histogram", [column, bins, words @ ..]) => {
            let domain = match numbers.as_slice() {
                [] => None,
                [low, high] => Some(read_range(low, high)?),
                _ => return Err(broken()),
            };
            let bins = number_within(bins, BINS_MAX).ok_or_else(broken)?;
            let mut form = Form::default();
            for word in words {
                match word.as_str() {
                    "log" => form.log_axis = true,
                    "log-rows" => form.log_counts = true,
                    "share" => form.cumulative = true,
                    _ => return Err(broken()),
                }
            }
            Mark::Histogram { column: column.clone(), bins, domain, form }
        }
        ("bars", [column, limit, rest @ ..]) if rest.len() < 2 && numbers.is_empty() => {
            let limit = number_within(limit, BARS_MAX).ok_or_else(broken)?;
            let search = rest.first().cloned().unwrap_or_default();
            Mark::Bars { column: column.clone(), limit, search }
        }
        _ if numbers.is_empty() => read_chart(kind, &atoms).ok_or_else(broken)?,
        _ => return Err(broken()),
    };
    Ok(ShownView { id: ViewId(id), mark, viewport })
}

/// A heat map, a line or boxes.
fn read_chart(kind: &str, atoms: &[String]) -> Option<Mark> {
    Some(match (kind, atoms) {
        ("heat", [x, y, bins, rest @ ..]) if !y.is_empty() => {
            let log = match rest {
                [] => false,
                [word] if word == "log" => true,
                _ => return None,
            };
            let bins = number_within(bins, HEAT_BINS_MAX)?;
            Mark::Heat { x: x.clone(), y: y.clone(), bins, log }
        }
        ("line", [time, rest @ ..]) if rest.len() <= 4 => {
            let part = |at: usize| rest.get(at).filter(|part| !part.is_empty()).cloned();
            let op = match part(0).as_deref() {
                None | Some("count") => None,
                Some(name) => Some(measuring(name)?),
            };
            let of = match (op, part(1)) {
                (Some(op), Some(column)) => Some(Measured { op, column }),
                (None, None) => None,
                _ => return None,
            };
            let step = match part(3) {
                Some(name) => Some(TimeStep::from_name(&name)?),
                None => None,
            };
            Mark::Line { time: time.clone(), of, split: part(2), step }
        }
        ("box" | "violin", [column, rest @ ..]) if rest.len() < 2 => {
            let by = rest.first().filter(|by| !by.is_empty()).cloned();
            Mark::Boxes { column: column.clone(), by, violin: kind == "violin" }
        }
        _ => return None,
    })
}

/// The operations that a line can show.
pub const MEASURING: [AggregateOp; 5] =
    [AggregateOp::Mean, AggregateOp::Sum, AggregateOp::Min, AggregateOp::Max, AggregateOp::Median];

fn measuring(name: &str) -> Option<AggregateOp> {
    MEASURING.into_iter().find(|op| op.name() == name)
}

/// `None` for another number of numbers.
fn read_viewport(numbers: &[&str]) -> Option<Result<Option<Viewport>, String>> {
    let ends = match numbers {
        [] => return Some(Ok(None)),
        [x0, x1, y0, y1] => read_range(x0, x1).and_then(|x| Ok((x, read_range(y0, y1)?))),
        _ => return None,
    };
    Some(ends.map(|(x, y)| Some(Viewport { x, y })))
}

fn number_within(text: &str, most: u16) -> Option<u16> {
    text.parse().ok().filter(|number| (1..=most).contains(number))
}
