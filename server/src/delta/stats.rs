//! Statistics of a file that was just written, as the log keeps them, from its own footer.

use parquet::basic::LogicalType;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use serde_json::{Map, Value, json};

/// Rows, nulls, and bounds of numbers. Bounds of texts may have been cut, and are left out.
pub(super) fn of(metadata: &ParquetMetaData) -> Value {
    let (mut least, mut most, mut nulls) = (Map::new(), Map::new(), Map::new());
    let schema = metadata.file_metadata().schema_descr();
    for (at, column) in schema.columns().iter().enumerate() {
        let [name] = column.path().parts() else { continue };
        let groups = metadata.row_groups().iter().map(|group| group.column(at).statistics());
        let Some(groups) = groups.collect::<Option<Vec<_>>>() else { continue };
        let absent: Option<u64> = groups.iter().map(|group| group.null_count_opt()).sum();
        nulls.extend(absent.map(|absent| (name.clone(), absent.into())));
        // Dates, times and decimals are stored as integers, and written otherwise in a log.
        let is_number =
            matches!(column.logical_type_ref(), None | Some(LogicalType::Integer { .. }));
        if !is_number {
            continue;
        }
        let bounds: Option<Vec<(Value, Value)>> = groups.into_iter().map(bounds).collect();
        let ends = bounds.into_iter().flatten().reduce(|a, b| {
            (if less(&b.0, &a.0) { b.0 } else { a.0 }, if less(&a.1, &b.1) { b.1 } else { a.1 })
        });
        if let Some((low, high)) = ends {
            least.insert(name.clone(), low);
            most.insert(name.clone(), high);
        }
    }
    let rows = metadata.file_metadata().num_rows();
    json!({"numRecords": rows, "minValues": least, "maxValues": most, "nullCount": nulls})
}

/// A group of nulls alone has none, and neither has the column then: they would leave them out.
fn bounds(statistics: &Statistics) -> Option<(Value, Value)> {
    match statistics {
        Statistics::Int32(ends) => Some(((*ends.min_opt()?).into(), (*ends.max_opt()?).into())),
        Statistics::Int64(ends) => Some(((*ends.min_opt()?).into(), (*ends.max_opt()?).into())),
        Statistics::Float(ends) => finite(f64::from(*ends.min_opt()?), f64::from(*ends.max_opt()?)),
        Statistics::Double(ends) => finite(*ends.min_opt()?, *ends.max_opt()?),
        _ => None,
    }
}

fn finite(low: f64, high: f64) -> Option<(Value, Value)> {
    Some((serde_json::Number::from_f64(low)?.into(), serde_json::Number::from_f64(high)?.into()))
}

fn less(a: &Value, b: &Value) -> bool {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a < b,
        _ => a.as_f64() < b.as_f64(),
    }
}
