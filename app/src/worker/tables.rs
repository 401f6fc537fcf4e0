//! The list of tables and what each is, from the companion, or without it from what is
//! remembered. Every load starts with a description, which pins the version.

use std::cell::RefCell;
use std::rc::Rc;

use engine::error::nearest_name;
use engine::query::Version;

use crate::protocol::{ColumnInfo, Level, Origin, Reply, TableInfo, VersionInfo};
use crate::texts;
use crate::worker::cache::catalog::Description;
use crate::worker::companion::{TableJson, TableList, VersionList};
use crate::worker::files;
use crate::worker::host::{Host, notice, post};
use crate::worker::net::{Ask, Cancel, NetError, encoded, get_json, is_offline};
use crate::worker::turn::unix_millis;

/// How long the companion may think before what is kept here is shown instead.
const PATIENCE_MILLIS: i32 = 20_000;
/// Descriptions of this session; old ones go.
const HEARD_MAX: usize = 64;

/// What was heard in this session.
#[derive(Default)]
pub struct Tables {
    heard: RefCell<Vec<Described>>,
}

/// A table at one version, and where that was learnt.
#[derive(Debug, Clone)]
pub struct Described {
    pub table: TableInfo,
    pub uid: String,
    pub columns: Vec<ColumnInfo>,
    pub origin: Origin,
}

impl Described {
    /// The column of this name, or a message that names the nearest.
    pub fn column(&self, name: &str) -> Result<(u32, &ColumnInfo), String> {
        let found = (0..).zip(&self.columns).find(|(_, column)| column.name == name);
        found.ok_or_else(|| {
            let names = self.columns.iter().map(|column| column.name.as_str());
            let near = nearest_name(name, names);
            texts::loading::no_column(name, &self.table.name, near.as_deref())
        })
    }
}

impl Tables {
    fn remember(&self, described: Described) {
        let mut heard = self.heard.borrow_mut();
        heard.retain(|old| {
            old.table.name != described.table.name || old.table.version != described.table.version
        });
        heard.push(described);
        if heard.len() > HEARD_MAX {
            heard.remove(0);
        }
    }

    /// What is known of a pinned version without asking again.
    pub fn of_version(&self, table: &str, version: &Version) -> Option<Described> {
        let heard = self.heard.borrow();
        let same = |old: &&Described| {
            old.table.name == table && old.table.version.as_ref() == Some(version)
        };
        heard.iter().find(same).cloned()
    }
}

/// Answers `ListTables`.
pub async fn list(host: Rc<Host>) {
    match list_of_companion(&host).await {
        Ok(tables) => post(&Reply::Tables { tables, origin: Origin::Server }),
        Err(error) => {
            if !error.is_offline() {
                notice(Level::Error, texts::loading::tables_not_listed(&error.to_string()));
            }
            let cache = host.cache.get().await;
            cache.refresh().await;
            let tables = cache.with_catalog(|catalog, manifest| catalog.tables_offline(manifest));
            post(&Reply::Tables { tables, origin: Origin::Cache });
        }
    }
}

async fn list_of_companion(host: &Rc<Host>) -> Result<Vec<TableInfo>, NetError> {
    let api = reachable_api(host)?;
    let ask = Ask::get(format!("{api}/api/tables")).within(PATIENCE_MILLIS);
    let list: TableList = get_json(&ask, &Cancel::default()).await?;
    let mut tables: Vec<TableInfo> = list.tables.iter().map(TableJson::info).collect();
    // The cache may still be opening; the list does not wait for it.
    if let Some(cache) = host.cache.now() {
        cache.with_manifest(|manifest| {
            let kept = manifest.tables();
            for table in &mut tables {
                table.cached = kept.contains(table.name.as_str());
            }
        });
        cache.remember_tables(&tables).await;
    } else {
        let (host, tables) = (Rc::clone(host), tables.clone());
        wasm_bindgen_futures::spawn_local(async move {
            host.cache.get().await.remember_tables(&tables).await;
        });
    }
    Ok(tables)
}

/// The companion's origin, unless there is none or no network.
pub fn reachable_api(host: &Host) -> Result<String, NetError> {
    let unreachable = |detail: &str| NetError::Unreachable { detail: detail.to_owned() };
    let api = host.api().ok_or_else(|| unreachable(texts::loading::NO_COMPANION))?;
    // A companion on this machine answers without a network.
    if is_offline() && !is_local(&api) {
        return Err(unreachable(texts::loading::NO_NETWORK));
    }
    Ok(api)
}

