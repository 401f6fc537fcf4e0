//! Vectors of pictures, or of lines of text files, as lines of JSON on stdout:
//! `cargo run --release -p encoder --example embed -- model.onnx pictures/*.jpg`. What fails is
//! told on stderr, and counted at the end.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use encoder::{Encoder, Kind, Options, Run, Source, Unwatched, run};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().ok_or("which model? embed MODEL FILES…")?;
    let encoder = Encoder::open(Path::new(&model), &Options::default())?;
    let takes_images = matches!(encoder.model().kind(), Kind::Images { .. });
    let mut rows = Vec::new();
    for file in arguments {
        if takes_images {
            let source = Source::Path(file.clone().into());
            rows.push((file, source));
            continue;
        }
        for (at, line) in std::fs::read_to_string(&file)?.lines().enumerate() {
            rows.push((format!("{file}:{}", at + 1), Source::Text(line.to_owned())));
        }
    }
    let mut failed = 0;
    let mut out = std::io::stdout().lock();
    let count = run(&encoder, rows, &Run::default(), &Unwatched, |batch| {
        for (id, result) in batch {
            match result {
                Ok(row) => {
                    let line = json!({"id": id, "size": row.size, "vector": row.vector});
                    writeln!(out, "{line}").map_err(|error| error.to_string())?;
                }
                Err(failure) => {
                    failed += 1;
                    eprintln!("{id}: {failure}");
                }
            }
        }
        Ok(())
    })?;
    eprintln!("{} rows have a vector, {failed} have none", count - failed);
    Ok(())
}
