//! The canvases of scatters: what part of the data each shows, who is under the pointer,
//! and drawing, one picture at a time and a little at a time, whenever something changed.

use std::collections::BTreeMap;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvas;

use crate::draw::canvas::Canvas;
use crate::draw::density::Density;
use crate::draw::painter::{Event, Painter};
use crate::draw::palette::Palette;
use crate::draw::raster::{Drawn, Raster};
use crate::draw::{Frame, Picture, Progress, Size, Style, Theme, Unselected};
use crate::few::sort_few;
use crate::look::Look;
use crate::protocol::{
    HoveredRow, Level, MAP_VIEW, Notice, RendererChoice, Reply, ViewId, Viewport,
};
use crate::texts;
use crate::worker::answer::Answers;
use crate::worker::answer::nearest::Reach;
use crate::worker::draft::Draft;
use crate::worker::host::{Host, notice, post};
use crate::worker::resident::Resident;
use crate::worker::rows::{cells, here};
use crate::worker::turn::{Stride, frame, now_millis, turn};

/// How far the pointer reaches, in CSS pixels.
const REACH: f64 = 12.0;
/// Drawing may take this long before messages are let in.
const DRAW_MILLIS: f64 = 8.0;
/// Room around the data, as a share of its extent, until the page says what to show.
const MARGIN: f64 = 0.03;

/// All canvases of the page.
#[derive(Default)]
pub struct Canvases {
    painter: Option<Painter>,
    plots: BTreeMap<ViewId, Plot>,
    dark: bool,
    /// The row that is looked at, marked in every scatter.
    pinned: Option<usize>,
    hovering: Option<Hovering>,
    /// Counts what made pictures stale.
    n_changes: u64,
    /// Whether the page wants to know when a picture is whole.
    tells: bool,
}

/// One scatter's canvas.
struct Plot {
    canvas: Place,
    _on_lost: Closure<dyn FnMut()>,
    /// Width, height, device pixels per CSS pixel.
    size: [f64; 3],
    scene: Scene,
    is_stale: bool,
    complaint: String,
}

/// What is known of a view, whatever canvas it is drawn on.
#[derive(Default)]
struct Scene {
    viewport: Option<Viewport>,
    highlight: Option<usize>,
    /// What the companion counted, and how it is to look.
    density: Option<(Density, Look)>,
    /// A map on its way.
    draft: Option<Draft>,
}

/// What a scene shows, apart from how.
struct Subject<'a> {
    picture: Picture<'a>,
    palette: Palette,
    selected: Option<&'a [u64]>,
    look: Look,
    extent: ([f64; 2], [f64; 2]),
}

enum Place {
    /// The renderer is not chosen yet.
    Waiting(OffscreenCanvas),
    Ready(Box<Canvas>),
    Refused,
}

/// The pointer, where it last was.
#[derive(Debug, Clone, Copy)]
struct Hovering {
    view: ViewId,
    /// A place of the canvas, or a direction.
    at: [f64; 2],
    wanted: Wanted,
}

/// What a view is asked about its points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wanted {
    /// The row at a place, with its values.
    Hovered,
    /// The row at a place, so far from it.
    Picked(f64),
    /// The row next to the pinned one in a direction.
    Next,
}

impl Canvases {
    pub fn set_theme(&mut self, dark: bool) {
        self.dark = dark;
        self.refresh();
    }

    pub fn theme(&self) -> Theme {
        Theme::of(self.dark)
    }

    /// The row that every scatter marks.
    pub fn pin(&mut self, row: Option<usize>) {
        if self.pinned != row {
            self.pinned = row;
            // What lies over the points is the same.
            self.plots.values_mut().for_each(|plot| plot.is_stale = true);
        }
    }

    pub fn has(&self, view: ViewId) -> bool {
        self.plots.contains_key(&view)
    }

    pub fn set_draft(&mut self, view: ViewId, draft: Option<Draft>) {
        if let Some(plot) = self.plots.get_mut(&view) {
            plot.scene.draft = draft;
            plot.is_stale = true;
        }
    }

    /// Changes when a picture does.
    pub fn n_changes(&self) -> u64 {
        self.n_changes
    }

    /// Without a map on its way, over which nothing lies.
    pub fn views(&self) -> Vec<ViewId> {
        self.plots.keys().copied().filter(|view| *view != MAP_VIEW).collect()
    }

