//! Every type in every form: what `arrow-ipc` writes we read, and the other way round.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{DataType, Schema};
use engine::ipc::encode::{Compression, Container, Encoder, encode_all};
use engine::ipc::file::{FileDecoder, TRAILER_BYTES, footer_len_from_trailer};
use engine::ipc::limits::DecodeLimits;
use engine::ipc::plain::{plain_batch, plain_schema};
use engine::ipc::stream::{StreamDecoder, decode_all};

use crate::samples::*;

fn decoded(bytes: Vec<u8>) -> Vec<RecordBatch> {
    decode_all(&Buffer::from_vec(bytes), DecodeLimits::default()).unwrap().batches
}

/// The whole, nothing, and pieces that start within a byte of the validity.
fn pieces(batch: &RecordBatch) -> Vec<RecordBatch> {
    [(0, N_ROWS), (0, 0), (3, 50), (8, 16), (97, 3)].map(|(at, n)| batch.slice(at, n)).to_vec()
}

#[test]
fn what_arrow_writes_reads_back() {
    for (name, column) in columns() {
        let batches = pieces(&batch_of(&[(name, column)]));
        for (form, options) in write_options() {
            // Runs are younger than version 4; what the writer makes of them it cannot read.
            let is_runs = matches!(batches[0].column(0).data_type(), DataType::RunEndEncoded(..));
            if is_runs && matches!(form, "version 4" | "before 0.15") {
                continue;
            }
            assert_eq!(
                decoded(foreign_stream(&batches, &options)),
                batches,
                "{name}, stream, {form}"
            );
            // A file's writer refuses pieces with dictionaries of their own; one is enough.
            let whole = &batches[..1];
            assert_eq!(decoded(foreign_file(whole, &options)), whole, "{name}, file, {form}");
        }
    }
}

#[test]
fn everything_at_once_reads_back() {
    let batch = batch_of_everything();
    let options = &write_options()[0].1;
    assert_eq!(
        decoded(foreign_stream(std::slice::from_ref(&batch), options)),
        std::slice::from_ref(&batch)
    );
    let read = decode_all(
        &Buffer::from_vec(foreign_file(std::slice::from_ref(&batch), options)),
        DecodeLimits::default(),
    )
    .unwrap();
    assert_eq!(read.schema, batch.schema(), "with the metadata of schema and fields");
    assert_eq!(read.batches, [batch]);
}

#[test]
fn what_we_write_arrow_reads() {
    for (name, column) in columns() {
        let batches = pieces(&batch_of(&[(name, column)]));
        let schema = Arc::new(plain_schema(&batches[0].schema()));
        let expected: Vec<RecordBatch> =
            batches.iter().map(|batch| plain_batch(batch, &schema, 1 << 20).unwrap()).collect();
        for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
            let encode = |container| {
                encode_all(&batches[0].schema(), &batches, container, compression).unwrap()
            };
            let stream = encode(Container::Stream);
            let reader = StreamReader::try_new(stream.as_slice(), None).unwrap();
            let read: Vec<RecordBatch> = reader.collect::<Result<_, _>>().unwrap();
            assert_eq!(read, expected, "{name}, stream, {compression:?}");
            assert_eq!(decoded(stream), expected, "{name}, stream, {compression:?}");

            let file = encode(Container::File);
            let reader = FileReader::try_new(Cursor::new(&file), None).unwrap();
            let read: Vec<RecordBatch> = reader.collect::<Result<_, _>>().unwrap();
            assert_eq!(read, expected, "{name}, file, {compression:?}");
            assert_eq!(decoded(file), expected, "{name}, file, {compression:?}");
        }
    }
}

/// Misaligned memory is copied where an array cannot live in it.
#[test]
fn chunks_may_lie_at_any_address() {
    let batch = batch_of_everything();
    let stream = foreign_stream(std::slice::from_ref(&batch), &write_options()[1].1);
    for n_shift in [1, 2, 4, 7] {
        let shifted = [vec![0; n_shift], stream.clone()].concat();
        let shifted = Buffer::from_vec(shifted).slice(n_shift);
        let read = decode_all(&shifted, DecodeLimits::default()).unwrap();
        assert_eq!(read.batches, std::slice::from_ref(&batch), "{n_shift} bytes off");
    }
}

#[test]
fn rows_without_columns_keep_their_number() {
    let options = RecordBatchOptions::new().with_row_count(Some(1234));
    let batch =
        RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    for container in [Container::Stream, Container::File] {
        let bytes =
            encode_all(&batch.schema(), std::slice::from_ref(&batch), container, Compression::None)
                .unwrap();
        assert_eq!(decoded(bytes), std::slice::from_ref(&batch));
    }
}

