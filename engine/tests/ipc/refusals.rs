//! What is refused, and in which words.

use arrow_buffer::Buffer;
use arrow_ipc as fb;
use engine::ipc::error::IpcError;
use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::decode_all;
use flatbuffers::FlatBufferBuilder;

use crate::samples::*;

fn refusal(bytes: &[u8], limits: DecodeLimits) -> String {
    decode_all(&Buffer::from(bytes), limits).unwrap_err().to_string()
}

#[test]
fn other_formats_are_named() {
    for (bytes, message) in [
        (&b"PAR1 and so on"[..], "not an arrow ipc stream or file: a parquet file"),
        (b"FEA1....", "not an arrow ipc stream or file: a feather file of version 1"),
        (&[0x1F, 0x8B, 8, 0, 0], "not an arrow ipc stream or file: a gzip file"),
        (
            b"a,b,c\n1,2,3\n",
            "not an arrow ipc stream or file: it starts with the bytes [61, 2c, 62, 2c]",
        ),
        (b"ARROWHEAD", "not an arrow ipc stream or file: after ARRO come [57, 48, 45, 41]"),
        (b"", "the arrow data is cut short: there are no bytes at all"),
        (&[0; 16], "stream: it ends before its schema"),
        (&[255, 255, 255, 255, 0, 0, 0, 0], "stream: it ends before its schema"),
    ] {
        assert_eq!(refusal(bytes, DecodeLimits::default()), message);
    }
}

#[test]
fn every_limit_is_kept() {
    let batch = batch_of_everything();
    let bytes = foreign_stream(&[batch], &write_options()[4].1);
    let all = DecodeLimits::default();
    let too_large = |limits| {
        let error = decode_all(&Buffer::from(bytes.as_slice()), limits).unwrap_err();
        assert!(matches!(error, IpcError::TooLarge { .. }), "{error}");
        error.to_string()
    };
    for (limits, words) in [
        (DecodeLimits { metadata_bytes_max: 100, ..all }, "the metadata of a message in bytes"),
        (DecodeLimits { body_bytes_max: 100, ..all }, "the body of a message in bytes"),
        (DecodeLimits { decoded_bytes_max: 8000, ..all }, "the decoded size of a batch in bytes"),
        (DecodeLimits { columns_max: 10, ..all }, "the number of fields"),
        (DecodeLimits { depth_max: 2, ..all }, "the depth of nested fields"),
        (DecodeLimits { rows_max: 99, ..all }, "the number of rows of a batch"),
    ] {
        assert!(too_large(limits).starts_with(words), "{}", too_large(limits));
    }
}

/// Rows that no bytes stand behind are believed up to a limit only.
#[test]
fn rows_of_nothing_are_limited() {
    let nothing = || columns().into_iter().find(|(name, _)| *name == "null").unwrap();
    let number = || columns().into_iter().find(|(name, _)| *name == "int8").unwrap();
    let limits = DecodeLimits { rows_unbacked_max: 50, ..DecodeLimits::default() };
    let options = &write_options()[0].1;
    let alone = foreign_stream(&[batch_of(&[nothing()])], options);
    assert_eq!(
        refusal(&alone, limits),
        "the number of rows without data is 100, over the limit of 50"
    );
    let beside = foreign_stream(&[batch_of(&[nothing(), number()])], options);
    decode_all(&Buffer::from_vec(beside), limits).unwrap();
}

/// A stream of one schema message with one field, made by hand.
fn stream_of_field<'a>(
    build: impl FnOnce(
        &mut FlatBufferBuilder<'a>,
    ) -> (fb::Type, flatbuffers::WIPOffset<flatbuffers::UnionWIPOffset>),
    endianness: fb::Endianness,
    version: fb::MetadataVersion,
) -> Vec<u8> {
    let mut fbb = FlatBufferBuilder::new();
    let name = fbb.create_string("odd");
    let (type_type, type_) = build(&mut fbb);
    let mut field = fb::FieldBuilder::new(&mut fbb);
    field.add_name(name);
    field.add_type_type(type_type);
    field.add_type_(type_);
    let field = field.finish();
    let fields = fbb.create_vector(&[field]);
    let mut schema = fb::SchemaBuilder::new(&mut fbb);
    schema.add_fields(fields);
    schema.add_endianness(endianness);
    let schema = schema.finish();
    let mut message = fb::MessageBuilder::new(&mut fbb);
    message.add_version(version);
    message.add_header_type(fb::MessageHeader::Schema);
    message.add_header(schema.as_union_value());
    let message = message.finish();
    fbb.finish(message, None);
    let metadata = fbb.finished_data();
    let length = (metadata.len() as u32).to_le_bytes();
    [&[0xFF; 4], &length[..], metadata, &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]].concat()
}

type Built = (fb::Type, flatbuffers::WIPOffset<flatbuffers::UnionWIPOffset>);