    /// What is drawn of a view on its canvas, or on a sheet in light colours; without what is
    /// under the pointer.
    pub fn with_frame<T>(
        &self,
        view: ViewId,
        answers: &Answers,
        sheet: Option<Size>,
        f: impl FnOnce(Picture<'_>, &Frame<'_>, (Size, Look)) -> T,
    ) -> Option<T> {
        let plot = self.plots.get(&view)?;
        let theme = if sheet.is_some() { Theme::Light } else { self.theme() };
        let size = match (sheet, &plot.canvas) {
            (Some(size), _) => size,
            (None, Place::Ready(canvas)) => canvas.size(),
            _ => return None,
        };
        let subject = plot.scene.subject(view, answers, theme)?;
        let frame = plot.scene.frame(&subject, theme, self.pinned);
        let frame = Frame { highlight: None, ..frame };
        Some(f(subject.picture, &frame, (size, subject.look)))
    }

    /// Everything is to be drawn again.
    pub fn refresh(&mut self) {
        self.n_changes += 1;
        self.plots.values_mut().for_each(|plot| plot.is_stale = true);
    }

    pub fn attach(&mut self, view: ViewId, canvas: OffscreenCanvas, size: [f64; 3]) {
        self.n_changes += 1;
        let on_lost = Closure::<dyn FnMut()>::new(move || canvas_lost(view));
        let on_lost_function = on_lost.as_ref().unchecked_ref();
        // Browsers that tell nothing of it lose nothing.
        let _listens = canvas.add_event_listener_with_callback("contextlost", on_lost_function);
        let mut plot = Plot {
            _on_lost: on_lost,
            canvas: Place::Waiting(canvas),
            size,
            scene: Scene::default(),
            is_stale: true,
            complaint: String::new(),
        };
        if let Some(painter) = &self.painter {
            plot.settle(painter);
        }
        // What was known of the view stays true on its new canvas.
        if let Some(old) = self.plots.remove(&view) {
            plot.scene = old.scene;
        }
        self.plots.insert(view, plot);
    }

    pub fn resize(&mut self, view: ViewId, size: [f64; 3]) {
        self.n_changes += 1;
        if let Some(plot) = self.plots.get_mut(&view) {
            plot.size = size;
            plot.is_stale = true;
            if let Place::Ready(canvas) = &mut plot.canvas {
                let [width, height, pixel_ratio] = size;
                canvas.resize(width, height, pixel_ratio);
            }
        }
    }

    pub fn detach(&mut self, view: ViewId) {
        self.plots.remove(&view);
    }

    pub fn set_viewport(&mut self, view: ViewId, viewport: Viewport) {
        self.n_changes += 1;
        if let Some(plot) = self.plots.get_mut(&view) {
            plot.scene.viewport = Some(viewport);
            plot.is_stale = true;
        }
    }

    pub fn viewport(&self, view: ViewId) -> Option<Viewport> {
        self.plots.get(&view)?.scene.viewport
    }

    /// Width and height in CSS pixels.
    pub fn size(&self, view: ViewId) -> Option<[f64; 2]> {
        let [width, height, _] = self.plots.get(&view)?.size;
        Some([width, height])
    }

    pub fn set_density(&mut self, view: ViewId, density: Option<(Density, Look)>) {
        self.n_changes += 1;
        if let Some(plot) = self.plots.get_mut(&view) {
            plot.scene.density = density;
            plot.is_stale = true;
        }
    }

    pub fn point(&mut self, view: ViewId, at: [f64; 2], wanted: Wanted) {
        // A click is not forgotten because the pointer moved on.
        let is_free = self.hovering.is_none_or(|before| before.wanted == Wanted::Hovered);
        if is_free || wanted != Wanted::Hovered {
            self.hovering = Some(Hovering { view, at, wanted });
        }
    }

    pub fn point_away(&mut self, view: ViewId) {
        let is_over = |h: Hovering| h.view == view && h.wanted == Wanted::Hovered;
        if self.hovering.is_some_and(is_over) {
            self.hovering = None;
        }
        self.highlight(view, None);
    }

    /// Lights a row's point in every view.
    pub fn light(&mut self, row: Option<u64>) {
        let row = row.and_then(|row| usize::try_from(row).ok());
        let views: Vec<ViewId> = self.plots.keys().copied().collect();
        views.into_iter().for_each(|view| self.highlight(view, row));
    }

    fn highlight(&mut self, view: ViewId, row: Option<usize>) {
        if let Some(plot) = self.plots.get_mut(&view)
            && plot.scene.highlight != row
        {
            plot.scene.highlight = row;
            plot.is_stale = true;
        }
    }

    pub fn lose_device(&self) {
        if let Some(painter) = &self.painter {
            painter.lose_device();
        }
    }

