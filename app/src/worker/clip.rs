//! Cells of rows as a text for the clipboard: exact values, in the forms that other programs
//! read. Fed row by row. Pure.

use arrow_array::ArrayRef;
use arrow_schema::DataType;

use crate::cell::whole::{bytes_at, exact_text, write_json, write_quoted};
use crate::protocol::table::CellForm;
use crate::texts;

/// More than this no clipboard takes gladly.
const BYTES_MAX: usize = 64 << 20;
/// Rows of one `INSERT`: databases have limits.
const INSERT_ROWS: u64 = 1000;

pub struct Clip {
    form: CellForm,
    table: String,
    columns: Vec<String>,
    out: String,
    rows: u64,
}

impl Clip {
    pub fn new(form: CellForm, table: &str, columns: &[String]) -> Self {
        let mut out = String::new();
        let separator = match form {
            CellForm::TsvNamed => Some('\t'),
            CellForm::Csv => Some(','),
            CellForm::Tsv | CellForm::Json | CellForm::Sql => None,
        };
        if let Some(separator) = separator {
            for (at, name) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(separator);
                }
                write_field(&mut out, name, separator);
            }
            out.push('\n');
        }
        Self { form, table: table.to_owned(), columns: columns.to_vec(), out, rows: 0 }
    }

    /// Adds a row, found at a place of each of its columns; of a column that is not there,
    /// null. The error says that it has become too much.
    pub fn push(&mut self, row: &[Option<(&ArrayRef, usize)>]) -> Result<(), String> {
        match self.form {
            CellForm::Tsv | CellForm::TsvNamed => self.push_fields(row, '\t'),
            CellForm::Csv => self.push_fields(row, ','),
            CellForm::Json => self.push_object(row),
            CellForm::Sql => self.push_values(row),
        }
        self.rows += 1;
        match self.out.len() <= BYTES_MAX {
            true => Ok(()),
            false => Err(texts::refusals::text_too_large(BYTES_MAX >> 20)),
        }
    }

    /// The text so far, to be put elsewhere: what follows goes on after it.
    pub fn taken(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The whole text.
    pub fn finish(mut self) -> String {
        match self.form {
            // A single cell is pasted without a line after it, as spreadsheets copy.
            CellForm::Tsv | CellForm::TsvNamed => drop(self.out.pop()),
            CellForm::Csv => {}
            CellForm::Json => self.out.push_str(if self.rows == 0 { "[]\n" } else { "\n]\n" }),
            CellForm::Sql => self.out.push_str(if self.rows == 0 { "" } else { ";\n" }),
        }
        self.out
    }

    fn push_fields(&mut self, row: &[Option<(&ArrayRef, usize)>], separator: char) {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                self.out.push(separator);
            }
            if let Some(text) = cell.and_then(|(array, row)| exact_text(array.as_ref(), row)) {
                // Nothing is null, so that the empty text has to be something.
                match text.is_empty() && separator == ',' {
                    true => self.out.push_str("\"\""),
                    false => write_field(&mut self.out, &text, separator),
                }
            }
        }
        self.out.push('\n');
    }

    fn push_object(&mut self, row: &[Option<(&ArrayRef, usize)>]) {
        self.out.push_str(if self.rows == 0 { "[\n{" } else { ",\n{" });
        for (at, (name, cell)) in self.columns.iter().zip(row).enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            write_quoted(&mut self.out, name);
            self.out.push(':');
            match cell {
                Some((array, row)) => write_json(&mut self.out, array.as_ref(), *row),
                None => self.out.push_str("null"),
            }
        }
        self.out.push('}');
    }

    fn push_values(&mut self, row: &[Option<(&ArrayRef, usize)>]) {
        match self.rows.is_multiple_of(INSERT_ROWS) {
            true => {
                if self.rows > 0 {
                    self.out.push_str(";\n");
                }
                self.out.push_str("INSERT INTO ");
                write_name(&mut self.out, &self.table);
                for (at, name) in self.columns.iter().enumerate() {
                    self.out.push_str(if at == 0 { " (" } else { ", " });
                    write_name(&mut self.out, name);
                }
                self.out.push_str(") VALUES\n(");
            }
            false => self.out.push_str(",\n("),
        }
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            match cell {
                Some((array, row)) => write_sql(&mut self.out, array, *row),
                None => self.out.push_str("NULL"),
            }
        }
        self.out.push(')');
    }
}

/// In quotes where a reader would take it for more than one field, or for none.
fn write_field(out: &mut String, text: &str, separator: char) {
    let is_plain = !text.contains([separator, '"', '\n', '\r']);
    match is_plain {
        true => out.push_str(text),
        false => {
            out.push('"');
            out.push_str(&text.replace('"', "\"\""));
            out.push('"');
        }
    }
}

fn write_name(out: &mut String, name: &str) {
    out.push('"');
    out.push_str(&name.replace('"', "\"\""));
    out.push('"');
}

fn write_text(out: &mut String, text: &str) {
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
}

/// A literal of standard SQL, with the type said where the bare text would not say it.
fn write_sql(out: &mut String, array: &ArrayRef, row: usize) {
    let Some(text) = exact_text(array.as_ref(), row) else { return out.push_str("NULL") };
    if bytes_at(array.as_ref(), row).is_some() {
        out.push('X');
        return write_text(out, &text);
    }
    let data_type = match array.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        DataType::RunEndEncoded(_, values) => values.data_type(),
        other => other,
    };
    match data_type {
        DataType::Boolean => out.push_str(&text.to_uppercase()),
        DataType::Float16 | DataType::Float32 | DataType::Float64
            if text.ends_with(|last: char| last.is_alphabetic()) =>
        {
            out.push_str("CAST(");
            write_text(out, &text);
            out.push_str(" AS DOUBLE PRECISION)");
        }
        other if other.is_numeric() => out.push_str(&text),
        DataType::Date32 => {
            out.push_str("DATE ");
            write_text(out, &text);
        }
        DataType::Date64 | DataType::Timestamp(_, _) => {
            let is_zoned = matches!(data_type, DataType::Timestamp(_, Some(_)));
            out.push_str(if is_zoned { "TIMESTAMP WITH TIME ZONE " } else { "TIMESTAMP " });
            write_text(out, &text.replace('T', " "));
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            out.push_str("TIME ");
            write_text(out, &text);
        }
        _ => write_text(out, &text),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
