//! Rows over several devices: each has some blocks of them, and all are at work at once.

use std::borrow::Cow;
use std::rc::Rc;

use embedding::kmeans::{Prepared, UNSURE};
use embedding::rows::{BLOCK_ROWS, RowSource};
use embedding::watch::Watch;

use super::{Deal, Device};
use crate::bound::Centroids;
use crate::card::Card;
use crate::error::{CudaError, Failure};
use crate::plan::Place;

/// Values that are worth another device.
pub(super) const EACH: usize = 1 << 26;

/// Devices with rows, the first ones on the first.
pub(crate) struct Several {
    devices: Vec<Device>,
    n: usize,
}

impl Several {
    /// # Errors
    /// As [`Device::new`] has them.
    pub(crate) fn new(
        cards: &[Rc<dyn Card>],
        rows: &dyn RowSource,
        prepared: &Prepared,
        k: usize,
        watch: &dyn Watch,
    ) -> Result<Self, Failure> {
        let (blocks, many) = (rows.n_blocks(), cards.len().min(rows.n_blocks()));
        let part = |nth: usize| nth * blocks / many..(nth + 1) * blocks / many;
        let parts = (0..many).map(|nth| Part { rows, blocks: part(nth) });
        let open = |(part, card): (Part<'_>, &Rc<dyn Card>)| {
            Device::new(card, &part, prepared, k, None, watch)
        };
        let devices = parts.zip(cards).map(open).collect::<Result<_, _>>()?;
        Ok(Self { devices, n: rows.rows() })
    }
}

impl Deal for Several {
    fn deal(&mut self, centroids: &[f32]) -> Result<Vec<u32>, CudaError> {
        let Some(first) = self.devices.first() else { return Ok(Vec::new()) };
        let given = Centroids::new(centroids, &first.centre, first.scale);
        if given.beyond {
            return Ok(vec![UNSURE; self.n]);
        }
        for device in &mut self.devices {
            device.start(&given)?;
        }
        let mut labels = Vec::with_capacity(self.n);
        for device in &mut self.devices {
            labels.extend(device.finish()?);
        }
        Ok(labels)
    }

    fn place(&self) -> Place {
        let sent = self.devices.iter().map(Device::place).find(|place| *place != Place::Resident);
        sent.unwrap_or(Place::Resident)
    }
}

/// Some blocks of rows.
struct Part<'a> {
    rows: &'a dyn RowSource,
    blocks: std::ops::Range<usize>,
}

impl RowSource for Part<'_> {
    fn rows(&self) -> usize {
        self.rows.rows().min(self.blocks.end * BLOCK_ROWS) - self.blocks.start * BLOCK_ROWS
    }

    fn dimensions(&self) -> usize {
        self.rows.dimensions()
    }

    fn block(&self, index: usize) -> Result<Cow<'_, [f32]>, embedding::Error> {
        self.rows.block(self.blocks.start + index)
    }
}
