//! What the bundler cuts out of the worker's program, to be fetched when it is used: what asks
//! the companion (most tables fit the browser), what lies over points, and what opens on a
//! press. It is marked in the program itself (`worker/src/main.rs`): other programs are made
//! of this library too, and would keep what is cut.

use std::pin::Pin;
use std::rc::Rc;

use crate::protocol::table::CopyAsked;
use crate::protocol::{Rows, ViewId};
use crate::worker::answer::Question;
use crate::worker::copying::{CopyLeft, Copying};
use crate::worker::desk::RowsAsked;
use crate::worker::elsewhere::shapes::ShapesFound;
use crate::worker::host::Host;
use crate::worker::relief::{Kept, LookedOver};
use crate::worker::rows::RowOrder;

/// What a part does, or `None` where it could not be fetched.
pub type Part<T> = Pin<Box<dyn Future<Output = Option<T>>>>;

#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// [`elsewhere::answer`](crate::worker::elsewhere::answer).
    pub answer_elsewhere: fn(Rc<Host>, Question) -> Part<()>,
    /// [`elsewhere::ahead::prepare`](crate::worker::elsewhere::ahead::prepare).
    pub prepare_elsewhere: fn(Rc<Host>) -> Part<()>,
    /// [`elsewhere::rows`](crate::worker::elsewhere::rows).
    pub rows_elsewhere: fn(Rc<Host>, RowsAsked) -> Part<Option<Rows>>,
    /// [`elsewhere::shapes::of`](crate::worker::elsewhere::shapes::of).
    pub shapes_elsewhere: fn(Rc<Host>, Vec<String>) -> Part<ShapesFound>,
    /// [`Copying::begin`].
    pub copy: fn(Rc<Host>, CopyAsked) -> Part<Option<Copying>>,
    /// [`Copying::step`].
    pub copy_on: fn(Rc<Host>, Copying, RowOrder) -> Part<CopyLeft>,
    /// [`records::answer`](crate::worker::records::answer).
    pub record: fn(Rc<Host>, u64, u64, Vec<String>) -> Part<()>,
    /// [`records::answer_image`](crate::worker::records::answer_image).
    pub image: fn(Rc<Host>, u64, String) -> Part<()>,
    /// [`groups::answer`](crate::worker::groups::answer).
    pub groups: fn(Rc<Host>, u64, String) -> Part<()>,
    /// [`mapping::answer`](crate::worker::mapping::answer).
    pub map_here: fn(Rc<Host>, String, String, String) -> Part<()>,
    /// [`figure::answer`](crate::worker::figure::answer).
    pub picture: fn(Rc<Host>, ViewId, [f64; 2]) -> Part<()>,
    /// [`relief::look_over`](crate::worker::relief::look_over).
    pub look_over: fn(Rc<Host>, Kept, u64) -> Part<LookedOver>,
}
