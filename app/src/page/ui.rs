//! The page on screen: header, side panel, views, rows, dialogs and notices. One
//! component a file; each gets plain values or reads the page's signals, and answers
//! gestures with commands.

mod active;
mod add_view;
mod bars;
mod brush;
mod columns;
mod dialog;
mod each;
mod embed;
mod empty;
mod files;
mod filter;
mod filters;
mod finding;
mod grid;
mod groups;
mod header;
mod help;
mod histogram;
mod icon;
mod json;
mod keyboard;
mod notices;
mod offline;
mod palette;
mod picture;
mod pinned;
pub(super) mod player;
mod popover;
mod record;
mod rows;
mod saved;
mod scatter;
mod similar;
mod sparkline;
mod status;
mod tables;
mod toolbar;
mod versions;
mod view_frame;
mod views;

pub(super) use grid::with_chart;
pub(super) use scatter::axes_of;

use super::lasting::Derived;
use leptos::prelude::*;

use super::signals::{Described, Page, WorkerState};
use super::{address_bar, companion, shell, theme};
use crate::protocol::Level;
use crate::state::Model;
use crate::state::command::{Command, Part};
use crate::texts;

#[component]
pub(super) fn App() -> impl IntoView {
    let read = address_bar::read();
    let page = Page::new(read.options);
    provide_context(page);
    let mut model = Model::default();
    model.chosen = read.chosen;
    page.model.set(model);
    for complaint in read.complaints {
        page.notify(Level::Warning, complaint);
    }
    theme::start(page);
    address_bar::listen(page);
    keyboard::listen(page);
    companion::start(page);
    shell::start(page);

    let part = move || match page.part.get() {
        Part::Views => "views",
        Part::Filters => "filters",
        Part::Columns => "columns",
        Part::Rows => "rows",
    };
    let is_open = move || page.model.with(|model| model.chosen.table.is_some());
    // Around a table that cannot be opened there is nothing to filter or to list.
    let shut = Derived::new(move |_| {
        page.described.with(|described| matches!(described, Described::Failed(_)))
    });
    let stopped = move || matches!(page.worker.get(), WorkerState::Stopped { .. });
    view! {
        <a class="skip" href="#main">{texts::frame::SKIP_TO_VIEWS}</a>
        <div class="app" data-part=part class:side-hidden=move || !page.side_open.get() || shut.get()>
            <header::Header/>
            <Show when=move || !stopped() fallback=|| view! { <empty::WorkerStopped/> }>
                <Show when=is_open fallback=|| view! { <empty::Welcome/> }>
                    <div class="body">
                        <filters::Side/>
                        <main id="main" class="main" tabindex="-1">
                            <Show when=move || !shut.get()>
                                <toolbar::Toolbar/>
                            </Show>
                            <player::PlayerBar/>
                            <empty::TableState/>
                            <views::Views/>
                            <div class="over-foot">
                                <div>
                                    <toolbar::LoadProgress/>
                                    <empty::NoRows/>
                                </div>
                            </div>
                            <Show when=move || !shut.get()>
                                <rows::RowsPanel/>
                            </Show>
                        </main>
                    </div>
                    <PartTabs/>
                    <pinned::PinnedRecord/>
                </Show>
            </Show>
            <notices::Notices/>
            <help::HelpDialog/>
            <offline::OfflineDialog/>
            <palette::PaletteDialog/>
            <saved::SavedDialog/>
            <embed::EmbedDialog/>
            <groups::GroupsDialog/>
            <finding::FindDialog/>
            <files::FileDrop/>
        </div>
    }
}

/// On a narrow screen one part is shown at a time.
#[component]
fn PartTabs() -> impl IntoView {
    let page = super::signals::use_page();
    let tab = move |part: Part, label: &'static str, icon: icon::Icon| {
        view! {
            <button
                type="button"
                class="part-tab"
                aria-pressed=move || (page.part.get() == part).to_string()
                on:click=move |_| page.dispatch(Command::ShowPart { part })
            >
                {icon.view()}
                <span>{label}</span>
            </button>
        }
    };
    view! {
        <nav class="parts" aria-label=texts::frame::PARTS>
            {tab(Part::Views, texts::frame::VIEWS, icon::Icon::Views)}
            {tab(Part::Filters, texts::frame::FILTERS, icon::Icon::Filter)}
            {tab(Part::Columns, texts::frame::COLUMNS, icon::Icon::Columns)}
            {tab(Part::Rows, texts::frame::ROWS, icon::Icon::Rows)}
        </nav>
    }
}
