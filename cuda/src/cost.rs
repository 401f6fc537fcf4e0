//! Which of two will be done sooner, guessed before either begins.

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work {
    pub flops: f64,
    /// Read from the memory of whoever computes.
    pub bytes: f64,
    /// Sent there first.
    pub sent: f64,
}

/// How fast somebody is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    pub flops_per_second: f64,
    pub bytes_per_second: f64,
    /// On the way there; the cores, to whom nothing is sent, have no end of it.
    pub sent_per_second: f64,
    pub start_seconds: f64,
}

/// Who computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Cores,
    Cuda,
}

impl Rates {
    /// How long work takes: computing and reading go on side by side, sending goes before.
    pub fn seconds(&self, work: &Work) -> f64 {
        let computing = work.flops / self.flops_per_second;
        let reading = work.bytes / self.bytes_per_second;
        self.start_seconds + work.sent / self.sent_per_second + computing.max(reading)
    }
}

/// Who is done first; the cores where it makes no difference, since a device is for one job at
/// a time.
pub fn auto(work: (&Work, &Work), cores: &Rates, device: &Rates) -> Backend {
    let (of_cores, of_device) = work;
    match device.seconds(of_device) < cores.seconds(of_cores) {
        true => Backend::Cuda,
        false => Backend::Cores,
    }
}

/// K-means of n rows of d dimensions and k clusters: what the cores and what a device would do,
/// the latter with rows of 32 bits that are sent once and halves that are read each time.
pub fn kmeans(n: usize, d: usize, k: usize, iterations: u32) -> (Work, Work) {
    let (values, times) = ((n * d) as f64, f64::from(iterations));
    let flops = 2.0 * values * k as f64 * times;
    let cores = Work { flops, bytes: 4.0 * values * times, sent: 0.0 };
    let device = Work { flops, bytes: 2.0 * values * times, sent: 4.0 * values };
    (cores, device)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two cores with AVX-512, and a device as its maker describes it, by half.
    const CORES: Rates = Rates {
        flops_per_second: 1e11,
        bytes_per_second: 1e10,
        sent_per_second: f64::INFINITY,
        start_seconds: 0.0,
    };
    const DEVICE: Rates = Rates {
        flops_per_second: 4e14,
        bytes_per_second: 2e12,
        sent_per_second: 2e10,
        start_seconds: 0.7,
    };

    #[test]
    fn the_slower_of_computing_and_reading_counts() {
        let work = Work { flops: 2e11, bytes: 1e10, sent: 0.0 };
        assert_eq!(CORES.seconds(&work), 2.0);
        assert_eq!(CORES.seconds(&Work { bytes: 5e10, ..work }), 5.0);
        assert_eq!(DEVICE.seconds(&Work { flops: 4e14, bytes: 0.0, sent: 2e10 }), 2.7);
    }

    #[test]
    fn small_work_stays_with_the_cores() {
        let chosen = |n, d, k| {
            let (cores, device) = kmeans(n, d, k, 20);
            auto((&cores, &device), &CORES, &DEVICE)
        };
        assert_eq!(chosen(1000, 64, 8), Backend::Cores);
        assert_eq!(chosen(20_000, 128, 16), Backend::Cores);
        assert_eq!(chosen(200_000, 128, 64), Backend::Cores, "0.66 s here, 0.71 there");
        assert_eq!(chosen(1_000_000, 512, 64), Backend::Cuda);
        assert_eq!(chosen(10_000_000, 768, 1000), Backend::Cuda);
        let same = Work { flops: 0.0, bytes: 0.0, sent: 0.0 };
        assert_eq!(auto((&same, &same), &CORES, &CORES), Backend::Cores);
    }
}
