//! The cache of this browser: its lists and files, as this tab knows them. Whatever goes
//! wrong here (a private window, no room, another tab, a damaged file) makes the worker
//! fetch again, and is told, but stops nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use web_sys::FileSystemDirectoryHandle;

use crate::protocol::{Cached, TableInfo, VersionInfo};
use crate::texts;
use crate::worker::turn::unix_millis;

use super::catalog::{Catalog, Description};
use super::column::{self, ColumnReader, ColumnWriter};
use super::manifest::{Entry, Manifest};
use super::opfs::{self, OpfsError};
use super::{COLUMN_FILE, lock};

const MANIFEST: &str = "manifest.json";
const CATALOG: &str = "catalog.json";
const BUDGET_MAX: u64 = 2 << 30;

pub struct Cache {
    /// Or why there is none.
    folder: Result<FileSystemDirectoryHandle, String>,
    manifest: RefCell<Manifest>,
    catalog: RefCell<Catalog>,
    quota: Cell<Option<u64>>,
    /// Files that must not be evicted: the columns that are shown.
    held: RefCell<BTreeSet<String>>,
    /// Why the last column was not kept.
    trouble: RefCell<Option<String>>,
}

impl Cache {
    pub async fn open() -> Self {
        let folder = opfs::folder().await.map_err(|error| error.to_string());
        let cache = Self {
            folder,
            manifest: RefCell::default(),
            catalog: RefCell::default(),
            quota: Cell::new(opfs::quota().await),
            held: RefCell::default(),
            trouble: RefCell::default(),
        };
        cache.repair().await;
        cache
    }

    /// Reads the lists again: another tab may have written them.
    pub async fn refresh(&self) {
        let Ok(folder) = &self.folder else { return };
        let manifest = opfs::read_text(folder, MANIFEST).await;
        if let Some(manifest) = manifest.as_deref().and_then(Manifest::from_json) {
            self.manifest.replace(manifest);
        }
        let catalog = opfs::read_text(folder, CATALOG).await;
        if let Some(catalog) = catalog.as_deref().and_then(Catalog::from_json) {
            self.catalog.replace(catalog);
        }
    }

    /// Makes the lists agree with the files, and removes what a crash left behind.
    async fn repair(&self) {
        let Ok(folder) = &self.folder else { return };
        self.refresh().await;
        let Ok(files) = opfs::sizes(folder).await else { return };
        let columns = files.into_iter().filter(|(file, _)| file.ends_with(COLUMN_FILE)).collect();
        let before = self.manifest.borrow().clone();
        let mut there = before.clone();
        let strays = there.reconcile(&columns);
        let mut found = Vec::new();
        for file in strays {
            // Whoever is still writing it holds its lock, and lets go when the file is whole.
            let Some(_lock) = lock::try_lock(&column::lock_name(&file)).await else { continue };
            match column::entry_of_file(folder, &file).await {
                Some(entry) => found.push((file, entry)),
                None => drop(opfs::remove(folder, &file).await),
            }
        }
        let is_gone = |file: &String, entry: &Entry| {
            before.entries.get(file) == Some(entry) && !there.entries.contains_key(file)
        };
        if !found.is_empty() || there != before {
            // What another tab has listed meanwhile stays.
            self.update(|manifest| {
                manifest.entries.retain(|file, entry| !is_gone(file, entry));
                for (file, entry) in found {
                    manifest.entries.entry(file).or_insert(entry);
                }
            })
            .await;
        }
    }

    /// Changes the list on disk, under a lock, from what is there now.
    async fn update(&self, change: impl FnOnce(&mut Manifest)) {
        let Ok(folder) = &self.folder else { return };
        let _lock = lock::lock("limn-manifest").await;
        let text = opfs::read_text(folder, MANIFEST).await;
        let on_disk = text.as_deref().and_then(Manifest::from_json);
        let mut manifest = on_disk.unwrap_or_else(|| self.manifest.borrow().clone());
        change(&mut manifest);
        if let Ok(text) = serde_json::to_string(&manifest) {
            self.note(opfs::write_text(folder, MANIFEST, &text).await.err());
        }
        self.manifest.replace(manifest);
    }

    async fn update_catalog(&self, change: impl FnOnce(&mut Catalog, &Manifest)) {
        let Ok(folder) = &self.folder else { return };
        let _lock = lock::lock("limn-catalog").await;
        let text = opfs::read_text(folder, CATALOG).await;
        let on_disk = text.as_deref().and_then(Catalog::from_json);
        let mut catalog = on_disk.unwrap_or_else(|| self.catalog.borrow().clone());
        change(&mut catalog, &self.manifest.borrow());
        if let Ok(text) = serde_json::to_string(&catalog) {
            self.note(opfs::write_text(folder, CATALOG, &text).await.err());
        }
        self.catalog.replace(catalog);
    }

    fn note(&self, error: Option<OpfsError>) {
        if let Some(error) = error {
            self.trouble.replace(Some(error.to_string()));
        }
    }

    fn budget_bytes(&self) -> u64 {
        let quota = self.quota.get().unwrap_or(u64::MAX);
        let set = self.manifest.borrow().budget_bytes;
        set.unwrap_or_else(|| BUDGET_MAX.min(quota / 2))
    }

    /// A column that is kept whole.
    pub fn entry(&self, file: &str) -> Option<Entry> {
        self.manifest.borrow().entries.get(file).cloned()
    }

    pub fn with_manifest<T>(&self, read: impl FnOnce(&Manifest) -> T) -> T {
        read(&self.manifest.borrow())
    }

    /// The files that stay whatever else must go.
    pub fn hold(&self, files: BTreeSet<String>) {
        self.held.replace(files);
    }

