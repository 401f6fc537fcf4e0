//! Why columns are not kept in this browser.

pub const QUOTA_USED_UP: &str = "the browser's quota is used up";
pub const IN_USE: &str = "the file is in use by another tab";
pub const NO_SUCH_FILE: &str = "there is no such file";
pub const KEEPS_NO_FILES: &str = "this browser keeps no files for this address";
pub const UNREADABLE: &str = "the file cannot be read";
pub const TOO_SHORT: &str = "the file is shorter than it says";
pub const DAMAGED: &str = "the file is damaged";
pub const NEVER_FINISHED: &str = "the file was never finished";
pub const LARGER_THAN_CACHE: &str = "the columns are larger than the cache";
pub const COLUMN_GONE: &str = "the column is gone";
pub const NOTHING_CAME: &str = "nothing of the column has come";
