//! A model with all that lies beside it: from a picture or a text to its vector.

use std::path::{Path, PathBuf};

use crate::device::Backend;
use crate::error::{Error, Failure};
use crate::model::{Kind, Model, OpenOptions};
use crate::picture::{self, Limits};
use crate::pool::{Pooling, finish};
use crate::preprocessing::Preprocessing;
use crate::thumbnail;
use crate::words::{Tokens, Words};

/// How vectors are made. What is none is read from beside the model, or guessed.
#[derive(Debug, Clone)]
pub struct Options {
    /// [`Preprocessing::default`] without a `preprocessor_config.json`.
    pub preprocessing: Option<Preprocessing>,
    pub limits: Limits,
    /// [default: `tokenizer.json` beside the model]
    pub tokenizer: Option<PathBuf>,
    /// The most tokens of a text.
    pub tokens: Option<usize>,
    /// The name of the model's output.
    pub output: Option<String>,
    pub pooling: Option<Pooling>,
    /// Whether vectors get length one.
    pub is_unit: bool,
    /// The longer side of a small picture that is made along with a picture's vector.
    pub thumbnail: Option<u32>,
    /// Who computes.
    pub backend: Backend,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            preprocessing: None,
            limits: Limits::default(),
            tokenizer: None,
            tokens: None,
            output: None,
            pooling: None,
            is_unit: true,
            thumbnail: None,
            backend: Backend::default(),
        }
    }
}

/// What a row is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A picture in a file.
    Path(PathBuf),
    /// A picture as bytes of a file.
    Bytes(Vec<u8>),
    Text(String),
    /// There is none, and why.
    Missing(String),
}

/// A row's vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    pub vector: Vec<f32>,
    /// Width and height of a picture, as it is looked at.
    pub size: Option<(u32, u32)>,
    /// The picture in small, as JPEG, where that was asked for.
    pub thumbnail: Option<Vec<u8>>,
    /// Whether a text was longer than the model takes, so that its end does not count.
    pub is_cut: bool,
}

/// A model with how its input is prepared. Threads share one.
#[derive(Debug)]
pub struct Encoder {
    model: Model,
    input: Preparation,
    limits: Limits,
    is_unit: bool,
    thumbnail: Option<u32>,
}

#[derive(Debug)]
enum Preparation {
    Images(Preprocessing),
    Texts(Box<Words>),
}

/// What a model is given for a row.
enum Prepared {
    Image { values: Vec<f32>, size: (u32, u32), thumbnail: Option<Vec<u8>> },
    Text(Tokens),
}

impl Encoder {
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        let preprocessing = match options.preprocessing {
            Some(given) => given,
            None => preprocessing_beside(path)?,
        };
        let most = options.tokens;
        let wanted = OpenOptions {
            output: options.output.clone(),
            pooling: options.pooling,
            sides: (preprocessing.height.max(1), preprocessing.width.max(1)),
            tokens: most.unwrap_or(OpenOptions::default().tokens),
            backend: options.backend,
        };
        let model = Model::open(path, &wanted)?;
        let input = match model.kind() {
            Kind::Images { height, width, .. } => {
                Preparation::Images(preprocessing.with_sides(Some(height), Some(width)))
            }
            Kind::Texts { length } => {
                let beside = path.with_file_name("tokenizer.json");
                let tokenizer = options.tokenizer.clone().unwrap_or(beside);
                let mut words = Words::open(&tokenizer, most)?;
                if let Some(length) = length {
                    words.limit_to(length, &tokenizer)?;
                }
                Preparation::Texts(Box::new(words))
            }
        };
        let Options { limits, is_unit, thumbnail, .. } = *options;
        Ok(Self { model, input, limits, is_unit, thumbnail })
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    /// How pictures are prepared, where the model takes those.
    pub fn preprocessing(&self) -> Option<&Preprocessing> {
        match &self.input {
            Preparation::Images(preprocessing) => Some(preprocessing),
            Preparation::Texts(_) => None,
        }
    }

