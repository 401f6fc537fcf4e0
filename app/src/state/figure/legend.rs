//! What the colours, sizes and shapes of a figure's points mean.

use super::{LEGEND_LINE, LEGEND_WIDTH, LETTER, QUIET, add, clipped, escaped};
use crate::draw::stamp::{SIZES, Shape, radius_of};
use crate::protocol::{Legend, LegendEntry, MarkResult, Side, Sizes, Varied};
use crate::state::chart::words;
use crate::state::format;
use crate::texts;

/// A line of the legend of sizes or shapes: an outline about nothing, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub path: String,
    pub is_hollow: bool,
    pub words: String,
}

/// The largest size in a legend, and all shapes, in pixels.
const KEY_RADIUS: f64 = 8.0;
const SHAPE_RADIUS: f64 = 5.0;

/// The legends of sizes and shapes, each under its name.
pub fn keys_of(result: Option<&MarkResult>, varied: &Varied) -> Vec<(String, Vec<Key>)> {
    let Some(MarkResult::Scatter { sizes, shapes: shapes_named, .. }) = result else {
        return Vec::new();
    };
    let sizes = sizes.as_ref().zip(varied.size.as_ref());
    let sizes = sizes.map(|(sizes, name)| (texts::figure::size_of(name), size_keys(sizes)));
    let shapes = varied.shape.as_ref();
    let shapes = shapes.map(|name| (texts::figure::shape_of(name), shape_keys(shapes_named)));
    sizes.into_iter().chain(shapes).filter(|(_, keys)| !keys.is_empty()).collect()
}

/// Three sizes, and that of rows without a number.
fn size_keys(sizes: &Sizes) -> Vec<Key> {
    let [low, high] = sizes.domain;
    let unit = (high - low) / 100.0;
    let key = |size: usize, words: String| {
        let radius = KEY_RADIUS * f64::from(radius_of(size));
        Key { path: Shape::Disc.path([0.0, 0.0], radius), is_hollow: false, words }
    };
    let number = |value: f64| format::number(value, unit);
    let smallest = texts::figure::smallest(&number(low), sizes.has_missing);
    let middle = low / 2.0 + high / 2.0;
    vec![
        key(0, smallest),
        key(SIZES / 2, number(middle)),
        key(SIZES - 1, ["≥ ", &number(high)].concat()),
    ]
}

/// The shapes of names, and that of all others.
fn shape_keys(names: &Side) -> Vec<Key> {
    let Side::Names { values, .. } = names else { return Vec::new() };
    let key = |shape: Shape, words: String| {
        let path = shape.path([0.0, 0.0], SHAPE_RADIUS);
        Key { path, is_hollow: shape == Shape::Ring, words }
    };
    let names = (0..values.len()).map(|at| words::name(names, at));
    let keys = Shape::ALL.into_iter().zip(names).map(|(shape, name)| key(shape, name));
    keys.chain([key(Shape::Ring, texts::figure::OTHER_OR_MISSING.to_owned())]).collect()
}

pub(super) fn legend_of(out: &mut String, column: &str, legend: &Legend, x: f64, height: f64) {
    let room = (LEGEND_WIDTH / LETTER) as usize;
    let head = escaped(&clipped(column, room));
    match legend {
        Legend::None => {}
        Legend::Categories { entries } => {
            add(out, format_args!("<text x=\"{x}\" y=\"8\" font-weight=\"600\">{head}</text>"));
            // As many as there is room for; the rest is not hidden.
            let lines = ((height / LEGEND_LINE) as usize).saturating_sub(2).max(1);
            // A category that no row is left of needs no colour.
            let there: Vec<_> = entries.iter().filter(|entry| entry.count > 0).collect();
            for (at, entry) in there.iter().take(lines).enumerate() {
                let y = (at + 1) as f64 * LEGEND_LINE + 8.0;
                let count = format::short_count(entry.count);
                let label = escaped(&clipped(&entry.label, room.saturating_sub(count.len() + 4)));
                add(
                    out,
                    format_args!(
                        "<circle cx=\"{}\" cy=\"{}\" r=\"5\" fill=\"{}\"/>",
                        x + 5.0,
                        y - 4.0,
                        escaped(&entry.color)
                    ),
                );
                add(
                    out,
                    format_args!(
                        "<text x=\"{}\" y=\"{y}\">{label} <tspan font-size=\"10\" fill=\"{QUIET}\">{count}</tspan></text>",
                        x + 16.0
                    ),
                );
            }
            if there.len() > lines {
                let y = (lines + 1) as f64 * LEGEND_LINE + 8.0;
                add(
                    out,
                    format_args!(
                        "<text x=\"{}\" y=\"{y}\" fill=\"{QUIET}\">{}</text>",
                        x + 16.0,
                        texts::figure::and_more(there.len() - lines)
                    ),
                );
            }
        }
        Legend::Ramp { domain, middle, colors, beyond, missing, .. } => {
            let unit = (domain[1] - domain[0]) / 100.0;
            let word = |value: f64| format::number(value, unit);
            let words = [word(domain[0]), middle.map(word).unwrap_or_default(), word(domain[1])];
            gradient(out, &head, colors, &words, [x, 8.0]);
            beyond_of(out, *beyond, missing, x);
        }
    }
}

