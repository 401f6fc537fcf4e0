//! What is kept in this browser: one entry for each column of a version of a table, so
//! that columns are shared between loads. Says what is there, what must go to make room,
//! and what a directory's files mean after the list itself was lost. Pure.

use std::collections::{BTreeMap, BTreeSet};

use engine::kind::Kind;
use engine::query::Version;
use serde::{Deserialize, Serialize};

use crate::few::sort_few;
use crate::protocol::CachedSlice;

/// Another number means another layout: what is found is then thrown away.
pub const LAYOUT: u32 = 1;

/// A complete file: one column of one version of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The table as it was asked for.
    pub table: String,
    /// What the table is, whatever it is called; the hash of its slice says the same.
    pub uid: String,
    pub version: Option<Version>,
    pub column: String,
    #[serde(rename = "type")]
    pub data_type: String,
    pub kind: Kind,
    pub nullable: bool,
    /// Where the column stands in its table.
    pub place: u32,
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Milliseconds since 1970.
    pub saved_at: f64,
    pub used_at: f64,
}

impl Entry {
    /// Names the columns of one version of a table together, in lists and for deletion.
    pub fn group(&self) -> String {
        group_key(&self.uid, self.version.as_ref())
    }
}

/// The key under which a version of a table is listed.
pub fn group_key(uid: &str, version: Option<&Version>) -> String {
    match version {
        Some(version) => format!("{uid}@{version}"),
        None => uid.to_owned(),
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub layout: u32,
    /// What the user set; absent, the browser's quota decides.
    pub budget_bytes: Option<u64>,
    /// By file name.
    pub entries: BTreeMap<String, Entry>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { layout: LAYOUT, budget_bytes: None, entries: BTreeMap::new() }
    }
}

impl Manifest {
    /// From its JSON; `None` where it is damaged or of another layout.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|manifest| manifest.layout == LAYOUT)
    }

    pub fn used_bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.bytes).sum()
    }

    /// The files to delete, least recently used first, so that `incoming` more bytes fit
    /// into `budget`. `held` files are in use and stay. `None` where that is not enough.
    pub fn evict(
        &self,
        budget: u64,
        incoming: u64,
        held: &BTreeSet<String>,
    ) -> Option<Vec<String>> {
        let mut used = self.used_bytes().saturating_add(incoming);
        let not_held = self.entries.iter().filter(|(file, _)| !held.contains(*file));
        let mut not_held: Vec<_> = not_held.collect();
        sort_few(&mut not_held, |(_, entry)| entry.used_at);
        let mut files = Vec::new();
        for (file, entry) in not_held {
            if used <= budget {
                break;
            }
            used -= entry.bytes;
            files.push(file.clone());
        }
        (used <= budget).then_some(files)
    }

    /// What the user sees: the columns of a version of a table as one slice, newest first.
    pub fn slices(&self) -> Vec<CachedSlice> {
        let mut groups: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
        for entry in self.entries.values() {
            groups.entry(entry.group()).or_default().push(entry);
        }
        let slices = groups.into_iter().filter_map(|(key, mut entries)| {
            sort_few(&mut entries, |entry| entry.place);
            let first = entries.first()?;
            Some(CachedSlice {
                key,
                table: first.table.clone(),
                version: first.version.clone(),
                columns: entries.iter().map(|entry| entry.column.clone()).collect(),
                rows: first.rows,
                bytes: entries.iter().map(|entry| entry.bytes).sum(),
                saved_at: entries.iter().map(|entry| entry.saved_at).fold(0.0, f64::max),
                used_at: entries.iter().map(|entry| entry.used_at).fold(0.0, f64::max),
            })
        });
        let mut slices: Vec<_> = slices.collect();
        sort_few(&mut slices, |slice| std::cmp::Reverse(slice.used_at));
        slices
    }

    /// The files of a version of a table, as [`Self::slices`] names it.
    pub fn files_of(&self, group: &str) -> Vec<String> {
        let files = self.entries.iter().filter(|(_, entry)| entry.group() == group);
        files.map(|(file, _)| file.clone()).collect()
    }

    /// The columns kept of one version of a table, in the table's order.
    pub fn columns_of(&self, table: &str, version: Option<&Version>) -> Vec<(&str, &Entry)> {
        let columns = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.table == table && entry.version.as_ref() == version)
            .map(|(file, entry)| (file.as_str(), entry));
        let mut columns: Vec<_> = columns.collect();
        sort_few(&mut columns, |(_, entry)| entry.place);
        columns
    }

    /// Which version to show without a network: the one that has the most of the wanted
    /// columns, the latest saved of those.
    pub fn best_version(&self, table: &str, wanted: &[String]) -> Option<Option<Version>> {
        let mut versions: BTreeMap<String, (usize, f64, Option<Version>)> = BTreeMap::new();
        for entry in self.entries.values().filter(|entry| entry.table == table) {
            let fresh = || (0, 0.0, entry.version.clone());
            let (n_wanted, saved_at, _) = versions.entry(entry.group()).or_insert_with(fresh);
            *n_wanted += usize::from(wanted.contains(&entry.column));
            *saved_at = saved_at.max(entry.saved_at);
        }
        let best = versions
            .into_values()
            .max_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.total_cmp(&b.1)))?;
        Some(best.2)
    }

    /// The names of tables of which something is kept.
    pub fn tables(&self) -> BTreeSet<&str> {
        self.entries.values().map(|entry| entry.table.as_str()).collect()
    }

    /// Makes the list say what the files say. Entries without a file (or with one of
    /// another size) go; files that nobody lists come back as strays, for a look inside.
    pub fn reconcile(&mut self, files: &BTreeMap<String, u64>) -> Vec<String> {
        self.entries.retain(|file, entry| files.get(file) == Some(&entry.bytes));
        files.keys().filter(|file| !self.entries.contains_key(*file)).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