#[test]
fn a_schema_alone_is_whole() {
    let schema = batch_of_everything().schema();
    for container in [Container::Stream, Container::File] {
        let bytes = encode_all(&schema, &[], container, Compression::Lz4).unwrap();
        let read = decode_all(&Buffer::from_vec(bytes), DecodeLimits::default()).unwrap();
        assert_eq!(*read.schema, plain_schema(&schema));
        assert!(read.batches.is_empty());
    }
}

/// Each column alone, out of a batch of all, in any order.
#[test]
fn columns_can_be_chosen() {
    let batch = batch_of_everything();
    let stream = foreign_stream(std::slice::from_ref(&batch), &write_options()[4].1);
    let n_columns = batch.num_columns();
    for idx in 0..n_columns {
        let indices = [idx, (idx * 5 + 3) % n_columns];
        let names = indices.map(|idx| batch.schema().field(idx).name().clone()).to_vec();
        let mut decoder = StreamDecoder::new(DecodeLimits::default()).with_columns(names);
        let read = decoder.push(&stream).unwrap();
        assert_eq!(read, [batch.project(&indices).unwrap()]);
        decoder.finish().unwrap();
    }
    let mut decoder =
        StreamDecoder::new(DecodeLimits::default()).with_columns(vec!["absent".to_owned()]);
    let error = decoder.push(&stream).unwrap_err().to_string();
    assert_eq!(error, "schema: no column \"absent\"");
}

/// The footer leads to every batch, in any order, without what lies between.
#[test]
fn a_file_reads_by_its_footer() {
    let batches: Vec<RecordBatch> = pieces(&batch_of_everything())
        .into_iter()
        .map(|batch| {
            let schema = Arc::new(plain_schema(&batch.schema()));
            plain_batch(&batch, &schema, 1 << 20).unwrap()
        })
        .collect();
    for compression in [Compression::None, Compression::Zstd] {
        let file =
            encode_all(&batches[0].schema(), &batches, Container::File, compression).unwrap();
        let limits = DecodeLimits::default();
        let n_footer =
            footer_len_from_trailer(&file[file.len() - TRAILER_BYTES..], &limits).unwrap();
        let end = file.len() - TRAILER_BYTES;
        let footer = &file[end - n_footer..end];
        let mut decoder = FileDecoder::new(footer, file.len() as u64, None, limits).unwrap();
        let bytes = |block: engine::ipc::file::Block| {
            let start = block.offset as usize;
            Buffer::from(&file[start..start + block.n_bytes])
        };
        for block in decoder.dictionary_blocks().to_vec() {
            decoder.read_dictionary(&bytes(block)).unwrap();
        }
        let blocks = decoder.batch_blocks().to_vec();
        assert_eq!(blocks.len(), batches.len());
        for (block, batch) in blocks.iter().zip(&batches).rev() {
            assert_eq!(decoder.read_batch(*block, &bytes(*block)).unwrap(), *batch);
        }
    }
}

/// What a stream says can be sent before its last batch is known.
#[test]
fn an_encoder_gives_its_bytes_in_pieces() {
    let batch = small_batch();
    for container in [Container::Stream, Container::File] {
        let mut encoder = Encoder::new(&batch.schema(), container, Compression::None).unwrap();
        let mut pieces = vec![encoder.take()];
        assert!(!pieces[0].is_empty(), "the schema comes first");
        for at in 0..3 {
            encoder.write(&batch.slice(at, 4)).unwrap();
            pieces.push(encoder.take());
            assert!(encoder.take().is_empty());
        }
        pieces.push(encoder.finish().unwrap());
        let mut decoder = StreamDecoder::new(DecodeLimits::default());
        let n_batches: Vec<usize> =
            pieces.iter().map(|piece| decoder.push(piece).unwrap().len()).collect();
        let expected = match container {
            Container::Stream => [0, 1, 1, 1, 0],
            // A file's dictionaries come last, and its batches are nothing without them.
            Container::File => [0, 0, 0, 0, 3],
        };
        assert_eq!(n_batches, expected);
        decoder.finish().unwrap();
    }
}

#[test]
fn a_batch_of_another_schema_is_not_written() {
    let batch = small_batch();
    let mut encoder = Encoder::new(&batch.schema(), Container::Stream, Compression::None).unwrap();
    let error = encoder.write(&batch.project(&[1, 0]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("another schema"), "{error}");
}
