//! What lies over the points of a scatter: counted again cell by cell once the picture has
//! come to rest, a little at a time, so that no frame waits for it.

mod tiles;

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::draw::palette::{CATEGORIES, Palette, RAMP_LAST};
use crate::draw::plan::{Plan, Planner, pixel_of};
use crate::draw::points::Points;
use crate::draw::raster::layer::{Cells, Layer, Rows};
use crate::draw::relief::Relief as Heights;
use crate::draw::tone::DEEPEST_MIN;
use crate::draw::{Frame, Picture, Size};
use crate::few::sort_few;
use crate::look::{Form, Look};
use crate::protocol::relief::{Contour, Counts, Label, Relief};
use crate::protocol::{Legend, LegendEntry, Reply, ViewId};
use crate::worker::host::{Host, post};
use crate::worker::turn::{Stride, now_millis, sleep, turn};

/// A picture that has not changed for so long is looked at.
const QUIET_MILLIS: i32 = 120;
const STEP_MILLIS: f64 = 5.0;
/// Cells on a side that share a height, and heights that are smoothed on either side.
const FOLD: usize = 2;
const SMOOTH: usize = 2;
/// CSS pixels on a side of a place that a label may have.
const PLACE: f32 = 16.0;
/// Rows looked at in one go.
const ROWS_A_STEP: usize = 1 << 14;
/// Colours in a density's legend.
const STOPS: usize = 9;

/// Sums of one view, kept: a changed selection adds and takes back the difference.
#[derive(Default)]
struct Sums {
    planner: Planner,
    layer: Layer,
    told: bool,
}

/// What is kept of the views between two looks.
#[derive(Default)]
pub struct Kept(BTreeMap<ViewId, Sums>);

/// The task that looks at pictures that have come to rest.
pub async fn look_on_demand(host: Rc<Host>) {
    let mut kept = Kept::default();
    let mut looked_at = None;
    loop {
        host.relief.wait().await;
        let mut drawn = host.canvases.borrow().n_changes();
        loop {
            sleep(QUIET_MILLIS).await;
            let now = host.canvases.borrow().n_changes();
            if now == drawn {
                break;
            }
            drawn = now;
        }
        // What is under the pointer changes nothing here.
        if looked_at.replace(drawn) == Some(drawn) || (kept.0.is_empty() && !is_wanted(&host)) {
            continue;
        }
        let looking = (host.parts.look_over)(host.clone(), std::mem::take(&mut kept), drawn);
        // Without the part points are bare, and it is asked for with the next picture.
        let Some((now, is_over)) = looking.await else { continue };
        kept = now;
        if !is_over {
            // What has changed since is looked at when it rests.
            looked_at = None;
            host.relief.raise();
        }
    }
}

/// Whether anything lies over any of the pictures.
fn is_wanted(host: &Host) -> bool {
    let (canvases, answers) = (host.canvases.borrow(), host.answers.borrow());
    canvases.views().into_iter().any(|view| {
        let has_any = canvases.with_frame(view, &answers, None, |picture, frame, (size, look)| {
            has_relief(picture, &look, Planner::default().plan(picture, frame, size).is_density)
        });
        has_any.unwrap_or(false)
    })
}

fn has_relief(picture: Picture<'_>, look: &Look, is_density: bool) -> bool {
    is_density || look.has_contours || has_labels(picture, look) || has_pictures(picture, look)
}

fn has_pictures(picture: Picture<'_>, look: &Look) -> bool {
    look.has_pictures && matches!(picture, Picture::Points(_))
}

fn has_labels(picture: Picture<'_>, look: &Look) -> bool {
    look.has_labels && matches!(picture, Picture::Points(_))
}

/// What is kept, and false where a picture changed meanwhile.
pub type LookedOver = (Kept, bool);

