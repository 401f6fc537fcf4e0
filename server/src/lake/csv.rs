//! What a CSV file holds, told from its text: delimiter, column names, column types, rows.
//!
//! The first line names the columns. A column's type is the narrowest that all its values have:
//! boolean, integer, float, date, timestamp, else string; empty values are null. Files up to
//! a bound are read whole for this, so their types are facts; of larger ones only the head is.

use arrow_schema::{DataType, Field, Schema, TimeUnit};

use super::error::BadTable;

/// How the text is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CsvDialect {
    pub(crate) delimiter: u8,
}

/// What was found out about one CSV file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CsvFacts {
    pub(crate) dialect: CsvDialect,
    pub(crate) names: Vec<String>,
    pub(crate) kinds: Vec<CellKind>,
    /// Exact, or none where only the head was read.
    pub(crate) rows: Option<u64>,
}

/// The types that cells can have, narrowest first within each line of ascent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CellKind {
    /// No value seen yet.
    Empty,
    Boolean,
    Integer,
    Float,
    Date,
    /// Date and time without a zone.
    Local,
    /// Date and time with a zone.
    Instant,
    Text,
}

/// More columns than this are taken for a file that is no table.
const COLUMNS_MAX: usize = 20_000;

/// Cells longer than this are text whatever they hold.
const CELL_BYTES_MAX: usize = 64;

/// What some writers put before UTF-8 text; the reader leaves it out if it comes in one piece.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Longest name of a column.
const NAME_BYTES_MAX: usize = 1 << 10;

impl CsvDialect {
    /// The delimiter that splits the first line most often; a comma where none does.
    pub(crate) fn sniff(head: &[u8], extension: &str) -> Self {
        if extension.eq_ignore_ascii_case("tsv") {
            return Self { delimiter: b'\t' };
        }
        let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
        let mut quoted = false;
        for byte in head {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' | b'\r' if !quoted => break,
                byte if !quoted => {
                    if let Some((_, count)) = counts.iter_mut().find(|(d, _)| d == byte) {
                        *count += 1;
                    }
                }
                _ => {}
            }
        }
        // Of equal counts the first, which is the more usual delimiter.
        let best = counts.iter().rev().max_by_key(|(_, count)| *count);
        Self { delimiter: best.filter(|(_, count)| *count > 0).map_or(b',', |(d, _)| *d) }
    }
}

impl CsvFacts {
    /// Columns as a table shows them: every one may hold nulls.
    pub(crate) fn schema(&self) -> Schema {
        let field = |(name, kind): (&String, &CellKind)| Field::new(name, kind.data_type(), true);
        Schema::new(self.names.iter().zip(&self.kinds).map(field).collect::<Vec<_>>())
    }

    /// Takes in the facts of another file of the same table; none if the columns differ.
    pub(crate) fn merge(&self, other: &Self) -> Option<Self> {
        if self.names != other.names || self.dialect != other.dialect {
            return None;
        }
        Some(Self {
            dialect: self.dialect,
            names: self.names.clone(),
            kinds: self.kinds.iter().zip(&other.kinds).map(|(a, b)| a.join(*b)).collect(),
            rows: self.rows.zip(other.rows).map(|(a, b)| a + b),
        })
    }
}

