//! A model file, ready to run: checked, its output chosen, made fast for one size of input.

use std::path::Path;
use std::sync::Arc;

use tract_onnx::Onnx;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid as _;
use tract_onnx::tract_hir::internal::DimLike as _;

use crate::device::{Backend, Plan, Plans, Used, guarded};
use crate::error::{Error, Failure};
use crate::graph::{self, Input, Layout, Port, Role};
use crate::pool::{Pooling, pool};
use crate::words::Tokens;

/// Numbers that go into a model at a time: what a file says is not yet a reason to take memory.
const INPUT_MAX: usize = 1 << 28;

/// What is wanted of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// The output; chosen by shape and name where there is none.
    pub output: Option<String>,
    /// Of an output with a vector a token: the mean for texts, the first for images, else.
    pub pooling: Option<Pooling>,
    /// Height and width of images, where the model leaves them open.
    pub sides: (usize, usize),
    /// Tokens of a text, for a model that cannot be made ready for any number of them.
    pub tokens: usize,
    pub backend: Backend,
}

impl Default for OpenOptions {
    fn default() -> Self {
        let (sides, tokens, backend) = ((224, 224), 512, Backend::default());
        Self { output: None, pooling: None, sides, tokens, backend }
    }
}

/// What a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Images {
        layout: Layout,
        height: usize,
        width: usize,
    },
    /// `length` is the number of tokens where it is fixed.
    Texts {
        length: Option<usize>,
    },
}

/// What rows a model is for, as its file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    Images,
    Texts,
}

/// Reads and checks a file, and says what it takes. Nothing is made ready to run.
pub fn takes(path: &Path) -> Result<Takes, Error> {
    let (_, proto) = read(path)?;
    match recognised(&proto, path)? {
        Input::Images { .. } => Ok(Takes::Images),
        Input::Texts { .. } => Ok(Takes::Texts),
    }
}

/// A file as it is, checked.
fn read(path: &Path) -> Result<(Onnx, ModelProto), Error> {
    let unreadable =
        |error: std::io::Error| Error::Unreadable { path: path.into(), reason: error.to_string() };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let onnx = onnx().with_ignore_value_info(true);
    let not_onnx = |reason| Error::NotOnnx { path: path.into(), reason };
    let read = guarded(|| onnx.proto_model_for_read(&mut bytes.as_slice()));
    let proto = read.map_err(not_onnx)?;
    drop(bytes);
    graph::check(&onnx, &proto, path)?;
    Ok((onnx, proto))
}

fn recognised(proto: &ModelProto, path: &Path) -> Result<Input, Error> {
    let graph = proto
        .graph
        .as_ref()
        .ok_or_else(|| Error::NotOnnx { path: path.into(), reason: "no graph".to_owned() })?;
    graph::recognise(&graph::inputs(graph))
}

/// A model that is ready.
#[derive(Debug)]
pub struct Model {
    plans: Plans,
    kind: Kind,
    roles: Vec<Role>,
    batch: usize,
    output: Output,
    pooling: Pooling,
}

/// An output that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Output {
    name: String,
    /// 2, or 3 with tokens between rows and numbers.
    axes: usize,
    dimensions: usize,
}

