//! The one DataFusion session of a server: its memory, its spill folder, its partitions.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;

use super::failure::QueryFailure;
use crate::config::Limits;

/// Rows of a batch while it is computed; also what a cancelled query may still finish.
const BATCH_ROWS: usize = 8192;

/// Memory consumers that a message about exhausted memory names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// More than this helps no merge.
const MERGING_BYTES_MAX: usize = 10 << 20;

pub(super) fn new(limits: &Limits) -> Result<SessionState, QueryFailure> {
    let mode = match &limits.spill_dir {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    let disk = DiskManagerBuilder::default()
        .with_mode(mode)
        .with_max_temp_directory_size(limits.spill_bytes);
    // Fair among those that can spill, so that one large sort leaves room for the others.
    let pool = TrackConsumersPool::new(FairSpillPool::new(limits.memory_bytes), CONSUMERS_NAMED);
    let runtime = RuntimeEnvBuilder::new()
        .with_disk_manager_builder(disk)
        .with_memory_pool(Arc::new(pool))
        .build_arc()?;
    // Each thread's sort sets this much aside for merging what it spilled.
    let merging = limits.memory_bytes / (4 * limits.threads.max(1));
    let config = SessionConfig::new()
        .with_batch_size(BATCH_ROWS)
        .with_sort_spill_reservation_bytes(merging.min(MERGING_BYTES_MAX))
        .with_target_partitions(limits.threads)
        .with_information_schema(false);
    Ok(SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).build())
}
