//! The dialog of maps: vectors as points on a plane, and in clusters.

use crate::state::embed::{Estimate, Job, JobState};
use crate::state::format;

pub const TITLE: &str = "Map vectors";
pub const SHORT: &str = "Map";
pub const HINT: &str = "Draw the vectors of this table as points, near where they are alike (M)";
pub const WHAT: &str = "The vectors of each row are laid out on a plane, and rows that are alike are put in \
     clusters. What comes of it is a table of its own, with all other columns.";
pub const PLACE: &str = "Computed by";
pub const BY_COMPANION: &str = "The companion, as a table of its lake";
pub const HERE: &str = "This browser, for as long as the page is open";
pub const COLUMN: &str = "Vectors";
pub const PROJECTION: &str = "Layout";
pub const BESIDE: &str = "Beside it";
pub const UMAP: &str = "Neighbours stay neighbours (UMAP)";
pub const PCA: &str = "Along what varies most (PCA)";
pub const CLUSTERS: &str = "Clusters";
pub const TSNE: &str = "Neighbours near, groups apart (t-SNE)";
pub const NO_CLUSTERS: &str = "None";
pub const MEANS: &str = "So many, by nearness (k-means)";
pub const DENSE: &str = "Dense places of the map (HDBSCAN)";
pub const MANY: &str = "How many clusters";
pub const NUMBER: &str = "Clusters, as a number";
pub const AS_MANY: &str = "As many as values of …";
pub const DENSE_ROWS: &str = "Rows at least";
pub const ROWS: &str = "Rows";
pub const NORMALIZE: &str = "Compare directions only (L2)";
pub const KEEP_VECTORS: &str = "Keep the vectors, to find similar rows";
pub const MORE: &str = "More choices";
pub const NEIGHBOURS: &str = "Neighbours of a row";
pub const NEIGHBOURS_HINT: &str = "Few keep what is near together, many show the whole (UMAP)";
pub const MIN_DISTANCE: &str = "Least distance";
pub const MIN_DISTANCE_HINT: &str = "How near points may come: 0 packs them, 1 spreads them (UMAP)";
pub const PERPLEXITY: &str = "Perplexity";
pub const PERPLEXITY_HINT: &str = "How many neighbours count, about (t-SNE)";
pub const UNASKED: &str = "auto";
pub const SEED: &str = "Seed";
pub const SEED_HINT: &str = "The same seed gives the same map";
pub const SPECTRAL: &str = "Begin by eigenvectors";
pub const SPECTRAL_HINT: &str =
    "Where groups are far apart, rather than by what varies most (UMAP)";
pub const BATCHES: &str = "Learn clusters from some rows at a time";
pub const BATCHES_HINT: &str = "Sooner done where rows are many, and not quite as good (k-means)";
pub const ONTO: &str = "Place on the map";
pub const ONTO_HINT: &str = "Rows are placed among those of a map that was made before by UMAP, and that map stays as it is";
pub const ONTO_NONE: &str = "None: a map of their own";
pub const CENTROIDS: &str = "Centroids as a table too";
pub const NEAREST: &str = "Nearest neighbours as a table too";
pub const INTO: &str = "New table";
pub const START: &str = "Start";
pub const STARTING: &str = "Starting …";
pub const JOBS: &str = "Maps and vectors";
pub const CANCEL: &str = "Cancel";
pub const LOG: &str = "Log";
pub const OPEN: &str = "Open";
pub const NO_COMPANION: &str = "This table is not in the browser, and the companion, which could map it, cannot be reached now.";
pub const NO_VECTORS: &str = "This table has no column of vectors, that is, of lists of numbers.";
pub const NOT_KNOWN: &str = "The companion did not answer. Is it still running?";

pub const LIVE_MAKING: &str = "The map as it is by now.";
pub const LIVE_CLUSTERS: &str = "Change how many clusters there are, and the colours follow.";
pub const LIVE_MADE: &str = "The map is made: open it below.";

pub const FORGOTTEN: &str = "the companion was started anew, and no longer knows it";

pub fn not_cancelled(why: &str) -> String {
    format!("It could not be cancelled: {why}")
}

pub fn all_rows(rows: Option<u64>) -> String {
    match rows {
        Some(rows) => format!("All {}", format::count(rows)),
        None => "All".to_owned(),
    }
}

pub fn selected_rows(rows: Option<u64>) -> String {
    match rows {
        Some(rows) => format!("The {} that pass the filters", format::count(rows)),
        None => "Those that pass the filters".to_owned(),
    }
}

/// One line of the list: what became of which table, and how it goes.
pub fn line(job: &Job) -> String {
    let message = job.message.as_deref().unwrap_or_default();
    match job.state {
        JobState::Queued => match job.waiting_for.unwrap_or_default() {
            0 => "begins".to_owned(),
            1 => "waits for another".to_owned(),
            before => format!("waits for {before} others"),
        },
        JobState::Running => match (job.phase.as_deref(), message) {
            (Some(phase), "") => phase.to_owned(),
            (Some(phase), message) => format!("{phase}: {message}"),
            (None, _) => "begins".to_owned(),
        },
        JobState::Done => message.to_owned(),
        JobState::Failed => format!("failed: {message}"),
        JobState::Cancelled => "cancelled".to_owned(),
    }
}

/// What a job is expected to take, in words that do not promise too much.
pub fn estimate(estimate: &Estimate) -> String {
    let Estimate { rows, dimensions, seconds, memory_bytes } = estimate;
    let time = match *seconds {
        seconds if seconds < 1.5 => "a second".to_owned(),
        seconds if seconds < 90.0 => format!("{seconds:.0} seconds"),
        seconds if seconds < 90.0 * 60.0 => format!("{:.0} minutes", seconds / 60.0),
        seconds => format!("{:.0} hours", seconds / 3600.0),
    };
    let memory = format::bytes(*memory_bytes);
    format!("About {time} and {memory} for {} × {dimensions}", format::count(*rows))
}

pub fn progress_of(table: &str) -> String {
    format!("Progress of {table}")
}

pub fn live(table: &str) -> String {
    format!("The points of {table}, coloured by cluster")
}

pub fn log(table: &str) -> String {
    format!("What was done for {table}, and when")
}

pub fn cancel(table: &str) -> String {
    format!("Cancel {table}")
}

pub fn is_ready(table: &str, message: &str) -> String {
    format!("{table} is ready: {message}")
}

pub fn has_failed(table: &str, why: &str) -> String {
    format!("{table} could not be made: {why}")
}

/// A column, and how many values it has.
pub fn values_of(column: &str, many: u32) -> String {
    format!("{column} ({many})")
}
