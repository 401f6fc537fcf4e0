//! A dialog over the page: the browser keeps the focus in it and closes it on Escape.

use leptos::html;
use leptos::prelude::*;

use super::icon::Icon;
use crate::page::signals::use_page;
use crate::state::command::{Command, Dialog};
use crate::texts;

#[component]
pub(super) fn ModalDialog(
    which: Dialog,
    title: &'static str,
    /// Without a head of its own.
    #[prop(optional)]
    bare: bool,
    children: ChildrenFn,
) -> impl IntoView {
    let page = use_page();
    let is_open = move || page.dialog.get() == Some(which);
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let wanted = is_open();
        let Some(dialog) = dialog.get() else { return };
        if wanted && !dialog.open() {
            drop(dialog.show_modal());
        } else if !wanted && dialog.open() {
            dialog.close();
        }
    });
    let close = move || page.dispatch(Command::ShowDialog { dialog: None });
    // The event comes a little later: the dialog may have been opened again by then.
    let on_close = move |_| {
        let is_closed = dialog.get_untracked().is_none_or(|dialog| !dialog.open());
        if is_closed && page.dialog.get_untracked() == Some(which) {
            close();
        }
    };
    // A click on the backdrop hits the dialog itself rather than what is in it.
    let on_click = move |event: web_sys::MouseEvent| {
        if let (Some(dialog), Some(target)) = (dialog.get_untracked(), event.target())
            && target.loose_eq(dialog.as_ref())
        {
            close();
        }
    };
    view! {
        <dialog node_ref=dialog class="dialog" class:bare=bare aria-label=title on:close=on_close on:click=on_click>
            <div class="dialog-body">
                {(!bare).then(|| view! {
                    <header class="dialog-head">
                        <h2>{title}</h2>
                        <button type="button" class="icon-button" aria-label=texts::frame::CLOSE on:click=move |_| close()>
                            {Icon::Cancel.view()}
                        </button>
                    </header>
                })}
                <Show when=is_open>{children()}</Show>
            </div>
        </dialog>
    }
}
