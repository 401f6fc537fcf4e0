//! The file format, with its dictionaries after the batches: only then are they whole, and
//! a file may neither replace one nor, for some readers, extend it. The footer says where
//! they are.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::RecordBatch;
use arrow_ipc as fb;
use arrow_ipc::convert::IpcSchemaEncoder;
use arrow_ipc::writer::{
    DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteContext, IpcWriteOptions,
    write_message,
};
use arrow_schema::{DataType, SchemaRef};
use flatbuffers::FlatBufferBuilder;

use crate::ipc::error::IpcError;
use crate::ipc::file::MAGIC;
use crate::ipc::message::bad_flatbuffer;
use crate::ipc::unify::{DictionaryUnifier, is_unifiable};

/// Bytes before the first message; what follows is aligned to as many.
const HEADER_BYTES: usize = 64;
const END_MARKER: [u8; 8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];

pub(super) struct FileWriter {
    schema: SchemaRef,
    options: IpcWriteOptions,
    generator: IpcDataGenerator,
    tracker: DictionaryTracker,
    context: IpcWriteContext,
    unifier: DictionaryUnifier,
    /// The dictionaries as they stand, by id; those inside others have lower ids.
    dictionaries: BTreeMap<i64, EncodedData>,
    /// Those that each batch extends; the others must never change.
    extended: BTreeSet<i64>,
    blocks: Vec<fb::Block>,
    pub(super) output: Vec<u8>,
    n_taken: usize,
}

impl FileWriter {
    pub(super) fn new(schema: &SchemaRef, options: IpcWriteOptions) -> Result<Self, IpcError> {
        let generator = IpcDataGenerator::default();
        let mut tracker = DictionaryTracker::new(false);
        let message =
            generator.schema_to_bytes_with_dictionary_tracker(schema, &mut tracker, &options);
        let extended = extended_dictionaries(schema, &message)?;
        let mut output = MAGIC.to_vec();
        output.resize(HEADER_BYTES, 0);
        write_message(&mut output, message, &options).map_err(IpcError::Encode)?;
        Ok(Self {
            schema: SchemaRef::clone(schema),
            options,
            generator,
            tracker,
            context: IpcWriteContext::default(),
            unifier: DictionaryUnifier::default(),
            dictionaries: BTreeMap::new(),
            extended,
            blocks: Vec::new(),
            output,
            n_taken: 0,
        })
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        self.n_taken += self.output.len();
        std::mem::take(&mut self.output)
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), IpcError> {
        let batch = self.unifier.unify(batch)?;
        let (dictionaries, message) = self
            .generator
            .encode(&batch, &mut self.tracker, &self.options, &mut self.context)
            .map_err(IpcError::Encode)?;
        for dictionary in dictionaries {
            let id = dictionary_id(&dictionary)?;
            let known = self.dictionaries.insert(id, dictionary);
            if known.is_some() && !self.extended.contains(&id) {
                let feature = "a nested dictionary that changes between batches";
                return Err(IpcError::unsupported("arrow file", feature));
            }
        }
        let block = self.append(message)?;
        self.blocks.push(block);
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), IpcError> {
        let mut dictionary_blocks = Vec::with_capacity(self.dictionaries.len());
        for dictionary in std::mem::take(&mut self.dictionaries).into_values() {
            dictionary_blocks.push(self.append(dictionary)?);
        }
        self.output.extend_from_slice(&END_MARKER);
        let footer = self.footer(&dictionary_blocks);
        let n_bytes = i32::try_from(footer.len())
            .map_err(|_| IpcError::unsupported("arrow file", "a footer of over 2 GiB"))?;
        self.output.extend_from_slice(&footer);
        self.output.extend_from_slice(&n_bytes.to_le_bytes());
        self.output.extend_from_slice(MAGIC);
        Ok(())
    }

    fn append(&mut self, message: EncodedData) -> Result<fb::Block, IpcError> {
        let offset = self.n_taken + self.output.len();
        let (n_metadata, n_body) =
            write_message(&mut self.output, message, &self.options).map_err(IpcError::Encode)?;
        Ok(fb::Block::new(offset as i64, n_metadata as i32, n_body as i64))
    }

    fn footer(&self, dictionaries: &[fb::Block]) -> Vec<u8> {
        let mut fbb = FlatBufferBuilder::new();
        let dictionaries = fbb.create_vector(dictionaries);
        let batches = fbb.create_vector(&self.blocks);
        // Dictionaries are numbered again in the same order.
        let mut tracker = DictionaryTracker::new(false);
        let schema = IpcSchemaEncoder::new()
            .with_dictionary_tracker(&mut tracker)
            .schema_to_fb_offset(&mut fbb, &self.schema);
        let mut footer = fb::FooterBuilder::new(&mut fbb);
        footer.add_version(fb::MetadataVersion::V5);
        footer.add_schema(schema);
        footer.add_dictionaries(dictionaries);
        footer.add_recordBatches(batches);
        let footer = footer.finish();
        fbb.finish(footer, None);
        fbb.finished_data().to_vec()
    }
}

/// The ids of dictionaries that the unifier makes one: those of columns, not of their
/// children.
fn extended_dictionaries(
    schema: &SchemaRef,
    message: &EncodedData,
) -> Result<BTreeSet<i64>, IpcError> {
    let message = parse(message)?;
    let written = message.header_as_schema().and_then(|schema| schema.fields());
    let ids = written.into_iter().flat_map(|fields| fields.iter());
    let ids = ids.map(|field| field.dictionary().map(|dictionary| dictionary.id()));
    let is_extended = |data_type: &DataType| match data_type {
        DataType::Dictionary(_, values) => is_unifiable(values),
        _ => false,
    };
    let fields = schema.fields().iter();
    Ok(ids
        .zip(fields)
        .filter(|(_, field)| is_extended(field.data_type()))
        .filter_map(|(id, _)| id)
        .collect())
}

fn dictionary_id(message: &EncodedData) -> Result<i64, IpcError> {
    let id = parse(message)?.header_as_dictionary_batch().map(|dictionary| dictionary.id());
    id.ok_or_else(|| IpcError::malformed("message", "not a dictionary"))
}

fn parse(message: &EncodedData) -> Result<fb::Message<'_>, IpcError> {
    fb::root_as_message(&message.ipc_message).map_err(|error| bad_flatbuffer("message", error))
}
