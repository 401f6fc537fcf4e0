//! How a scatter is drawn: the panel where that is chosen.

pub const PANEL: &str = "How points are drawn";

pub const FORM: &str = "Draw";
pub const FORMS: [&str; 3] = ["automatic", "points", "density"];
pub const SIZE: &str = "Size";
pub const OPACITY: &str = "Opacity";
pub const AUTOMATIC: &str = "automatic";
pub const SIZE_BY: &str = "Size by";
pub const SHAPE_BY: &str = "Shape by";
pub const BY_NONE: &str = "none";

pub const COLORS: &str = "Colours";
/// How a ramp's colours are dealt out.
pub const SPREADS: [&str; 3] = ["linear", "log", "equalised"];
pub const RAMP_FROM: &str = "From";
pub const RAMP_TO: &str = "To";
pub const RAMP: &str = "Ramp";
pub const REVERSED: &str = "Reversed";

pub const COUNTS: &str = "Counts";
pub const COUNT_SPREADS: [&str; 2] = ["log", "equalised"];
pub const CONTOURS: &str = "Contours";
pub const NAMES: &str = "Names";
pub const PICTURES: &str = "Pictures";
pub const AS_AT_FIRST: &str = "As at first";