    /// Works a little at a picture of a view in light colours, without what is under the
    /// pointer; true when it is whole, `None` where there is no such view.
    pub fn step_picture(
        &self,
        view: ViewId,
        answers: &Answers,
        raster: &mut Raster,
        size: Size,
    ) -> Option<bool> {
        let drawn = self.with_frame(view, answers, Some(size), |picture, frame, (size, _)| {
            let deadline = now_millis() + DRAW_MILLIS;
            raster.draw(picture, frame, size, &now_millis, deadline)
        })?;
        Some(matches!(drawn, Drawn::Whole { .. }))
    }

    /// Draws what is stale until the deadline; whether there is more to draw now.
    fn draw(&mut self, answers: &Answers, deadline: f64) -> bool {
        let theme = self.theme();
        let mut is_more = false;
        for (view, plot) in &mut self.plots {
            if plot.is_stale {
                is_more |= plot.draw(*view, answers, (theme, self.pinned), deadline);
                if self.tells && !plot.is_stale {
                    post(&Reply::Drawn { view: *view });
                }
            }
        }
        is_more
    }
}

impl Scene {
    /// What there is to draw: the companion's density, or points.
    fn subject<'a>(
        &'a self,
        view: ViewId,
        answers: &'a Answers,
        theme: Theme,
    ) -> Option<Subject<'a>> {
        if let Some(draft) = &self.draft {
            let look = Look::default();
            let palette = match draft.points.is_colored() {
                true => Palette::categorical(theme),
                false => Palette::single(theme, look.ramp, look.is_reversed),
            };
            let (picture, extent) = (Picture::Points(&draft.points), draft.extent);
            return Some(Subject { picture, palette, selected: None, look, extent });
        }
        match (&self.density, answers.scatter(view)) {
            (Some((density, look)), _) => {
                let Viewport { x, y } = density.extent();
                let picture = Picture::Density(density);
                Some(Subject {
                    picture,
                    palette: Palette::ramp(theme, look.ramp, look.is_reversed),
                    selected: None,
                    look: *look,
                    extent: (x, y),
                })
            }
            (None, Some(scatter)) => Some(Subject {
                picture: Picture::Points(scatter.points()),
                palette: scatter.palette(theme),
                selected: Some(scatter.shown()),
                look: scatter.look(),
                extent: scatter.extent(),
            }),
            (None, None) => None,
        }
    }

    fn frame<'a>(
        &self,
        subject: &'a Subject<'a>,
        theme: Theme,
        pinned: Option<usize>,
    ) -> Frame<'a> {
        Frame {
            viewport: self.viewport.unwrap_or_else(|| viewport_around(subject.extent)),
            palette: &subject.palette,
            theme,
            style: Style::of(subject.look),
            selected: subject.selected,
            unselected: Unselected::default(),
            highlight: self.highlight,
            pinned,
        }
    }
}

impl Plot {
    fn settle(&mut self, painter: &Painter) {
        let Place::Waiting(canvas) = &self.canvas else { return };
        let [width, height, pixel_ratio] = self.size;
        self.canvas = match Canvas::new(painter, canvas.clone(), width, height, pixel_ratio) {
            Ok(canvas) => Place::Ready(Box::new(canvas)),
            Err(error) => {
                notice(Level::Error, texts::drawing::not_drawn(&error.to_string()));
                Place::Refused
            }
        };
    }

    /// Whether to call again soon.
    fn draw(
        &mut self,
        view: ViewId,
        answers: &Answers,
        (theme, pinned): (Theme, Option<usize>),
        deadline: f64,
    ) -> bool {
        let Place::Ready(canvas) = &mut self.canvas else { return false };
        let Some(subject) = self.scene.subject(view, answers, theme) else { return false };
        let frame = self.scene.frame(&subject, theme, pinned);
        match canvas.draw(subject.picture, &frame, deadline) {
            Ok(Progress::Done) => {
                self.is_stale = false;
                false
            }
            Ok(Progress::More) => true,
            Ok(Progress::Waiting) => false,
            Err(error) => {
                self.is_stale = false;
                let complaint = texts::drawing::not_drawn(&error.to_string());
                if complaint != self.complaint {
                    notice(Level::Error, complaint.clone());
                    self.complaint = complaint;
                }
                false
            }
        }
    }
}

/// All of the data, with a little room.
pub fn viewport_around((x, y): ([f64; 2], [f64; 2])) -> Viewport {
    let padded = |[low, high]: [f64; 2]| {
        if low > high {
            return [0.0, 1.0];
        }
        let margin = if low < high { (high - low) * MARGIN } else { 0.5 };
        [low - margin, high + margin]
    };
    Viewport { x: padded(x), y: padded(y) }
}

fn canvas_lost(view: ViewId) {
    post(&Reply::CanvasLost { view });
}

