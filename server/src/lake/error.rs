//! What can go wrong between a lake and a batch, as variants that a caller branches on.
//! HTTP turns them into statuses; nothing here knows about HTTP.

use std::sync::Arc;

/// A failure while looking for, opening or reading a table.
///
/// Cheap to clone: sources are shared, so one failure can be cached and shown again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LakeError {
    /// A `--lake` argument that cannot be a lake.
    #[error("invalid lake {spec:?}: {reason}")]
    Spec { spec: String, reason: String },

    /// A table name that no lake can hold, hostile ones included.
    #[error("invalid table name {name:?}: {reason}")]
    Name { name: String, reason: &'static str },

    /// A version that is neither an integer, a timestamp nor a fingerprint.
    #[error(
        "invalid version {text:?}: expected a number, two as in 3..5, an RFC 3339 timestamp, or f- and 16 hex digits"
    )]
    VersionSyntax { text: String },

    /// No such table in any lake.
    #[error("no table {name:?}{}", near_hint(.near.as_deref()))]
    NoTable { name: String, near: Option<String> },

    /// A version that the table never had.
    #[error("no version {version} of table {table:?}: {reason}")]
    NoVersion { table: String, version: String, reason: String },

    /// A version that the table had, and that can no longer be read.
    #[error("version {version} of table {table:?} is gone: {reason}")]
    Gone { table: String, version: String, reason: String },

    /// A file was replaced after the version was pinned: what was asked for is no longer there.
    #[error("table {table:?} changed since it was opened: file {file:?} was replaced")]
    Changed { table: String, file: String },

    /// A table cannot be written where something else is.
    #[error("{name:?} cannot be written: {reason}")]
    Taken { name: String, reason: String },

    /// A table that can be read, and not written.
    #[error("table {table:?} cannot be written: {reason}")]
    Unwritable { table: String, reason: String },

    /// The bytes are there, and they are not a table that can be read.
    #[error("cannot read table {table:?}: {problem}")]
    Bad { table: String, problem: BadTable },

    /// The store that holds the lake did not answer as it should.
    #[error("lake {lake:?} {failure}{}: {source}", path_hint(.path.as_deref()))]
    Store {
        lake: String,
        failure: StoreFailure,
        path: Option<String>,
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a table that exists cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTable {
    #[error("file {file:?} is corrupt: {reason}")]
    CorruptFile { file: String, reason: String },

    /// The decoder gave up in a panic, which was caught.
    #[error("file {file:?} made the decoder panic: {reason}")]
    DecoderPanic { file: String, reason: String },

    /// A file that the table's log or listing names, and that is not there.
    #[error("file {file:?} is missing")]
    MissingFile { file: String },

    /// A path in the log that leaves the lake.
    #[error("path {path:?} leaves the lake")]
    OutsideLake { path: String },

    /// A table feature that readers must know, and that this reader does not.
    #[error("table feature {feature:?} is not supported")]
    Feature { feature: String },

    #[error("invalid protocol in the log: {reason}")]
    Protocol { reason: String },

    #[error("the log has no protocol action")]
    NoProtocol,

    #[error("the log has no metadata action")]
    NoMetadata,

    /// A hole in the log.
    #[error("the log is missing version {version}")]
    MissingCommit { version: u64 },

    #[error("corrupt log: {reason}")]
    CorruptLog { reason: String },

    #[error("column {column:?}: {reason}")]
    Column { column: String, reason: String },

    /// A folder whose files cannot be one table.
    #[error("{reason}")]
    Mixed { reason: String },

    /// A bound of this server was met: entries, depth or bytes.
    #[error("{reason}")]
    TooLarge { reason: String },
}

/// How a store failed, as far as the caller's next step depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreFailure {
    #[error("cannot be reached")]
    Unreachable,
    #[error("refused the credentials")]
    Denied,
    #[error("did not answer in time")]
    TimedOut,
    #[error("dropped the connection")]
    Dropped,
    #[error("asked to slow down")]
    Throttled,
    #[error("has no room left")]
    Full,
    #[error("failed")]
    Failed,
}

impl LakeError {
    /// A [`BadTable`] problem of one table.
    pub fn bad(table: impl Into<String>, problem: BadTable) -> Self {
        Self::Bad { table: table.into(), problem }
    }

    /// The same failure, said of another name of the table.
    pub(crate) fn for_table(self, table: &str) -> Self {
        match self {
            Self::Bad { problem, .. } => Self::bad(table, problem),
            other => other,
        }
    }

    /// The lake's own error inside whatever DataFusion wrapped around it.
    pub fn find<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a LakeError> {
        let mut next = Some(error);
        while let Some(current) = next {
            if let Some(found) = current.downcast_ref::<LakeError>() {
                return Some(found);
            }
            next = current.source();
        }
        None
    }
}

fn near_hint(near: Option<&str>) -> String {
    near.map(|name| format!(", did you mean {name:?}")).unwrap_or_default()
}

fn path_hint(path: Option<&str>) -> String {
    path.map(|path| format!(" on {path:?}")).unwrap_or_default()
}
