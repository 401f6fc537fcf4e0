//! The worker's desk: takes the page's messages in order, hands each to whoever does it,
//! and posts replies. What takes long runs as tasks beside, one for each kind of work,
//! and takes turns with the messages.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{MessageEvent, OffscreenCanvas};

use crate::protocol::table::{Record, TableReply, TableRequest};
use crate::protocol::{Breakage, Clause, Legend, Level, MAP_VIEW, Notice, Reply, Request};
use crate::texts;
use crate::worker::answer::Answers;
use crate::worker::budget::Budget;
use crate::worker::cache::browser::Cache;
use crate::worker::canvases::{self, Canvases, Wanted};
use crate::worker::data::Data;
use crate::worker::desk::Desk;
use crate::worker::net::Cancel;
use crate::worker::notify::{Later, Notify};
use crate::worker::parts::{Part, Parts};
use crate::worker::turn::{now_millis, scope};
use crate::worker::{elsewhere, files, load, mapping, pages, relief, shaping, tables, views};

/// What the page said at the start.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The companion's origin; absent where there is none.
    pub api: Option<String>,
    /// The script of the reader of dropped files.
    pub reader: Option<String>,
    pub budget_bytes: Option<u64>,
    pub debug: bool,
}

/// A question that the companion has been at for longer gives way to a newer one.
const PATIENCE_MILLIS: f64 = 1000.0;

/// Everything of the worker, shared by its tasks.
pub struct Host {
    pub parts: Parts,
    pub settings: RefCell<Settings>,
    pub cache: Later<Rc<Cache>>,
    pub data: RefCell<Data>,
    /// What the page waits for.
    pub desk: RefCell<Desk>,
    pub answers: RefCell<Answers>,
    pub canvases: RefCell<Canvases>,
    pub load: load::Loads,
    pub tables: tables::Tables,
    pub files: files::Files,
    pub memory: elsewhere::Memory,
    /// What maps vectors here.
    pub mapping: mapping::Mapping,
    /// The question that the companion is at, and since when.
    pub asking: RefCell<Option<(Cancel, f64)>>,
    /// The same of the rows that it is at, and of the cells to copy.
    pub asking_rows: RefCell<Option<(Cancel, f64)>>,
    pub asking_copy: RefCell<Option<Cancel>>,
    /// The column whose steps it counts ahead.
    pub preparing: RefCell<Option<(Cancel, String)>>,
    /// Raised when views or the rows under them changed.
    pub show: Notify,
    /// There may be something to prepare for the next question.
    pub prepare: Notify,
    pub rows: Notify,
    pub draw: Notify,
    pub hover: Notify,
    pub relief: Notify,
    /// The columns whose shapes are wanted, and that they may have changed.
    pub shaped: RefCell<Vec<String>>,
    pub shape: Notify,
    started: Cell<bool>,
}

/// Listens to the page from now on.
pub fn start(parts: Parts) {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.to_string();
        post(&Reply::Panicked { text: text.clone() });
        web_sys::console::error_1(&JsValue::from_str(&text));
    }));
    let host = Rc::new(Host {
        parts,
        settings: RefCell::default(),
        cache: Later::default(),
        data: RefCell::default(),
        desk: RefCell::default(),
        answers: RefCell::default(),
        canvases: RefCell::default(),
        load: load::Loads::default(),
        tables: tables::Tables::default(),
        files: files::Files::default(),
        memory: elsewhere::Memory::default(),
        mapping: mapping::Mapping::default(),
        asking: RefCell::default(),
        asking_rows: RefCell::default(),
        asking_copy: RefCell::default(),
        preparing: RefCell::default(),
        show: Notify::default(),
        prepare: Notify::default(),
        rows: Notify::default(),
        draw: Notify::default(),
        hover: Notify::default(),
        relief: Notify::default(),
        shaped: RefCell::default(),
        shape: Notify::default(),
        started: Cell::new(false),
    });
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        take(&host, event.data());
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The worker listens until it ends.
    on_message.forget();
}

/// Sends a reply to the page.
pub fn post(reply: &Reply) {
    match serde_json::to_string(reply) {
        Ok(text) => {
            let _posted = scope().post_message(&JsValue::from_str(&text));
        }
        Err(error) => web_sys::console::error_1(&JsValue::from_str(&error.to_string())),
    }
}

/// Has a part do its work; what is posted where it cannot be fetched.
fn or_else_post(work: Part<()>, refusal: impl FnOnce(String) -> Reply + 'static) {
    spawn_local(async move {
        if work.await.is_none() {
            post(&refusal(texts::refusals::PART_NOT_FETCHED.to_owned()));
        }
    });
}

pub fn notice(level: Level, text: impl Into<String>) {
    post(&Reply::Notice(Notice { level, text: text.into() }));
}

/// A message: the text of a request, or the text and an object that came with it.
fn take(host: &Rc<Host>, message: JsValue) {
    let (text, object) = match message.dyn_into::<Array>() {
        Ok(pair) => (pair.get(0).as_string(), pair.get(1)),
        Err(text) => (text.as_string(), JsValue::UNDEFINED),
    };
    let Some(text) = text else { return };
    match serde_json::from_str::<Request>(&text) {
        Ok(request) => host.handle(request, object),
        Err(error) => {
            notice(Level::Error, texts::loading::unreadable_request(&error.to_string()));
        }
    }
}

