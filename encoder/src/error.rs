//! What can go wrong: with a model, so that nothing is computed, and with a row, which is left out.

use std::path::PathBuf;

/// Why a model cannot be used, or why a run ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{} is no ONNX model: {reason}", path.display())]
    NotOnnx { path: PathBuf, reason: String },
    #[error(
        "the model is written for version {version} of ONNX's operators, and {least} to {most} \
         are understood: export it for one of those"
    )]
    Opset { version: i64, least: i64, most: i64 },
    #[error("the model has operators that are not known here: {}", names.join(", "))]
    UnknownOperators { names: Vec<String> },
    #[error(
        "the model takes neither images (32-bit floats, of four axes, one of them 3 channels) nor \
         texts (integers named input_ids): it takes {inputs}"
    )]
    NoInput { inputs: String },
    #[error(
        "the model also takes {name:?}, which nothing here fills: export the part for images, or \
         the part for texts, by itself"
    )]
    FurtherInput { name: String },
    #[error("the model has no output {name:?}: it has {outputs}")]
    NoSuchOutput { name: String, outputs: String },
    #[error(
        "the model has no output of two axes, rows by numbers, nor of three, rows by tokens by \
         numbers: it has {outputs}. Name one with such a shape"
    )]
    NoOutput { outputs: String },
    #[error("the model does not fit together: {reason}")]
    Inconsistent { reason: String },
    #[error("{} is no record of how images are prepared: {reason}", path.display())]
    BadPreprocessing { path: PathBuf, reason: String },
    #[error("{} is no tokenizer: {reason}", path.display())]
    BadTokenizer { path: PathBuf, reason: String },
    #[error("a batch has {0} rows, and must have 1 at least")]
    BadBatch(usize),
    #[error("what was computed could not be kept: {0}")]
    Refused(String),
    #[error("cancelled")]
    Cancelled,
}

/// Why a row has no vector. The others have theirs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("cannot be read: {0}")]
    Unreadable(String),
    #[error("is no image that is understood: {0}")]
    NotAnImage(String),
    #[error("has {width} × {height} pixels, and may have {most}")]
    TooLarge { width: u32, height: u32, most: u64 },
    #[error("has no pixels")]
    Empty,
    #[error("cannot be cut into tokens: {0}")]
    NotTokens(String),
    #[error("is a text, and the model takes images")]
    WantsImages,
    #[error("is an image, and the model takes texts")]
    WantsTexts,
    #[error("the model failed on it: {0}")]
    Model(String),
    #[error("its vector has a number that is not finite")]
    NotFinite,
    #[error("its vector is zero, which has no direction")]
    Zero,
}