/// Looks at every view, and tells the page.
pub async fn look_over(host: Rc<Host>, mut kept: Kept, drawn: u64) -> LookedOver {
    let views = host.canvases.borrow().views();
    kept.0.retain(|view, _| views.contains(view));
    for view in views {
        let sums = kept.0.entry(view).or_default();
        let found = look(&host, view, sums, At::Rest(drawn)).await;
        if host.canvases.borrow().n_changes() != drawn {
            return (kept, false);
        }
        if found.is_some() || sums.told {
            sums.told = found.is_some();
            post(&Reply::Relief { view, relief: found.map(Box::new) });
        }
    }
    (kept, true)
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
enum At {
    /// A canvas, as long as it has not changed since.
    Rest(u64),
    Sheet(Size),
}

impl At {
    fn is_gone(self, host: &Host) -> bool {
        matches!(self, Self::Rest(drawn) if host.canvases.borrow().n_changes() != drawn)
    }

    fn sheet(self) -> Option<Size> {
        if let Self::Sheet(size) = self { Some(size) } else { None }
    }
}

/// What lies over a picture to keep.
pub async fn of_sheet(host: &Host, view: ViewId, size: Size) -> Option<Relief> {
    look(host, view, &mut Sums::default(), At::Sheet(size)).await
}

/// `None` where nothing is wanted, or where something changed meanwhile.
async fn look(host: &Host, view: ViewId, sums: &mut Sums, at: At) -> Option<Relief> {
    let (mut labels, mut pictures) = (None, None);
    loop {
        if at.is_gone(host) {
            return None;
        }
        let deadline = now_millis() + STEP_MILLIS;
        let step = {
            let (canvases, answers) = (host.canvases.borrow(), host.answers.borrow());
            canvases.with_frame(view, &answers, at.sheet(), |picture, frame, size| {
                step(picture, frame, size, sums, deadline)
            })?
        };
        match step {
            Step::Nothing => return None,
            Step::More => turn().await,
            // The sums are still what they were after either, or this begins again.
            Step::Done(_, wants) if wants.labels && labels.is_none() => {
                labels = Some(find_labels(host, view, at).await?);
            }
            Step::Done(_, wants) if wants.pictures && pictures.is_none() => {
                pictures = Some(tiles::find(host, view, at).await?);
            }
            Step::Done(relief, _) => {
                let mut relief = *relief;
                relief.labels = labels.unwrap_or_default();
                relief.pictures = pictures.unwrap_or_default();
                return Some(relief);
            }
        }
    }
}

enum Step {
    Nothing,
    More,
    Done(Box<Relief>, Wants),
}

/// What is looked for row by row.
struct Wants {
    labels: bool,
    pictures: bool,
}

fn step(
    picture: Picture<'_>,
    frame: &Frame<'_>,
    (size, look): (Size, Look),
    sums: &mut Sums,
    deadline: f64,
) -> Step {
    let drawn = sums.planner.plan(picture, frame, size);
    let wants =
        Wants { labels: has_labels(picture, &look), pictures: has_pictures(picture, &look) };
    if !has_relief(picture, &look, drawn.is_density) {
        return Step::Nothing;
    }
    let ratio = f64::from(size.pixel_ratio.max(f32::MIN_POSITIVE));
    let mut relief = Relief {
        viewport: frame.viewport,
        size: [f64::from(size.width) / ratio, f64::from(size.height) / ratio],
        points: 0,
        density: None,
        contours: Vec::new(),
        labels: Vec::new(),
        pictures: Vec::new(),
    };
    let plan = match picture {
        Picture::Points(points) => {
            let style = crate::draw::Style { form: Form::Density, ..frame.style };
            let plan = sums.planner.plan(picture, &Frame { style, ..*frame }, size);
            let rows = frame.selected.map_or(Rows::All, Rows::Some);
            let out_of_time = &mut || now_millis() >= deadline;
            if !sums.layer.advance(points, rows, &plan, &plan.selected, None, out_of_time) {
                return Step::More;
            }
            plan
        }
        Picture::Density(density) => {
            sums.layer.fill(density, frame, size);
            drawn.clone()
        }
    };
    let Cells::Plain(cells) = sums.layer.cells() else { return Step::Nothing };
    let many = plan.cells.width as usize * plan.cells.height as usize;
    let cells = cells.get(..many).unwrap_or_default();
    if let Picture::Points(_) = picture {
        relief.points = cells.iter().map(|count| u64::from(*count)).sum();
    }
    if drawn.is_density {
        relief.density = Some(counts(cells, &drawn, frame.palette, picture, ratio));
    }
    if look.has_contours {
        relief.contours = contours(cells, &plan, picture, ratio);
    }
    Step::Done(Box::new(relief), wants)
}

/// What the colours of a density mean.
fn counts(
    cells: &[u32],
    plan: &Plan,
    palette: &Palette,
    picture: Picture<'_>,
    ratio: f64,
) -> Counts {
    let most = cells.iter().copied().max().unwrap_or(0);
    let middle = if plan.selected.is_equalized {
        let mut filled: Vec<u32> = cells.iter().copied().filter(|count| *count > 0).collect();
        let middle = filled.len() / 2;
        match filled.is_empty() {
            true => 0,
            false => *filled.select_nth_unstable(middle).1,
        }
    } else {
        (most as f32).max(DEEPEST_MIN).sqrt().round() as u32
    };
    let is_ramp = plan.shade == crate::draw::plan::Shade::Ramp;
    let lone = plan.selected.opacity;
    let stop = |at: usize| {
        let share = lone + (1.0 - lone) * at as f32 / (STOPS - 1) as f32;
        palette.color((share * f32::from(RAMP_LAST)).round() as u8).css()
    };
    let cell = matches!(picture, Picture::Points(_)).then(|| f64::from(plan.cell) / ratio);
    let colors = if is_ramp { (0..STOPS).map(stop).collect() } else { Vec::new() };
    Counts { most, middle, cell, colors }
}

fn contours(cells: &[u32], plan: &Plan, picture: Picture<'_>, ratio: f64) -> Vec<Contour> {
    // The companion's bins lie under single pixels: as many of those as a cell has.
    let fold = match picture {
        Picture::Points(_) => FOLD,
        Picture::Density(_) => (2.0 * FOLD as f64 * ratio).round() as usize,
    };
    let heights = Heights::of(cells, plan.cells.width as usize, fold, SMOOTH);
    let unit = f64::from(plan.cell) * fold as f64 / ratio;
    let line =
        |level: f32| Contour { level: f64::from(level), path: heights.line(level, unit as f32) };
    heights.levels().into_iter().map(line).collect()
}

/// How many points of each colour lie about each place.
struct Places {
    across: usize,
    down: usize,
    counts: Vec<u32>,
}

impl Places {
    fn new(size: Size) -> Self {
        let many = |pixels: u32| (pixels as f32 / (PLACE * size.pixel_ratio)).ceil() as usize + 2;
        let (across, down) = (many(size.width), many(size.height));
        Self { across, down, counts: vec![0; across * down * CATEGORIES] }
    }

    /// A rim of empty places saves the look at the edges.
    fn count(&mut self, points: &Points, frame: &Frame<'_>, size: Size, plan: &Plan, first: usize) {
        let Some(lens) = plan.lens else { return };
        let side = PLACE * size.pixel_ratio / plan.cell as f32;
        let (width, height) = (plan.cells.width as f32, plan.cells.height as f32);
        for row in first..(first + ROWS_A_STEP).min(points.rows()) {
            let is_shown = frame
                .selected
                .is_none_or(|words| words.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1));
            let color = usize::from(points.color(row));
            if !is_shown || color >= CATEGORIES {
                continue;
            }
            let Some((x, y)) = pixel_of(points, row, lens) else { continue };
            if x >= 0.0 && y >= 0.0 && x < width && y < height {
                let (column, line) = ((x / side) as usize + 1, (y / side) as usize + 1);
                let place = (color * self.down + line) * self.across + column;
                if let Some(count) = self.counts.get_mut(place) {
                    *count += 1;
                }
            }
        }
    }

    /// The densest place of a colour, in CSS pixels, and how many points the colour has.
    fn densest(&self, color: usize) -> Option<(f64, f64, u64)> {
        let many = self.across * self.down;
        let own = self.counts.get(color * many..(color + 1) * many)?;
        let around = |at: usize| {
            let lines = [at - self.across, at, at + self.across];
            let of_line = |at: usize| own.get(at - 1..=at + 1).unwrap_or_default().iter();
            lines.into_iter().flat_map(of_line).map(|count| u64::from(*count)).sum::<u64>()
        };
        let inner = self.across + 1..many.checked_sub(self.across + 1)?;
        let best = inner.max_by_key(|at| (around(*at), std::cmp::Reverse(*at)))?;
        let count: u64 = own.iter().map(|count| u64::from(*count)).sum();
        let middle = |place: usize| (place as f64 - 0.5) * f64::from(PLACE);
        (count > 0).then(|| (middle(best % self.across), middle(best / self.across), count))
    }
}

