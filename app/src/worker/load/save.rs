//! Keeping what arrives: while a load goes on, whole blocks of its columns are written to
//! their files; coded columns at the end, when all their texts are known. Only what is
//! complete is listed.

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use engine::ipc::encode::{Compression, Container, Encoder};
use std::rc::Rc;
use std::sync::Arc;

use crate::worker::cache::browser::Cache;
use crate::worker::cache::column::ColumnWriter;
use crate::worker::resident::Resident;

/// The files of the columns of one load.
#[derive(Default)]
pub struct Saver {
    saving: Vec<Saving>,
}

struct Saving {
    writer: ColumnWriter,
    encoder: Option<Encoder>,
    schema: Option<SchemaRef>,
    n_written: usize,
}

impl Saver {
    pub fn add(&mut self, writer: ColumnWriter) {
        self.saving.push(Saving { writer, encoder: None, schema: None, n_written: 0 });
    }

    /// Writes one block that is not written yet; false where there is none. A column that
    /// cannot be written is given up.
    pub fn step(&mut self, resident: &Resident) -> bool {
        let next = self.saving.iter_mut().position(|saving| saving.has_next(resident));
        let Some(index) = next else { return false };
        let written = self.saving.get_mut(index).map(|saving| saving.write_next(resident));
        if !matches!(written, Some(Some(()))) {
            self.saving.remove(index);
        }
        true
    }

    /// All blocks are written: completes and lists the files.
    pub async fn finish(self, cache: &Rc<Cache>, rows: u64) {
        let mut writers = Vec::with_capacity(self.saving.len());
        for mut saving in self.saving {
            let Some(encoder) = saving.encoder.take() else { continue };
            let Ok(end) = encoder.finish() else { continue };
            if saving.writer.write(&end).is_ok() {
                writers.push(saving.writer);
            }
        }
        cache.keep(writers, rows).await;
    }
}

impl Saving {
    fn has_next(&self, resident: &Resident) -> bool {
        let Some(column) = resident.column(self.writer.column()) else { return false };
        // Until the end a text may turn up that its codes have no room for.
        let is_settled = column.is_complete() || column.n_words().is_none();
        is_settled && (self.encoder.is_none() || self.n_written < column.blocks().len())
    }

    fn write_next(&mut self, resident: &Resident) -> Option<()> {
        let column = resident.column(self.writer.column())?;
        if self.encoder.is_none() {
            let schema = Arc::new(Schema::new(vec![column.field()]));
            let encoder = Encoder::new(&schema, Container::Stream, Compression::None).ok()?;
            self.schema = Some(schema);
            self.encoder = Some(encoder);
        }
        let (encoder, schema) = (self.encoder.as_mut()?, self.schema.as_ref()?);
        if let Some(block) = column.blocks().get(self.n_written) {
            let batch = RecordBatch::try_new(Arc::clone(schema), vec![Arc::clone(block)]).ok()?;
            encoder.write(&batch).ok()?;
            self.n_written += 1;
        }
        self.writer.write(&encoder.take()).ok()
    }
}
