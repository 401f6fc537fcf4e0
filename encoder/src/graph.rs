//! What a model file says of itself, checked before anything is built from it: operators, inputs
//! and outputs. A file is from outside: whatever it holds, there is an error and no panic.

use std::collections::HashSet;
use std::path::Path;

use tract_onnx::Onnx;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Axis;
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto};

use crate::error::Error;

/// The versions of ONNX's operators that are read.
const OPSETS: (i64, i64) = (7, 23);
/// Graphs within graphs, as those of a condition.
const DEPTH_MAX: usize = 16;
/// What an axis of a picture has at most.
const SIDE_MAX: usize = 4096;

/// Where the channels of an image are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// [batch, 3, height, width]
    Nchw,
    /// [batch, height, width, 3]
    Nhwc,
}

/// An input, or an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) name: String,
    kind: i32,
    /// Length of each axis, where the file says; none where it does not say how many there are.
    shape: Option<Vec<Option<usize>>>,
}

/// The input, by what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Images { layout: Layout, batch: Option<usize>, height: Option<usize>, width: Option<usize> },
    Texts { batch: Option<usize>, length: Option<usize>, roles: Vec<Role> },
}

/// What an input of a model for texts is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Ids,
    Mask,
    Types,
}

/// Whether all that the graph names is there and known.
pub(crate) fn check(onnx: &Onnx, proto: &ModelProto, path: &Path) -> Result<(), Error> {
    let not_onnx = |reason: &str| Error::NotOnnx { path: path.into(), reason: reason.to_owned() };
    let graph = proto.graph.as_ref().ok_or_else(|| not_onnx("it holds no graph"))?;
    if graph.node.is_empty() || graph.output.is_empty() {
        return Err(not_onnx("its graph is empty"));
    }
    let is_core = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let opset = proto.opset_import.iter().find(|opset| is_core(&opset.domain));
    let version = opset.ok_or_else(|| not_onnx("it names no version of operators"))?.version;
    let (least, most) = OPSETS;
    if !(least..=most).contains(&version) {
        return Err(Error::Opset { version, least, most });
    }
    let mut unknown = Vec::new();
    unknown_operators(onnx, graph, 0, &mut unknown)?;
    if !unknown.is_empty() {
        unknown.sort();
        unknown.dedup();
        return Err(Error::UnknownOperators { names: unknown });
    }
    let inputs = graph.input.iter().map(|port| port.name.as_str());
    let constants = graph.initializer.iter().map(|tensor| tensor.name.as_str());
    let computed = graph.node.iter().flat_map(|node| node.output.iter().map(String::as_str));
    let known: HashSet<&str> = inputs.chain(constants).chain(computed).collect();
    let used = graph.node.iter().flat_map(|node| &node.input).filter(|name| !name.is_empty());
    let given = graph.output.iter().map(|port| &port.name);
    match used.chain(given).find(|name| !known.contains(name.as_str())) {
        Some(name) => {
            Err(Error::Inconsistent { reason: format!("it uses {name:?}, which nothing makes") })
        }
        None => Ok(()),
    }
}

fn unknown_operators(
    onnx: &Onnx,
    graph: &GraphProto,
    depth: usize,
    unknown: &mut Vec<String>,
) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        let reason = format!("its graphs are nested more than {DEPTH_MAX} deep");
        return Err(Error::Inconsistent { reason });
    }
    for node in &graph.node {
        if !onnx.op_register.0.contains_key(&node.op_type) {
            let is_core = node.domain.is_empty() || node.domain == "ai.onnx";
            let domain = if is_core { String::new() } else { format!("{}.", node.domain) };
            unknown.push(format!("{domain}{}", node.op_type));
        }
        for inner in node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()) {
            unknown_operators(onnx, inner, depth + 1, unknown)?;
        }
    }
    Ok(())
}

/// The inputs that somebody has to fill, in the graph's order.
pub(crate) fn inputs(graph: &GraphProto) -> Vec<Port> {
    let constants: HashSet<&str> =
        graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let open = graph.input.iter().filter(|port| !constants.contains(port.name.as_str()));
    open.map(Port::of).collect()
}

