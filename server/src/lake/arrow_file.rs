//! The schema of an Arrow IPC file or stream, read from its beginning.

use std::sync::Arc;

use arrow_schema::{Field, Schema};
use engine::ipc::error::IpcError;
use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::StreamDecoder;
use futures::StreamExt;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::error::{BadTable, LakeError};
use super::snapshot::bare_schema;
use super::source::Lake;
use crate::scan::physical::shown_field;

/// The columns of an IPC file or stream, as a table shows them.
pub(super) async fn schema(
    lake: &Lake,
    table: &str,
    meta: &ObjectMeta,
) -> Result<Arc<Schema>, LakeError> {
    let path = &meta.location;
    let store_error = |error| lake.access.store_error(table, path, error);
    let mut body = lake.store().get(path).await.map_err(store_error)?.into_stream();
    let mut decoder = StreamDecoder::new(DecodeLimits::default());
    while let Some(chunk) = body.next().await {
        let pushed = decoder.push(&chunk.map_err(store_error)?);
        if let Some(schema) = decoder.schema() {
            // What is wrong behind the schema is for the scan to tell.
            return Ok(Arc::new(shown_schema(schema)));
        }
        pushed.map_err(|error| corrupt(table, path.as_ref(), &error))?;
    }
    let error = decoder.finish().err().unwrap_or(IpcError::AlreadyFailed);
    Err(corrupt(table, path.as_ref(), &error))
}

fn shown_schema(schema: &Schema) -> Schema {
    let fields: Vec<Field> = schema.fields().iter().map(|field| shown_field(field)).collect();
    bare_schema(&Schema::new(fields))
}

fn corrupt(table: &str, file: &str, error: &IpcError) -> LakeError {
    let reason = error.to_string();
    LakeError::bad(table, BadTable::CorruptFile { file: file.to_owned(), reason })
}