    /// Opens a kept column. A file that is not what its list says is removed: a miss.
    pub async fn read(&self, file: &str) -> Option<ColumnReader> {
        let folder = self.folder.as_ref().ok()?;
        match ColumnReader::open(folder, file).await {
            Ok(reader) => Some(reader),
            Err(OpfsError::Locked) => None,
            Err(_) => {
                self.discard(file).await;
                None
            }
        }
    }

    /// Removes a file that turned out to be damaged.
    pub async fn discard(&self, file: &str) {
        let Ok(folder) = &self.folder else { return };
        let _removed = opfs::remove(folder, file).await;
        self.update(|manifest| {
            manifest.entries.remove(file);
        })
        .await;
    }

    /// Begins to keep a column that is about to arrive; `None` where it cannot be kept,
    /// or another tab is at it. `bytes` is an estimate.
    pub async fn write(&self, file: &str, entry: Entry, bytes: u64) -> Option<ColumnWriter> {
        let folder = self.folder.as_ref().ok()?;
        if bytes > self.budget_bytes() {
            self.trouble.replace(Some(texts::storage::LARGER_THAN_CACHE.to_owned()));
            return None;
        }
        match ColumnWriter::create(folder, file, entry).await {
            Ok(writer) => writer,
            Err(error) => {
                self.note(Some(error));
                None
            }
        }
    }

    /// A column that is not kept after all; `error` says why, where something went wrong.
    /// Its room is free at once.
    pub async fn give_up(&self, writer: ColumnWriter, error: Option<OpfsError>) {
        self.note(error);
        if let Ok(folder) = &self.folder {
            writer.abandon(folder).await;
        }
    }

    /// Lists columns that are now whole, and makes room for them.
    pub async fn keep(&self, writers: Vec<ColumnWriter>, rows: u64) {
        let mut kept = Vec::new();
        for writer in writers {
            match writer.finish(rows) {
                Ok(done) => kept.push(done),
                Err(error) => self.note(Some(error)),
            }
        }
        if kept.is_empty() {
            return;
        }
        let fresh: BTreeSet<String> = kept.iter().map(|(file, _)| file.clone()).collect();
        self.update(|manifest| manifest.entries.extend(kept)).await;
        let held: BTreeSet<String> = self.held.borrow().union(&fresh).cloned().collect();
        self.make_room(&held).await;
    }

    /// Deletes what was used least recently until the budget holds.
    async fn make_room(&self, held: &BTreeSet<String>) {
        let budget = self.budget_bytes();
        let victims = self.manifest.borrow().evict(budget, 0, held);
        let victims = match victims {
            Some(victims) => victims,
            // Not even without all the others: then what is shown goes, oldest first.
            None => {
                self.trouble.replace(Some(texts::storage::LARGER_THAN_CACHE.to_owned()));
                self.manifest.borrow().evict(budget, 0, &BTreeSet::new()).unwrap_or_default()
            }
        };
        self.remove(victims).await;
    }

    async fn remove(&self, files: Vec<String>) {
        let Ok(folder) = &self.folder else { return };
        let mut removed = Vec::new();
        for file in files {
            // A file that another tab reads stays, and stays listed.
            if opfs::remove(folder, &file).await.is_ok() {
                removed.push(file);
            }
        }
        if !removed.is_empty() {
            self.update(|manifest| manifest.entries.retain(|file, _| !removed.contains(file)))
                .await;
        }
    }

    /// Notes that columns were used.
    pub async fn touch(&self, files: &[String]) {
        let now = unix_millis();
        self.update(|manifest| {
            for file in files {
                if let Some(entry) = manifest.entries.get_mut(file) {
                    entry.used_at = now;
                }
            }
        })
        .await;
    }

    /// Removes a version of a table, by the key that the list shows.
    pub async fn delete(&self, key: &str) {
        self.refresh().await;
        let files = self.manifest.borrow().files_of(key);
        self.remove(files).await;
    }

    pub async fn clear(&self) {
        self.refresh().await;
        let files = self.manifest.borrow().entries.keys().cloned().collect();
        self.remove(files).await;
        if let Ok(folder) = &self.folder {
            let _removed = opfs::remove(folder, CATALOG).await;
            self.catalog.replace(Catalog::default());
        }
        self.trouble.replace(None);
    }

    pub async fn set_budget(&self, bytes: u64) {
        self.update(|manifest| manifest.budget_bytes = Some(bytes)).await;
        let held = self.held.borrow().clone();
        self.make_room(&held).await;
    }

    /// What the page lists.
    pub async fn list(&self) -> Cached {
        self.refresh().await;
        let manifest = self.manifest.borrow();
        Cached {
            slices: manifest.slices(),
            used_bytes: manifest.used_bytes(),
            budget_bytes: self.budget_bytes(),
            unavailable: self.unavailable(),
        }
    }

    /// Why nothing (more) can be kept.
    pub fn unavailable(&self) -> Option<String> {
        match &self.folder {
            Err(reason) => Some(reason.clone()),
            Ok(_) => self.trouble.borrow().clone(),
        }
    }

    pub async fn remember_tables(&self, tables: &[TableInfo]) {
        self.update_catalog(|catalog, _| {
            catalog.tables = tables.to_vec();
            catalog.listed_at = Some(unix_millis());
        })
        .await;
    }

    pub async fn remember_table(&self, description: Description, versions: &[VersionInfo]) {
        let name = description.table.name.clone();
        self.update_catalog(|catalog, manifest| {
            catalog.describe(&name, description, versions, manifest);
        })
        .await;
    }

    pub fn with_catalog<T>(&self, read: impl FnOnce(&Catalog, &Manifest) -> T) -> T {
        read(&self.catalog.borrow(), &self.manifest.borrow())
    }
}
