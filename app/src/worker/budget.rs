//! How much a browser holds: bytes per row of each type, estimated before loading, and
//! the limits above which the companion answers instead. Pure.

use arrow_schema::DataType;

/// What the columns in memory may come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub bytes_max: u64,
    pub rows_max: u64,
}

const GIB: u64 = 1 << 30;
/// Row numbers, masks and sort orders are made for this many.
const ROWS_MAX: u64 = 20_000_000;
const BYTES_MIN: u64 = 64 << 20;

/// The verdict on a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fit {
    Here,
    TooLarge { needed_bytes: u64 },
}

impl Budget {
    /// A quarter of the memory that the browser admits to, at most 1 GiB: the columns'
    /// bins, codes, orders and pictures come on top, and WebAssembly ends at 4 GiB.
    pub fn for_device(memory_gib: Option<f64>) -> Self {
        let quarter = memory_gib.map_or(GIB, |gib| (gib.max(0.0) * (GIB / 4) as f64) as u64);
        Self { bytes_max: quarter.clamp(BYTES_MIN, GIB), rows_max: ROWS_MAX }
    }

    /// As the user says, for what the device can number.
    pub fn of_bytes(bytes_max: u64) -> Self {
        Self { bytes_max, rows_max: ROWS_MAX }
    }

    /// Whether `rows` of `bytes_per_row` fit. An unknown number of rows is tried.
    pub fn fit(&self, rows: Option<u64>, bytes_per_row: f64) -> Fit {
        let Some(rows) = rows else { return Fit::Here };
        let needed_bytes = (rows as f64 * bytes_per_row).ceil() as u64;
        if rows > self.rows_max || needed_bytes > self.bytes_max {
            return Fit::TooLarge { needed_bytes };
        }
        Fit::Here
    }

    /// Whether what has arrived shows that the whole will not fit. `seen_rows` take
    /// `seen_bytes`; the estimate is believed again only when much of it is wrong.
    pub fn fit_seen(&self, rows: Option<u64>, seen_rows: u64, seen_bytes: u64) -> Fit {
        let whole = match rows {
            Some(rows) if seen_rows > 0 => {
                (seen_bytes as f64 * (rows as f64 / seen_rows as f64)) as u64
            }
            _ => seen_bytes,
        };
        let grown = seen_bytes > self.bytes_max || seen_rows > self.rows_max;
        if grown { Fit::TooLarge { needed_bytes: whole.max(seen_bytes) } } else { Fit::Here }
    }
}

/// Text is a guess: the average of names and labels, most of which repeat.
const TEXT_BYTES: f64 = 16.0;
/// Free lists are taken for short ones.
const LIST_ITEMS: f64 = 8.0;

/// Estimated bytes a row of this type takes in memory.
pub fn bytes_per_row(data_type: &DataType) -> f64 {
    let validity = 1.0 / 8.0;
    validity
        + match data_type {
            DataType::Null => 0.0,
            DataType::Boolean => 1.0 / 8.0,
            DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView => TEXT_BYTES,
            // Codes; the values stand once.
            DataType::Dictionary(_, _) => 2.0,
            DataType::FixedSizeBinary(width) => f64::from(*width),
            DataType::FixedSizeList(item, n) => f64::from(*n) * bytes_per_row(item.data_type()),
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::ListView(item)
            | DataType::LargeListView(item) => 4.0 + LIST_ITEMS * bytes_per_row(item.data_type()),
            DataType::Map(item, _) => 4.0 + LIST_ITEMS * bytes_per_row(item.data_type()),
            DataType::Struct(fields) => {
                fields.iter().map(|field| bytes_per_row(field.data_type())).sum()
            }
            DataType::Union(fields, _) => {
                5.0 + fields.iter().map(|(_, field)| bytes_per_row(field.data_type())).sum::<f64>()
            }
            DataType::RunEndEncoded(_, values) => bytes_per_row(values.data_type()),
            other => other.primitive_width().map_or(8.0, |width| width as f64),
        }
}

/// The same from the type's text, as the companion describes it.
pub fn bytes_per_row_of_text(data_type: &str) -> f64 {
    data_type.parse::<DataType>().map_or(TEXT_BYTES, |data_type| bytes_per_row(&data_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_loads_go_to_the_companion() {
        let budget = Budget::for_device(Some(8.0));
        assert_eq!(budget, Budget::for_device(None));
        assert_eq!(budget.bytes_max, GIB);
        assert_eq!(Budget::for_device(Some(1.0)).bytes_max, GIB / 4);
        assert_eq!(Budget::for_device(Some(0.0)).bytes_max, BYTES_MIN);
        assert_eq!(budget.fit(Some(3_000_000), 40.0), Fit::Here);
        assert_eq!(budget.fit(None, 1e9), Fit::Here);
        let needed_bytes = 20_000_000 * 100;
        assert_eq!(budget.fit(Some(20_000_000), 100.0), Fit::TooLarge { needed_bytes });
        assert_eq!(budget.fit(Some(30_000_000), 1.0), Fit::TooLarge { needed_bytes: 30_000_000 });
    }

    #[test]
    fn a_wrong_estimate_is_found_out_while_loading() {
        let budget = Budget::of_bytes(1000);
        assert_eq!(budget.fit_seen(Some(100), 50, 900), Fit::Here);
        assert_eq!(budget.fit_seen(Some(100), 50, 1100), Fit::TooLarge { needed_bytes: 2200 });
        assert_eq!(budget.fit_seen(None, 50, 1100), Fit::TooLarge { needed_bytes: 1100 });
    }

    #[test]
    fn every_type_has_a_width() {
        for (text, bytes) in [
            ("Int64", 8.125),
            ("Boolean", 0.25),
            ("Date32", 4.125),
            ("Decimal128(10, 2)", 16.125),
            ("Dictionary(Int32, Utf8)", 2.125),
            ("Utf8", 16.125),
            ("no such type", 16.0),
        ] {
            assert_eq!(bytes_per_row_of_text(text), bytes, "{text}");
        }
        let text = DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, Some("UTC".into()));
        assert_eq!(bytes_per_row_of_text(&text.to_string()), 8.125);
    }
}