impl Port {
    pub(crate) fn of(info: &ValueInfoProto) -> Self {
        let value = info.r#type.as_ref().and_then(|kind| kind.value.as_ref());
        let (kind, shape) = match value {
            Some(Type::TensorType(tensor)) => (tensor.elem_type, tensor.shape.as_ref()),
            None => (0, None),
        };
        let shape = shape.map(|shape| {
            let length = |axis: &Axis| match axis {
                // None of no length: exporters write 0 and -1 for what is open.
                Axis::DimValue(length) if *length > 0 => usize::try_from(*length).ok(),
                Axis::DimValue(_) | Axis::DimParam(_) => None,
            };
            shape.dim.iter().map(|axis| axis.value.as_ref().and_then(length)).collect()
        });
        Self { name: info.name.clone(), kind, shape }
    }

    fn is(&self, kinds: &[DataType]) -> bool {
        kinds.iter().any(|kind| *kind as i32 == self.kind)
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = DataType::try_from(self.kind).map_or("?".to_owned(), |kind| format!("{kind:?}"));
        let axes = self.shape.as_ref().map_or("…".to_owned(), |shape| {
            let axis = |axis: &Option<usize>| axis.map_or("?".to_owned(), |n| n.to_string());
            shape.iter().map(axis).collect::<Vec<_>>().join(" × ")
        });
        write!(f, "{:?} ({} of {axes})", self.name, kind.to_lowercase())
    }
}

/// As they are listed in an error.
pub(crate) fn listed(ports: &[Port]) -> String {
    match ports {
        [] => "nothing".to_owned(),
        ports => ports.iter().map(Port::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Whether the inputs are an image's, or a text's.
pub(crate) fn recognise(ports: &[Port]) -> Result<Input, Error> {
    let images = ports.iter().find_map(|port| Some((port, image(port)?)));
    let is_ids = |port: &&Port| port.is(&[DataType::Int64, DataType::Int32]);
    match images {
        Some((image, input)) => match ports.iter().find(|port| port.name != image.name) {
            Some(other) => Err(Error::FurtherInput { name: other.name.clone() }),
            None => Ok(input),
        },
        None if ports.iter().any(|port| is_ids(&port)) => texts(ports),
        None => Err(Error::NoInput { inputs: listed(ports) }),
    }
}

fn image(port: &Port) -> Option<Input> {
    let shape = port.shape.as_ref().filter(|shape| shape.len() == 4)?;
    let is_side = |side: Option<usize>| side.is_none_or(|side| side <= SIDE_MAX);
    let (layout, height, width) = match (shape[1], shape[3]) {
        (Some(3), _) => (Layout::Nchw, shape[2], shape[3]),
        (_, Some(3)) => (Layout::Nhwc, shape[1], shape[2]),
        // Most exporters keep channels where PyTorch has them.
        (None, _) => (Layout::Nchw, shape[2], shape[3]),
        _ => return None,
    };
    let is_image = port.is(&[DataType::Float]) && is_side(height) && is_side(width);
    is_image.then_some(Input::Images { layout, batch: shape[0], height, width })
}

fn texts(ports: &[Port]) -> Result<Input, Error> {
    let mut roles = Vec::with_capacity(ports.len());
    let (mut batch, mut length) = (None, None);
    for port in ports {
        let role = match port.name.to_lowercase() {
            name if name.contains("mask") => Role::Mask,
            name if name.contains("type") || name.contains("segment") => Role::Types,
            name if name.contains("position") => {
                return Err(Error::FurtherInput { name: port.name.clone() });
            }
            _ => Role::Ids,
        };
        let axes = port.shape.as_deref().filter(|shape| shape.len() == 2);
        let is_whole = port.is(&[DataType::Int64, DataType::Int32]);
        let (Some(axes), true, false) = (axes, is_whole, roles.contains(&role)) else {
            return Err(Error::FurtherInput { name: port.name.clone() });
        };
        batch = batch.or(axes[0]);
        length = length.or(axes[1]);
        roles.push(role);
    }
    match roles.contains(&Role::Ids) {
        true => Ok(Input::Texts { batch, length, roles }),
        false => Err(Error::NoInput { inputs: listed(ports) }),
    }
}