async fn find_labels(host: &Host, view: ViewId, at: At) -> Option<Vec<Label>> {
    let entries = categories(host, view);
    let mut places: Option<Places> = None;
    let mut planner = Planner::default();
    let mut stride = Stride::start();
    let mut first = 0;
    while !entries.is_empty() {
        if at.is_gone(host) {
            return None;
        }
        let rows = {
            let (canvases, answers) = (host.canvases.borrow(), host.answers.borrow());
            canvases.with_frame(view, &answers, at.sheet(), |picture, frame, (size, _)| {
                let Picture::Points(points) = picture else { return 0 };
                let plan = planner.plan(picture, frame, size);
                let places = places.get_or_insert_with(|| Places::new(size));
                places.count(points, frame, size, &plan, first);
                points.rows()
            })?
        };
        first += ROWS_A_STEP;
        if first >= rows {
            break;
        }
        stride.breathe().await;
    }
    let place = |(at, entry): (usize, LegendEntry)| {
        let (x, y, count) = places.as_ref()?.densest(at)?;
        let LegendEntry { label: text, color, .. } = entry;
        Some(Label { text, color, count, x, y })
    };
    let mut labels: Vec<Label> = entries.into_iter().enumerate().filter_map(place).collect();
    sort_few(&mut labels, |label| std::cmp::Reverse(label.count));
    Some(labels)
}

/// The categories that have a colour of their own, in the order of their indices.
fn categories(host: &Host, view: ViewId) -> Vec<LegendEntry> {
    let (answers, data) = (host.answers.borrow(), host.data.borrow());
    let theme = host.canvases.borrow().theme();
    let found = answers.scatter(view).zip(data.resident.as_ref());
    match found.map(|(scatter, resident)| scatter.legend(resident, theme)) {
        Some(Legend::Categories { mut entries }) => {
            entries.retain(|entry| entry.value.is_some());
            entries
        }
        _ => Vec::new(),
    }
}
