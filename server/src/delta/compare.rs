//! Two versions of a table side by side, as a snapshot of their own: every row of the one,
//! every row of the other that is gone, and in [`CHANGE_COLUMN`] what became of each.
//!
//! Files that both versions have hold unchanged rows and are not read. The rows of the others
//! are compared by hashes over all columns, as bags: a file that was only rewritten changes
//! nothing. A row that is gone and a new one with its key are the same row, changed.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::scalar::ScalarValue;
use futures::TryStreamExt;
use xxhash_rust::xxh3::xxh3_128;

use super::deletion::{Deleted, DeletionError, DeletionVector};
use crate::lake::error::{BadTable, LakeError};
use crate::lake::snapshot::{DataFile, Snapshot};
use crate::lake::version::Version;
use crate::scan;
use crate::scan::bounds::FileBounds;
use crate::scan::physical::PhysicalField;

/// Says of each row what became of it between two versions.
pub const CHANGE_COLUMN: &str = "_change";

/// Rows in files that only one of the versions has: each costs some 50 bytes of memory.
const ROWS_MAX: u64 = 20_000_000;

/// Columns that tell one row from all others, as the HTTP contract guesses them.
const KEY_NAMES: [&str; 3] = ["id", "uuid", "key"];

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Unchanged,
    Added,
    /// As it was before, and as it is now.
    ChangedFrom,
    ChangedTo,
    Removed,
    /// It is told by the other version.
    Told,
}

impl Change {
    /// Those that a comparison shows.
    const SHOWN: [Self; 5] =
        [Self::Unchanged, Self::Added, Self::ChangedFrom, Self::ChangedTo, Self::Removed];

    fn name(self) -> &'static str {
        match self {
            Self::Unchanged | Self::Told => "unchanged",
            Self::Added => "added",
            Self::ChangedFrom => "changed from",
            Self::ChangedTo => "changed to",
            Self::Removed => "removed",
        }
    }

    fn value(self) -> ScalarValue {
        let name = ScalarValue::Utf8(Some(self.name().to_owned()));
        ScalarValue::Dictionary(Box::new(DataType::Int32), Box::new(name))
    }
}

/// The difference of two versions, both with the columns of `new`.
pub(super) async fn compare(old: &Snapshot, new: &Snapshot) -> Result<Snapshot, LakeError> {
    let (Version::Delta(from), Version::Delta(to)) = (old.version(), new.version()) else {
        return Err(refused(new, "only versions of a Delta table are compared"));
    };
    if new.schema.index_of(CHANGE_COLUMN).is_ok() {
        return Err(refused(new, "the table has a column of this name, where changes would stand"));
    }
    if old.partition_columns != new.partition_columns {
        return Err(refused(new, "the two versions are partitioned by different columns"));
    }
    let (gone, come) = (only_in(old, new), only_in(new, old));
    check_size(new, [(old, &gone), (new, &come)])?;

    // Where one side has no files of its own, all of the other's rows are of one kind.
    let (before, after) = match gone.is_empty() || come.is_empty() {
        true => (Vec::new(), Vec::new()),
        false => {
            let rows = RowReader::new(new)?;
            let before = rows.read(new, old, &gone).await?;
            let after = rows.read(new, new, &come).await?;
            told(&before, &after)
        }
    };
    let mut entries = Entries::default();
    for (at, file) in new.files.iter().enumerate() {
        if come.binary_search(&at).is_err() {
            entries.push(file.clone(), Change::Unchanged, (true, at));
        }
    }
    let sides = [(old, &gone, &before, Change::Removed), (new, &come, &after, Change::Added)];
    for (snapshot, side, changes, all) in sides {
        for (order, at) in side.iter().enumerate() {
            let Some(file) = snapshot.files.get(*at) else { continue };
            let place = (all == Change::Added, *at);
            match changes.get(order) {
                None => entries.push(file.clone(), all, place),
                Some(changes) => entries.split(new, file, changes, place).await?,
            }
        }
    }
    Ok(entries.into_snapshot(old, new, Version::Between { from, to }))
}

