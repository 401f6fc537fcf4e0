//! Whether a device will be done sooner, guessed before either begins: from what a device says of
//! itself and what the cores are known to take.

/// What is to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work {
    /// Multiplications and additions of halves on tensor cores, and others in 32 bits.
    pub halves: f64,
    pub singles: f64,
    /// Read from the device's memory, and sent there first.
    pub bytes: f64,
    pub sent: f64,
}

impl std::ops::Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            halves: self.halves + other.halves,
            singles: self.singles + other.singles,
            bytes: self.bytes + other.bytes,
            sent: self.sent + other.sent,
        }
    }
}

/// How fast a device is, in a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    pub halves: f64,
    pub singles: f64,
    pub bytes: f64,
    pub sent: f64,
    /// Until it begins: a context, and kernels compiled.
    pub start_seconds: f64,
}

/// Of what a device could do at the most, a kernel does so much.
const SHARE: f64 = 0.25;
/// Multiplications and additions of a multiprocessor in one clock: by tensor cores as the slowest
/// of those devices have them that the kernels are for (compute capability 8.6, sums in 32 bits),
/// and of 32 bits.
const HALVES: f64 = 2.0 * 256.0;
const SINGLES: f64 = 2.0 * 128.0;
/// Of memory that is not pinned.
const SENT: f64 = 4e9;
const START_SECONDS: f64 = 1.5;
/// A guess that says less than this many times as fast is no reason to take a device, which is for
/// one job at a time.
const GAIN: f64 = 2.0;

impl Rates {
    /// Of so many multiprocessors at so many clocks a second, and bytes of memory a second.
    pub fn of(multiprocessors: f64, clock: f64, bytes: f64) -> Self {
        let (halves, singles) =
            (multiprocessors * clock * HALVES, multiprocessors * clock * SINGLES);
        Self {
            halves: SHARE * halves,
            singles: SHARE * singles,
            bytes: SHARE * bytes,
            sent: SENT,
            start_seconds: START_SECONDS,
        }
    }

    /// How long work takes: computing and reading go on side by side, sending goes before.
    pub fn seconds(&self, work: &Work) -> f64 {
        let computing = work.halves / self.halves + work.singles / self.singles;
        let reading = work.bytes / self.bytes;
        self.start_seconds + work.sent / self.sent + computing.max(reading)
    }

    /// Whether work that takes the cores so long is for a device.
    pub fn is_worth(&self, work: &Work, cores_seconds: f64) -> bool {
        self.seconds(work) * GAIN < cores_seconds
    }
}

/// What takes the cores less than this is not worth asking what there is of devices.
pub const ASKED_FROM_SECONDS: f64 = START_SECONDS * GAIN;

/// K-means of n rows of d dimensions and k clusters: rows of 32 bits are sent once, and halves are
/// read each time.
pub fn kmeans(n: f64, d: f64, k: f64, iterations: f64) -> Work {
    let values = n * d * iterations;
    Work { halves: 2.0 * values * k, bytes: 2.0 * values, sent: 4.0 * n * d, ..Work::default() }
}

/// Neighbours of n rows: all pairs, of which each is looked at, and a tile of rows is read for each
/// of points; by two halves a value at the worst.
pub fn neighbours(n: f64, d: f64) -> Work {
    const LOOKED_AT: f64 = 12.0;
    let (pairs, tiles) = (n * n, n / 128.0);
    Work {
        halves: 3.0 * 2.0 * pairs * d,
        singles: LOOKED_AT * pairs,
        bytes: tiles * n * d * 2.0 * 2.0,
        sent: 2.0 * 4.0 * n * d,
    }
}

/// Products of all pairs of d columns.
pub fn components(n: f64, d: f64) -> Work {
    Work { singles: n * d * d, sent: 4.0 * n * d, ..Work::default() }
}

/// Epochs of n rows with so many bonds each, of which a fifth acts: six forces each, and as many
/// points from anywhere in memory.
pub fn layout(n: f64, bonds: f64, epochs: f64) -> Work {
    const FORCE: f64 = 60.0;
    const SECTOR: f64 = 32.0;
    let forces = n * bonds * epochs * 0.2 * 6.0;
    Work { singles: forces * FORCE, bytes: forces * SECTOR, ..Work::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device as its maker describes it: 108 multiprocessors at 1.41 GHz, 1.5 TB a second.
    fn device() -> Rates {
        Rates::of(108.0, 1.41e9, 1.5e12)
    }

    #[test]
    fn the_slower_of_computing_and_reading_counts() {
        let rates =
            Rates { halves: 1e12, singles: 1e11, bytes: 1e10, sent: 1e9, start_seconds: 1.0 };
        let work = Work { halves: 2e12, singles: 1e11, bytes: 1e10, sent: 1e9 };
        assert_eq!(rates.seconds(&work), 1.0 + 1.0 + 3.0);
        assert_eq!(rates.seconds(&Work { bytes: 5e10, ..work }), 1.0 + 1.0 + 5.0);
        assert_eq!(rates.seconds(&(work + work)), 1.0 + 2.0 + 6.0);
    }

    #[test]
    fn small_work_stays_with_the_cores() {
        let is_worth = |work: Work, cores| device().is_worth(&work, cores);
        // What two cores take, about.
        let by_cores = |n: f64, d: f64, k: f64| 2.0 * n * d * k * 25.0 / 1.8e11;
        for (n, d, k, expected) in
            [(1e3, 64.0, 8.0, false), (2e5, 128.0, 64.0, false), (1e6, 512.0, 64.0, true)]
        {
            let work = kmeans(n, d, k, 25.0);
            assert_eq!(is_worth(work, by_cores(n, d, k)), expected, "{n} {d} {k}");
        }
        assert!(is_worth(neighbours(1e6, 64.0), 120.0));
        assert!(!is_worth(neighbours(2e4, 64.0), 0.3));
        assert!(is_worth(layout(1e6, 20.0, 200.0), 80.0));
        assert!(!is_worth(components(1e6, 64.0), 0.1), "sending takes longer");
    }
}
