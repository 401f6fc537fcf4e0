//! Messages to the user, in a corner: read out politely, errors at once, each with a
//! button to put it away and, where something can be done, one that does it.

use crate::page::ui::each::Each;
use leptos::prelude::*;

use super::icon::Icon;
use crate::page::signals::{ShownNotice, use_page};
use crate::protocol::Level;
use crate::state::command::Command;
use crate::texts;

#[component]
pub(super) fn Notices() -> impl IntoView {
    let page = use_page();
    let of_level = move |urgent: bool| {
        move || {
            let mut notices = page.notices.get();
            notices.retain(|notice| (notice.level == Level::Error) == urgent);
            notices
        }
    };
    view! {
        <div class="notices">
            <div role="alert">
                <Each each=of_level(true) key=|notice| notice.id let:notice><NoticeCard notice/></Each>
            </div>
            <div role="status" aria-live="polite">
                <Each each=of_level(false) key=|notice| notice.id let:notice><NoticeCard notice/></Each>
            </div>
        </div>
    }
}

#[component]
fn NoticeCard(notice: ShownNotice) -> impl IntoView {
    let page = use_page();
    let class = match notice.level {
        Level::Info => "notice info",
        Level::Warning => "notice warning",
        Level::Error => "notice error",
    };
    let id = notice.id;
    let action = notice.action.map(|(label, command)| {
        let act = move |_| {
            page.dispatch(Command::DismissNotice { notice: id });
            page.dispatch(command.clone());
        };
        view! { <button type="button" class="button small" on:click=act>{label}</button> }
    });
    view! {
        <div class=class>
            <p>{notice.text}</p>
            {action}
            <button
                type="button"
                class="icon-button"
                aria-label=texts::frame::DISMISS
                on:click=move |_| page.dispatch(Command::DismissNotice { notice: id })
            >
                {Icon::Cancel.view()}
            </button>
        </div>
    }
}