impl Host {
    pub fn api(&self) -> Option<String> {
        self.settings.borrow().api.clone()
    }

    pub fn budget(&self) -> Budget {
        match self.settings.borrow().budget_bytes {
            Some(bytes) => Budget::of_bytes(bytes),
            None => Budget::for_device(device_memory()),
        }
    }

    fn handle(self: &Rc<Self>, request: Request, object: JsValue) {
        match request {
            Request::Start { api, reader, budget_bytes, renderer, dark, debug } => {
                let api = api.map(|api| api.trim_end_matches('/').to_owned());
                self.settings.replace(Settings { api, reader, budget_bytes, debug });
                self.begin(renderer, dark);
            }
            Request::SetTheme { dark } => {
                self.set_theme(dark);
                // Legends carry colours.
                self.show.raise();
                self.draw.raise();
            }
            Request::Approach { column } => {
                self.answers.borrow_mut().approach(&column);
                self.approach_elsewhere(column);
                self.prepare.raise();
            }
            Request::ListTables => spawn_local(tables::list(Rc::clone(self))),
            Request::Describe { table, version } => {
                spawn_local(tables::describe(Rc::clone(self), table, version));
            }
            Request::Load { table, version, columns } => load::begin(self, table, version, columns),
            Request::CancelLoad => {
                self.load.cancel();
                self.files.give_up();
            }
            Request::OpenFile { name, paths } => match object.dyn_into::<Array>() {
                Ok(objects) => files::open(self, name, paths, objects),
                Err(_) => notice(Level::Error, texts::loading::file_not_arrived(&name)),
            },
            Request::Show { generation, clauses, views } => {
                self.give_up_slow_question(&clauses);
                self.desk.borrow_mut().show(generation, clauses, views);
                self.show.raise();
            }
            Request::Rows { request, order_by, columns, first, count } => {
                self.give_up_slow_rows();
                self.desk.borrow_mut().ask_rows(request, order_by, columns, first, count);
                self.rows.raise();
            }
            Request::Table(request) => self.handle_table(request),
            Request::Groups { request, text } => {
                let work = (self.parts.groups)(Rc::clone(self), request, text);
                or_else_post(work, move |detail| Reply::Groups { request, answer: Err(detail) });
            }
            Request::MapHere { id, text, script } => {
                let work = (self.parts.map_here)(Rc::clone(self), id, text, script);
                or_else_post(work, |_| Reply::MappedHere { job: String::new() });
            }
            Request::MapAgain { text, is_last } => self.mapping.ask_again(text, is_last),
            Request::CancelMapHere => self.mapping.give_up(),
            Request::Picture { view, width, height } => {
                let work = (self.parts.picture)(Rc::clone(self), view, [width, height]);
                or_else_post(work, move |detail| Reply::Picture {
                    view,
                    picture: Err(detail),
                    legend: Legend::None,
                    relief: None,
                });
            }
            Request::Pin { row } => canvases::pin(self, row),
            Request::Break { what } => self.break_on_purpose(what),
            Request::ListCached
            | Request::DeleteCached { .. }
            | Request::ClearCached
            | Request::SetCacheBudget { .. } => {
                spawn_local(change_cache(Rc::clone(self), request));
            }
            canvas => self.handle_canvas(canvas, object),
        }
    }

    fn handle_table(self: &Rc<Self>, request: TableRequest) {
        match request {
            TableRequest::Record { request, row, columns } => {
                let work = (self.parts.record)(Rc::clone(self), request, row, columns);
                or_else_post(work, move |detail| {
                    let missing = Some(detail);
                    let record = Record { request, row, values: Vec::new(), missing };
                    Reply::Table(TableReply::Record(record))
                });
            }
            TableRequest::Image { row, column } => {
                let work = (self.parts.image)(Rc::clone(self), row, column.clone());
                or_else_post(work, move |detail| {
                    Reply::Table(TableReply::Image { row, column, image: Err(detail) })
                });
            }
            TableRequest::Copy(asked) => {
                self.desk.borrow_mut().ask_copy(Some(asked));
                self.rows.raise();
            }
            TableRequest::CancelCopy => {
                self.desk.borrow_mut().ask_copy(None);
                if let Some(cancel) = &*self.asking_copy.borrow() {
                    cancel.cancel();
                }
            }
            TableRequest::Point { row } => {
                self.canvases.borrow_mut().light(row);
                self.draw.raise();
            }
            TableRequest::Shapes { columns } => {
                self.shaped.replace(columns);
                self.shape.raise();
            }
        }
    }