    /// The vector of one row.
    pub fn encode(&self, source: &Source) -> Result<Encoded, Failure> {
        let mut results = self.encode_together(&[source]);
        results.pop().unwrap_or(Err(Failure::Empty))
    }

    /// Vectors of some rows, in their order. [`Model::batch`] of them are computed at a time.
    pub(crate) fn encode_together(&self, sources: &[&Source]) -> Vec<Result<Encoded, Failure>> {
        let groups = sources.chunks(self.model.batch());
        groups.flat_map(|group| self.encode_group(group)).collect()
    }

    fn encode_group(&self, sources: &[&Source]) -> Vec<Result<Encoded, Failure>> {
        let prepared: Vec<_> = sources.iter().map(|source| self.prepare(source)).collect();
        let mut images: Vec<&[f32]> = Vec::new();
        let mut texts: Vec<&Tokens> = Vec::new();
        for prepared in prepared.iter().flatten() {
            match prepared {
                Prepared::Image { values, .. } => images.push(values),
                Prepared::Text(tokens) => texts.push(tokens),
            }
        }
        let computed = match (images.is_empty(), texts.is_empty()) {
            (true, true) => Ok(Vec::new()),
            (false, _) => self.model.images(&images),
            (true, false) => self.model.texts(&texts),
        };
        let mut vectors = computed.map(Vec::into_iter);
        let mut row = |prepared: Result<Prepared, Failure>| {
            let prepared = prepared?;
            let next = vectors.as_mut().map_err(|failure| failure.clone())?.next();
            let vector = next.ok_or_else(|| Failure::Model("it gave no row".to_owned()))?;
            let vector = finish(vector, self.is_unit)?;
            Ok(match prepared {
                Prepared::Image { size, thumbnail, .. } => {
                    Encoded { vector, size: Some(size), thumbnail, is_cut: false }
                }
                Prepared::Text(Tokens { is_cut, .. }) => {
                    Encoded { vector, size: None, thumbnail: None, is_cut }
                }
            })
        };
        prepared.into_iter().map(&mut row).collect()
    }

    fn prepare(&self, source: &Source) -> Result<Prepared, Failure> {
        match (&self.input, source) {
            (_, Source::Missing(reason)) => Err(Failure::Unreadable(reason.clone())),
            (Preparation::Images(_), Source::Path(path)) => self.image(&self.read(path)?),
            (Preparation::Images(_), Source::Bytes(bytes)) => self.image(bytes),
            (Preparation::Images(_), Source::Text(_)) => Err(Failure::WantsImages),
            (Preparation::Texts(words), Source::Text(text)) => {
                words.tokens(text).map(Prepared::Text)
            }
            (Preparation::Texts(_), _) => Err(Failure::WantsTexts),
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        let unreadable = |error: std::io::Error| Failure::Unreadable(error.to_string());
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Failure::Unreadable("it is no file".to_owned()));
        }
        let most = self.limits.bytes;
        if metadata.len() > most {
            let reason = format!("it has {} bytes, and may have {most}", metadata.len());
            return Err(Failure::Unreadable(reason));
        }
        std::fs::read(path).map_err(unreadable)
    }

    fn image(&self, bytes: &[u8]) -> Result<Prepared, Failure> {
        let Kind::Images { layout, .. } = self.model.kind() else {
            return Err(Failure::WantsTexts);
        };
        let Preparation::Images(preprocessing) = &self.input else {
            return Err(Failure::WantsTexts);
        };
        let pixels = picture::decode(bytes, &self.limits)?;
        let size = (pixels.width as u32, pixels.height as u32);
        let small = self.thumbnail.map(|side| thumbnail::of_pixels(&pixels, side)).transpose()?;
        let values = preprocessing.apply(pixels, layout);
        Ok(Prepared::Image { values, size, thumbnail: small })
    }
}

/// What `preprocessor_config.json` says, where there is one.
fn preprocessing_beside(model: &Path) -> Result<Preprocessing, Error> {
    let path = model.with_file_name("preprocessor_config.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => Preprocessing::from_json(&text, &path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Preprocessing::default()),
        Err(error) => Err(Error::Unreadable { path, reason: error.to_string() }),
    }
}
