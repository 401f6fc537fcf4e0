//! Locks between the tabs of this address (Web Locks): one writer a file, one writer of
//! the lists. Where the browser has none there is one tab's word for it, which is what
//! it was without locks.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::worker::turn::scope;

/// Held until dropped, or until the worker ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    release: Option<Function>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            let _answer = release.call0(&JsValue::UNDEFINED);
        }
    }
}

/// The lock, unless somebody else has it.
pub async fn try_lock(name: &str) -> Option<Lock> {
    request(name, true).await
}

/// The lock, as soon as it is free.
pub async fn lock(name: &str) -> Option<Lock> {
    request(name, false).await
}

async fn request(name: &str, if_available: bool) -> Option<Lock> {
    let locks = Reflect::get(&scope().navigator(), &"locks".into()).ok()?;
    if locks.is_undefined() {
        return Some(Lock { release: None });
    }
    let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &if_available.into()).ok()?;

    // Two promises: `granted` tells us, `held` keeps the lock until it is resolved.
    let release = Rc::new(RefCell::new(None));
    let keep = Rc::clone(&release);
    let held = Promise::new(&mut |resolve: Function, _| {
        keep.replace(Some(resolve));
    });
    let mut on_grant = None;
    let granted = Promise::new(&mut |resolve: Function, _| on_grant = Some(resolve));
    let on_grant = on_grant?;
    let callback = Closure::once_into_js(move |lock: JsValue| -> JsValue {
        let is_ours = !lock.is_null();
        let _answer = on_grant.call1(&JsValue::UNDEFINED, &is_ours.into());
        if is_ours { held.into() } else { JsValue::UNDEFINED }
    });
    let outcome = request.call3(&locks, &name.into(), &options, &callback).ok()?;
    // The request's own promise settles at release; its failure must not go unhandled.
    let outcome: Promise = outcome.dyn_into().ok()?;
    wasm_bindgen_futures::spawn_local(async move {
        let _released = JsFuture::from(outcome).await;
    });
    let is_ours = JsFuture::from(granted).await.ok()?.is_truthy();
    let release = release.borrow_mut().take();
    is_ours.then_some(Lock { release })
}