fn int(fbb: &mut FlatBufferBuilder<'_>, n_bits: i32) -> Built {
    let mut int = fb::IntBuilder::new(fbb);
    int.add_bitWidth(n_bits);
    int.add_is_signed(true);
    (fb::Type::Int, int.finish().as_union_value())
}

fn decimal(fbb: &mut FlatBufferBuilder<'_>, precision: i32, scale: i32, n_bits: i32) -> Built {
    let mut decimal = fb::DecimalBuilder::new(fbb);
    decimal.add_precision(precision);
    decimal.add_scale(scale);
    decimal.add_bitWidth(n_bits);
    (fb::Type::Decimal, decimal.finish().as_union_value())
}

#[test]
fn types_that_cannot_be_are_refused() {
    use fb::{Endianness, MetadataVersion, Type};
    let refused = |build: &dyn Fn(&mut FlatBufferBuilder<'_>) -> Built| {
        let stream = stream_of_field(|fbb| build(fbb), Endianness::Little, MetadataVersion::V5);
        refusal(&stream, DecodeLimits::default())
    };
    let column = "column \"odd\": ";
    for (message, expected) in [
        (refused(&|fbb| int(fbb, 24)), "this form of type Int is not supported"),
        (
            refused(&|fbb| decimal(fbb, 300, 0, 128)),
            "a decimal's precision or scale is out of range",
        ),
        (
            refused(&|fbb| decimal(fbb, 39, 0, 128)),
            "Invalid argument error: precision 39 is greater than max 38",
        ),
        (refused(&|fbb| decimal(fbb, 10, 0, 96)), "this form of type Decimal is not supported"),
        (
            refused(&|fbb| (Type::List, fb::ListBuilder::new(fbb).finish().as_union_value())),
            "a list must have one child",
        ),
        (
            refused(&|fbb| (Type::Map, fb::MapBuilder::new(fbb).finish().as_union_value())),
            "a map must have one child",
        ),
        (
            refused(&|fbb| {
                let mut binary = fb::FixedSizeBinaryBuilder::new(fbb);
                binary.add_byteWidth(-1);
                (Type::FixedSizeBinary, binary.finish().as_union_value())
            }),
            "a negative size",
        ),
        (
            refused(&|fbb| {
                (Type::RunEndEncoded, fb::RunEndEncodedBuilder::new(fbb).finish().as_union_value())
            }),
            "run-end encoding must have two children",
        ),
        (
            refused(&|fbb| (Type(99), fb::NullBuilder::new(fbb).finish().as_union_value())),
            "this form of type 99 is not supported",
        ),
    ] {
        assert_eq!(message, format!("{column}{expected}"));
    }
}

#[test]
fn foreign_machines_and_ancient_versions_are_refused() {
    use fb::{Endianness, MetadataVersion};
    let of = |endianness, version| stream_of_field(|fbb| int(fbb, 32), endianness, version);
    let limits = DecodeLimits::default();
    let fine = of(Endianness::Little, MetadataVersion::V4);
    decode_all(&Buffer::from_vec(fine), limits).unwrap();
    assert_eq!(
        refusal(&of(Endianness::Big, MetadataVersion::V5), limits),
        "schema: big-endian data is not supported"
    );
    assert_eq!(
        refusal(&of(Endianness::Little, MetadataVersion::V2), limits),
        "message: metadata version V2 is not supported"
    );
}

/// Fields that share their bytes could stand for a schema a thousand times the size.
#[test]
fn metadata_that_folds_onto_itself_is_refused() {
    let mut fbb = FlatBufferBuilder::new();
    let name = fbb.create_string(&"n".repeat(1000));
    let mut children: Option<flatbuffers::WIPOffset<_>> = None;
    for _ in 0..6 {
        let type_ = fb::Struct_Builder::new(&mut fbb).finish().as_union_value();
        let mut field = fb::FieldBuilder::new(&mut fbb);
        field.add_name(name);
        field.add_type_type(fb::Type::Struct_);
        field.add_type_(type_);
        if let Some(children) = children {
            field.add_children(children);
        }
        let field = field.finish();
        children = Some(fbb.create_vector(&[field; 10]));
    }
    let mut schema = fb::SchemaBuilder::new(&mut fbb);
    schema.add_fields(children.unwrap());
    let schema = schema.finish();
    let mut message = fb::MessageBuilder::new(&mut fbb);
    message.add_version(fb::MetadataVersion::V5);
    message.add_header_type(fb::MessageHeader::Schema);
    message.add_header(schema.as_union_value());
    let message = message.finish();
    fbb.finish(message, None);
    let metadata = fbb.finished_data();
    assert!(metadata.len() < 4000);
    let length = (metadata.len() as u32).to_le_bytes();
    let stream = [&[0xFF; 4], &length[..], metadata].concat();
    assert_eq!(
        refusal(&stream, DecodeLimits::default()),
        "message: bad metadata: Apparent size too large"
    );
}
