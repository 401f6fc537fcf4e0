//! One view of an address: `1:scatter:distance:delay:origin@0:4000:-60:600` (the part
//! after `@` is the viewport), `2:histogram:delay:40`, with `@low:high` for its domain and
//! `:log`, `:log-rows` and `:share` before it for how it is drawn,
//! `3:bars:origin:12:at` (the last part is a search).

use super::atoms::{decoded, encoded, read_range, shortened, written_number};
use crate::protocol::{Form, Mark, ViewId, Viewport};
use crate::state::ShownView;

/// More bins than a chart has pixels say nothing.
const BINS_MAX: u16 = 1000;
const BARS_MAX: u16 = 1000;

pub(super) fn write(view: &ShownView) -> String {
    let id = view.id.0;
    match &view.mark {
        Mark::Scatter { x, y, color } => {
            let color =
                color.as_deref().map(|color| format!(":{}", axis(color))).unwrap_or_default();
            let viewport = view.viewport.map(|Viewport { x, y }| {
                let ends = [x[0], x[1], y[0], y[1]].map(written_number);
                format!("@{}", ends.join(":"))
            });
            format!("{id}:scatter:{}:{}{color}{}", axis(x), axis(y), viewport.unwrap_or_default())
        }
        Mark::Histogram { column, bins, domain, form } => {
            let domain = domain.map(|ends| format!("@{}", ends.map(written_number).join(":")));
            let Form { log_axis, log_counts, cumulative } = *form;
            let words = [(log_axis, ":log"), (log_counts, ":log-rows"), (cumulative, ":share")];
            let words: String =
                words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
            format!("{id}:histogram:{}:{bins}{words}{}", axis(column), domain.unwrap_or_default())
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
    let broken = || format!("cannot read the view {:?}", shortened(value));
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
        ("scatter", [x, y, rest @ ..]) if rest.len() < 2 && !y.is_empty() => {
            viewport = match numbers.as_slice() {
                [] => None,
                [x0, x1, y0, y1] => {
                    Some(Viewport { x: read_range(x0, x1)?, y: read_range(y0, y1)? })
                }
                _ => return Err(broken()),
            };
            let color = rest.first().filter(|color| !color.is_empty()).cloned();
            Mark::Scatter { x: x.clone(), y: y.clone(), color }
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
        _ => return Err(broken()),
    };
    Ok(ShownView { id: ViewId(id), mark, viewport })
}

fn number_within(text: &str, most: u16) -> Option<u16> {
    text.parse().ok().filter(|number| (1..=most).contains(number))
}
