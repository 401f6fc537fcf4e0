//! What lies in `_delta_log`: commits and checkpoints, and which versions they still add up to.
//!
//! The kernel reads the log; this only looks at the names, to say why a version cannot be read.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::lake::error::BadTable;

/// The folder of a table's log.
pub(crate) const LOG_FOLDER: &str = "_delta_log";

/// The commits and complete checkpoints of a log.
#[derive(Debug, Default)]
pub(super) struct LogListing {
    pub(super) commits: BTreeMap<u64, ObjectMeta>,
    pub(super) checkpoints: BTreeMap<u64, ObjectMeta>,
}

/// Why a version is not among those that a log adds up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absent {
    /// There is no commit at all.
    Empty,
    /// Newer than the newest.
    Future { latest: u64 },
    /// Older than what the log still holds.
    Cleaned { earliest: u64 },
    /// A commit on the way to it is missing.
    Hole { missing: u64 },
}

/// The path of a version's commit.
pub(super) fn commit_path(root: &Path, version: u64) -> Path {
    root.clone().join(LOG_FOLDER).join(format!("{version:020}.json"))
}

/// Lists a table's log.
pub(super) async fn list(store: &dyn ObjectStore, root: &Path) -> object_store::Result<LogListing> {
    let folder = root.clone().join(LOG_FOLDER);
    let level = store.list_with_delimiter(Some(&folder)).await?;
    Ok(LogListing::from_files(level.objects))
}

/// The commits from one version on, the version itself included.
pub(super) async fn commits_from(
    store: &dyn ObjectStore,
    root: &Path,
    version: u64,
) -> object_store::Result<BTreeMap<u64, ObjectMeta>> {
    let folder = root.clone().join(LOG_FOLDER);
    // Offsets are exclusive; `.json` sorts behind `.checkpoint` and `.compacted`.
    let before = folder.clone().join(format!("{version:020}"));
    let files: Vec<ObjectMeta> = store
        .list_with_offset(Some(&folder), &before)
        .try_filter(|meta| {
            let direct = meta.location.parts_count() == folder.parts_count() + 1;
            futures::future::ready(direct)
        })
        .try_collect()
        .await?;
    Ok(LogListing::from_files(files).commits)
}

impl LogListing {
    pub(super) fn from_files(files: Vec<ObjectMeta>) -> Self {
        let mut listing = Self::default();
        let mut parts: BTreeMap<(u64, u64), (BTreeSet<u64>, ObjectMeta)> = BTreeMap::new();
        for meta in files {
            match meta.location.filename().and_then(LogFile::parse) {
                Some((version, LogFile::Commit)) => {
                    listing.commits.insert(version, meta);
                }
                Some((version, LogFile::Checkpoint)) => {
                    listing.checkpoints.insert(version, meta);
                }
                Some((version, LogFile::Part { part, of })) => {
                    let entry = parts.entry((version, of)).or_insert((BTreeSet::new(), meta));
                    entry.0.insert(part);
                }
                None => {}
            }
        }
        for ((version, of), (found, meta)) in parts {
            // Parts are numbered from 1; a set with a gap is no checkpoint.
            if found.len() as u64 == of && found.last() == Some(&of) {
                listing.checkpoints.entry(version).or_insert(meta);
            }
        }
        listing
    }

    pub(super) fn latest(&self) -> Option<u64> {
        let commit = self.commits.last_key_value().map(|(version, _)| *version);
        let checkpoint = self.checkpoints.last_key_value().map(|(version, _)| *version);
        commit.max(checkpoint)
    }

    /// Whether a version can be rebuilt from what is there, or why not.
    pub(super) fn check(&self, version: u64) -> Result<(), Absent> {
        let latest = self.latest().ok_or(Absent::Empty)?;
        if version > latest {
            return Err(Absent::Future { latest });
        }
        let checkpoint = self.checkpoints.range(..=version).next_back();
        let first = match checkpoint {
            Some((checkpoint, _)) => *checkpoint + 1,
            None if self.commits.contains_key(&0) => 0,
            None => {
                return Err(match self.earliest() {
                    Some(earliest) => Absent::Cleaned { earliest },
                    None => Absent::Hole { missing: 0 },
                });
            }
        };
        match (first..=version).find(|needed| !self.commits.contains_key(needed)) {
            Some(missing) => Err(Absent::Hole { missing }),
            None => Ok(()),
        }
    }

    /// The oldest version that can be rebuilt.
    pub(super) fn earliest(&self) -> Option<u64> {
        if self.commits.contains_key(&0) {
            return Some(0);
        }
        self.checkpoints.first_key_value().map(|(version, _)| *version)
    }

