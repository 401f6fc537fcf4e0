//! Names over a picture, most important first: each where it wants to be or a little beside
//! it, none over another, and only what fits. Lengths are CSS pixels. Pure.

use crate::protocol::Viewport;
use crate::protocol::relief::Relief;
use crate::state::letters::letters;

/// Of a letter, about, and of a line.
const LETTER: f64 = 6.6;
const LINE: f64 = 15.0;
/// Lines that a name may be moved down and up.
const MOVES: [f64; 5] = [0.0, 1.0, -1.0, 2.0, -2.0];
const LETTERS_MAX: usize = 28;

#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Which of the names.
    pub index: usize,
    pub text: String,
    /// Of its middle.
    pub x: f64,
    pub y: f64,
}

/// From the picture's pixels then to those of a viewport and a size: a factor and an offset
/// for each axis.
pub fn moved(relief: &Relief, to: Viewport, size: [f64; 2]) -> [[f64; 2]; 2] {
    let axis = |was: [f64; 2], now: [f64; 2], from: f64, length: f64| {
        let per_unit = length / (now[1] - now[0]);
        let factor = (was[1] - was[0]) * per_unit / from.max(1.0);
        (factor, (was[0] - now[0]) * per_unit, (now[1] - was[1]) * per_unit)
    };
    let (across, left, _) = axis(relief.viewport.x, to.x, relief.size[0], size[0]);
    let (down, _, top) = axis(relief.viewport.y, to.y, relief.size[1], size[1]);
    [[across, left], [down, top]]
}

/// Names with their places, on a picture of a size.
pub fn placed<'a>(
    names: impl Iterator<Item = (&'a str, f64, f64)>,
    [width, height]: [f64; 2],
) -> Vec<Placed> {
    let mut all: Vec<(Placed, f64)> = Vec::new();
    for (index, (name, x, y)) in names.enumerate() {
        let mut text: String = name.chars().take(LETTERS_MAX).collect();
        if text.len() < name.len() {
            text.push('…');
        }
        let half = letters(&text) * LETTER / 2.0 + 4.0;
        // What is not in the picture has no name there.
        let is_seen = (0.0..=width).contains(&x) && (0.0..=height).contains(&y);
        if !is_seen || text.is_empty() || 2.0 * half > width {
            continue;
        }
        let x = x.clamp(half, width - half);
        let is_free = |y: &f64| {
            let is_inside = (LINE / 2.0..=height - LINE / 2.0).contains(y);
            is_inside
                && all.iter().all(|(other, other_half)| {
                    (other.x - x).abs() >= half + other_half || (other.y - y).abs() >= LINE
                })
        };
        if let Some(y) = MOVES.map(|lines| y + lines * LINE).into_iter().find(is_free) {
            all.push((Placed { index, text, x, y }, half));
        }
    }
    all.into_iter().map(|(placed, _)| placed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_overlap_and_the_first_have_their_places() {
        let names = ["one", "two", "three", "four", "five", "six", "seven"];
        let crowd = names.iter().enumerate().map(|(at, name)| (*name, 100.0 + at as f64, 50.0));
        let found = placed(crowd, [200.0, 100.0]);
        assert_eq!(found.len(), 5, "as many as there are lines about the place");
        assert_eq!((found[0].x, found[0].y), (100.0, 50.0));
        for (at, one) in found.iter().enumerate() {
            assert!(found[..at].iter().all(|other| (one.y - other.y).abs() >= LINE));
        }
        // Beyond the edges there is nothing; near them names stay inside.
        let edge =
            placed([("outside", -1.0, 5.0), ("corner", 1.0, 20.0)].into_iter(), [200.0, 100.0]);
        assert_eq!(edge.len(), 1);
        assert!(edge[0].index == 1 && edge[0].x > 20.0);
        let long = "x".repeat(100);
        assert_eq!(placed([(long.as_str(), 50.0, 50.0)].into_iter(), [100.0, 100.0]), []);
    }
}
