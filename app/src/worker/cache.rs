//! Columns kept in this browser, so that what was loaded once is there after a reload with
//! no network. One Arrow stream a column, so that columns are shared between loads, named
//! by the hash of its slice's key, with a [`trailer`] that makes it complete; [`manifest`]
//! lists them, [`catalog`] remembers the tables. These are pure; the others keep them in
//! the browser's private file system: `browser` (all of it), `column` (one file being
//! written or read), `opfs` and `lock` (what browsers offer).

pub mod catalog;
pub mod manifest;
pub mod trailer;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
pub mod column;
#[cfg(target_arch = "wasm32")]
pub mod lock;
#[cfg(target_arch = "wasm32")]
pub mod opfs;

use engine::query::{Query, Version};
use engine::slice::SliceKey;

/// How the files of columns end.
pub const COLUMN_FILE: &str = ".col";

/// The file of one whole column of a version of a table. Tables are told apart by uid, so
/// the name by which one is asked for does not matter.
pub fn column_file(uid: &str, version: Option<&Version>, column: &str) -> Option<String> {
    let columns = Some(vec![column.to_owned()]);
    let query = Query { columns, ..Query::of_table("") };
    let version = version.map(ToString::to_string).unwrap_or_default();
    let key = SliceKey::from_query(&query, uid, version).ok()?;
    Some(format!("{}{COLUMN_FILE}", key.hash()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_of_one_column_of_one_version() {
        let version = Version::Number(3);
        let file = column_file("u", Some(&version), "a");
        assert!(file.as_ref().is_some_and(|file| file.len() == 32 + COLUMN_FILE.len()));
        assert_eq!(column_file("u", Some(&version), "a"), file);
        for other in [
            column_file("u", Some(&version), "b"),
            column_file("u", Some(&Version::Number(4)), "a"),
            column_file("w", Some(&version), "a"),
        ] {
            assert_ne!(other, file);
        }
    }
}
