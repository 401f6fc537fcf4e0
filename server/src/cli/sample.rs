//! A small lake of made-up data, for who starts `limn serve` with none: stars of a galaxy and the
//! nights on which they were looked at. The same rows every time.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use engine::sample::hash64;
use parquet::arrow::ArrowWriter;

const STARS: u64 = 6000;
const NIGHTS: u64 = 2000;

/// Makes the sample where it can be kept, and says where that is.
pub(super) fn make() -> std::io::Result<PathBuf> {
    let folder = state_folder().join("sample-1");
    std::fs::create_dir_all(&folder)?;
    for (name, batch) in [("stars", stars()), ("nights", nights())] {
        let path = folder.join(format!("{name}.parquet"));
        if path.is_file() {
            continue;
        }
        // Whole or not at all: another limn may be looking.
        let draft = folder.join(format!(".{name}-{}.parquet", std::process::id()));
        let batch = batch.map_err(std::io::Error::other)?;
        let mut writer = ArrowWriter::try_new(File::create(&draft)?, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
        std::fs::rename(&draft, &path)?;
    }
    Ok(folder)
}

/// Where state of this user's is kept, else the temporary folder.
pub(super) fn state_folder() -> PathBuf {
    let from = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let state = from("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let state = state.or_else(|| from("HOME").map(|home| home.join(".local/state")));
    let folder = state.map(|state| state.join("limn"));
    let usable = folder.filter(|folder| std::fs::create_dir_all(folder).is_ok());
    usable.unwrap_or_else(|| std::env::temp_dir().join("limn"))
}

/// A number from 0 to 1 for a row, a different one for each `salt`.
fn uniform(salt: u64, row: u64) -> f64 {
    (hash64(salt, row) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number around 0, nearly normal: the sum of twelve uniform ones.
fn normal(salt: u64, row: u64) -> f64 {
    (0..12).map(|part| uniform(salt * 100 + part, row)).sum::<f64>() - 6.0
}

fn column(name: &str, array: impl arrow_array::Array + 'static) -> (String, ArrayRef) {
    (name.to_owned(), Arc::new(array))
}

/// Stars along the arms of a spiral, with colours and brightness that hang together.
fn stars() -> Result<RecordBatch, arrow_schema::ArrowError> {
    let arm = |row: u64| row % 3;
    let radius = |row: u64| 0.5 + 14.0 * uniform(1, row).sqrt();
    let angle = |row: u64| arm(row) as f64 * 2.094 + radius(row) * 0.35 + normal(2, row) * 0.14;
    let heat = |row: u64| (uniform(3, row).powi(3) * 27_000.0 + 2_800.0).round();
    let class = |row: u64| match heat(row) as u32 {
        0..3_700 => "M",
        3_700..5_200 => "K",
        5_200..6_000 => "G",
        6_000..7_500 => "F",
        7_500..10_000 => "A",
        _ => "B",
    };
    let rows = || 0..STARS;
    let numbers = |value: &dyn Fn(u64) -> f64| Float64Array::from_iter_values(rows().map(value));
    RecordBatch::try_from_iter([
        column("id", Int64Array::from_iter_values(rows().map(|row| row as i64))),
        column("x_kpc", numbers(&|row| radius(row) * angle(row).cos() + normal(4, row) * 0.3)),
        column("y_kpc", numbers(&|row| radius(row) * angle(row).sin() + normal(5, row) * 0.3)),
        column("temperature", numbers(&heat)),
        // Some were never measured.
        column(
            "magnitude",
            rows()
                .map(|row| {
                    let magnitude = 16.0 - heat(row).log10() * 2.5 + normal(6, row);
                    (uniform(7, row) > 0.04).then_some((magnitude * 100.0).round() / 100.0)
                })
                .collect::<Float64Array>(),
        ),
        column("class", StringArray::from_iter_values(rows().map(class))),
        column(
            "arm",
            StringArray::from_iter_values(
                rows().map(|row| ["inner", "outer", "far"][arm(row) as usize]),
            ),
        ),
        column(
            "variable",
            rows().map(|row| Some(uniform(8, row) < 0.12)).collect::<BooleanArray>(),
        ),
        column(
            "found",
            Date32Array::from_iter_values(rows().map(|row| (uniform(9, row) * 18_000.0) as i32)),
        ),
    ])
}

/// Nights at the telescope: when, how clear, how many stars.
fn nights() -> Result<RecordBatch, arrow_schema::ArrowError> {
    const DAY_MILLIS: i64 = 86_400_000;
    let rows = || 0..NIGHTS;
    let season = |row: u64| (row as f64 / 365.25 * std::f64::consts::TAU).cos();
    let cloud = |row: u64| (0.45 + 0.2 * season(row) + normal(11, row) * 0.15).clamp(0.0, 1.0);
    let begins = rows().map(|row| {
        let night = 19_000 + row as i64;
        night * DAY_MILLIS + ((19.5 - 1.8 * season(row)) * 3_600_000.0) as i64
    });
    let begins = TimestampMillisecondArray::from_iter_values(begins).with_timezone("UTC");
    let weather = |row: u64| match cloud(row) {
        cover if cover < 0.25 => Some("clear"),
        cover if cover < 0.6 => Some("broken"),
        cover if cover < 0.95 => Some("overcast"),
        _ => None,
    };
    RecordBatch::try_from_iter([
        column("begins", begins),
        column(
            "cloud",
            Float64Array::from_iter_values(
                rows().map(|row| (cloud(row) * 1000.0).round() / 1000.0),
            ),
        ),
        column("weather", rows().map(weather).collect::<StringArray>()),
        column(
            "observed",
            Int64Array::from_iter_values(rows().map(|row| ((1.0 - cloud(row)) * 240.0) as i64)),
        ),
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_sample_is_the_same_every_time() {
        let (first, again) = (stars().unwrap(), stars().unwrap());
        assert_eq!(first, again);
        assert_eq!(first.num_rows(), 6000);
        assert_eq!(nights().unwrap().num_rows(), 2000);
        assert!(first.column_by_name("magnitude").unwrap().null_count() > 0);
    }
}