impl CellKind {
    fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Local => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Empty | Self::Text => DataType::Utf8,
        }
    }

    /// The narrowest kind that has the values of both.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Empty, kind) | (kind, Self::Empty) => kind,
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => Self::Float,
            (Self::Date, Self::Local) | (Self::Local, Self::Date) => Self::Local,
            _ => Self::Text,
        }
    }

    fn of(cell: &str) -> Self {
        match cell.as_bytes() {
            [] => Self::Empty,
            [b'0'..=b'9' | b'-' | b'.', ..] => Self::of_number_or_time(cell),
            _ => match cell {
                _ if cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false") => {
                    Self::Boolean
                }
                "NaN" | "nan" | "inf" | "Infinity" => Self::Float,
                _ => Self::Text,
            },
        }
    }

    fn of_number_or_time(cell: &str) -> Self {
        let digits = cell.strip_prefix('-').unwrap_or(cell);
        let has_leading_zero = matches!(digits.as_bytes(), [b'0', b'0'..=b'9', ..]);
        let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if all_digits {
            // Codes such as 00501 and numbers past 64 bits would lose digits as numbers.
            let exact = !has_leading_zero && cell != "-0" && cell.parse::<i64>().is_ok();
            return if exact { Self::Integer } else { Self::Text };
        }
        if is_date(cell) {
            return Self::Date;
        }
        if let Some(kind) = date_time(cell) {
            return kind;
        }
        let is_word = matches!(digits, "inf" | "Infinity");
        let is_decimal =
            digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
        match (is_decimal && !has_leading_zero && cell.parse::<f64>().is_ok()) || is_word {
            true => Self::Float,
            false => Self::Text,
        }
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn date_time(text: &str) -> Option<CellKind> {
    if !matches!(text.as_bytes().get(10), Some(b'T' | b' ')) {
        return None;
    }
    let format = |separator: char| format!("%Y-%m-%d{separator}%H:%M:%S%.f");
    for separator in ['T', ' '] {
        if chrono::NaiveDateTime::parse_from_str(text, &format(separator)).is_ok() {
            return Some(CellKind::Local);
        }
    }
    let zoned = chrono::DateTime::parse_from_rfc3339(text).is_ok();
    zoned.then_some(CellKind::Instant)
}

/// Reads a CSV file's text as it arrives, and finds out what it holds.
pub(crate) struct Inference {
    reader: csv_core::Reader,
    /// The first bytes, until there are enough to tell a byte order mark, which is no text.
    mark: Option<Vec<u8>>,
    dialect: CsvDialect,
    cell: Vec<u8>,
    cell_bytes: usize,
    column: usize,
    line: u64,
    names: Option<Vec<String>>,
    header: Vec<String>,
    kinds: Vec<CellKind>,
    rows: u64,
}

impl Inference {
    pub(crate) fn new(dialect: CsvDialect) -> Self {
        Self {
            reader: csv_core::ReaderBuilder::new().delimiter(dialect.delimiter).build(),
            mark: Some(Vec::new()),
            dialect,
            cell: vec![0; NAME_BYTES_MAX],
            cell_bytes: 0,
            column: 0,
            line: 1,
            names: None,
            header: Vec::new(),
            kinds: Vec::new(),
            rows: 0,
        }
    }

    /// Takes in the next bytes.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), BadCsv> {
        if let Some(mut mark) = self.mark.take() {
            let take = bytes.len().min(BYTE_ORDER_MARK.len() - mark.len());
            let (head, rest) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
            mark.extend_from_slice(head);
            if mark.len() < BYTE_ORDER_MARK.len() {
                self.mark = Some(mark);
                return Ok(());
            }
            self.push_all(&mark)?;
            bytes = rest;
        }
        self.push_all(bytes)
    }

    fn push_all(&mut self, mut bytes: &[u8]) -> Result<(), BadCsv> {
        while !bytes.is_empty() {
            bytes = self.step(bytes)?.1;
        }
        Ok(())
    }

    /// Ends the text; `whole` says whether it was all of the file.
    pub(crate) fn finish(mut self, whole: bool) -> Result<CsvFacts, BadCsv> {
        if let Some(mark) = self.mark.take() {
            self.push_all(&mark)?;
        }
        // A cut-off head ends in the middle of a record, which then says nothing.
        if whole {
            while self.step(&[])?.0 {}
        }
        let names = self.names.ok_or(BadCsv::NoHeader)?;
        Ok(CsvFacts {
            dialect: self.dialect,
            names,
            kinds: self.kinds,
            rows: whole.then_some(self.rows),
        })
    }

    /// Reads up to the end of a cell. Says whether the text goes on, and what is left of it.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> Result<(bool, &'a [u8]), BadCsv> {
        let room = self.cell.get_mut(self.cell_bytes..).unwrap_or_default();
        let mut spill = [0; 256];
        let full = room.is_empty();
        let output = if full { &mut spill[..] } else { room };
        let (result, read, written) = self.reader.read_field(bytes, output);
        if !full {
            self.cell_bytes += written;
        }
        match result {
            csv_core::ReadFieldResult::Field { record_end } => self.end_cell(record_end, full)?,
            csv_core::ReadFieldResult::End => return Ok((false, &[])),
            csv_core::ReadFieldResult::InputEmpty | csv_core::ReadFieldResult::OutputFull => {}
        }
        Ok((true, bytes.get(read..).unwrap_or_default()))
    }

    fn end_cell(&mut self, record_end: bool, overlong: bool) -> Result<(), BadCsv> {
        let line = self.line;
        let cell = self.cell.get(..self.cell_bytes).unwrap_or_default();
        self.cell_bytes = 0;
        if self.names.is_none() {
            let name = std::str::from_utf8(cell).map_err(|_| BadCsv::NotText { line })?;
            if self.header.len() >= COLUMNS_MAX || overlong {
                return Err(BadCsv::NoTable);
            }
            self.header.push(name.trim().to_owned());
        } else {
            let kind = match cell {
                long if long.len() > CELL_BYTES_MAX || overlong => CellKind::Text,
                cell => {
                    CellKind::of(std::str::from_utf8(cell).map_err(|_| BadCsv::NotText { line })?)
                }
            };
            if let Some(known) = self.kinds.get_mut(self.column) {
                *known = known.join(kind);
            }
        }
        self.column += 1;
        if record_end {
            self.end_record()?;
        }
        Ok(())
    }

    fn end_record(&mut self) -> Result<(), BadCsv> {
        let fields = std::mem::take(&mut self.column);
        if self.names.is_none() {
            let names = unique_names(std::mem::take(&mut self.header));
            self.kinds = vec![CellKind::Empty; names.len()];
            self.names = Some(names);
        } else if fields != self.kinds.len() {
            let (line, columns) = (self.line, self.kinds.len());
            return Err(BadCsv::Ragged { line, fields, columns });
        } else {
            self.rows += 1;
        }
        self.line = self.reader.line();
        Ok(())
    }
}

