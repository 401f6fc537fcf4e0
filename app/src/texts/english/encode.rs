//! The dialog of maps, where a table has no vectors yet: made of its pictures or texts.

pub const WHAT: &str = "A model of yours makes a vector of each picture or text. What comes of it is a table of its \
    own, with all other columns, that can be mapped then. What is made is kept as it goes.";
pub const MODEL: &str = "Model";
pub const COLUMN: &str = "Column";
pub const ROWS: &str = "Rows";
pub const UNIT: &str = "Vectors of length one (L2)";
pub const INTO: &str = "New table";
pub const START: &str = "Make vectors";
pub const STARTING: &str = "Starting …";
pub const OTHERS: &str = "Make other vectors, of pictures or texts …";
pub const BACK: &str = "Map the vectors that are there";
pub const NOT_ASKED: &str = "The companion did not say which models it has. Is it still running?";
pub const NO_FOLDER: &str = "Vectors of pictures or texts are made by a model in ONNX. Put models into a folder, each with \
    its preprocessor_config.json or tokenizer.json beside it, and start the companion with --models FOLDER.";
pub const NO_MODELS: &str = "The companion's folder of models has none in ONNX that can be used. Put one there, with its \
     preprocessor_config.json or tokenizer.json beside it.";
pub const NOTHING_TO_TAKE: &str = "The companion's models take pictures or texts, and this table has no column of what they take.";
