//! Which rows have their pictures at their points: where most points are first, and none over
//! another.

use std::cmp::Reverse;

use super::{At, ROWS_A_STEP};
use crate::draw::plan::{Planner, pixel_of};
use crate::draw::{Picture, Size};
use crate::protocol::ViewId;
use crate::protocol::relief::{TILE, Tile};
use crate::worker::host::Host;
use crate::worker::turn::Stride;

/// CSS pixels on a side of a place of which one row may have its picture.
const PLACE: f64 = TILE / 2.0;
/// Pictures of one view: each is fetched.
const TILES_MAX: usize = 160;

/// The row that is nearest to the middle of a place.
#[derive(Clone, Copy)]
struct Best {
    count: u32,
    row: usize,
    x: f64,
    y: f64,
    distance: f64,
}

/// Places of a picture, in CSS pixels.
struct Places {
    across: usize,
    best: Vec<Option<Best>>,
}

impl Places {
    fn new(size: Size) -> Self {
        let many = |pixels: u32| {
            (f64::from(pixels) / (PLACE * f64::from(size.pixel_ratio))).ceil() as usize + 1
        };
        let (across, down) = (many(size.width), many(size.height));
        Self { across, best: vec![None; across * down] }
    }

    fn add(&mut self, row: usize, x: f64, y: f64) {
        let (column, line) = ((x / PLACE) as usize, (y / PLACE) as usize);
        let middle = |at: usize| (at as f64 + 0.5) * PLACE;
        let distance = (x - middle(column)).powi(2) + (y - middle(line)).powi(2);
        let Some(place) = self.best.get_mut(line * self.across + column) else { return };
        let count = place.map_or(0, |best| best.count) + 1;
        match place {
            Some(best) if best.distance <= distance => best.count = count,
            _ => *place = Some(Best { count, row, x, y, distance }),
        }
    }

    fn tiles(self) -> Vec<Tile> {
        let mut best: Vec<Best> = self.best.into_iter().flatten().collect();
        best.sort_unstable_by_key(|best| (Reverse(best.count), best.row));
        let mut tiles: Vec<Tile> = Vec::new();
        for Best { row, x, y, .. } in best {
            let is_free =
                !tiles.iter().any(|tile| (tile.x - x).abs() < TILE && (tile.y - y).abs() < TILE);
            if is_free && tiles.len() < TILES_MAX {
                tiles.push(Tile { row: row as u64, x, y });
            }
        }
        tiles
    }
}

/// `None` where something changed meanwhile.
pub(super) async fn find(host: &Host, view: ViewId, at: At) -> Option<Vec<Tile>> {
    let mut places: Option<Places> = None;
    let mut planner = Planner::default();
    let mut stride = Stride::start();
    let mut first = 0;
    loop {
        if at.is_gone(host) {
            return None;
        }
        let rows = {
            let (canvases, answers) = (host.canvases.borrow(), host.answers.borrow());
            canvases.with_frame(view, &answers, at.sheet(), |picture, frame, (size, _)| {
                let Picture::Points(points) = picture else { return 0 };
                let plan = planner.plan(picture, frame, size);
                let places = places.get_or_insert_with(|| Places::new(size));
                let Some(lens) = plan.lens else { return 0 };
                // From cells of the plan to CSS pixels.
                let unit = f64::from(plan.cell) / f64::from(size.pixel_ratio);
                let (width, height) = (plan.cells.width as f32, plan.cells.height as f32);
                for row in first..(first + ROWS_A_STEP).min(points.rows()) {
                    let is_shown = frame.selected.is_none_or(|words| {
                        words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
                    });
                    let place = is_shown.then(|| pixel_of(points, row, lens)).flatten();
                    let Some((x, y)) = place else { continue };
                    if x >= 0.0 && y >= 0.0 && x < width && y < height {
                        places.add(row, f64::from(x) * unit, f64::from(y) * unit);
                    }
                }
                points.rows()
            })?
        };
        first += ROWS_A_STEP;
        if first >= rows {
            return Some(places.map(Places::tiles).unwrap_or_default());
        }
        stride.breathe().await;
    }
}