    /// The versions that can be rebuilt, newest first.
    pub(super) fn readable(&self) -> Vec<u64> {
        let mut versions: BTreeSet<u64> = self.checkpoints.keys().copied().collect();
        let mut anchored = None;
        for version in self.commits.keys().copied() {
            let follows = version.checked_sub(1).is_none_or(|before| {
                anchored == Some(before) || self.checkpoints.contains_key(&before)
            });
            if follows || self.checkpoints.contains_key(&version) {
                versions.insert(version);
                anchored = Some(version);
            }
        }
        versions.into_iter().rev().collect()
    }
}

enum LogFile {
    Commit,
    Checkpoint,
    Part { part: u64, of: u64 },
}

impl LogFile {
    fn parse(name: &str) -> Option<(u64, Self)> {
        let (digits, rest) = name.split_once('.')?;
        if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let version = digits.parse().ok()?;
        let file = match rest.split('.').collect::<Vec<_>>()[..] {
            ["json"] => Self::Commit,
            ["checkpoint", "parquet"] => Self::Checkpoint,
            ["checkpoint", uuid, "parquet" | "json"] if uuid.len() == 36 => Self::Checkpoint,
            ["checkpoint", part, of, "parquet"] => Self::Part {
                part: part.parse().ok().filter(|part| *part > 0)?,
                of: of.parse().ok()?,
            },
            _ => return None,
        };
        Some((version, file))
    }
}

impl Absent {
    /// As a fault of the table, where the version should have been there.
    pub(super) fn as_fault(&self) -> BadTable {
        match self {
            Self::Hole { missing } => BadTable::MissingCommit { version: *missing },
            Self::Empty => BadTable::CorruptLog { reason: "it has no commits".to_owned() },
            Self::Future { latest } => {
                BadTable::CorruptLog { reason: format!("it ends at version {latest}") }
            }
            Self::Cleaned { .. } => BadTable::MissingCommit { version: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str]) -> LogListing {
        let meta = |name: &&str| ObjectMeta {
            location: Path::from(format!("t/_delta_log/{name}")),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: 1,
            e_tag: None,
            version: None,
        };
        LogListing::from_files(names.iter().map(meta).collect())
    }

    fn commits(versions: &[u64]) -> Vec<String> {
        versions.iter().map(|v| format!("{v:020}.json")).collect()
    }

    fn log(versions: &[u64], others: &[&str]) -> LogListing {
        let commits = commits(versions);
        let names: Vec<&str> =
            commits.iter().map(String::as_str).chain(others.iter().copied()).collect();
        listing(&names)
    }

    #[test]
    fn a_whole_log_has_all_its_versions() {
        let log = log(&[0, 1, 2], &["_last_checkpoint", "00000000000000000001.crc"]);
        assert_eq!(log.readable(), [2, 1, 0]);
        assert_eq!(log.check(3), Err(Absent::Future { latest: 2 }));
    }

    #[test]
    fn a_hole_is_named() {
        let log = log(&[0, 1, 3, 4], &[]);
        assert_eq!(log.check(4), Err(Absent::Hole { missing: 2 }));
        assert_eq!(log.check(1), Ok(()));
        assert_eq!(log.readable(), [1, 0]);
    }

    #[test]
    fn a_checkpoint_stands_in_for_what_was_cleaned() {
        let log = log(&[4, 5, 6, 7], &["00000000000000000005.checkpoint.parquet"]);
        assert_eq!(log.check(4), Err(Absent::Cleaned { earliest: 5 }));
        assert_eq!((log.check(5), log.check(7)), (Ok(()), Ok(())));
        assert_eq!(log.readable(), [7, 6, 5]);
    }

    #[test]
    fn a_checkpoint_of_parts_needs_all_of_them() {
        let part = |n: u64| format!("00000000000000000002.checkpoint.{n:010}.0000000003.parquet");
        let two = log(&[3], &[&part(1), &part(3)]);
        assert_eq!(two.check(3), Err(Absent::Hole { missing: 0 }));
        let three = log(&[3], &[&part(1), &part(2), &part(3)]);
        assert_eq!(three.check(3), Ok(()));
        let uuid = "00000000000000000002.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json";
        assert_eq!(log(&[3], &[uuid]).check(3), Ok(()));
    }

    #[test]
    fn an_empty_log_is_empty() {
        assert_eq!(listing(&[]).check(0), Err(Absent::Empty));
    }
}
