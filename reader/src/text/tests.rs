//! Texts of every form come out alike, however they are cut into pieces and packed.

#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::trial::{Pieces, now};
use app::cell::cell_text;

/// The types of all columns, then the rows.
fn read(text: &[u8], size: usize, columns: Option<&[&str]>) -> Result<Vec<Vec<String>>, String> {
    let chunks = Pieces { text: Bytes::copy_from_slice(text), size, at: 0 };
    let read = async {
        let mut table = TextTable::open(chunks).await?;
        let all: Vec<String> =
            table.facts().schema.fields().iter().map(|field| field.name().clone()).collect();
        let columns =
            columns.map_or(all, |columns| columns.iter().map(ToString::to_string).collect());
        let schema = table.begin(&columns).await?;
        let types = schema.fields().iter().map(|f| format!("{}:{}", f.name(), f.data_type()));
        let mut rows = vec![types.collect::<Vec<_>>()];
        while let Some(batch) = table.next_batch().await? {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter();
                rows.push(cells.map(|c| cell_text(c, row).unwrap_or("∅".into())).collect());
            }
        }
        assert_eq!(table.facts().rows, Some(rows.len() as u64 - 1));
        Ok(rows)
    };
    now(read).map_err(|error: ReadError| error.to_string())
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn tables_are_the_same_in_every_form() {
    let csv = "id,name,x\n1,a,0.5\n2,,7\n";
    let tsv = "id\tname\tx\n1\ta\t0.5\n2\t\t7\n";
    let lines = "{\"id\":1,\"name\":\"a\",\"x\":0.5}\n{\"id\":2,\"x\":7}\n";
    let array =
        "[ {\"id\": 1, \"name\": \"a\", \"x\": 0.5},\n  {\"id\": 2, \"name\": null, \"x\": 7} ]\n";
    let expected =
        [vec!["id:Int64", "name:Utf8", "x:Float64"], vec!["1", "a", "0.5"], vec!["2", "∅", "7"]];
    for text in [csv, tsv, lines, array] {
        for size in [1, 5, 1000] {
            assert_eq!(read(text.as_bytes(), size, None).unwrap(), expected, "{text}");
            assert_eq!(read(&packed(text.as_bytes()), size, None).unwrap(), expected, "{text}");
        }
        let chosen = read(text.as_bytes(), 9, Some(&["x", "id"])).unwrap();
        assert_eq!(chosen, [["x:Float64", "id:Int64"], ["0.5", "1"], ["7", "2"]]);
    }
}

#[test]
fn what_is_no_text_is_refused() {
    for (bytes, word) in [(&b""[..], "empty"), (b"\xff\xfea\0", "UTF-16"), (b"GIF89a\0", "neither")]
    {
        let error = read(bytes, 100, None).unwrap_err();
        assert!(error.contains(word), "{error}");
    }
    let half = packed(b"a,b\n1,2\n");
    let error = read(&half[..half.len() - 4], 100, None).unwrap_err();
    assert!(error.contains("cut short"), "{error}");
}
