//! Values of columns, where they are said rather than quoted.

pub const YES: &str = "yes";
pub const NO: &str = "no";
/// A cell that holds no value, in a list of values.
pub const MISSING: &str = "missing";
/// The same where cells are shown as they are written.
pub const NULL: &str = "null";
pub const NOT_A_NUMBER: &str = "NaN";
