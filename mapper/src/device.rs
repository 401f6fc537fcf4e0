//! Where clusters, components, and a layout's neighbours and epochs, are computed: by a graphics
//! device where that takes clearly less time, else by the processor. Either finds the same clusters
//! and neighbours, components to some six digits, and as good a layout. A device that fails once is not asked again, and what it said goes with the
//! result.

use std::cell::RefCell;
use std::rc::Rc;

use embedding::kmeans::Clustering;
use embedding::pca::{self, Pca};
use embedding::rows::{Matrix, RowSource};
use embedding::umap::{Layout, Prepared};
use embedding::watch::Watch;
use embedding::{Error, kmeans, knn, umap};
use gpu::{Gpu, NEIGHBOURS_MAX, gain};

use crate::task::THREADS;

/// When a device is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    WhereItGains,
    /// Whatever the job, and though the processor plays it, as in tests.
    Always,
    Never,
}

/// What computed a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Backend {
    #[default]
    Processor,
    /// A device was to, and said why not.
    ProcessorFor(String),
    /// As its driver calls it; a browser may say nothing.
    Device(String),
}

impl Backend {
    /// As the companion's jobs call theirs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Processor | Self::ProcessorFor(_) => "cpu",
            Self::Device(_) => "webgpu",
        }
    }

    /// As the companion's jobs call theirs, where it is not the processor.
    pub fn device(&self) -> Option<&'static str> {
        matches!(self, Self::Device(_)).then(|| self.name())
    }

    /// What the person who asked should know.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::ProcessorFor(why) => Some(why),
            Self::Processor | Self::Device(_) => None,
        }
    }
}

/// A device, with the vectors of one request once they were brought there.
pub struct Device {
    choice: Choice,
    state: RefCell<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Untried,
    /// It has no vectors.
    Open(Rc<Gpu>),
    Ready(Box<gpu::Session>),
    Refused(String),
}

impl Device {
    pub fn new(choice: Choice) -> Self {
        Self { choice, state: RefCell::default() }
    }

    /// Clusters the vectors, which are the same at every call.
    ///
    /// # Errors
    /// What the algorithm says; never that a device failed.
    pub async fn kmeans(
        &self,
        rows: &Matrix<'_>,
        options: &kmeans::Options,
        watch: &dyn Watch,
    ) -> Result<(Clustering, Backend), Error> {
        let (n, d) = (rows.rows(), rows.dimensions());
        let job = gain::KMeans { rows: n, dimensions: d, k: options.k };
        if self.is_wanted(|state| job.gains(matches!(state, State::Ready(_))))
            && let Some(session) = self.take(rows, watch).await?
        {
            let found = session.kmeans(rows, options, watch).await;
            if let Some(found) = self.put_back(session, found)? {
                return Ok(found);
            }
        }
        Ok((kmeans::fit(rows, options, watch)?, self.processor()))
    }

    /// Finds so many principal components.
    ///
    /// # Errors
    /// What the algorithm says; never that a device failed.
    pub async fn pca(
        &self,
        rows: &Matrix<'_>,
        n_components: usize,
        watch: &dyn Watch,
    ) -> Result<(Pca, Backend), Error> {
        let prepared = pca::Prepared::new(rows, n_components, Some(THREADS), watch)?;
        let job = gain::Components { rows: rows.rows(), dimensions: rows.dimensions() };
        if self.is_wanted(|state| job.gains(matches!(state, State::Ready(_))))
            && let Some(session) = self.take(rows, watch).await?
        {
            let found = session.products(rows, &prepared, watch).await;
            if let Some((sums, backend)) = self.put_back(session, found)? {
                return Ok((prepared.end(&sums, watch)?, backend));
            }
        }
        let sums = prepared.sums(rows, watch)?;
        Ok((prepared.end(&sums, watch)?, self.processor()))
    }

