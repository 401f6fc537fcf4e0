//! How the columns of the table of rows are laid out: their order, which stay at the left,
//! how wide they are. Pure.

use std::collections::BTreeMap;

/// Narrower than this a column shows nothing, wider it leaves no room for others.
pub const WIDTH_MIN: u16 = 40;
pub const WIDTH_MAX: u16 = 900;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowLayout {
    /// Columns that stay at the left, in the order in which they stand there.
    pub pins: Vec<String>,
    /// Widths that somebody chose, in pixels.
    pub widths: BTreeMap<String, u16>,
}

/// The columns that are shown: those chosen as far as they are loaded, or all.
pub fn shown(chosen: Option<&[String]>, loaded: &[String]) -> Vec<String> {
    match chosen {
        Some(names) => names.iter().filter(|name| loaded.contains(name)).cloned().collect(),
        None => loaded.to_vec(),
    }
}

impl RowLayout {
    pub fn is_pinned(&self, column: &str) -> bool {
        self.pins.iter().any(|name| name == column)
    }

    /// The columns from left to right: the pinned ones first.
    pub fn arranged(&self, shown: Vec<String>) -> Vec<String> {
        let pinned = self.pins.iter().filter(|name| shown.contains(name)).cloned();
        let mut names: Vec<String> = pinned.collect();
        names.extend(shown.into_iter().filter(|name| !self.is_pinned(name)));
        names
    }

    /// The columns after one of them went to a place among all, counted from the left. Among
    /// pinned columns that is the order of the pins: what is pinned stays so, and what is not
    /// stays on its side.
    pub fn moved(&mut self, shown: Vec<String>, column: &str, to: usize) -> Vec<String> {
        let mut names = self.arranged(shown);
        let Some(from) = names.iter().position(|name| name == column) else { return names };
        let n_pinned = names.iter().filter(|name| self.is_pinned(name)).count();
        let to = match from < n_pinned {
            true => to.min(n_pinned - 1),
            false => to.clamp(n_pinned, names.len() - 1),
        };
        let name = names.remove(from);
        names.insert(to, name);
        if from < n_pinned {
            // Pins of columns that are not shown now keep their turn, after the others.
            let hidden = self.pins.iter().filter(|pin| !names.contains(pin)).cloned();
            let hidden: Vec<String> = hidden.collect();
            self.pins = names.iter().take(n_pinned).cloned().chain(hidden).collect();
        }
        names
    }

    pub fn pin(&mut self, column: &str, pinned: bool) {
        self.pins.retain(|name| name != column);
        if pinned {
            self.pins.push(column.to_owned());
        }
    }

    pub fn size(&mut self, column: &str, width: Option<u16>) {
        match width {
            Some(width) => {
                self.widths.insert(column.to_owned(), width.clamp(WIDTH_MIN, WIDTH_MAX));
            }
            None => drop(self.widths.remove(column)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn pinned_columns_stand_first_in_the_order_of_their_pins() {
        let mut layout = RowLayout::default();
        layout.pin("c", true);
        layout.pin("a", true);
        layout.pin("gone", true);
        assert_eq!(layout.arranged(names("a b c d")), names("c a b d"));
        layout.pin("c", false);
        assert_eq!(layout.arranged(names("a b c d")), names("a b c d"));
    }

    #[test]
    fn a_column_moves_on_its_own_side_of_the_pins() {
        let cases = [
            ("", "a", 2, "b c a d"),
            ("", "d", 0, "d a b c"),
            ("", "a", 99, "b c d a"),
            ("b c", "b", 1, "c b a d"),
            ("b c", "b", 3, "c b a d"),
            ("b c", "d", 0, "b c d a"),
            ("b c", "gone", 0, "b c a d"),
        ];
        for (pins, column, to, expected) in cases {
            let mut layout = RowLayout { pins: names(pins), ..RowLayout::default() };
            let moved = layout.moved(names("a b c d"), column, to);
            assert_eq!(moved, names(expected), "{pins} {column} {to}");
            assert_eq!(layout.arranged(moved.clone()), moved);
        }
    }

    #[test]
    fn widths_have_limits() {
        let mut layout = RowLayout::default();
        layout.size("a", Some(3));
        layout.size("b", Some(60_000));
        assert_eq!(layout.widths.values().copied().collect::<Vec<_>>(), [WIDTH_MIN, WIDTH_MAX]);
        layout.size("a", None);
        assert_eq!(layout.widths.len(), 1);
        assert_eq!(shown(Some(&names("c a x")), &names("a b c")), names("c a"));
        assert_eq!(shown(None, &names("a b")), names("a b"));
    }
}
