//! How far a computation is, told to whoever waits, who may end it or look at what there is.

/// Told of progress, and asked before each block of rows whether to go on.
pub trait Watch: Sync {
    /// `done` of `of` steps of a phase are behind us.
    fn progress(&self, phase: Phase, done: u64, of: u64);

    fn is_cancelled(&self) -> bool {
        false
    }

    /// Whether it would look at a layout on its way: asked once an epoch.
    fn wants_layout(&self) -> bool {
        false
    }

    /// What it asked for: n × dimensions, as after `epoch` of them.
    fn layout(&self, epoch: u32, points: &[f32]) {
        let _ = (epoch, points);
    }
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Choosing where clusters begin.
    Init,
    /// Moving them. `of` is the most iterations that there may be.
    Iterations,
    /// Going through all rows once. `of` is blocks of them.
    Pass,
    /// Looking for the nearest of each row. `of` is blocks of them.
    Neighbours,
    /// Moving points. `of` is all epochs that there will be.
    Epochs,
    /// Measuring what came of it.
    Measures,
}

/// Nobody waits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&self, _: Phase, _: u64, _: u64) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use super::*;
    use crate::clouds::clouds;
    use crate::rows::Matrix;
    use crate::{tsne, umap};

    /// Looks at every other layout.
    #[derive(Default)]
    struct Onlooker {
        asked: Mutex<usize>,
        seen: Mutex<Vec<(u32, Vec<f32>)>>,
    }

    impl Watch for Onlooker {
        fn progress(&self, _: Phase, _: u64, _: u64) {}

        fn wants_layout(&self) -> bool {
            let mut asked = self.asked.lock().unwrap();
            *asked += 1;
            asked.is_multiple_of(2)
        }

        fn layout(&self, epoch: u32, points: &[f32]) {
            self.seen.lock().unwrap().push((epoch, points.to_vec()));
        }
    }

    #[test]
    fn layouts_are_looked_at_on_their_way_and_no_other_for_it() {
        let (n, d) = (300, 6);
        let values = clouds(n, d, 3);
        let rows = Matrix::new(&values, d).unwrap();
        for m in [1, 2] {
            let umap = umap::Options { epochs: Some(9), ..umap::Options::new(m, 5) };
            let tsne = tsne::Options { iterations: 9, ..tsne::Options::new(m, 5) };
            let of_umap = |watch: &dyn Watch| umap::fit(&rows, &umap, watch).unwrap().points;
            let of_tsne = |watch: &dyn Watch| tsne::fit(&rows, &tsne, watch).unwrap().points;
            for is_umap in [true, false] {
                let fit = |watch: &dyn Watch| if is_umap { of_umap(watch) } else { of_tsne(watch) };
                let onlooker = Onlooker::default();
                assert_eq!(fit(&onlooker), fit(&Unwatched));
                let seen = onlooker.seen.into_inner().unwrap();
                let epochs: Vec<u32> = seen.iter().map(|(epoch, _)| *epoch).collect();
                assert_eq!(epochs, [1, 3, 5, 7]);
                assert!(seen.iter().all(|(_, points)| points.len() == n * m));
                assert!(seen.windows(2).all(|two| two[0].1 != two[1].1));
            }
        }
    }
}
