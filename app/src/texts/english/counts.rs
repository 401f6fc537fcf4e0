//! How many of what there are.

use crate::state::format::count;

/// "1 row", "2,000 rows".
pub fn rows(number: u64) -> String {
    counted(number, "row")
}

/// "5 of 2,000 rows".
pub fn rows_of(number: u64, all: u64) -> String {
    format!("{} of {}", count(number), rows(all))
}

pub fn columns(number: u64) -> String {
    counted(number, "column")
}

pub fn values(number: u64) -> String {
    counted(number, "value")
}

pub fn points(number: u64) -> String {
    counted(number, "point")
}

pub fn outliers(number: u64) -> String {
    counted(number, "outlier")
}

pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!(rows(1), "1 row");
        assert_eq!(rows(2000), "2,000 rows");
    }
}
