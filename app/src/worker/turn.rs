//! Sharing the worker's one thread: long work takes steps of a few milliseconds and
//! between them lets the messages of the page in. By a `MessageChannel`, whose messages
//! queue behind those already waiting; a timer would cost 4 ms a turn.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent};

/// How long a step may take before messages are let in.
pub const STEP_MILLIS: f64 = 5.0;

/// The worker's global object.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds on a clock that only goes forward.
pub fn now_millis() -> f64 {
    scope().performance().map_or(0.0, |performance| performance.now())
}

/// Milliseconds since 1970, as the user's clock has it.
pub fn unix_millis() -> f64 {
    js_sys::Date::now()
}

/// Measures one step of long work.
#[derive(Debug)]
pub struct Stride {
    started: f64,
}

impl Stride {
    pub fn start() -> Self {
        Self { started: now_millis() }
    }

    pub fn is_over(&self) -> bool {
        now_millis() - self.started >= STEP_MILLIS
    }

    /// Lets messages in if the step has taken its time.
    pub async fn breathe(&mut self) {
        if self.is_over() {
            turn().await;
            self.started = now_millis();
        }
    }
}

/// Waits until what is queued now has had its turn.
pub async fn turn() {
    let mut queued = false;
    poll_fn(|context| {
        if queued {
            return Poll::Ready(());
        }
        queued = true;
        CHANNEL.with(|channel| channel.queue(context.waker().clone()));
        Poll::Pending
    })
    .await;
}

/// Waits by the clock.
pub async fn sleep(millis: i32) {
    let promise = Promise::new(&mut |resolve: Function, _| {
        let timed = scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
        if timed.is_err() {
            let _answer = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    let _elapsed = JsFuture::from(promise).await;
}

/// Waits for the next frame; where workers have no frames, for about as long.
pub async fn frame() {
    let has_frames = Reflect::has(&scope(), &"requestAnimationFrame".into()).unwrap_or(false);
    if !has_frames {
        return sleep(16).await;
    }
    let promise = Promise::new(&mut |resolve: Function, _| {
        if scope().request_animation_frame(&resolve).is_err() {
            let _answer = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    let _frame = JsFuture::from(promise).await;
}

thread_local! {
    static CHANNEL: Channel = Channel::open();
}

/// One channel for all turns; each message wakes the task that has waited longest.
struct Channel {
    channel: Option<MessageChannel>,
    /// Kept alive for as long as messages come.
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

thread_local! {
    static WAITING: RefCell<VecDeque<Waker>> = const { RefCell::new(VecDeque::new()) };
}

impl Channel {
    fn open() -> Self {
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(|_| wake_next());
        let channel = MessageChannel::new().ok();
        if let Some(channel) = &channel {
            channel.port1().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        }
        Self { channel, _on_message: on_message }
    }

    fn queue(&self, waker: Waker) {
        WAITING.with_borrow_mut(|waiting| waiting.push_back(waker));
        let posted =
            self.channel.as_ref().map(|channel| channel.port2().post_message(&JsValue::NULL));
        if !matches!(posted, Some(Ok(()))) {
            wake_next();
        }
    }
}

fn wake_next() {
    if let Some(waker) = WAITING.with_borrow_mut(VecDeque::pop_front) {
        waker.wake();
    }
}