/// The places of files that the other version lacks, or has with other rows deleted.
fn only_in(own: &Snapshot, other: &Snapshot) -> Vec<usize> {
    let others: HashMap<_, _> =
        other.files.iter().map(|file| (&file.path, &file.deletion)).collect();
    let files = own.files.iter().enumerate();
    let files = files.filter(|(_, file)| others.get(&file.path) != Some(&&file.deletion));
    files.map(|(at, _)| at).collect()
}

fn refused(table: &Snapshot, reason: &str) -> LakeError {
    let (column, reason) = (CHANGE_COLUMN.to_owned(), reason.to_owned());
    LakeError::bad(table.table.clone(), BadTable::Column { column, reason })
}

fn check_size(table: &Snapshot, sides: [(&Snapshot, &Vec<usize>); 2]) -> Result<(), LakeError> {
    let rows = |(snapshot, side): (&Snapshot, &Vec<usize>)| -> u64 {
        side.iter().filter_map(|at| snapshot.files.get(*at)?.rows).sum()
    };
    let n_rows: u64 = sides.into_iter().map(rows).sum();
    let one_sided = sides.iter().any(|(_, side)| side.is_empty());
    if n_rows <= ROWS_MAX || one_sided {
        return Ok(());
    }
    let reason = format!(
        "the two versions differ in files of {n_rows} rows, and up to {ROWS_MAX} are compared: \
         choose versions that are nearer to each other"
    );
    Err(LakeError::bad(table.table.clone(), BadTable::TooLarge { reason }))
}

/// A row by its hashes: of all columns, and of its key, if it has one.
#[derive(Debug, Clone, Copy)]
struct Row {
    all: u128,
    key: Option<u128>,
}

/// Hashes rows over the columns of a table.
struct RowReader {
    rows: RowConverter,
    key: Option<(usize, RowConverter)>,
}

impl RowReader {
    fn new(table: &Snapshot) -> Result<Self, LakeError> {
        let converter = |field: &Field| {
            let fields = vec![SortField::new(field.data_type().clone())];
            RowConverter::new(fields).map_err(|_| {
                let reason = format!("values of type {} cannot be compared", field.data_type());
                let column = field.name().clone();
                LakeError::bad(table.table.clone(), BadTable::Column { column, reason })
            })
        };
        let fields = table.schema.fields();
        for field in fields {
            converter(field)?;
        }
        let key = KEY_NAMES.iter().find_map(|name| {
            fields.iter().position(|field| field.name().eq_ignore_ascii_case(name))
        });
        let key = match key.and_then(|at| Some((at, fields.get(at)?))) {
            Some((at, field)) => Some((at, converter(field)?)),
            None => None,
        };
        let all = fields.iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let rows = RowConverter::new(all).map_err(|error| refused(table, &error.to_string()))?;
        Ok(Self { rows, key })
    }

