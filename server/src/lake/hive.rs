//! Partition values that stand in the paths of files: `key=value` folders, as Hive writes them.

use std::collections::BTreeMap;

use arrow_schema::{DataType, Field};
use datafusion::scalar::ScalarValue;
use object_store::path::Path;
use percent_encoding::percent_decode_str;

use super::discover::is_partition;
use super::error::BadTable;

/// What stands for null in a path.
const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// The partition columns of a folder, and each file's values of them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Partitions {
    pub(crate) fields: Vec<Field>,
    /// By file, in the order of the paths that were given.
    pub(crate) values: Vec<Vec<ScalarValue>>,
}

impl Partitions {
    /// Reads the values off the paths below `root`. A column is integers if all its values are,
    /// else dates if all are, else strings; every file needs the same columns in the same order.
    pub(crate) fn from_paths<'a>(
        root: &Path,
        paths: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Self, BadTable> {
        let depth = root.parts_count();
        let pairs: Vec<_> = paths.into_iter().map(|path| (path, pairs_of(depth, path))).collect();
        let Some((first_path, first)) = pairs.first() else {
            return Ok(Self::default());
        };
        let keys: Vec<&String> = first.iter().map(|(key, _)| key).collect();
        for (path, pairs) in &pairs {
            if !pairs.iter().map(|(key, _)| key).eq(keys.iter().copied()) {
                return Err(BadTable::Mixed {
                    reason: format!("files have different partition columns: {first_path}, {path}"),
                });
            }
        }
        let mut fields = Vec::new();
        let mut values = vec![Vec::new(); pairs.len()];
        for (position, key) in keys.iter().enumerate() {
            let column: Vec<Option<&str>> = pairs
                .iter()
                .map(|(_, pairs)| pairs.get(position).and_then(|(_, value)| value.as_deref()))
                .collect();
            let data_type = type_of(&column);
            for (file, text) in values.iter_mut().zip(&column) {
                file.push(parse(*text, &data_type));
            }
            fields.push(Field::new(key.as_str(), data_type, true));
        }
        let names: BTreeMap<&str, ()> = fields.iter().map(|f| (f.name().as_str(), ())).collect();
        if names.len() != fields.len() {
            return Err(BadTable::Mixed {
                reason: format!("a partition column stands twice in {first_path}"),
            });
        }
        Ok(Self { fields, values })
    }
}

fn pairs_of(depth: usize, path: &Path) -> Vec<(String, Option<String>)> {
    let folders = path.parts_count().saturating_sub(1);
    path.parts()
        .take(folders)
        .skip(depth)
        .filter(|part| is_partition(part.as_ref()))
        .filter_map(|part| {
            let (key, value) = part.as_ref().split_once('=')?;
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let value = (value != NULL_VALUE && !value.is_empty()).then(|| decoded(value));
            Some((decoded(key), value))
        })
        .collect()
}

fn type_of(column: &[Option<&str>]) -> DataType {
    let all = |is: fn(&str) -> bool| column.iter().flatten().all(|text| is(text));
    match () {
        () if column.iter().all(Option::is_none) => DataType::Utf8,
        () if all(is_integer) => DataType::Int64,
        () if all(|text| date(text).is_some()) => DataType::Date32,
        () => DataType::Utf8,
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_ok()
}

fn date(text: &str) -> Option<i32> {
    let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let days = date.signed_duration_since(chrono::NaiveDate::default()).num_days();
    (text.len() == 10).then(|| i32::try_from(days).ok()).flatten()
}

fn parse(text: Option<&str>, data_type: &DataType) -> ScalarValue {
    match data_type {
        DataType::Int64 => ScalarValue::Int64(text.and_then(|text| text.parse().ok())),
        DataType::Date32 => ScalarValue::Date32(text.and_then(date)),
        _ => ScalarValue::Utf8(text.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn partitions(paths: &[&str]) -> Result<Partitions, BadTable> {
        let paths: Vec<Path> = paths.iter().map(|path| Path::parse(path).unwrap()).collect();
        Partitions::from_paths(&Path::from("t"), &paths)
    }

    #[test]
    fn values_are_typed_over_all_files() {
        let found = partitions(&[
            "t/year=2024/day=2024-01-31/c=a%2Fb/x.parquet",
            "t/year=07/day=__HIVE_DEFAULT_PARTITION__/c=1/x.parquet",
        ])
        .unwrap();
        let types: Vec<_> = found.fields.iter().map(|f| f.data_type().clone()).collect();
        assert_eq!(types, [DataType::Int64, DataType::Date32, DataType::Utf8]);
        assert_eq!(
            found.values,
            [
                [
                    ScalarValue::Int64(Some(2024)),
                    ScalarValue::Date32(Some(19753)),
                    ScalarValue::Utf8(Some("a/b".into()))
                ],
                [
                    ScalarValue::Int64(Some(7)),
                    ScalarValue::Date32(None),
                    ScalarValue::Utf8(Some("1".into()))
                ],
            ]
        );
    }

    #[test]
    fn files_need_the_same_columns() {
        assert!(partitions(&["t/a=1/x.parquet", "t/b=1/x.parquet"]).is_err());
        assert!(partitions(&["t/a=1/x.parquet", "t/x.parquet"]).is_err());
        assert!(partitions(&["t/a=1/a=2/x.parquet"]).is_err());
    }

    #[test]
    fn nulls_alone_are_strings() {
        let found = partitions(&["t/a=__HIVE_DEFAULT_PARTITION__/x.parquet"]).unwrap();
        assert_eq!(found.values, [[ScalarValue::Utf8(None)]]);
    }
}
