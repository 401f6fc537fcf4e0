//! What is remembered of tables besides their columns' values: the list, descriptions and
//! versions, so that all of it can be shown without a network. Pure.

use std::collections::BTreeMap;

use engine::query::Version;
use serde::{Deserialize, Serialize};

use crate::protocol::{ColumnInfo, TableInfo, VersionInfo};

use super::manifest::{LAYOUT, Manifest};

/// A table at one version, as it was described.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    pub table: TableInfo,
    /// What the table is, whatever it is called.
    pub uid: String,
    pub columns: Vec<ColumnInfo>,
    /// Milliseconds since 1970.
    pub saved_at: f64,
}

/// All that was heard of one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnownTable {
    pub versions: Vec<VersionInfo>,
    /// Newest last.
    pub descriptions: Vec<Description>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    layout: u32,
    pub tables: Vec<TableInfo>,
    pub listed_at: Option<f64>,
    pub known: BTreeMap<String, KnownTable>,
}

/// Descriptions of one table that are kept though nothing else of them is.
const DESCRIPTIONS_MAX: usize = 4;

impl Default for Catalog {
    fn default() -> Self {
        Self { layout: LAYOUT, tables: Vec::new(), listed_at: None, known: BTreeMap::new() }
    }
}

impl Catalog {
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|catalog| catalog.layout == LAYOUT)
    }

    /// Remembers a description; those of versions that are kept in `manifest` stay.
    pub fn describe(
        &mut self,
        name: &str,
        description: Description,
        versions: &[VersionInfo],
        manifest: &Manifest,
    ) {
        let known = self.known.entry(name.to_owned()).or_default();
        if !versions.is_empty() {
            known.versions = versions.to_vec();
        }
        known.descriptions.retain(|old| old.table.version != description.table.version);
        known.descriptions.push(description);
        let n_more = known.descriptions.len().saturating_sub(DESCRIPTIONS_MAX);
        let mut n_dropped = 0;
        known.descriptions.retain(|old| {
            let is_kept = !manifest.columns_of(name, old.table.version.as_ref()).is_empty();
            let drop = !is_kept && n_dropped < n_more;
            n_dropped += usize::from(drop);
            !drop
        });
    }

    /// The tables to list without a network: those once listed, and those of which
    /// something is kept. Says of each whether something is.
    pub fn tables_offline(&self, manifest: &Manifest) -> Vec<TableInfo> {
        let kept = manifest.tables();
        let mut tables: Vec<TableInfo> = self
            .tables
            .iter()
            .map(|table| TableInfo { cached: kept.contains(table.name.as_str()), ..table.clone() })
            .collect();
        for name in kept {
            if !tables.iter().any(|table| table.name == name) {
                tables.extend(self.description(name, None, manifest).map(|found| found.table));
            }
        }
        tables
    }

    /// The description of a version, or without one of the version that is kept (else the
    /// one described last). Where only files are left of it, it is made of them.
    pub fn description(
        &self,
        name: &str,
        version: Option<&Version>,
        manifest: &Manifest,
    ) -> Option<Description> {
        let version = match version {
            Some(version) => Some(version.clone()),
            None => manifest.best_version(name, &[]).flatten(),
        };
        let known = self.known.get(name);
        let told = known.and_then(|known| {
            let same = |found: &&Description| match &version {
                Some(version) => found.table.version.as_ref() == Some(version),
                None => true,
            };
            known.descriptions.iter().rev().find(same).cloned()
        });
        let kept = manifest.columns_of(name, version.as_ref());
        match told {
            Some(mut told) => {
                told.table.cached = !kept.is_empty();
                Some(told)
            }
            None => description_from_files(name, &kept),
        }
    }

    /// The versions of a table that can be told of without a network.
    pub fn versions(&self, name: &str) -> Vec<VersionInfo> {
        self.known.get(name).map(|known| known.versions.clone()).unwrap_or_default()
    }
}

fn description_from_files(
    name: &str,
    kept: &[(&str, &super::manifest::Entry)],
) -> Option<Description> {
    let (_, first) = kept.first()?;
    let table = TableInfo {
        name: name.to_owned(),
        format: "arrow".to_owned(),
        version: first.version.clone(),
        rows: Some(first.rows),
        bytes: Some(kept.iter().map(|(_, entry)| entry.bytes).sum()),
        column_count: u32::try_from(kept.len()).unwrap_or(u32::MAX),
        error: None,
        cached: true,
    };
    let columns = kept.iter().map(|(_, entry)| ColumnInfo {
        name: entry.column.clone(),
        data_type: entry.data_type.clone(),
        kind: entry.kind,
        nullable: entry.nullable,
        bytes_per_row: entry.bytes as f64 / entry.rows.max(1) as f64,
        min: None,
        max: None,
        null_count: None,
        distinct_count: None,
    });
    Some(Description {
        table,
        uid: first.uid.clone(),
        columns: columns.collect(),
        saved_at: first.saved_at,
    })
}

#[cfg(test)]
mod tests;