impl Model {
    /// Reads and checks a file, and makes it ready to run.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, Error> {
        let (onnx, proto) = read(path)?;
        let input = recognised(&proto, path)?;
        let outputs = proto.graph.iter().flat_map(|graph| &graph.output);
        let outputs: Vec<Port> = outputs.map(Port::of).collect();
        let source = File { onnx, proto, folder: path.parent(), outputs };
        match input {
            Input::Images { layout, batch, height, width } => {
                let height = height.unwrap_or(options.sides.0);
                let width = width.unwrap_or(options.sides.1);
                let kind = Kind::Images { layout, height, width };
                source.build(kind, batch.unwrap_or(1), Vec::new(), options)
            }
            Input::Texts { batch, length, roles } => {
                let batch = batch.unwrap_or(1);
                let has_mask = roles.contains(&Role::Mask);
                if batch > 1 && !has_mask {
                    let reason = format!(
                        "it takes {batch} texts at a time and no attention mask, so that texts of \
                         several lengths do not fit: export it for one, or for any number"
                    );
                    return Err(Error::Inconsistent { reason });
                }
                let kind = Kind::Texts { length };
                let built = source.build(kind, batch, roles.clone(), options);
                match built {
                    // Not every graph can be made fast for texts of any length. With a mask,
                    // all of them can be as long as the longest.
                    Err(Error::Inconsistent { .. }) if length.is_none() && has_mask => {
                        let kind = Kind::Texts { length: Some(options.tokens.max(1)) };
                        source.build(kind, batch, roles, options)
                    }
                    built => built,
                }
            }
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Rows that are computed together: 1 unless the file fixes another number.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Numbers of a vector.
    pub fn dimensions(&self) -> usize {
        self.output.dimensions
    }

    /// Who computes, as far as it went until now.
    pub fn used(&self) -> Used {
        self.plans.used()
    }

    /// The name of the output that is used.
    pub fn output(&self) -> &str {
        &self.output.name
    }

    /// Vectors of images, each as many numbers as its layout has; [`Self::batch`] of them at most.
    pub(crate) fn images(&self, rows: &[&[f32]]) -> Result<Vec<Vec<f32>>, Failure> {
        let Kind::Images { layout, height, width } = self.kind else {
            return Err(Failure::WantsTexts);
        };
        let mut values = rows.concat();
        values.resize(self.batch * 3 * height * width, 0.0);
        let shape = match layout {
            Layout::Nchw => [self.batch, 3, height, width],
            Layout::Nhwc => [self.batch, height, width, 3],
        };
        let inputs = || Ok(tvec!(Tensor::from_shape(&shape, &values)?.into()));
        self.run(inputs, &vec![&[][..]; rows.len()])
    }

    /// Vectors of texts; [`Self::batch`] of them at most.
    pub(crate) fn texts(&self, rows: &[&Tokens]) -> Result<Vec<Vec<f32>>, Failure> {
        let Kind::Texts { length } = self.kind else { return Err(Failure::WantsImages) };
        let longest = rows.iter().map(|row| row.ids.len()).max().unwrap_or(0);
        let length = length.unwrap_or(longest);
        if longest == 0 || longest > length {
            return Err(Failure::NotTokens(format!("{longest} tokens, of {length} at most")));
        }
        let filled = |role: Role| {
            let mut values = Vec::with_capacity(self.batch * length);
            for row in rows {
                let (of_row, padding) = match role {
                    Role::Ids => (&row.ids, row.padding),
                    Role::Mask => (&row.mask, 0),
                    Role::Types => (&row.types, 0),
                };
                let end = values.len() + length;
                values.extend_from_slice(of_row);
                values.resize(end, padding);
            }
            // A row of padding alone has no softmax: rows that are not there are one token long.
            while values.len() < self.batch * length {
                let is_first = values.len().is_multiple_of(length);
                values.push(i64::from(is_first && role == Role::Mask));
            }
            values
        };
        let masks: Vec<Vec<i64>> = rows
            .iter()
            .map(|row| {
                let mut mask = row.mask.clone();
                mask.resize(length, 0);
                mask
            })
            .collect();
        let inputs = || {
            let shape = [self.batch, length];
            let port = |(ix, role): (usize, &Role)| -> TractResult<TValue> {
                let tensor = Tensor::from_shape(&shape, &filled(*role))?;
                let kind = self.plans.cpu().input_fact(ix)?.datum_type;
                Ok(tensor.cast_to_dt(kind)?.into_owned().into())
            };
            self.roles.iter().enumerate().map(port).collect()
        };
        let masks: Vec<&[i64]> = masks.iter().map(Vec::as_slice).collect();
        self.run(inputs, &masks)
    }

    /// The first rows of what comes out, as many as there are masks.
    fn run(
        &self,
        inputs: impl FnOnce() -> TractResult<TVec<TValue>>,
        masks: &[&[i64]],
    ) -> Result<Vec<Vec<f32>>, Failure> {
        let values = self.plans.run(inputs).map_err(Failure::Model)?;
        let each = values.len() / self.batch;
        let dimensions = self.output.dimensions;
        if each < dimensions || !each.is_multiple_of(dimensions) {
            let reason = format!("{each} numbers a row, where {dimensions} are a vector");
            return Err(Failure::Model(reason));
        }
        let row = |(row, mask): (&[f32], &&[i64])| match self.output.axes {
            2 => row.to_vec(),
            _ => pool(row, dimensions, mask, self.pooling),
        };
        Ok(values.chunks_exact(each).zip(masks).map(row).collect())
    }
}

/// A file that was read and checked.
struct File<'a> {
    onnx: Onnx,
    proto: ModelProto,
    /// Where weights lie that are in files of their own.
    folder: Option<&'a Path>,
    outputs: Vec<Port>,
}

