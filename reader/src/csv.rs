//! CSV and TSV: the separator from the first lines, types from all lines (or from as many
//! as there is patience for), then batches. Errors name the column and the line. Pure.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::{Decoder, Format};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::stream::{ReadError, places};

const BATCH_ROWS: usize = 1 << 15;
const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// How a text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    pub separator: u8,
    /// Bytes before the text.
    pub skip: usize,
}

impl Dialect {
    /// The separator that cuts the first lines into the same number of fields, and most.
    pub fn sniff(head: &[u8]) -> Self {
        let skip = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let text = head.get(skip..).unwrap_or_default();
        let lines: Vec<&[u8]> =
            text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).take(10).collect();
        // The last line may be cut off.
        let whole = lines.len().saturating_sub(usize::from(lines.len() > 1));
        let lines = lines.get(..whole).unwrap_or_default();
        let score = |separator: &u8| {
            let counts: Vec<usize> = lines.iter().map(|line| unquoted(line, *separator)).collect();
            let first = counts.first().copied().unwrap_or_default();
            let n_alike = counts.iter().filter(|&&count| count == first).count();
            if first == 0 { (0, 0) } else { (n_alike, first) }
        };
        // The earlier of equals, so a comma where there is nothing to go by.
        let best = SEPARATORS.iter().rev().max_by_key(|separator| score(separator));
        Self { separator: best.copied().unwrap_or(b','), skip }
    }

    fn format(self) -> Format {
        Format::default().with_header(true).with_delimiter(self.separator)
    }
}

/// Separators outside of quotes.
fn unquoted(line: &[u8], separator: u8) -> usize {
    let mut is_quoted = false;
    let mut count = 0;
    for &byte in line {
        match byte {
            b'"' => is_quoted = !is_quoted,
            _ if byte == separator && !is_quoted => count += 1,
            _ => {}
        }
    }
    count
}

/// Bytes whose types are found at a time.
const BLOCK_BYTES: usize = 4 << 20;
/// A row longer than this is taken for a quote that is never closed.
const ROW_BYTES_MAX: usize = 64 << 20;

/// Finds the columns of a text as it passes: names from its first line, types that all the
/// values have. Blocks of whole rows are looked at one by one.
pub struct Inferring {
    dialect: Dialect,
    skip: usize,
    block: Vec<u8>,
    /// How much of the block is known to end in whole rows, and how much is looked through.
    whole: usize,
    looked: usize,
    is_quoted: bool,
    schema: Option<Vec<Field>>,
    rows: u64,
}

impl Inferring {
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            skip: dialect.skip,
            block: Vec::new(),
            whole: 0,
            looked: 0,
            is_quoted: false,
            schema: None,
            rows: 0,
        }
    }

    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.block.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
        if self.block.len() >= BLOCK_BYTES {
            self.look_through();
            if self.whole == 0 && self.block.len() > ROW_BYTES_MAX {
                return Err(ReadError::Bad(format!(
                    "the row after row {} does not end: a quote is never closed",
                    self.rows
                )));
            }
            self.take_block(self.whole)?;
        }
        Ok(())
    }

    /// Finds the last row that ends in the block.
    fn look_through(&mut self) {
        for (at, byte) in (self.looked..).zip(self.block.iter().skip(self.looked)) {
            match byte {
                b'"' => self.is_quoted = !self.is_quoted,
                b'\n' if !self.is_quoted => self.whole = at + 1,
                _ => {}
            }
        }
        self.looked = self.block.len();
    }

    fn take_block(&mut self, n_bytes: usize) -> Result<(), ReadError> {
        if n_bytes == 0 {
            return Ok(());
        }
        let is_first = self.schema.is_none();
        let format = self.dialect.format().with_header(is_first);
        let block = self.block.get(..n_bytes).unwrap_or_default();
        let (found, rows) = format.infer_schema(block, None).map_err(plain)?;
        self.rows += rows as u64;
        let found = found.fields().iter().map(|field| Field::clone(field));
        self.schema = Some(match self.schema.take() {
            None => found.collect(),
            Some(known) => known.into_iter().zip(found).map(merged).collect(),
        });
        self.block.drain(..n_bytes);
        self.looked -= n_bytes.min(self.looked);
        self.whole = 0;
        Ok(())
    }

    /// The columns, and the rows that were looked at.
    pub fn finish(mut self, is_whole: bool) -> Result<(SchemaRef, u64), ReadError> {
        self.look_through();
        // Where the text goes on, its last row may be cut off.
        let n_bytes = if is_whole { self.block.len() } else { self.whole };
        self.take_block(n_bytes)?;
        let found = self.schema.unwrap_or_default();
        if found.is_empty() {
            return Err(ReadError::Bad("the first line names no columns".to_owned()));
        }
        let mut names: Vec<String> = Vec::with_capacity(found.len());
        let mut fields = Vec::with_capacity(found.len());
        for (place, field) in found.iter().enumerate() {
            let name = unique_name(field.name().trim(), place, &names);
            // A column without any value has no type; its values would be text.
            let data_type = match field.data_type() {
                DataType::Null => DataType::Utf8,
                other => other.clone(),
            };
            fields.push(Field::new(&name, data_type, true));
            names.push(name);
        }
        Ok((Arc::new(Schema::new(fields)), self.rows))
    }
}