    /// Lays the vectors out.
    ///
    /// # Errors
    /// What the algorithm says; never that a device failed.
    pub async fn umap(
        &self,
        rows: &Matrix<'_>,
        options: &umap::Options,
        watch: &dyn Watch,
    ) -> Result<(Layout, Backend), Error> {
        let (prepared, backend) = self.prepare(rows, options, watch).await?;
        let blocks = prepared.dealt().map_or(0, |dealt| dealt.blocks.len() - 1);
        let acting = prepared.dealt().map_or(0.0, umap::Dealt::acting);
        let job = gain::Epochs { epochs: prepared.epochs(), blocks, acting };
        if gpu::umap::can(&prepared)
            && self.is_wanted(|state| job.gains(!matches!(state, State::Untried)))
            && let Some(gpu) = self.open().await
        {
            match gpu::umap::lay_out(&gpu, &prepared, watch).await {
                Ok(points) => {
                    let backend = Backend::Device(gpu.name().to_owned());
                    return Ok((prepared.end(points)?, backend));
                }
                Err(gpu::Error::Compute(error)) => return Err(error),
                Err(error) => {
                    self.state.replace(State::Refused(error.to_string()));
                }
            }
        }
        let layout = prepared.compute(watch)?;
        match self.processor() {
            Backend::Processor => Ok((layout, backend)),
            refused => Ok((layout, refused)),
        }
    }

    /// Finds the neighbours of a layout, by a device where the processor would find the same.
    async fn prepare(
        &self,
        rows: &Matrix<'_>,
        options: &umap::Options,
        watch: &dyn Watch,
    ) -> Result<(Prepared, Backend), Error> {
        let (n, d) = (rows.rows(), rows.dimensions());
        let (job, k) = (gain::Neighbours { rows: n, dimensions: d }, options.found_of(n));
        let can_be = knn::is_exact(n, d) && (1..=NEIGHBOURS_MAX).contains(&k);
        if can_be
            && self.is_wanted(|state| job.gains(matches!(state, State::Ready(_))))
            && let Some(session) = self.take(rows, watch).await?
        {
            let found = session.neighbours(rows, k, watch).await;
            if let Some(((neighbours, _), backend)) = self.put_back(session, found)? {
                let found = knn::Found { neighbours, recall: 1.0 };
                return Ok((Prepared::among(rows, options, found, watch)?, backend));
            }
        }
        Ok((Prepared::new(rows, options, watch)?, self.processor()))
    }

    fn is_wanted(&self, gains: impl FnOnce(&State) -> bool) -> bool {
        match (&*self.state.borrow(), self.choice) {
            (State::Refused(_), _) | (_, Choice::Never) => false,
            (_, Choice::Always) => true,
            (state, Choice::WhereItGains) => gains(state),
        }
    }

    /// The device, with or without vectors; none where there is none.
    async fn open(&self) -> Option<Rc<Gpu>> {
        match &*self.state.borrow() {
            State::Open(gpu) => return Some(Rc::clone(gpu)),
            State::Ready(session) => return Some(Rc::clone(session.gpu())),
            State::Refused(_) => return None,
            State::Untried => {}
        }
        let (state, gpu) = match Gpu::open(self.choice == Choice::Always).await {
            Ok(gpu) => {
                let gpu = Rc::new(gpu);
                (State::Open(Rc::clone(&gpu)), Some(gpu))
            }
            Err(error) => (State::Refused(error.to_string()), None),
        };
        self.state.replace(state);
        gpu
    }

    /// Takes the session out while it is waited for; makes it, where there is none.
    async fn take(
        &self,
        rows: &Matrix<'_>,
        watch: &dyn Watch,
    ) -> Result<Option<Box<gpu::Session>>, Error> {
        let Some(gpu) = self.open().await else { return Ok(None) };
        if let State::Ready(session) = self.state.take() {
            return Ok(Some(session));
        }
        match gpu::Session::new(gpu, rows, watch).await {
            Ok(session) => Ok(Some(Box::new(session))),
            Err(gpu::Error::Compute(error)) => Err(error),
            Err(error) => {
                self.state.replace(State::Refused(error.to_string()));
                Ok(None)
            }
        }
    }

    /// What a device found, unless it failed: then it is not asked again.
    fn put_back<T>(
        &self,
        session: Box<gpu::Session>,
        found: Result<T, gpu::Error>,
    ) -> Result<Option<(T, Backend)>, Error> {
        let backend = Backend::Device(session.gpu().name().to_owned());
        let (state, found) = match found {
            Ok(found) => (State::Ready(session), Ok(Some((found, backend)))),
            Err(gpu::Error::Compute(error)) => (State::Ready(session), Err(error)),
            Err(error) => (State::Refused(error.to_string()), Ok(None)),
        };
        self.state.replace(state);
        found
    }

    fn processor(&self) -> Backend {
        match &*self.state.borrow() {
            State::Refused(why) => Backend::ProcessorFor(why.clone()),
            State::Untried | State::Open(_) | State::Ready(_) => Backend::Processor,
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
