//! Turns the errors of stores and decoders into the lake's own, by what they mean for the table.

use std::error::Error;
use std::sync::Arc;

use object_store::path::Path;
use parquet::errors::ParquetError;

use super::error::{BadTable, LakeError};
use super::footer::FileChanged;
use super::source::Access;
use super::store;

impl Access {
    /// A failure of the store on a path of a table. An absent file is the table's fault: some
    /// log or listing named it.
    pub(crate) fn store_error(
        &self,
        table: &str,
        path: &Path,
        error: object_store::Error,
    ) -> LakeError {
        match error {
            object_store::Error::NotFound { .. } => {
                LakeError::bad(table, BadTable::MissingFile { file: path.to_string() })
            }
            object_store::Error::Precondition { .. } => changed(table, path),
            error => LakeError::Store {
                lake: self.label.clone(),
                failure: store::failure(&error),
                path: Some(path.to_string()),
                source: Arc::new(error),
            },
        }
    }

    /// A failure while a Parquet file is read: the store's where it is one, else the file's.
    pub(crate) fn parquet_error(&self, table: &str, path: &Path, error: ParquetError) -> LakeError {
        match error {
            ParquetError::External(source) => self.read_error(table, path, source),
            error => corrupt(table, path, &error),
        }
    }

    /// A failure while a file is read, wherever in the chain of causes the store's is.
    pub(crate) fn read_error(
        &self,
        table: &str,
        path: &Path,
        error: Box<dyn Error + Send + Sync>,
    ) -> LakeError {
        let error = match error.downcast::<object_store::Error>() {
            Ok(error) => return self.store_error(table, path, *error),
            Err(error) => error,
        };
        let mut next: Option<&(dyn Error + 'static)> = Some(error.as_ref());
        while let Some(current) = next {
            if let Some(known) = current.downcast_ref::<LakeError>() {
                return known.clone();
            }
            if current.is::<FileChanged>() {
                return changed(table, path);
            }
            match current.downcast_ref::<object_store::Error>() {
                Some(object_store::Error::NotFound { .. }) => {
                    return LakeError::bad(table, BadTable::MissingFile { file: path.to_string() });
                }
                Some(object_store::Error::Precondition { .. }) => return changed(table, path),
                Some(failed) => {
                    return LakeError::Store {
                        lake: self.label.clone(),
                        failure: store::failure(failed),
                        path: Some(path.to_string()),
                        source: Arc::from(error),
                    };
                }
                None => next = current.source(),
            }
        }
        corrupt(table, path, error.as_ref())
    }
}

fn corrupt(table: &str, path: &Path, error: &dyn Error) -> LakeError {
    let file = path.to_string();
    let reason = error.to_string();
    LakeError::bad(table, BadTable::CorruptFile { file, reason })
}

fn changed(table: &str, path: &Path) -> LakeError {
    LakeError::Changed { table: table.to_owned(), file: path.to_string() }
}
