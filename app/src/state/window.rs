//! Which rows of a very long table are on screen. A browser's elements end at some
//! seventeen million pixels, so the scroll bar of a longer table stands for more rows
//! than it has pixels; the first row is then kept on its own and moved exactly by wheel
//! and keys, while the bar jumps.

/// Taller than this no element is made.
const CONTENT_HEIGHT_MAX: f64 = 8_000_000.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    pub rows: u64,
    pub row_height: f64,
    /// The height of the rows' area, without the header.
    pub height: f64,
}

impl Window {
    /// Rows that fit, the last one perhaps in part.
    pub fn visible(self) -> f64 {
        (self.height / self.row_height).max(1.0)
    }

    /// The height that the scroll bar is made for.
    pub fn content_height(self) -> f64 {
        (self.rows as f64 * self.row_height).min(CONTENT_HEIGHT_MAX)
    }

    /// Whether one pixel of the scroll bar is more than one pixel of rows.
    pub fn is_scaled(self) -> bool {
        self.rows as f64 * self.row_height > CONTENT_HEIGHT_MAX
    }

    /// The furthest first row: the last row is then at the bottom.
    pub fn first_max(self) -> f64 {
        (self.rows as f64 - self.height / self.row_height).max(0.0)
    }

    pub fn first_within(self, first: f64) -> f64 {
        first.clamp(0.0, self.first_max())
    }

    /// The first row, and the share of it that is scrolled out, at a place of the bar.
    pub fn first_from_scroll(self, scroll_top: f64) -> f64 {
        let travel = self.content_height() - self.height;
        if travel <= 0.0 {
            return 0.0;
        }
        self.first_within(scroll_top / travel * self.first_max())
    }

    /// Where the bar stands for a first row.
    pub fn scroll_from_first(self, first: f64) -> f64 {
        let travel = (self.content_height() - self.height).max(0.0);
        let most = self.first_max();
        if most <= 0.0 { 0.0 } else { first / most * travel }
    }

    /// The first row after the least move that has `row` wholly on screen.
    pub fn first_showing(self, row: u64, first: f64) -> f64 {
        let whole = (self.height / self.row_height).floor().max(1.0);
        let row = row as f64;
        if row < first {
            self.first_within(row)
        } else if row + 1.0 > first + self.height / self.row_height {
            self.first_within((row + 1.0 - self.height / self.row_height).max(row + 1.0 - whole))
        } else {
            first
        }
    }

    /// The rows to ask for: those on screen and as many more as a quick scroll passes before
    /// the next answer, which takes longer from `far` away; cut at multiples of a page so
    /// that small moves ask for nothing new.
    pub fn wanted(self, first: f64, far: bool) -> (u64, u32) {
        let page: u64 = if far { 256 } else { 64 };
        let start = (first as u64).saturating_sub(page) / page * page;
        let end = first as u64 + self.visible().ceil() as u64 + page;
        let end = end.div_ceil(page).saturating_mul(page).min(self.rows);
        (start, u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_table_scrolls_pixel_by_pixel() {
        let window = Window { rows: 1000, row_height: 26.0, height: 390.0 };
        assert!(!window.is_scaled());
        assert_eq!(window.content_height(), 26_000.0);
        for scroll in [0.0, 13.0, 260.0, 25_610.0] {
            let first = window.first_from_scroll(scroll);
            assert!((first - scroll / 26.0).abs() < 1e-9);
            assert!((window.scroll_from_first(first) - scroll).abs() < 1e-9);
        }
        assert_eq!(window.first_max(), 985.0);
    }

    #[test]
    fn both_ends_of_a_long_table_can_be_reached() {
        let window = Window { rows: 3_000_000, row_height: 26.0, height: 400.0 };
        assert!(window.is_scaled());
        let bottom = window.content_height() - window.height;
        assert_eq!(window.first_from_scroll(0.0), 0.0);
        assert!((window.first_from_scroll(bottom) - window.first_max()).abs() < 1e-6);
        assert!((window.scroll_from_first(window.first_max()) - bottom).abs() < 1e-6);
        let (start, count) = window.wanted(window.first_max(), true);
        assert_eq!(start + u64::from(count), 3_000_000);
    }

    #[test]
    fn asked_rows_cover_the_screen_and_stay_within_the_table() {
        for rows in [0, 1, 63, 64, 65, 1000, 3_000_000] {
            let window = Window { rows, row_height: 26.0, height: 390.0 };
            let mut first = 0.0;
            while first <= window.first_max() {
                for far in [false, true] {
                    let (start, count) = window.wanted(first, far);
                    let end = start + u64::from(count);
                    assert!(start as f64 <= first && end <= rows);
                    assert!(end as f64 >= (first + window.visible()).min(rows as f64));
                    assert!(count < 2000, "more than the worker gives at once");
                }
                first += 1.0 + rows as f64 / 500.0;
            }
        }
    }

    #[test]
    fn the_least_move_shows_a_row() {
        let window = Window { rows: 1000, row_height: 26.0, height: 390.0 };
        assert_eq!(window.first_showing(5, 10.0), 5.0);
        assert_eq!(window.first_showing(12, 10.0), 10.0);
        assert_eq!(window.first_showing(25, 10.0), 11.0);
        assert_eq!(window.first_showing(999, 0.0), 985.0);
    }
}
