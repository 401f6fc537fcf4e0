//! Every shader is valid WGSL within WebGPU's default limits, and says the same as its
//! Rust side: structs field by field, constants by value.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::mem::offset_of;

use app::draw::gpu::layout;
use app::draw::gpu::shaders::{self, Shader};
use app::draw::palette::RAMP_LAST;
use app::draw::points::CHUNK_ROWS;
use app::draw::stamp::SUBPIXELS;
use app::draw::tone::{DEEPEST_MIN, KEYS};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, Literal, Module, TypeInner};

/// WebGPU's default limits.
const GROUPS_MAX: u32 = 4;
const STORAGE_BUFFERS_MAX: usize = 8;

fn parsed(shader: Shader) -> Module {
    let Shader { name, source, .. } = shader;
    naga::front::wgsl::parse_str(source)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)))
}

/// Name and offset of each field, and the struct's size.
type Layout = (Vec<(String, usize)>, usize);

fn wgsl_layout(module: &Module, name: &str) -> Layout {
    let is_named = |ty: &&naga::Type| ty.name.as_deref() == Some(name);
    let ty = module.types.iter().map(|(_, ty)| ty).find(is_named);
    let Some(TypeInner::Struct { members, span }) = ty.map(|ty| &ty.inner) else {
        panic!("no struct {name}");
    };
    let field =
        |member: &naga::StructMember| (member.name.clone().unwrap(), member.offset as usize);
    (members.iter().map(field).collect(), *span as usize)
}

/// The same of a Rust struct; one that has other fields does not compile.
macro_rules! rust_layout {
    ($name:ident { $($field:ident),+ }) => {{
        let _all_fields = |value: layout::$name| {
            let layout::$name { $($field: _),+ } = value;
        };
        let fields = vec![$((stringify!($field).to_owned(), offset_of!(layout::$name, $field))),+];
        (stringify!($name), (fields, size_of::<layout::$name>()))
    }};
}

fn constant(module: &Module, name: &str) -> f64 {
    let found =
        module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name));
    let (_, constant) = found.unwrap_or_else(|| panic!("no constant {name}"));
    match module.global_expressions[constant.init] {
        Expression::Literal(Literal::U32(value)) => f64::from(value),
        Expression::Literal(Literal::I32(value)) => f64::from(value),
        Expression::Literal(Literal::F32(value)) => f64::from(value),
        ref other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn every_shader_is_valid() {
    for shader in shaders::ALL {
        let module = parsed(shader);
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
        if let Err(error) = validator.validate(&module) {
            panic!("{}: {}", shader.name, error.emit_to_string(shader.source));
        }
        let entry_points: Vec<_> =
            module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(entry_points, shader.entry_points, "{}", shader.name);
    }
}

#[test]
fn shaders_keep_to_the_default_limits() {
    for shader in shaders::ALL {
        let module = parsed(shader);
        let variables = || module.global_variables.iter().map(|(_, variable)| variable);
        let is_storage = |space: AddressSpace| matches!(space, AddressSpace::Storage { .. });
        let buffers = variables().filter(|variable| is_storage(variable.space)).count();
        assert!(buffers <= STORAGE_BUFFERS_MAX, "{}: {buffers} storage buffers", shader.name);
        let groups = variables().filter_map(|variable| variable.binding.as_ref());
        assert!(
            groups.map(|binding| binding.group).all(|group| group < GROUPS_MAX),
            "{}",
            shader.name
        );
        for entry in &module.entry_points {
            let size: u32 = entry.workgroup_size.iter().product();
            assert!(size <= layout::GROUP, "{}: {size} invocations", entry.name);
        }
    }
}

#[test]
fn uniforms_lie_in_rust_as_in_wgsl() {
    let structs = [
        (
            shaders::ACCUMULATE,
            rust_layout!(Layer { x_edge, y_edge, scale, size, reach, stride, masked, varied }),
        ),
        (shaders::ACCUMULATE, rust_layout!(Chunk { rows, first_word, fine, colored })),
        (shaders::RESOLVE, rust_layout!(Tone { per_unit, opacity, strength, equalized })),
        (shaders::RESOLVE, rust_layout!(Ringed { color, at, radius, ring })),
        (
            shaders::RESOLVE,
            rust_layout!(Resolve {
                tone,
                context_tone,
                background,
                faint,
                single,
                ring_color,
                highlight,
                pinned,
                width,
                cell,
                stride,
                shade,
                context,
                padding_1,
                padding_2,
                padding_3
            }),
        ),
    ];
    for (shader, (name, rust)) in structs {
        let wgsl = wgsl_layout(&parsed(shader), name);
        assert_eq!(wgsl, rust, "struct {name}: WGSL, then Rust");
    }
}

#[test]
fn constants_are_the_same_on_both_sides() {
    for (shader, name, rust) in [
        (shaders::ACCUMULATE, "GROUP", f64::from(layout::GROUP)),
        (shaders::ACCUMULATE, "CHUNK_ROWS", CHUNK_ROWS as f64),
        (shaders::ACCUMULATE, "PLACES", SUBPIXELS as f64),
        (shaders::RESOLVE, "SHADE_SINGLE", f64::from(layout::SHADE_SINGLE)),
        (shaders::RESOLVE, "SHADE_MEAN", f64::from(layout::SHADE_MEAN)),
        (shaders::RESOLVE, "SHADE_RAMP", f64::from(layout::SHADE_RAMP)),
        (shaders::RESOLVE, "RAMP_LAST", f64::from(RAMP_LAST)),
        (shaders::RESOLVE, "KEYS", KEYS as f64),
        (shaders::RESOLVE, "DEEPEST_MIN", f64::from(DEEPEST_MIN)),
    ] {
        assert_eq!(constant(&parsed(shader), name), rust, "{name}");
    }
}