pub(super) fn keys_under(out: &mut String, keys: &[(String, Vec<Key>)], [x, y]: [f64; 2]) {
    let letters = (LEGEND_WIDTH / LETTER) as usize - 3;
    let mut y = y;
    for (name, keys) in keys {
        let name = escaped(&clipped(name, letters));
        add(out, format_args!("<text x=\"{x}\" y=\"{y}\" font-weight=\"600\">{name}</text>"));
        for key in keys {
            y += LEGEND_LINE;
            let (fill, line) = if key.is_hollow { ("none", QUIET) } else { (QUIET, "none") };
            let (left, right, middle) = (x + 8.0, x + 22.0, y - 4.0);
            let (path, words) = (&key.path, escaped(&clipped(&key.words, letters)));
            add(
                out,
                format_args!(
                    "<path transform=\"translate({left} {middle})\" d=\"{path}\" fill=\"{fill}\" \
                     stroke=\"{line}\" stroke-width=\"2\"/><text x=\"{right}\" y=\"{y}\">{words}</text>"
                ),
            );
        }
        y += LEGEND_LINE;
    }
}

/// A ramp under its name, with what is at its ends and in its middle.
pub(super) fn gradient(
    out: &mut String,
    head: &str,
    colors: &[String],
    words: &[String; 3],
    at: [f64; 2],
) {
    const LENGTH: f64 = 120.0;
    let [x, y] = at;
    add(out, format_args!("<text x=\"{x}\" y=\"{y}\" font-weight=\"600\">{head}</text>"));
    let step = LENGTH / colors.len().max(1) as f64;
    for (at, color) in colors.iter().enumerate() {
        let (left, top, width) = (x + at as f64 * step, y + 10.0, step + 0.5);
        let color = escaped(color);
        add(
            out,
            format_args!(
                "<rect x=\"{left:.2}\" y=\"{top}\" width=\"{width:.2}\" height=\"10\" fill=\"{color}\"/>"
            ),
        );
    }
    let places = [(0.0, "start"), (LENGTH / 2.0, "middle"), (LENGTH, "end")];
    for (word, (along, anchor)) in words.iter().zip(places) {
        let (left, below, word) = (x + along, y + 36.0, escaped(word));
        add(
            out,
            format_args!(
                "<text x=\"{left}\" y=\"{below}\" font-size=\"11\" text-anchor=\"{anchor}\">{word}</text>"
            ),
        );
    }
}

/// How many points are beyond a ramp's ends, or have no place on it.
fn beyond_of(out: &mut String, beyond: [u64; 2], missing: &[LegendEntry], x: f64) {
    let [below, above] = beyond;
    let ends = [(below, texts::figure::below(below)), (above, texts::figure::above(above))];
    let ends = ends.map(|(count, words)| (count, words, QUIET)).into_iter();
    let others = missing.iter().map(|entry| {
        let words = [&format::count(entry.count), " ", &entry.label].concat();
        (entry.count, words, &*entry.color)
    });
    let there = ends.chain(others).filter(|(count, ..)| *count > 0);
    for (at, (_, words, color)) in there.enumerate() {
        let y = 64.0 + at as f64 * LEGEND_LINE;
        let (middle, up, text, color) = (x + 5.0, y - 4.0, x + 16.0, escaped(color));
        let words = escaped(&words);
        add(out, format_args!("<circle cx=\"{middle}\" cy=\"{up}\" r=\"5\" fill=\"{color}\"/>"));
        add(out, format_args!("<text x=\"{text}\" y=\"{y}\" font-size=\"11\">{words}</text>"));
    }
}