    fn handle_canvas(self: &Rc<Self>, request: Request, object: JsValue) {
        let mut canvases = self.canvases.borrow_mut();
        match request {
            Request::AttachCanvas { view, width, height, pixel_ratio } => {
                match object.dyn_into::<OffscreenCanvas>() {
                    Ok(canvas) => canvases.attach(view, canvas, [width, height, pixel_ratio]),
                    Err(_) => notice(Level::Error, texts::drawing::NO_CANVAS),
                }
            }
            Request::ResizeCanvas { view, width, height, pixel_ratio } => {
                canvases.resize(view, [width, height, pixel_ratio]);
            }
            Request::DetachCanvas { view } => {
                canvases.detach(view);
                if view == MAP_VIEW {
                    self.mapping.leave();
                }
            }
            Request::SetViewport { view, viewport } => {
                canvases.set_viewport(view, viewport);
                if self.data.borrow().is_remote() {
                    // What is shown of a table that is elsewhere is counted there.
                    self.show.raise();
                }
            }
            Request::Hover { view, x, y } => {
                canvases.point(view, [x, y], Wanted::Hovered);
                self.hover.raise();
                return;
            }
            Request::Pick { view, x, y, reach } => {
                canvases.point(view, [x, y], Wanted::Picked(reach));
                self.hover.raise();
                return;
            }
            Request::PickNext { view, toward } => {
                canvases.point(view, toward, Wanted::Next);
                self.hover.raise();
                return;
            }
            Request::HoverEnd { view } => canvases.point_away(view),
            _ => {}
        }
        drop(canvases);
        self.draw.raise();
    }

    /// What the companion takes long over is not waited for when something else is asked, and
    /// nothing is while a brush moves whose steps are known.
    fn give_up_slow_question(&self, now: &[Clause]) {
        let mut memory = self.memory.borrow_mut();
        memory.notice(self.desk.borrow().question(), now);
        let Some((cancel, since)) = &*self.asking.borrow() else { return };
        if memory.is_foreseen() || now_millis() - since > PATIENCE_MILLIS {
            cancel.cancel();
        }
    }

    /// Nor are rows that it takes long over, when others are wanted.
    fn give_up_slow_rows(&self) {
        if let Some((cancel, since)) = &*self.asking_rows.borrow()
            && now_millis() - since > PATIENCE_MILLIS
        {
            cancel.cancel();
        }
    }

    /// What was counted ahead for another column is of no use any more.
    fn approach_elsewhere(&self, column: String) {
        if let Some((cancel, of)) = &*self.preparing.borrow()
            && *of != column
        {
            cancel.cancel();
        }
        self.memory.borrow_mut().near = Some(column);
    }

    fn set_theme(&self, dark: bool) {
        self.canvases.borrow_mut().set_theme(dark);
        self.answers.borrow_mut().theme.dark = dark;
    }

    fn begin(self: &Rc<Self>, renderer: crate::protocol::RendererChoice, dark: bool) {
        self.set_theme(dark);
        if self.started.replace(true) {
            return;
        }
        let host = Rc::clone(self);
        spawn_local(async move { host.cache.set(Rc::new(Cache::open().await)) });
        let debug = self.settings.borrow().debug;
        spawn_local(canvases::choose_painter(Rc::clone(self), renderer, debug));
        spawn_local(canvases::draw_on_demand(Rc::clone(self)));
        spawn_local(canvases::hover_on_demand(Rc::clone(self)));
        spawn_local(relief::look_on_demand(Rc::clone(self)));
        spawn_local(views::answer_on_demand(Rc::clone(self)));
        spawn_local(views::prepare_on_demand(Rc::clone(self)));
        spawn_local(pages::answer_on_demand(Rc::clone(self)));
        spawn_local(shaping::answer_on_demand(Rc::clone(self)));
    }

    #[expect(clippy::panic, reason = "a test of recovery asks for it")]
    fn break_on_purpose(&self, what: Breakage) {
        if !self.settings.borrow().debug {
            return;
        }
        match what {
            Breakage::Panic => panic!("broken on purpose"),
            Breakage::DeviceLoss => self.canvases.borrow().lose_device(),
        }
    }
}

async fn change_cache(host: Rc<Host>, request: Request) {
    let cache = host.cache.get().await;
    match request {
        Request::DeleteCached { key } => cache.delete(&key).await,
        Request::ClearCached => {
            cache.clear().await;
            forget_pictures().await;
        }
        Request::SetCacheBudget { bytes } => cache.set_budget(bytes).await,
        _ => {}
    }
    post(&Reply::Cached(cache.list().await));
}

/// Pictures are kept by the service worker, where there is one.
async fn forget_pictures() {
    let forget = || {
        let caches = js_sys::Reflect::get(&scope(), &"caches".into()).ok()?;
        let delete = js_sys::Reflect::get(&caches, &"delete".into()).ok()?;
        let delete: js_sys::Function = delete.dyn_into().ok()?;
        delete.call1(&caches, &"limn-pictures".into()).ok()?.dyn_into::<js_sys::Promise>().ok()
    };
    if let Some(forgotten) = forget() {
        drop(wasm_bindgen_futures::JsFuture::from(forgotten).await);
    }
}

/// Gigabytes, rounded, as the browser admits to; some do not say.
fn device_memory() -> Option<f64> {
    let navigator = scope().navigator();
    js_sys::Reflect::get(&navigator, &"deviceMemory".into()).ok()?.as_f64()
}