/// The type that the values of both blocks have.
fn merged((known, found): (Field, Field)) -> Field {
    use DataType::{Date32, Float64, Int64, Null, Timestamp};
    let data_type = match (known.data_type(), found.data_type()) {
        (a, b) if a == b => a.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Int64, Float64) | (Float64, Int64) => Float64,
        (Date32, Timestamp(unit, zone)) | (Timestamp(unit, zone), Date32) => {
            Timestamp(*unit, zone.clone())
        }
        (Timestamp(a, zone), Timestamp(b, other)) if zone == other => {
            Timestamp((*a).max(*b), zone.clone())
        }
        _ => DataType::Utf8,
    };
    known.with_data_type(data_type)
}

fn unique_name(name: &str, place: usize, taken: &[String]) -> String {
    let base = if name.is_empty() { format!("column_{}", place + 1) } else { name.to_owned() };
    let is_taken = |name: &String| taken.contains(name);
    if !is_taken(&base) {
        return base;
    }
    let mut numbered = (2..).map(|n| format!("{base}_{n}"));
    numbered.find(|name| !is_taken(name)).unwrap_or(base)
}

/// A text on its way into batches.
pub struct CsvBatches {
    decoder: Decoder,
    whole: SchemaRef,
    skip: usize,
    /// The rows before, to number lines by.
    schema: SchemaRef,
}