    /// The rows of some files of a snapshot, as the table sees them now, by file.
    async fn read(
        &self,
        table: &Snapshot,
        snapshot: &Snapshot,
        files: &[usize],
    ) -> Result<Vec<Vec<Row>>, LakeError> {
        let files: Vec<DataFile> =
            files.iter().filter_map(|at| snapshot.files.get(*at).cloned()).collect();
        let n_files = files.len();
        let view = Arc::new(Snapshot {
            version: snapshot.version,
            ..table.with_files(files, FileBounds::default())
        });
        let failed = |error: datafusion::error::DataFusionError| match LakeError::find(&error) {
            Some(known) => known.clone(),
            None => refused(table, &error.to_string()),
        };
        let mut all = Vec::with_capacity(n_files);
        for file in 0..n_files {
            let mut batches = scan::read_file(Arc::clone(&view), file).await.map_err(failed)?;
            let mut rows = Vec::new();
            while let Some(batch) = batches.try_next().await.map_err(failed)? {
                let wrong = |error: arrow_schema::ArrowError| refused(table, &error.to_string());
                let whole = self.rows.convert_columns(batch.columns()).map_err(wrong)?;
                let keys = match &self.key {
                    Some((at, converter)) => {
                        let column = Arc::clone(batch.column(*at));
                        let nulls = column.logical_nulls();
                        Some((converter.convert_columns(&[column]).map_err(wrong)?, nulls))
                    }
                    None => None,
                };
                let key = |row: usize| {
                    let (keys, nulls) = keys.as_ref()?;
                    let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                    (!is_null).then(|| xxh3_128(keys.row(row).as_ref()))
                };
                rows.extend(
                    whole
                        .iter()
                        .enumerate()
                        .map(|(row, bytes)| Row { all: xxh3_128(bytes.as_ref()), key: key(row) }),
                );
                tokio::task::yield_now().await;
            }
            all.push(rows);
        }
        Ok(all)
    }
}

type Changes = Vec<Vec<Change>>;

/// What became of each row of the files before, and of those after.
fn told(before: &[Vec<Row>], after: &[Vec<Row>]) -> (Changes, Changes) {
    let mut left: HashMap<u128, u32> = HashMap::new();
    for row in before.iter().flatten() {
        *left.entry(row.all).or_default() += 1;
    }
    let mut take = |row: &Row, found: Change, missed: Change| match left.get_mut(&row.all) {
        Some(n_left) if *n_left > 0 => {
            *n_left -= 1;
            found
        }
        _ => missed,
    };
    let each = |files: &[Vec<Row>], change: &mut dyn FnMut(&Row) -> Change| -> Changes {
        files.iter().map(|rows| rows.iter().map(&mut *change).collect()).collect()
    };
    let mut after_changes = each(after, &mut |row| take(row, Change::Unchanged, Change::Added));
    // What is left has no row after it.
    let mut before_changes = each(before, &mut |row| take(row, Change::Removed, Change::Told));

    let keys = |files: &[Vec<Row>], changes: &Changes, wanted: Change| {
        let mut counts: HashMap<u128, u32> = HashMap::new();
        let rows = files.iter().flatten().zip(changes.iter().flatten());
        for key in rows.filter(|(_, change)| **change == wanted).filter_map(|(row, _)| row.key) {
            *counts.entry(key).or_default() += 1;
        }
        counts
    };
    let removed = keys(before, &before_changes, Change::Removed);
    let added = keys(after, &after_changes, Change::Added);
    let is_one = |key: Option<u128>| {
        let once = |counts: &HashMap<u128, u32>| {
            key.is_some_and(|key| counts.get(&key).copied() == Some(1))
        };
        once(&removed) && once(&added)
    };
    let pair = |files: &[Vec<Row>], changes: &mut Changes, from: Change, to: Change| {
        for (row, change) in files.iter().flatten().zip(changes.iter_mut().flatten()) {
            if *change == from && is_one(row.key) {
                *change = to;
            }
        }
    };
    pair(before, &mut before_changes, Change::Removed, Change::ChangedFrom);
    pair(after, &mut after_changes, Change::Added, Change::ChangedTo);
    (before_changes, after_changes)
}

/// The files of a comparison, each as often as it has kinds of rows.
#[derive(Default)]
struct Entries {
    entries: Vec<(DataFile, Change, (bool, usize))>,
}

impl Entries {
    /// `place` is whether the file is of the new version, and where it stands there.
    fn push(&mut self, file: DataFile, change: Change, place: (bool, usize)) {
        self.entries.push((file, change, place));
    }