/// Names for columns that have none, and different ones for those that share one.
fn unique_names(header: Vec<String>) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    let mut names = Vec::with_capacity(header.len());
    for (i, name) in header.into_iter().enumerate() {
        let base = if name.is_empty() { format!("column_{}", i + 1) } else { name };
        let mut name = base.clone();
        let mut n = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base}_{n}");
            n += 1;
        }
        names.push(name);
    }
    names
}

/// Why a text is not a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCsv {
    #[error("it is empty: the first line should name the columns")]
    NoHeader,
    #[error("its first line is not a list of column names")]
    NoTable,
    #[error("line {line} is not UTF-8")]
    NotText { line: u64 },
    #[error("line {line} has {fields} fields, the header has {columns}")]
    Ragged { line: u64, fields: usize, columns: usize },
}

impl BadCsv {
    pub(crate) fn in_file(self, file: &str) -> BadTable {
        BadTable::CorruptFile { file: file.to_owned(), reason: self.to_string() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn facts(text: &str) -> Result<CsvFacts, BadCsv> {
        // Fed byte by byte and at once: the answer must not depend on the chunks.
        let dialect = CsvDialect::sniff(text.as_bytes(), "csv");
        let mut slowly = Inference::new(dialect);
        let one_by_one = text.as_bytes().chunks(1).try_for_each(|byte| slowly.push(byte));
        let slowly = one_by_one.and_then(|()| slowly.finish(true));
        let mut at_once = Inference::new(dialect);
        let at_once = at_once.push(text.as_bytes()).and_then(|()| at_once.finish(true));
        assert_eq!(slowly, at_once, "{text:?}");
        at_once
    }

    #[test]
    fn columns_have_the_narrowest_type_of_all_their_values() {
        use CellKind::{Boolean, Date, Empty, Float, Instant, Integer, Local, Text};
        for (cells, kind) in [
            (&["1", "-2", ""][..], Integer),
            (&["1", "2.5", "1e9", "NaN", "-inf"], Float),
            (&["00501", "10001"], Text),
            (&["99999999999999999999"], Text),
            (&["true", "False", ""], Boolean),
            (&["2024-01-31", "2024-02-29"], Date),
            (&["2024-02-30"], Text),
            (&["2024-01-31", "2024-01-31 10:00:00.25"], Local),
            (&["2024-01-31T10:00:00Z", "2024-01-31T10:00:00+02:00"], Instant),
            (&["2024-01-31T10:00:00Z", "2024-01-31T10:00:00"], Text),
            (&["1", "x"], Text),
            (&["", ""], Empty),
            (&["-"], Text),
            (&["1-2"], Text),
            (&[".5", "-.5"], Float),
        ] {
            let found = cells.iter().fold(Empty, |kind, cell| kind.join(CellKind::of(cell)));
            assert_eq!(found, kind, "{cells:?}");
        }
    }

    #[test]
    fn text_is_taken_apart_whatever_its_dialect() {
        let facts =
            facts("\u{feff}a;\"b;\"\"x\"\"\";a\r\n1;\"two\nlines\";\r\n2;;3,5\r\n").unwrap();
        assert_eq!(facts.names, ["a", "b;\"x\"", "a_2"]);
        assert_eq!(facts.kinds, [CellKind::Integer, CellKind::Text, CellKind::Text]);
        assert_eq!(facts.rows, Some(2));
    }

    #[test]
    fn a_header_alone_is_a_table_without_rows() {
        let facts = facts("a,,c").unwrap();
        assert_eq!(facts.names, ["a", "column_2", "c"]);
        assert_eq!(facts.rows, Some(0));
    }

    #[test]
    fn what_is_no_table_is_told_why() {
        assert_eq!(facts(""), Err(BadCsv::NoHeader));
        assert_eq!(facts("a,b\n1,2\n3\n"), Err(BadCsv::Ragged { line: 3, fields: 1, columns: 2 }));
        let mut latin = Inference::new(CsvDialect { delimiter: b',' });
        assert_eq!(latin.push(b"a\n1\n\xe9\n"), Err(BadCsv::NotText { line: 3 }));
    }

    #[test]
    fn long_cells_are_text_and_take_no_room() {
        let long = "9".repeat(100_000);
        let facts = facts(&format!("a,b\n{long},1\n")).unwrap();
        assert_eq!(facts.kinds, [CellKind::Text, CellKind::Integer]);
    }
}