fn is_local(api: &str) -> bool {
    let host = api.split("://").nth(1).unwrap_or(api);
    ["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local))
}

/// Answers `Describe`.
pub async fn describe(host: Rc<Host>, table: String, version: Option<Version>) {
    match described(&host, &table, version.as_ref()).await {
        Ok(found) => {
            let versions = versions_of(&host, &found).await;
            let Described { table, columns, origin, .. } = found;
            post(&Reply::Described { table, columns, versions, origin });
        }
        Err(detail) => {
            // An answer all the same, so that the page waits no longer.
            let table = unknown_table(table, version, detail);
            let (columns, versions) = (Vec::new(), Vec::new());
            let origin = Origin::Cache;
            post(&Reply::Described { table, columns, versions, origin });
        }
    }
}

fn unknown_table(name: String, version: Option<Version>, detail: String) -> TableInfo {
    TableInfo {
        name,
        format: String::new(),
        version,
        rows: None,
        bytes: None,
        column_count: 0,
        error: Some(detail),
        cached: false,
    }
}

/// What a table is at a version, or at its newest.
pub async fn described(
    host: &Rc<Host>,
    table: &str,
    version: Option<&Version>,
) -> Result<Described, String> {
    if files::is_ours(table) {
        return match files::described(host, table, version).await {
            Ok(found) => Ok(found),
            Err(refusal) if refusal.is_unreachable => {
                let kept = described_by_cache(host, table, version).await;
                kept.ok_or(refusal.detail)
            }
            Err(refusal) => Err(refusal.detail),
        };
    }
    match described_by_companion(host, table, version).await {
        Ok(found) => Ok(found),
        Err(error) if error.is_offline() => described_by_cache(host, table, version)
            .await
            .ok_or_else(|| texts::loading::nothing_kept(&error.to_string(), table)),
        Err(error) => Err(error.to_string()),
    }
}

async fn described_by_companion(
    host: &Rc<Host>,
    table: &str,
    version: Option<&Version>,
) -> Result<Described, NetError> {
    let api = reachable_api(host)?;
    let mut url = format!("{api}/api/tables/{}", encoded(table));
    if let Some(version) = version {
        url = format!("{url}?version={}", encoded(&version.to_string()));
    }
    let cancel = Cancel::default();
    let told: TableJson = get_json(&Ask::get(url).within(PATIENCE_MILLIS), &cancel).await?;
    let (mut info, uid) = (told.info(), told.uid(&api));
    // Asked for by this name, it is known by this name.
    info.name = table.to_owned();
    if let Some(cache) = host.cache.now() {
        info.cached = cache.with_manifest(|manifest| {
            !manifest.columns_of(table, info.version.as_ref()).is_empty()
        });
    }
    let columns = told.columns();
    let origin = Origin::Server;
    let found = Described { table: info, uid, columns, origin };
    host.tables.remember(found.clone());
    Ok(found)
}

async fn described_by_cache(
    host: &Rc<Host>,
    table: &str,
    version: Option<&Version>,
) -> Option<Described> {
    let cache = host.cache.get().await;
    cache.refresh().await;
    let found =
        cache.with_catalog(|catalog, manifest| catalog.description(table, version, manifest))?;
    let Description { table, uid, columns, .. } = found;
    Some(Described { table, uid, columns, origin: Origin::Cache })
}

/// The versions of a table, as far as they can be had; remembers all that was told.
async fn versions_of(host: &Rc<Host>, described: &Described) -> Vec<VersionInfo> {
    let name = &described.table.name;
    if let Origin::File | Origin::Address = described.origin {
        return host.files.versions(name);
    }
    if described.origin == Origin::Cache {
        let cache = host.cache.get().await;
        return cache.with_catalog(|catalog, _| catalog.versions(name));
    }
    let versions = match reachable_api(host) {
        Err(_) => Vec::new(),
        Ok(api) => {
            let url = format!("{api}/api/tables/{}/versions", encoded(name));
            let ask = Ask::get(url).within(PATIENCE_MILLIS);
            let list: Result<VersionList, NetError> = get_json(&ask, &Cancel::default()).await;
            list.map(|list| list.versions).unwrap_or_default()
        }
    };
    remember(host, described, versions.clone());
    versions
}

/// Keeps a description for the time without a network.
pub fn remember(host: &Rc<Host>, described: &Described, versions: Vec<VersionInfo>) {
    if !matches!(described.origin, Origin::Server | Origin::Address) {
        return;
    }
    let description = Description {
        table: described.table.clone(),
        uid: described.uid.clone(),
        columns: described.columns.clone(),
        saved_at: unix_millis(),
    };
    let host = Rc::clone(host);
    wasm_bindgen_futures::spawn_local(async move {
        host.cache.get().await.remember_table(description, &versions).await;
    });
}