impl CsvBatches {
    pub fn new(
        schema: &SchemaRef,
        dialect: Dialect,
        columns: Option<&[String]>,
    ) -> Result<Self, ReadError> {
        let places = places(schema, columns)?;
        let projected = Arc::new(schema.project(&places)?);
        let decoder = ReaderBuilder::new(Arc::clone(schema))
            .with_format(dialect.format())
            .with_batch_size(BATCH_ROWS)
            .with_projection(places)
            .build_decoder();
        Ok(Self { decoder, whole: Arc::clone(schema), skip: dialect.skip, schema: projected })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Takes the bytes that follow; hands on the batches that they complete.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<RecordBatch>, ReadError> {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        bytes = bytes.get(skipped..).unwrap_or_default();
        let mut batches = Vec::new();
        while !bytes.is_empty() {
            let n_read = self.decoder.decode(bytes).map_err(|error| self.named(error))?;
            bytes = bytes.get(n_read..).unwrap_or_default();
            if self.decoder.capacity() == 0 {
                batches.extend(self.flush()?);
            } else if n_read == 0 {
                break;
            }
        }
        Ok(batches)
    }

    /// The rest.
    pub fn finish(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        // No bytes say that there are no more: a last line may lack its end.
        self.decoder.decode(&[]).map_err(|error| self.named(error))?;
        self.flush()
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        self.decoder.flush().map_err(|error| self.named(error))
    }

    /// The library numbers columns; the user knows them by name.
    fn named(&self, error: ArrowError) -> ReadError {
        let ReadError::Bad(text) = plain(error) else {
            return ReadError::Bad("the text cannot be read".to_owned());
        };
        let text = text.split(". Row data:").next().unwrap_or(&text).to_owned();
        let after = text.split(" for column ").nth(1).and_then(|rest| rest.split(' ').next());
        let place = after.and_then(|place| place.parse::<usize>().ok());
        let name = place.and_then(|place| self.whole.fields().get(place));
        match (place, name) {
            (Some(place), Some(field)) => ReadError::Bad(
                text.replace(&format!("column {place}"), &format!("column {:?}", field.name())),
            ),
            _ => ReadError::Bad(text),
        }
    }
}

/// The library's words without its prefix.
fn plain(error: ArrowError) -> ReadError {
    let text = match error {
        ArrowError::CsvError(text) | ArrowError::ParseError(text) => text,
        other => other.to_string(),
    };
    let mut letters = text.chars();
    let lower = letters.next().map(|first| first.to_lowercase().chain(letters).collect::<String>());
    ReadError::Bad(lower.unwrap_or(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use app::cell::cell_text;

    fn read(
        text: &str,
        columns: Option<&[String]>,
        size: usize,
    ) -> Result<Vec<Vec<String>>, String> {
        let dialect = Dialect::sniff(text.as_bytes());
        let (schema, n_rows) = infer(text.as_bytes(), size).map_err(|error| error.to_string())?;
        let mut csv =
            CsvBatches::new(&schema, dialect, columns).map_err(|error| error.to_string())?;
        let mut batches = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            batches.extend(csv.push(chunk).map_err(|error| error.to_string())?);
        }
        batches.extend(csv.finish().map_err(|error| error.to_string())?);
        let types = csv.schema().fields().iter().map(|f| format!("{}:{}", f.name(), f.data_type()));
        let mut rows = vec![types.collect::<Vec<_>>()];
        for batch in batches {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter();
                rows.push(cells.map(|c| cell_text(c, row).unwrap_or("∅".into())).collect());
            }
        }
        assert_eq!(rows.len() as u64, n_rows + 1);
        Ok(rows)
    }

    fn infer(text: &[u8], size: usize) -> Result<(SchemaRef, u64), ReadError> {
        let mut inferring = Inferring::new(Dialect::sniff(text));
        for chunk in text.chunks(size) {
            inferring.push(chunk)?;
        }
        inferring.finish(true)
    }

    #[test]
    fn types_hold_for_every_block() {
        let row = |n: usize| match n {
            70_000 => "0.5,2020-01-01T10:00:00,\"a\nb\",".to_owned(),
            _ => format!("{n},2020-01-01,\"x,{n}\","),
        };
        let rows: Vec<String> = (0..300_000).map(row).collect();
        let text = format!("n,t,s,e\n{}", rows.join("\n"));
        assert!(text.len() > 2 * BLOCK_BYTES);
        let (schema, n_rows) = infer(text.as_bytes(), 1 << 20).unwrap();
        let types: Vec<String> =
            schema.fields().iter().map(|field| field.data_type().to_string()).collect();
        assert_eq!(types, ["Float64", "Timestamp(s)", "Utf8", "Utf8"]);
        assert_eq!(n_rows, 300_000);
        let (cut, n_rows) = {
            let mut inferring = Inferring::new(Dialect::sniff(text.as_bytes()));
            inferring.push(&text.as_bytes()[..1000]).unwrap();
            inferring.finish(false).unwrap()
        };
        assert_eq!(cut.field(0).data_type(), &DataType::Int64);
        assert!(n_rows > 10 && n_rows < 60, "{n_rows}");
    }

    #[test]
    fn types_and_separators_are_found() {
        let text = "\u{feff}id;name;when;x\n1;\"a;b\";2020-01-02;0.5\n2;;2021-03-04;7\n";
        for size in [1, 7, 1000] {
            assert_eq!(
                read(text, None, size).unwrap(),
                [
                    vec!["id:Int64", "name:Utf8", "when:Date32", "x:Float64"],
                    vec!["1", "a;b", "2020-01-02", "0.5"],
                    vec!["2", "∅", "2021-03-04", "7"],
                ]
            );
        }
        assert_eq!(Dialect::sniff(b"a\tb\n1\t2\n").separator, b'\t');
        assert_eq!(Dialect::sniff(b"a,b;c\n1,2;3\n4,5;6\n").separator, b',');
        assert_eq!(Dialect::sniff(b"only\n1\n2\n").separator, b',');
    }

    #[test]
    fn columns_are_chosen_and_names_made_unique() {
        let text = "a,a,,b\n1,2,3,4";
        let rows = read(text, Some(&["b".into(), "a_2".into()]), 5).unwrap();
        assert_eq!(rows, [vec!["b:Int64", "a_2:Int64"], vec!["4", "2"]]);
        assert_eq!(read(text, None, 5).unwrap()[0][2], "column_3:Int64");
        assert!(read(text, Some(&["z".into()]), 5).unwrap_err().contains("no column \"z\""));
    }

    #[test]
    fn errors_name_line_and_column() {
        let dialect = Dialect { separator: b',', skip: 0 };
        let (schema, _) = infer(b"n,t\n1,a\n", 100).unwrap();
        let mut csv = CsvBatches::new(&schema, dialect, None).unwrap();
        csv.push(b"n,t\n1,a\nx,b\n").unwrap();
        let error = csv.finish().unwrap_err().to_string();
        assert!(error.contains("column \"n\"") && error.contains("line 2"), "{error}");
        let error = read("a,b\n1,2\n1,2,3\n", None, 100).unwrap_err();
        assert!(error.contains("line") || error.contains("fields"), "{error}");
    }

    #[test]
    fn many_rows_come_in_batches() {
        let mut text = "n\n".to_owned();
        (0..70_000).for_each(|n| text.push_str(&format!("{n}\n")));
        let rows = read(&text, None, 4096).unwrap();
        assert_eq!((rows.len(), rows[70_000][0].as_str()), (70_001, "69999"));
    }
}
