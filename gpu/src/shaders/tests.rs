//! Every pass is valid WGSL within WebGPU's default limits, and says the same as its Rust side.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::mem::offset_of;

use naga::proc::Layouter;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, Literal, Module, TypeInner};

use super::*;

/// WebGPU's default limits.
const STORAGE_BUFFERS_MAX: usize = 8;
const INVOCATIONS_MAX: u32 = 256;
const WORKGROUP_BYTES_MAX: u32 = 16 << 10;

fn parsed(shader: Shader) -> Module {
    let Shader { name, source, .. } = shader;
    naga::front::wgsl::parse_str(source)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)))
}

fn constant(module: &Module, name: &str) -> Option<u32> {
    let named = |constant: &naga::Constant| constant.name.as_deref() == Some(name);
    let (_, found) = module.constants.iter().find(|(_, constant)| named(constant))?;
    match module.global_expressions[found.init] {
        Expression::Literal(Literal::U32(value)) => Some(value),
        ref other => panic!("{name} is {other:?}"),
    }
}

fn offsets(module: &Module, name: &str) -> Vec<(String, usize)> {
    let named = |ty: &&naga::Type| ty.name.as_deref() == Some(name);
    let found = module.types.iter().map(|(_, ty)| ty).find(named);
    let Some(TypeInner::Struct { members, .. }) = found.map(|ty| &ty.inner) else {
        panic!("no struct {name}");
    };
    members.iter().map(|member| (member.name.clone().unwrap(), member.offset as usize)).collect()
}

/// Fields and where they are; one that has other fields does not compile.
macro_rules! fields {
    ($name:ident { $($field:ident),+ }) => {{
        let _all_fields = |value: $name| {
            let $name { $($field: _),+ } = value;
        };
        vec![$((stringify!($field).to_owned(), offset_of!($name, $field))),+]
    }};
}

#[test]
fn every_pass_is_valid_within_the_default_limits() {
    for shader in ALL {
        let (name, module) = (shader.name, parsed(shader));
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
        if let Err(error) = validator.validate(&module) {
            panic!("{name}: {}", error.emit_to_string(shader.source));
        }
        let [entry] = &module.entry_points[..] else { panic!("{name} has one entry point") };
        assert_eq!(entry.name, shader.entry_point);
        let invocations: u32 = entry.workgroup_size.iter().product();
        assert!(invocations <= INVOCATIONS_MAX, "{name}: {invocations} invocations");
        let mut layouter = Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let of = |wanted: fn(AddressSpace) -> bool| {
            module.global_variables.iter().map(|(_, v)| v).filter(move |v| wanted(v.space))
        };
        let buffers = of(|space| matches!(space, AddressSpace::Storage { .. })).count();
        assert!(buffers <= STORAGE_BUFFERS_MAX, "{name}: {buffers} storage buffers");
        let bytes: u32 = of(|space| space == AddressSpace::WorkGroup)
            .map(|variable| layouter[variable.ty].size)
            .sum();
        assert!(bytes <= WORKGROUP_BYTES_MAX, "{name}: {bytes} bytes of a group");
    }
}

#[test]
fn rust_says_the_same() {
    let assign = parsed(ASSIGN);
    assert_eq!(constant(&assign, "TILE"), Some(TILE as u32));
    assert_eq!(constant(&assign, "UNSURE"), Some(UNSURE));
    let asked = fields!(Asked { rows, first, points, quads, by_norm, by_square, always, padding });
    assert_eq!(offsets(&assign, "Asked"), asked);
    let scores = parsed(SCORES);
    assert_eq!(constant(&scores, "TILE"), Some(TILE as u32));
    let asked = fields!(PairsAsked {
        rows,
        first_row,
        points,
        first_point,
        quads,
        width,
        padding_1,
        padding_2
    });
    assert_eq!(offsets(&scores, "Asked"), asked);
    let select = parsed(SELECT);
    assert_eq!(constant(&select, "KEPT"), Some(KEPT as u32));
    let asked = fields!(SelectAsked { points, width, first, is_first });
    assert_eq!(offsets(&select, "Asked"), asked);
    let asked =
        fields!(GramAsked { rows, first, run, quads, squares, pairs, padding_1, padding_2 });
    assert_eq!(offsets(&parsed(GRAM), "Asked"), asked);
    let asked = fields!(EpochAsked { rows, number, word, dimensions, a, b, rate, padding });
    for (shader, group) in [(WALK, WALK_GROUP), (SETTLE, SETTLE_GROUP)] {
        let module = parsed(shader);
        assert_eq!(offsets(&module, "Epoch"), asked);
        assert_eq!(module.entry_points[0].workgroup_size, [group as u32, 1, 1]);
    }
}
