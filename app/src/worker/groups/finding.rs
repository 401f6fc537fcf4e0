//! Rows of the selection whose texts have some words: looked for by the engine where all of these
//! texts are here, else by the companion.

use std::rc::Rc;

use arrow_array::{Array, RecordBatch};
use engine::bind::Bound;
use engine::eval::eval;
use engine::predicate::Predicate;
use engine::query::Query;

use super::{Selected, elsewhere, is_here, literal};
use crate::protocol::groups::{Find, Finds, FoundRow};
use crate::protocol::{file_of_name, is_address};
use crate::worker::elsewhere::batches;
use crate::worker::host::Host;
use crate::worker::net::Cancel;
use crate::worker::numbers::floats_into;
use crate::worker::resident::{BLOCK_ROWS, n_blocks};
use crate::worker::turn::Stride;

const ROW: &str = "_row";
/// Of a long text so many letters are told, those about the first word that was found.
const LETTERS_MAX: usize = 160;
const LETTERS_BEFORE: usize = 40;

pub(super) async fn find(host: &Rc<Host>, asked: &Find) -> Result<Finds, String> {
    let asked = &only_here(host, asked.clone());
    if asked.columns.is_empty() || asked.words.is_empty() {
        return Ok(Finds::default());
    }
    match is_here(host, asked.columns.iter().chain(&asked.numbers)) {
        true => find_here(host, asked).await,
        false => find_elsewhere(host, asked).await,
    }
}

/// Without columns that are not here, of a table that no companion knows.
fn only_here(host: &Host, mut asked: Find) -> Find {
    let is_own = |table: &str| file_of_name(table).is_some() || is_address(table);
    let data = host.data.borrow();
    if data.resident.as_ref().is_some_and(|here| is_own(&here.table)) {
        drop(data);
        asked.columns.retain(|name| is_here(host, [name].into_iter()));
        asked.numbers.retain(|name| is_here(host, [name].into_iter()));
    }
    asked
}

fn predicate(asked: &Find) -> Predicate {
    let of_word = |word: &String| {
        let within = |column: &String| Predicate::Contains {
            column: column.clone(),
            text: word.clone(),
            case_sensitive: false,
        };
        Predicate::Or(asked.columns.iter().map(within).collect())
    };
    Predicate::And(asked.words.iter().map(of_word).collect())
}

async fn find_here(host: &Host, asked: &Find) -> Result<Finds, String> {
    let mut names: Vec<&str> =
        asked.columns.iter().chain(&asked.numbers).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let selected = Selected::of(host, &names, &[]).await?;
    let said = |error: engine::error::QueryError| error.to_string();
    let bound = Bound::new(&predicate(asked), &selected.schema, "words").map_err(said)?;
    let mut found = Finds::default();
    let mut stride = Stride::start();
    for block in 0..n_blocks(selected.rows) {
        stride.breathe().await;
        let (batch, mut mask) = selected.block(host, &names, block)?;
        mask.and(&eval(&bound, &batch).map_err(said)?);
        for row in mask.iter_ones() {
            if found.rows.len() == asked.most as usize {
                found.is_cut = true;
                return Ok(found);
            }
            found.rows.push(read(&batch, row, (block * BLOCK_ROWS + row) as u64, asked));
        }
    }
    Ok(found)
}

async fn find_elsewhere(host: &Rc<Host>, asked: &Find) -> Result<Finds, String> {
    let names: Vec<&String> = asked.columns.iter().chain(&asked.numbers).collect();
    let all = elsewhere(host, names.clone(), &[])?;
    let mut columns = vec![ROW.to_owned()];
    for name in names {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let query = Query {
        columns: Some(columns),
        filters: Predicate::And(vec![all.filters.clone(), predicate(asked)]),
        limit: Some(u64::from(asked.most) + 1),
        ..all
    };
    let batches = batches(host, &query, &Cancel::default()).await?;
    let mut found = Finds::default();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let number = batch.column_by_name(ROW).and_then(|rows| literal(rows.as_ref(), row));
            let number = number.and_then(|number| number.as_text().parse().ok());
            found.rows.extend(number.map(|number| read(batch, row, number, asked)));
        }
    }
    found.is_cut = found.rows.len() > asked.most as usize;
    found.rows.truncate(asked.most as usize);
    Ok(found)
}

/// A row as the page is told of it.
fn read(batch: &RecordBatch, row: usize, number: u64, asked: &Find) -> FoundRow {
    let mut left: Vec<String> = asked.words.iter().map(|word| word.to_lowercase()).collect();
    let mut texts = Vec::new();
    for name in &asked.columns {
        let value = batch.column_by_name(name).and_then(|column| literal(column.as_ref(), row));
        let Some(value) = value else { continue };
        let small = value.as_text().to_lowercase();
        if let Some(place) = left.iter().filter_map(|word| small.find(word.as_str())).min() {
            left.retain(|word| !small.contains(word.as_str()));
            texts.push((name.clone(), part_about(value.as_text(), place)));
        }
    }
    let number_of = |name: &String| {
        let column = batch.column_by_name(name)?.slice(row, 1);
        let mut values = Vec::new();
        (column.null_count() == 0 && floats_into(column.as_ref(), &mut values)).then_some(())?;
        values.first().copied().filter(|value| value.is_finite())
    };
    FoundRow { row: number, texts, numbers: asked.numbers.iter().map(number_of).collect() }
}

/// What a text says about a place, which counts bytes.
fn part_about(text: &str, place: usize) -> String {
    if text.chars().count() <= LETTERS_MAX {
        return text.to_owned();
    }
    let before = text.char_indices().take_while(|(at, _)| *at < place).count();
    let first = before.saturating_sub(LETTERS_BEFORE);
    let part: String = text.chars().skip(first).take(LETTERS_MAX).collect();
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let has_more = text.chars().count() > first + LETTERS_MAX;
    format!("{}{part}{}", cut(first > 0), cut(has_more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_the_part_is_told_that_was_looked_for() {
        assert_eq!(part_about("short", 2), "short");
        let text = format!("{}needle{}", "ä".repeat(200), "z".repeat(300));
        let part = part_about(&text, 400);
        assert!(part.starts_with("…ä") && part.ends_with("z…"), "{part}");
        assert_eq!(part.chars().count(), LETTERS_MAX + 2);
        assert_eq!(part.chars().position(|letter| letter == 'n'), Some(LETTERS_BEFORE + 1));
        assert!(part_about(&text, 0).starts_with('ä'));
    }
}
