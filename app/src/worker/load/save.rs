//! Keeping what arrives: while a load goes on, whole blocks of its columns are written to
//! their files; coded columns at the end, when all their texts are known. Only what is
//! complete is listed.

use std::rc::Rc;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use engine::ipc::encode::{Compression, Container, Encoder};
use wasm_bindgen_futures::spawn_local;

use crate::texts;
use crate::worker::cache::browser::Cache;
use crate::worker::cache::column::ColumnWriter;
use crate::worker::cache::opfs::OpfsError;
use crate::worker::resident::Resident;

/// The files of the columns of one load. What is not finished is given up.
pub struct Saver {
    cache: Rc<Cache>,
    saving: Vec<Saving>,
}

struct Saving {
    writer: ColumnWriter,
    encoder: Option<Encoder>,
    schema: Option<SchemaRef>,
    n_written: usize,
}

impl Drop for Saver {
    fn drop(&mut self) {
        let left = std::mem::take(&mut self.saving);
        left.into_iter().for_each(|saving| self.give_up(saving, None));
    }
}

impl Saver {
    pub fn new(cache: Rc<Cache>) -> Self {
        Self { cache, saving: Vec::new() }
    }

    pub fn add(&mut self, writer: ColumnWriter) {
        self.saving.push(Saving { writer, encoder: None, schema: None, n_written: 0 });
    }

    /// Writes one block that is not written yet; false where there is none. A column that
    /// cannot be written is given up.
    pub fn step(&mut self, resident: &Resident) -> bool {
        let next = self.saving.iter_mut().position(|saving| saving.has_next(resident));
        let Some(index) = next else { return false };
        let written = self.saving.get_mut(index).map(|saving| saving.write_next(resident));
        if let Some(Err(error)) = written {
            let saving = self.saving.remove(index);
            self.give_up(saving, Some(error));
        }
        true
    }

    fn give_up(&self, saving: Saving, error: Option<OpfsError>) {
        let cache = Rc::clone(&self.cache);
        spawn_local(async move { cache.give_up(saving.writer, error).await });
    }

    /// All blocks are written: completes and lists the files.
    pub async fn finish(mut self, rows: u64) {
        let mut writers = Vec::with_capacity(self.saving.len());
        for mut saving in std::mem::take(&mut self.saving) {
            match saving.write_end() {
                Ok(()) => writers.push(saving.writer),
                Err(error) => self.give_up(saving, Some(error)),
            }
        }
        self.cache.keep(writers, rows).await;
    }
}

impl Saving {
    fn has_next(&self, resident: &Resident) -> bool {
        let Some(column) = resident.column(self.writer.column()) else { return false };
        // Until the end a text may turn up that its codes have no room for.
        let is_settled = column.is_complete() || column.n_words().is_none();
        is_settled && (self.encoder.is_none() || self.n_written < column.blocks().len())
    }

    fn write_next(&mut self, resident: &Resident) -> Result<(), OpfsError> {
        let gone = || OpfsError::Other(texts::storage::COLUMN_GONE.to_owned());
        let column = resident.column(self.writer.column()).ok_or_else(gone)?;
        if self.encoder.is_none() {
            let schema = Arc::new(Schema::new(vec![column.field()]));
            let encoder = Encoder::new(&schema, Container::Stream, Compression::None);
            let encoder = encoder.map_err(encoding_failed)?;
            self.schema = Some(schema);
            self.encoder = Some(encoder);
        }
        let (Some(encoder), Some(schema)) = (self.encoder.as_mut(), self.schema.as_ref()) else {
            return Err(gone());
        };
        if let Some(block) = column.blocks().get(self.n_written) {
            let batch = RecordBatch::try_new(Arc::clone(schema), vec![Arc::clone(block)]);
            encoder.write(&batch.map_err(encoding_failed)?).map_err(encoding_failed)?;
            self.n_written += 1;
        }
        self.writer.write(&encoder.take())
    }

    fn write_end(&mut self) -> Result<(), OpfsError> {
        let never = || OpfsError::Other(texts::storage::NOTHING_CAME.to_owned());
        let end = self.encoder.take().ok_or_else(never)?.finish().map_err(encoding_failed)?;
        self.writer.write(&end)
    }
}

fn encoding_failed(error: impl std::fmt::Display) -> OpfsError {
    OpfsError::Other(error.to_string())
}
