//! The cell that has the keyboard in the table of rows, and the rectangle of cells that is
//! selected with it: how keys and the mouse move them, by the grid pattern of WAI-ARIA. Pure.

use std::ops::Range;

/// A place: how many rows down, how many columns from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    pub row: u64,
    pub column: usize,
}

/// From one corner to the one that has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    pub anchor: Place,
    pub active: Place,
}

/// How far the table goes, and how many rows a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub rows: u64,
    pub columns: usize,
    pub page: u64,
}

impl Selected {
    pub fn one(place: Place) -> Self {
        Self { anchor: place, active: place }
    }

    pub fn is_one(self) -> bool {
        self.anchor == self.active
    }

    pub fn rows(self) -> Range<u64> {
        let (a, b) = (self.anchor.row, self.active.row);
        a.min(b)..a.max(b) + 1
    }

    pub fn columns(self) -> Range<usize> {
        let (a, b) = (self.anchor.column, self.active.column);
        a.min(b)..a.max(b) + 1
    }

    pub fn n_cells(self) -> u64 {
        let (rows, columns) = (self.rows(), self.columns());
        (rows.end - rows.start).saturating_mul((columns.end - columns.start) as u64)
    }

    /// The same, where rows or columns have become fewer; `None` where there are none.
    pub fn within(self, bounds: Bounds) -> Option<Self> {
        let row = bounds.rows.checked_sub(1)?;
        let column = bounds.columns.checked_sub(1)?;
        let held =
            |place: Place| Place { row: place.row.min(row), column: place.column.min(column) };
        Some(Self { anchor: held(self.anchor), active: held(self.active) })
    }

    /// What a key makes of it, as the browser names keys; `None` if the key means nothing
    /// here, or the table is empty. `ends` is Ctrl or Cmd; `extend` is Shift.
    pub fn keyed(self, key: &str, ends: bool, extend: bool, bounds: Bounds) -> Option<Self> {
        let (row, column) = (bounds.rows.checked_sub(1)?, bounds.columns.checked_sub(1)?);
        let at = self.active;
        let to = match key {
            "a" | "A" if ends => {
                let end = Place { row, column };
                // The keyboard stays where the first cell is: nothing scrolls away.
                return Some(Self { anchor: end, active: Place::default() });
            }
            "Escape" if !self.is_one() => return Some(Self::one(at)),
            "ArrowDown" if ends => Place { row, ..at },
            "ArrowUp" if ends => Place { row: 0, ..at },
            "ArrowRight" if ends => Place { column, ..at },
            "ArrowLeft" if ends => Place { column: 0, ..at },
            "ArrowDown" => Place { row: at.row.saturating_add(1), ..at },
            "ArrowUp" => Place { row: at.row.saturating_sub(1), ..at },
            "ArrowRight" => Place { column: at.column + 1, ..at },
            "ArrowLeft" => Place { column: at.column.saturating_sub(1), ..at },
            "PageDown" => Place { row: at.row.saturating_add(bounds.page), ..at },
            "PageUp" => Place { row: at.row.saturating_sub(bounds.page), ..at },
            "Home" if ends => Place::default(),
            "End" if ends => Place { row, column },
            "Home" => Place { column: 0, ..at },
            "End" => Place { column, ..at },
            _ => return None,
        };
        let anchor = if extend { self.anchor } else { to };
        Self { anchor, active: to }.within(bounds)
    }
}

/// "1,234" as somebody types it: a place, counted from 0 as the rows of the table are, and held
/// within it; `None` for what is no number.
pub fn typed_place(text: &str, rows: u64) -> Option<u64> {
    let digits: String =
        text.chars().filter(|c| !matches!(c, ',' | '_' | ' ' | '\u{202f}')).collect();
    let place: u64 = digits.parse().ok()?;
    Some(place.min(rows.saturating_sub(1)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { rows: 1000, columns: 5, page: 20 };

    fn at(row: u64, column: usize) -> Selected {
        Selected::one(Place { row, column })
    }

    #[test]
    fn keys_move_the_cell() {
        let cases = [
            ("ArrowDown", false, (3, 1)),
            ("ArrowUp", false, (1, 1)),
            ("ArrowLeft", false, (2, 0)),
            ("ArrowRight", false, (2, 2)),
            ("ArrowDown", true, (999, 1)),
            ("ArrowRight", true, (2, 4)),
            ("PageDown", false, (22, 1)),
            ("PageUp", false, (0, 1)),
            ("Home", false, (2, 0)),
            ("End", false, (2, 4)),
            ("Home", true, (0, 0)),
            ("End", true, (999, 4)),
        ];
        for (key, ends, (row, column)) in cases {
            assert_eq!(at(2, 1).keyed(key, ends, false, BOUNDS), Some(at(row, column)), "{key}");
            let wide = at(2, 1).keyed(key, ends, true, BOUNDS).unwrap();
            assert_eq!(wide.anchor, at(2, 1).anchor, "{key} with Shift");
            assert_eq!(wide.active, at(row, column).active, "{key} with Shift");
        }
        assert_eq!(at(2, 1).keyed("x", false, false, BOUNDS), None);
        assert_eq!(at(2, 1).keyed("Escape", false, false, BOUNDS), None);
    }

    #[test]
    fn edges_hold() {
        assert_eq!(at(0, 0).keyed("ArrowUp", false, false, BOUNDS), Some(at(0, 0)));
        assert_eq!(at(999, 4).keyed("ArrowDown", false, false, BOUNDS), Some(at(999, 4)));
        assert_eq!(at(999, 4).keyed("ArrowRight", false, false, BOUNDS), Some(at(999, 4)));
        let empty = Bounds { rows: 0, ..BOUNDS };
        assert_eq!(at(0, 0).keyed("ArrowDown", false, false, empty), None);
        assert_eq!(at(5, 1).within(empty), None);
        let few = Bounds { rows: 3, columns: 1, page: 20 };
        assert_eq!(at(5, 4).within(few), Some(at(2, 0)));
    }

    #[test]
    fn a_rectangle_is_the_same_from_either_corner() {
        let (low, high) = (Place { row: 2, column: 1 }, Place { row: 4, column: 3 });
        for (anchor, active) in [(low, high), (high, low)] {
            let selected = Selected { anchor, active };
            assert_eq!((selected.rows(), selected.columns()), (2..5, 1..4));
            assert_eq!(selected.n_cells(), 9);
        }
        let all = at(7, 2).keyed("a", true, false, BOUNDS).unwrap();
        assert_eq!((all.rows(), all.columns(), all.n_cells()), (0..1000, 0..5, 5000));
        assert_eq!(all.keyed("Escape", false, false, BOUNDS), Some(at(0, 0)));
    }

    #[test]
    fn places_are_typed() {
        let cases = [("0", Some(0)), ("1", Some(1)), ("0,999", Some(999)), ("99999", Some(999))];
        for (text, place) in cases {
            assert_eq!(typed_place(text, 1000), place, "{text}");
        }
        assert_eq!(typed_place("x", 1000), None);
        assert_eq!(typed_place("-3", 1000), None);
    }
}