/// Looks for a renderer; canvases that came before are drawn then.
pub async fn choose_painter(host: Rc<Host>, choice: RendererChoice, debug: bool) {
    let weak = Rc::downgrade(&host);
    let on_event = Box::new(move |event: Event| {
        let Some(host) = weak.upgrade() else { return };
        match event {
            Event::Wake => {}
            Event::RendererChanged(renderer) => {
                post(&Reply::Ready { renderer });
                let mut canvases = host.canvases.borrow_mut();
                // They may have been lost with the device: with its process they were.
                canvases.plots.keys().for_each(|view| canvas_lost(*view));
                canvases.refresh();
            }
            Event::Notice(Notice { level, text }) => notice(level, text),
        }
        host.draw.raise();
    });
    let painter = Painter::choose(choice, debug, on_event).await;
    post(&Reply::Ready { renderer: painter.info() });
    let mut canvases = host.canvases.borrow_mut();
    canvases.plots.values_mut().for_each(|plot| plot.settle(&painter));
    canvases.painter = Some(painter);
    canvases.tells = debug;
    canvases.refresh();
    drop(canvases);
    host.draw.raise();
}

/// The task that draws: at most one frame in flight.
pub async fn draw_on_demand(host: Rc<Host>) {
    loop {
        host.draw.wait().await;
        frame().await;
        loop {
            let deadline = now_millis() + DRAW_MILLIS;
            let is_more = host.canvases.borrow_mut().draw(&host.answers.borrow(), deadline);
            if !is_more {
                host.relief.raise();
                break;
            }
            turn().await;
        }
    }
}

/// The task that answers `Hover`: the newest place of the pointer only.
pub async fn hover_on_demand(host: Rc<Host>) {
    let mut stride = Stride::start();
    loop {
        host.hover.wait().await;
        loop {
            let Some(Hovering { view, .. }) = host.canvases.borrow().hovering else { break };
            let is_sorting = {
                let mut answers = host.answers.borrow_mut();
                answers.scatter_mut(view).is_some_and(|scatter| scatter.step_nearest())
            };
            if is_sorting {
                stride.breathe().await;
                continue;
            }
            answer_pointer(&host);
            break;
        }
    }
}

fn answer_pointer(host: &Host) {
    let mut canvases = host.canvases.borrow_mut();
    let Some(Hovering { view, at, wanted }) = canvases.hovering.take() else { return };
    let answers = host.answers.borrow();
    let data = host.data.borrow();
    let found = answers.scatter(view).zip(canvases.plots.get(&view)).and_then(|(scatter, plot)| {
        let viewport = plot.scene.viewport.unwrap_or_else(|| viewport_around(scatter.extent()));
        let [width, height, _] = plot.size;
        let reach = if let Wanted::Picked(reach) = wanted { reach } else { REACH };
        let look = Reach { viewport, size: [width, height], pointer: at, reach };
        match wanted {
            Wanted::Next => scatter.next(&look, canvases.pinned?),
            Wanted::Hovered | Wanted::Picked(_) => scatter.find(&look),
        }
    });
    if wanted == Wanted::Next && found.is_none() {
        return;
    }
    if wanted != Wanted::Hovered {
        post(&Reply::Picked { row: found.map(|(row, _)| row as u64) });
        return;
    }
    let row = found.zip(data.resident.as_ref()).map(|((row, [x, y]), resident)| {
        let values = values_of(resident, row as u64);
        HoveredRow { row_number: row as u64, x, y, values }
    });
    canvases.highlight(view, found.map(|(row, _)| row));
    host.draw.raise();
    post(&Reply::Hovered { view, row });
}

/// Marks a row and tells its values.
pub fn pin(host: &Host, row: Option<u64>) {
    let data = host.data.borrow();
    let there = |row: &u64| data.resident.as_ref().filter(|all| *row < all.rows() as u64);
    let values = row.as_ref().and_then(|row| Some(values_of(there(row)?, *row)));
    let marked = row.filter(|row| there(row).is_some());
    host.canvases.borrow_mut().pin(marked.map(|row| row as usize));
    host.draw.raise();
    post(&Reply::Pinned { row, values: values.unwrap_or_default() });
}

/// All that is here of a row, in the table's order of columns.
fn values_of(resident: &Resident, row: u64) -> Vec<(String, Option<String>)> {
    let mut columns: Vec<_> = resident.columns().iter().collect();
    sort_few(&mut columns, |column| column.place());
    let names: Vec<String> = columns.iter().map(|column| column.name().to_owned()).collect();
    let names = here(resident, &names, &[row]);
    let values = cells(resident, &names, &[row]).pop().unwrap_or_default();
    names.into_iter().zip(values).collect()
}