impl File<'_> {
    fn build(
        &self,
        kind: Kind,
        batch: usize,
        roles: Vec<Role>,
        options: &OpenOptions,
    ) -> Result<Model, Error> {
        let broken = |reason| Error::Inconsistent { reason };
        let row = match kind {
            Kind::Images { height, width, .. } => height.saturating_mul(width).saturating_mul(3),
            Kind::Texts { length } => length.unwrap_or(1),
        };
        if row.saturating_mul(batch) > INPUT_MAX {
            return Err(broken(format!("it takes {batch} rows of {row} numbers at a time")));
        }
        let typed = guarded(|| self.typed(kind, batch)).map_err(broken)?;
        let is_text = matches!(kind, Kind::Texts { .. });
        let (ix, output) = self.choose(&typed, is_text, options.output.as_deref())?;
        let chosen = guarded(|| {
            let mut typed = typed;
            let outlet = typed.output_outlets()?[ix];
            typed.select_output_outlets(&[outlet])?;
            Ok(typed)
        });
        let chosen = chosen.map_err(broken)?;
        let cpu = guarded(|| chosen.clone().into_optimized()?.into_runnable()).map_err(broken)?;
        let cpu: Plan = Arc::new(cpu);
        let row = || made_up(kind, batch, &roles, &cpu);
        let plans = Plans::new(options.backend, Arc::clone(&cpu), || Ok(chosen), row);
        let usual = if is_text { Pooling::Mean } else { Pooling::First };
        let pooling = options.pooling.unwrap_or(usual);
        Ok(Model { plans, kind, roles, batch, output, pooling })
    }

    /// The graph with shapes of all its inputs, and of all that follows from them.
    fn typed(&self, kind: Kind, batch: usize) -> TractResult<TypedModel> {
        let folder = self.folder.and_then(Path::to_str);
        let mut model = self.onnx.parse(&self.proto, folder)?.model;
        let rows = batch.to_dim();
        let shape: TVec<TDim> = match kind {
            Kind::Images { layout: Layout::Nchw, height, width } => {
                tvec!(rows, 3.to_dim(), height.to_dim(), width.to_dim())
            }
            Kind::Images { layout: Layout::Nhwc, height, width } => {
                tvec!(rows, height.to_dim(), width.to_dim(), 3.to_dim())
            }
            Kind::Texts { length: Some(length) } => tvec!(rows, length.to_dim()),
            Kind::Texts { length: None } => tvec!(rows, model.symbols.sym("tokens").to_dim()),
        };
        for ix in 0..model.input_outlets()?.len() {
            let kind = model.input_fact(ix)?.datum_type.concretize();
            let kind = kind.unwrap_or(f32::datum_type());
            model.set_input_fact(ix, InferenceFact::dt_shape(kind, &shape))?;
        }
        model.into_typed()
    }

    /// The output to use: the one that is named, else the likeliest to be a row's vector.
    fn choose(
        &self,
        typed: &TypedModel,
        is_text: bool,
        wanted: Option<&str>,
    ) -> Result<(usize, Output), Error> {
        let mut found = Vec::new();
        for (ix, port) in self.outputs.iter().enumerate() {
            let Ok(fact) = typed.output_fact(ix) else { continue };
            let axes = fact.shape.rank();
            let last = fact.shape.last().and_then(|axis| axis.to_usize().ok());
            let dimensions = last.filter(|dimensions| *dimensions > 0);
            let (true, true, Some(dimensions)) =
                (matches!(axes, 2 | 3), fact.datum_type.is_float(), dimensions)
            else {
                continue;
            };
            found.push((ix, Output { name: port.name.clone(), axes, dimensions }));
        }
        let outputs = || graph::listed(&self.outputs);
        if let Some(name) = wanted {
            if !self.outputs.iter().any(|port| port.name == name) {
                return Err(Error::NoSuchOutput { name: name.to_owned(), outputs: outputs() });
            }
            found.retain(|(_, output)| output.name == name);
        }
        let best = found.into_iter().min_by_key(|(ix, output)| (rank(output, is_text), *ix));
        best.ok_or_else(|| Error::NoOutput { outputs: outputs() })
    }
}

/// Tokens of a text that is made up, where the model takes any number.
const MADE_UP_TOKENS: usize = 16;

/// What a model is given to try it.
fn made_up(kind: Kind, batch: usize, roles: &[Role], cpu: &Plan) -> TractResult<TVec<TValue>> {
    let shape: Vec<usize> = match kind {
        Kind::Images { layout: Layout::Nchw, height, width } => vec![batch, 3, height, width],
        Kind::Images { layout: Layout::Nhwc, height, width } => vec![batch, height, width, 3],
        Kind::Texts { length } => vec![batch, length.unwrap_or(MADE_UP_TOKENS)],
    };
    let many: usize = shape.iter().product();
    if roles.is_empty() {
        let value = |at: usize| (at.wrapping_mul(2_654_435_761) % 4096) as f32 / 2048.0 - 1.0;
        let values: Vec<f32> = (0..many).map(value).collect();
        return Ok(tvec!(Tensor::from_shape(&shape, &values)?.into()));
    }
    let port = |(ix, role): (usize, &Role)| -> TractResult<TValue> {
        let values: Vec<i64> = match role {
            // Every vocabulary has two words.
            Role::Ids => (0..many).map(|at| (at % 2) as i64).collect(),
            Role::Mask => vec![1; many],
            Role::Types => vec![0; many],
        };
        let tensor = Tensor::from_shape(&shape, &values)?;
        Ok(tensor.cast_to_dt(cpu.input_fact(ix)?.datum_type)?.into_owned().into())
    };
    roles.iter().enumerate().map(port).collect()
}

/// The likeliest first. What BERT calls pooled was trained for another task than likeness, so for
/// texts the mean of tokens goes before it.
fn rank(output: &Output, is_text: bool) -> u8 {
    let name = output.name.to_lowercase();
    let is_embedding = name.contains("embed");
    let is_pooler = name.contains("pool");
    match output.axes {
        2 if is_embedding => 0,
        2 if is_pooler && is_text => 3,
        2 if is_pooler => 1,
        2 => 2,
        _ if is_text => 2,
        _ => 4,
    }
}
