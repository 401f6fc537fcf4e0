//! Where a table is written: its place in a lake, free or taken, and the store that takes it.

use std::path::Path as FsPath;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::discover::{self, TableSource};
use super::error::LakeError;
use super::source::Lake;
use super::spec::{LakeRoot, LakeSpec};
use super::{LakeOptions, Lakes, name, store};

/// A file of this name says that a folder is being written: it is no table until its log has a
/// commit. The writer's id follows, which stands in the names of its data files too.
pub(crate) const MARKER: &str = "_limn_writing-";

/// Where a table of some name would be, or is.
#[derive(Debug, Clone)]
pub struct Place {
    pub(crate) lake: Arc<Lake>,
    /// The public name, with the lake's prefix if it has one.
    pub(crate) name: String,
    pub(crate) root: Path,
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Whether a Delta table is there already.
    pub(crate) has_table: bool,
}

impl Place {
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl LakeSpec {
    /// A store at this place that takes writes; a folder is made if there is none.
    pub fn writable(&self, options: &LakeOptions) -> Result<Arc<dyn ObjectStore>, LakeError> {
        if let LakeRoot::Folder(folder) = &self.root {
            std::fs::create_dir_all(folder).map_err(|error| LakeError::Spec {
                spec: self.label(),
                reason: error.to_string(),
            })?;
        }
        store::open_writable(self, &options.store)
    }
}

impl Lakes {
    /// The first lake's store, if it takes writes at all.
    pub fn writable_first(&self) -> Option<Arc<dyn ObjectStore>> {
        self.lakes.first().and_then(|lake| lake.writable().ok())
    }

    /// The place of a table that is to be written: a name that is free, or with `overwrite` one
    /// of a Delta table.
    ///
    /// # Errors
    /// [`LakeError::Taken`] where something is there already that must not be replaced.
    pub async fn place(&self, table: &str, overwrite: bool) -> Result<Place, LakeError> {
        let path = name::check(table)?;
        if path.parts().any(|part| discover::is_partition(part.as_ref())) {
            // The folder that holds it would be taken for a partitioned table.
            let reason = "a part of it is key=value, which is the name of a partition";
            return Err(LakeError::Name { name: table.chars().take(200).collect(), reason });
        }
        let taken =
            |reason: &str| LakeError::Taken { name: table.to_owned(), reason: reason.into() };
        // The lake that the name is prefixed by, else the first without a name.
        let Some((lake, root)) = self.candidates(&path).into_iter().next() else {
            let names: Vec<_> = self.lakes.iter().filter_map(|lake| lake.name.clone()).collect();
            return Err(LakeError::Unwritable {
                table: table.to_owned(),
                reason: format!("name the lake too, as {}/{table}", names.join("/… or ")),
            });
        };
        let found = match discover::find(&lake, &root).await {
            Ok(source) => Some(source),
            Err(LakeError::NoTable { .. }) => None,
            Err(error) => return Err(error),
        };
        let has_table = match found {
            Some(TableSource::Delta { .. }) if overwrite => true,
            Some(TableSource::Delta { .. }) => {
                return Err(taken(
                    "a table of this name exists; give another name, or \"mode\": \"overwrite\"",
                ));
            }
            Some(_) => {
                return Err(taken(
                    "files of another format have this name, which cannot be overwritten",
                ));
            }
            None => false,
        };
        let store = lake.writable()?;
        if !has_table {
            check_free(&lake, &root, table).await?;
        }
        check_inside(&lake, &root, table)?;
        Ok(Place { name: lake.table_name(root.as_ref()), lake, root, store, has_table })
    }
}

/// Nothing may lie below a new table but what an ended writer left, nor may it lie in another.
async fn check_free(lake: &Lake, root: &Path, table: &str) -> Result<(), LakeError> {
    let taken = |reason: String| LakeError::Taken { name: table.to_owned(), reason };
    let itself = Path::from(lake.root_table.as_str());
    if let Ok(TableSource::Delta { root } | TableSource::Partitioned { root }) =
        discover::find(lake, &itself).await
        && root.is_root()
    {
        return Err(taken("the lake's own folder is a table".to_owned()));
    }
    let mut above = root.clone();
    while let Some(parent) = above.parent().filter(|parent| !parent.is_root()) {
        above = parent;
        if let Ok(TableSource::Delta { .. } | TableSource::Partitioned { .. }) =
            discover::find(lake, &above).await
        {
            return Err(taken(format!("table {:?} is in its way", above.as_ref())));
        }
    }
    let listed = lake.store().list(Some(root)).try_collect::<Vec<ObjectMeta>>().await;
    let listed = listed.map_err(|error| lake.access.store_error(table, root, error))?;
    let names: Vec<&str> = listed.iter().filter_map(|meta| meta.location.filename()).collect();
    let writers: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(MARKER)).collect();
    match names.iter().find(|name| !writers.iter().any(|writer| name.contains(writer))) {
        Some(file) => Err(taken(format!("a folder of this name holds {file:?}"))),
        None => Ok(()),
    }
}

/// A link on the way must not lead out of the lake.
fn check_inside(lake: &Lake, root: &Path, table: &str) -> Result<(), LakeError> {
    let LakeRoot::Folder(folder) = &lake.spec.root else { return Ok(()) };
    let outside = || LakeError::Name {
        name: table.chars().take(200).collect(),
        reason: "its folder leads out of the lake",
    };
    let Ok(inside) = std::fs::canonicalize(folder) else { return Ok(()) };
    let mut path = inside.clone();
    for part in root.parts() {
        path.push(FsPath::new(part.as_ref()));
        match std::fs::canonicalize(&path) {
            Ok(real) if real.starts_with(&inside) => {}
            Ok(_) => return Err(outside()),
            // A link that leads nowhere would be followed when it is written to.
            Err(_) if path.is_symlink() => return Err(outside()),
            Err(_) => break,
        }
    }
    Ok(())
}
