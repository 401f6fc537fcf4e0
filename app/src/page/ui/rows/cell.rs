//! What stands in a cell, by what it is: numbers with their points under each other, what is
//! missing told from what is empty, addresses as links, pictures as pictures.

use crate::page::lasting::Lasting;
use engine::kind::Kind;
use leptos::html;
use leptos::prelude::*;

use super::asking::fraction;
use super::{Grid, Shown};
use crate::page::ui::icon::Icon;
use crate::texts;

/// Endings of addresses that are pictures.
const PICTURES: [&str; 6] = [".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif"];

/// An address that a click may open: nothing but the web, and nothing that hides more.
pub(in crate::page::ui) fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !text.ends_with('…')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c))
    })
}

fn is_picture_link(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default().to_lowercase();
    is_link(text) && PICTURES.iter().any(|ending| path.ends_with(ending))
}

/// Whether a cell is shown as a picture.
pub(in crate::page::ui) fn is_picture(column: &Shown, text: &str) -> bool {
    match column.kind {
        Kind::Nested => column.is_binary && text.starts_with("image/"),
        Kind::Text | Kind::Category => is_picture_link(text) || text.starts_with("data:image/"),
        _ => false,
    }
}

/// What a text, or null, looks like in a column; of the row of this number in the table. It is
/// made anew with every text, so nothing of it but pictures waits for anything.
pub(super) fn cell(grid: Grid, column: &Shown, text: Option<String>, number: u64) -> AnyView {
    let Some(text) = text else {
        return view! { <i class="null">{texts::values::NULL}</i> }.into_any();
    };
    if is_picture(column, &text) {
        let column = column.clone();
        return view! { <PictureCell grid column text number/> }.into_any();
    }
    match column.kind {
        Kind::Number if text == "NaN" => {
            view! { <i class="nan">{texts::values::NOT_A_NUMBER}</i> }.into_any()
        }
        Kind::Number => number_cell(grid, &column.name, text),
        _ if text.is_empty() => view! { <i class="null">"\"\""</i> }.into_any(),
        Kind::Text | Kind::Category if is_link(&text) => {
            let href = text.clone();
            view! {
                <a href=href target="_blank" rel="noopener noreferrer" tabindex="-1" title=text.clone()>{text.clone()}</a>
            }
            .into_any()
        }
        Kind::Boolean => {
            view! { <span class=format!("flag {text}")>{text.clone()}</span> }.into_any()
        }
        Kind::Nested if column.is_binary => view! { <span class="bytes">{text}</span> }.into_any(),
        Kind::Nested | Kind::Vector => {
            view! { <span class="nested" title=text.clone()>{text.clone()}</span> }.into_any()
        }
        _ => view! { <span title=text.clone()>{text.clone()}</span> }.into_any(),
    }
}

/// The point of a number stands where it stands in every row: behind it is room for as many
/// digits as the column has ever had.
fn number_cell(grid: Grid, name: &str, text: String) -> AnyView {
    let is_whole = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let n_digits = match (fraction(&text), is_whole) {
        (Some(fraction), _) => fraction.len() + 1,
        (None, true) => 0,
        // Other forms have no point to stand under the others.
        (None, false) => {
            return view! { <span class="figure" title=text.clone()>{text.clone()}</span> }
                .into_any();
        }
    };
    let most = grid.digits.with(|digits| digits.get(name).copied().unwrap_or(0));
    let room = if most == 0 { 0 } else { (most + 1).saturating_sub(n_digits) };
    view! { <span class="figure" style:padding-right=format!("{room}ch")>{text}</span> }.into_any()
}

/// Small in its cell, large on a click; where it cannot be shown it says why.
#[component]
fn PictureCell(grid: Grid, column: Shown, text: String, number: u64) -> impl IntoView {
    let page = grid.page;
    let failed = Lasting::new(None::<&'static str>);
    let name = column.name.clone();
    let link = is_link(&text).then(|| text.clone());
    let address = move || match &link {
        Some(link) if link.starts_with("https:") => Some(Ok(link.clone())),
        Some(_) => Some(Err(texts::rows::PICTURE_NOT_SECURE.to_owned())),
        None => page.cell_image(number, &name),
    };
    let alt = texts::rows::picture_of(&column.name, number);
    move || {
        let (alt, text) = (alt.clone(), text.clone());
        let refused = |reason: String| {
            let title = texts::rows::no_picture(&reason, &text);
            view! { <span class="no-picture" title=title>{Icon::Warning.view()} {reason}</span> }
                .into_any()
        };
        match (address(), failed.get()) {
            (_, Some(reason)) => refused(reason.to_owned()),
            (Some(Err(reason)), _) => refused(reason),
            (None, _) => view! { <span class="no-picture">"…"</span> }.into_any(),
            (Some(Ok(src)), None) => {
                let large = src.clone();
                let label = alt.clone();
                view! {
                    <button
                        type="button"
                        class="thumbnail"
                        tabindex="-1"
                        aria-label=texts::rows::enlarge(&alt)
                        on:click=move |_| grid.picture.set(Some((large.clone(), label.clone())))
                    >
                        <img
                            src=src
                            alt=alt.clone()
                            loading="lazy"
                            decoding="async"
                            referrerpolicy="no-referrer"
                            on:error=move |_| failed.set(Some(texts::rows::PICTURE_NOT_LOADED))
                        />
                    </button>
                }
                .into_any()
            }
        }
    }
}

/// A picture as large as the window lets it be.
#[component]
pub(in crate::page::ui) fn Lightbox(picture: Lasting<Option<(String, String)>>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let wanted = picture.with(Option::is_some);
        let Some(dialog) = dialog.get() else { return };
        match wanted {
            true if !dialog.open() => drop(dialog.show_modal()),
            false if dialog.open() => dialog.close(),
            _ => {}
        }
    });
    let content = move || {
        picture.get().map(|(src, label)| {
            view! {
                <img src=src alt=label.clone() referrerpolicy="no-referrer"/>
                <p>{label}</p>
            }
        })
    };
    view! {
        <dialog
            node_ref=dialog
            class="lightbox"
            aria-label=texts::rows::PICTURE
            on:close=move |_| picture.set(None)
            on:click=move |_| picture.set(None)
        >
            <button type="button" class="icon-button" aria-label=texts::frame::CLOSE>{Icon::Cancel.view()}</button>
            {content}
        </dialog>
    }
}
