//! The companion's jobs: begun, followed and cancelled by its API, at the page's own pace.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::parts::{SplitLoaderError, wasm_split};
use super::signals::Page;
use super::{api, figure};
use crate::protocol::{Level, Request};
use crate::state::command::{Command, Dialog};
use crate::state::embed::{self, Estimate, Job, JobState};
use crate::texts;

/// How often a job that is not over is asked after.
const PAUSE_MILLIS: u32 = 300;
/// Asked after less and less often while the companion is away, or nobody looks.
const PAUSE_MAX_MILLIS: u32 = 10_000;
const NOT_FOUND: u16 = 404;
/// Jobs that are listed.
const SHOWN_MAX: usize = 20;

/// Begins a job. Gives its id, or what it was refused for, and the field to blame.
pub(super) async fn begin(page: Page, text: String) -> Result<String, (String, Option<String>)> {
    let (status, answer) = ask(page, "", "POST", Some(&text)).await.ok_or_else(not_known)?;
    match embed::job(&answer) {
        Some(job) if (200..300).contains(&status) => {
            let id = job.id.clone();
            follow(page, job);
            Ok(id)
        }
        _ => Err(embed::problem(&answer).unwrap_or_else(not_known)),
    }
}

/// Ids of jobs that are done in this browser begin so.
const HERE: &str = "here-";

/// Begins a job in this browser; what becomes of it is heard as of any other, by this id.
pub(super) fn begin_here(page: Page, text: String, script: String) -> String {
    let number = super::groups::next(page);
    let id = format!("{HERE}{number}");
    page.link.send(&Request::MapHere { id: id.clone(), text, script });
    id
}

/// Where its log is read; of one that is done here nobody keeps one.
pub(super) fn log_address(page: Page, job: &Job) -> Option<String> {
    let api = page.api.get_value().filter(|_| !is_here(job))?;
    Some(format!("{}/api/jobs/{}/log", api.trim_end_matches('/'), job.id))
}

pub(super) fn is_here(job: &Job) -> bool {
    job.id.starts_with(HERE)
}

/// What the worker says of a job that is done here. Only where the dialog was opened is there
/// one: what reads it was fetched with it.
#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn heard(page: Page, text: String) -> Result<(), SplitLoaderError> {
    match embed::job(&text) {
        Some(job) if job.job.kind.as_deref() == Some("save") => saved(page, &job),
        Some(job) => {
            put(page, job.clone());
            if job.state.is_over() {
                tell(page, &job);
            }
        }
        None => page.notify(Level::Error, texts::notices::PART_NOT_FETCHED),
    }
    Ok(())
}

/// Rows as a file that this browser wrote.
fn saved(page: Page, job: &Job) {
    let address = job.result.as_ref().and_then(|result| result.address.as_deref());
    match (job.state, address) {
        (JobState::Done, Some(address)) => {
            if figure::download(address, &job.job.into).is_err() {
                page.notify(Level::Error, texts::rows::NOT_SAVED);
            }
        }
        _ => {
            let why = job.message.as_deref().unwrap_or_default();
            page.notify(Level::Error, texts::rows::not_saved(why));
        }
    }
}

/// What a job is expected to take; none where the companion cannot say.
pub(super) async fn estimate(page: Page, text: String) -> Option<Estimate> {
    let (status, answer) = ask(page, "/estimate", "POST", Some(&text)).await?;
    embed::estimate(&answer).filter(|_| status == api::OK)
}

fn not_known() -> (String, Option<String>) {
    (texts::embed::NOT_KNOWN.to_owned(), None)
}

/// Asks for all jobs, and follows those that are not over.
pub(super) fn list(page: Page) {
    spawn_local(async move {
        let Some((api::OK, answer)) = ask(page, "", "GET", None).await else { return };
        let mut jobs = embed::jobs(&answer);
        jobs.retain(|job| job.job.is_known());
        jobs.truncate(SHOWN_MAX);
        let running = jobs.iter().filter(|job| !job.state.is_over());
        let running: Vec<Job> = running.cloned().collect();
        page.jobs.update(|known| {
            known.retain(|job| job.id.starts_with(HERE));
            known.extend(jobs);
        });
        running.into_iter().for_each(|job| follow(page, job));
    });
}

pub(super) fn cancel(page: Page, id: &str) {
    if id.starts_with(HERE) {
        return page.link.send(&Request::CancelMapHere);
    }
    let path = format!("/{id}");
    spawn_local(async move {
        let answer = ask(page, &path, "DELETE", None).await;
        match answer.as_ref().and_then(|(_, answer)| embed::job(answer)) {
            Some(job) => put(page, job),
            None => {
                let why = answer.and_then(|(_, answer)| embed::problem(&answer));
                let (why, _) = why.unwrap_or_else(not_known);
                page.notify(Level::Error, texts::embed::not_cancelled(&why));
            }
        }
    });
}

/// Keeps asking after a job until it is over, and says so then. Once for each.
fn follow(page: Page, job: Job) {
    let id = job.id.clone();
    put(page, job);
    let is_new = page.followed.try_update_value(|followed| followed.insert(id.clone()));
    if is_new != Some(true) {
        return;
    }
    spawn_local(async move {
        let path = format!("/{id}");
        let mut pause = PAUSE_MILLIS;
        loop {
            gloo_timers::future::TimeoutFuture::new(pause).await;
            let known =
                page.jobs.with_untracked(|jobs| jobs.iter().find(|job| job.id == id).cloned());
            let Some(known) = known.filter(|job| !job.state.is_over()) else { break };
            let answer = ask(page, &path, "GET", None).await;
            let job = answer.as_ref().and_then(|(_, text)| embed::job(text));
            match (answer.map(|(status, _)| status), job) {
                (Some(api::OK), Some(job)) => {
                    pause = if document().hidden() { PAUSE_MAX_MILLIS } else { PAUSE_MILLIS };
                    put(page, job.clone());
                    if job.state.is_over() {
                        tell(page, &job);
                        break;
                    }
                }
                // The companion was started anew without what it knew.
                (Some(NOT_FOUND), _) => {
                    let message = Some(texts::embed::FORGOTTEN.to_owned());
                    put(page, Job { state: JobState::Failed, message, ..known });
                    break;
                }
                // It is away: it may come back, and go on with its jobs.
                _ => pause = (pause * 2).min(PAUSE_MAX_MILLIS),
            }
        }
        page.followed.try_update_value(|followed| followed.remove(&id));
    });
}

fn tell(page: Page, job: &Job) {
    let (table, message) = (&job.job.into, job.message.as_deref().unwrap_or_default());
    // Where names are saved its line stands below.
    let is_seen = job.job.is_label() && page.dialog.get_untracked() == Some(Dialog::Groups);
    match job.state {
        JobState::Done => {
            if !job.id.starts_with(HERE) {
                page.dispatch(Command::Refresh);
            }
            // Whoever looks at the list sees it there.
            if page.dialog.get_untracked() == Some(Dialog::Embed) || is_seen {
                return;
            }
            let open = page.model.with_untracked(|model| embed::address_of(job, &model.chosen));
            let open =
                open.map(|query| (texts::embed::OPEN.to_owned(), Command::OpenView { query }));
            page.notify_with(Level::Info, texts::embed::is_ready(table, message), open);
        }
        JobState::Failed if is_seen => {}
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

async fn ask(page: Page, path: &str, method: &str, body: Option<&str>) -> Option<(u16, String)> {
    api::ask(page, &format!("/api/jobs{path}"), method, body).await
}
