//! The companion's jobs: begun, followed and cancelled by its API, at the page's own pace.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestInit, Response};

use super::signals::Page;
use crate::protocol::Level;
use crate::state::command::{Command, Dialog};
use crate::state::embed::{self, Job, JobState};
use crate::texts;

const ANSWER_MILLIS: u32 = 20_000;
/// How often a job that is not over is asked after.
const PAUSE_MILLIS: u32 = 300;
/// Jobs that are listed.
const SHOWN_MAX: usize = 20;

/// Begins a job. Gives what it was refused for, and the field to blame.
pub(super) async fn begin(page: Page, text: String) -> Result<(), (String, Option<String>)> {
    let (is_ok, answer) = ask(page, "", "POST", Some(&text)).await.ok_or_else(not_known)?;
    match (is_ok, embed::job(&answer)) {
        (true, Some(job)) => {
            follow(page, job);
            Ok(())
        }
        _ => Err(embed::problem(&answer).unwrap_or_else(not_known)),
    }
}

fn not_known() -> (String, Option<String>) {
    (texts::embed::NOT_KNOWN.to_owned(), None)
}

/// Asks for all jobs, and follows those that are not over.
pub(super) fn list(page: Page) {
    spawn_local(async move {
        let Some((true, answer)) = ask(page, "", "GET", None).await else { return };
        let mut jobs = embed::jobs(&answer);
        jobs.retain(|job| !job.job.steps.is_empty());
        jobs.truncate(SHOWN_MAX);
        let is_followed = |job: &Job| {
            page.jobs.with_untracked(|known| {
                known.iter().any(|known| known.id == job.id && !known.state.is_over())
            })
        };
        let new = jobs.iter().filter(|job| !job.state.is_over() && !is_followed(job));
        let new: Vec<Job> = new.cloned().collect();
        page.jobs.set(jobs);
        new.into_iter().for_each(|job| follow(page, job));
    });
}

pub(super) fn cancel(page: Page, id: &str) {
    let path = format!("/{id}");
    spawn_local(async move {
        if let Some((true, answer)) = ask(page, &path, "DELETE", None).await
            && let Some(job) = embed::job(&answer)
        {
            put(page, job);
        }
    });
}

/// Keeps asking after a job until it is over, and says so then.
fn follow(page: Page, job: Job) {
    let path = format!("/{}", job.id);
    put(page, job);
    spawn_local(async move {
        loop {
            gloo_timers::future::TimeoutFuture::new(PAUSE_MILLIS).await;
            let is_cancelled = page.jobs.with_untracked(|jobs| {
                jobs.iter().any(|job| path.ends_with(&job.id) && job.state.is_over())
            });
            if is_cancelled {
                return;
            }
            // A companion that is away may come back, and go on with its jobs.
            let Some((is_ok, answer)) = ask(page, &path, "GET", None).await else { continue };
            let Some(job) = embed::job(&answer).filter(|_| is_ok) else { return };
            let is_over = job.state.is_over();
            put(page, job.clone());
            if is_over {
                return tell(page, &job);
            }
        }
    });
}

fn tell(page: Page, job: &Job) {
    let (table, message) = (&job.job.into, job.message.as_deref().unwrap_or_default());
    match job.state {
        JobState::Done => {
            page.dispatch(Command::Refresh);
            // Whoever looks at the list sees it there.
            if page.dialog.get_untracked() == Some(Dialog::Embed) {
                return;
            }
            let open = embed::address_of(job);
            let open =
                open.map(|query| (texts::embed::OPEN.to_owned(), Command::OpenView { query }));
            page.notify_with(Level::Info, texts::embed::is_ready(table, message), open);
        }
        JobState::Failed => page.notify(Level::Error, texts::embed::has_failed(table, message)),
        JobState::Queued | JobState::Running | JobState::Cancelled => {}
    }
}

/// A job as it is now; a new one comes first.
fn put(page: Page, job: Job) {
    page.jobs.update(|jobs| match jobs.iter_mut().find(|known| known.id == job.id) {
        Some(known) => *known = job,
        None => jobs.insert(0, job),
    });
}

/// Whether the answer is a good one, and its text; none where there is no answer.
async fn ask(page: Page, path: &str, method: &str, body: Option<&str>) -> Option<(bool, String)> {
    let url = format!("{}/api/jobs{path}", page.api.get_value()?);
    let options = RequestInit::new();
    options.set_method(method);
    options.set_cache(RequestCache::NoStore);
    options.set_signal(Some(&AbortSignal::timeout_with_u32(ANSWER_MILLIS)));
    if let Some(body) = body {
        let headers = Headers::new().ok()?;
        headers.set("Content-Type", "application/json").ok()?;
        options.set_headers(&headers);
        options.set_body(&JsValue::from_str(body));
    }
    let answer = JsFuture::from(window().fetch_with_str_and_init(&url, &options)).await.ok()?;
    let answer: Response = answer.dyn_into().ok()?;
    let text = JsFuture::from(answer.text().ok()?).await.ok()?.as_string()?;
    Some((answer.ok(), text))
}