    /// Adds a file once for each kind of row, the others deleted.
    async fn split(
        &mut self,
        table: &Snapshot,
        file: &DataFile,
        changes: &[Change],
        place: (bool, usize),
    ) -> Result<(), LakeError> {
        let mut deleted = Deleted::default();
        if let Some(vector) = &file.deletion {
            let read = vector.read(table.access.store.as_ref()).await;
            deleted = read.map_err(|error| match error {
                DeletionError::Corrupt(reason) => {
                    let file = file.path.to_string();
                    LakeError::bad(table.table.clone(), BadTable::CorruptFile { file, reason })
                }
                DeletionError::Store(error) => {
                    table.access.store_error(&table.table, &file.path, error)
                }
            })?;
        }
        for wanted in Change::SHOWN {
            let n_rows = changes.iter().filter(|change| **change == wanted).count();
            if n_rows == 0 {
                continue;
            }
            let deletion = match n_rows == changes.len() {
                true => file.deletion.clone(),
                false => {
                    let is_kept = |row: usize| changes.get(row) == Some(&wanted);
                    Some(DeletionVector::inline(&deleted.but(changes.len(), is_kept)))
                }
            };
            let entry = DataFile { rows: Some(n_rows as u64), deletion, ..file.clone() };
            self.push(entry, wanted, place);
        }
        Ok(())
    }

    fn into_snapshot(mut self, old: &Snapshot, new: &Snapshot, version: Version) -> Snapshot {
        self.entries.sort_by(|(a, a_change, _), (b, b_change, _)| {
            a.path.cmp(&b.path).then(a_change.cmp(b_change))
        });
        let places: Vec<(bool, usize)> = self.entries.iter().map(|(_, _, place)| *place).collect();
        let mut bounds = new.bounds.gathered(&old.bounds, &places);
        let changes: Vec<ScalarValue> =
            self.entries.iter().map(|(_, change, _)| change.value()).collect();
        bounds.insert_constant(CHANGE_COLUMN.to_owned(), &changes);
        let field = Field::new(CHANGE_COLUMN, Change::Added.value().data_type(), false);
        let mut fields = new.schema.fields().to_vec();
        let mut physical = new.physical.clone();
        physical.push(PhysicalField::same_as(&field));
        fields.push(Arc::new(field));
        let files = self.entries.into_iter().map(|(mut file, change, _)| {
            file.partition.push(change.value());
            file
        });
        let mut partition_columns = new.partition_columns.clone();
        partition_columns.push(CHANGE_COLUMN.to_owned());
        Snapshot {
            version,
            schema: Arc::new(Schema::new(fields)),
            partition_columns,
            physical,
            ..new.with_files(files.collect(), bounds)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(of: &[(u128, u128)]) -> Vec<Vec<Row>> {
        vec![of.iter().map(|(key, all)| Row { all: *all, key: Some(*key) }).collect()]
    }

    #[test]
    fn rows_are_compared_as_bags_and_paired_by_key() {
        use Change::{Added, ChangedFrom, ChangedTo, Removed, Told, Unchanged};
        let before = rows(&[(1, 10), (2, 20), (3, 30), (4, 40), (9, 90), (9, 90)]);
        let after = rows(&[(9, 90), (1, 10), (2, 21), (5, 50), (4, 41), (4, 42)]);
        let (before, after) = told(&before, &after);
        // Key 4 is there twice after, so it is not known which of the two it became.
        assert_eq!(after, [[Unchanged, Unchanged, ChangedTo, Added, Added, Added]]);
        assert_eq!(before[0][..4], [Told, ChangedFrom, Removed, Removed]);
        let mut nines = before[0][4..].to_vec();
        nines.sort();
        assert_eq!(nines, [Removed, Told]);
    }

    #[test]
    fn a_file_that_was_only_rewritten_changes_nothing() {
        let before = rows(&[(1, 10), (2, 20)]);
        let after = rows(&[(2, 20), (1, 10)]);
        let (before, after) = told(&before, &after);
        assert!(before.iter().flatten().all(|change| *change == Change::Told));
        assert!(after.iter().flatten().all(|change| *change == Change::Unchanged));
    }
}
