//! What stands in a cell, by what it is: numbers with their points under each other, what is
//! missing told from what is empty, addresses as links, pictures as pictures.

use engine::kind::Kind;
use leptos::prelude::*;

use super::asking::fraction;
use super::{Grid, Shown};
use crate::page::ui::picture::Picture;
use crate::state::pictures::{is_link, source};
use crate::texts;

/// What a text, or null, looks like in a column; of the row of this number in the table. It is
/// made anew with every text, so nothing of it but pictures waits for anything.
pub(super) fn cell(grid: Grid, column: &Shown, text: Option<String>, number: u64) -> AnyView {
    let Some(text) = text else {
        return view! { <i class="null">{texts::values::NULL}</i> }.into_any();
    };
    if source(&column.name, column.is_binary, &text).is_some() {
        let (column, text) = (column.name.clone(), Some(text));
        return view! { <Picture column row=number text is_button=true/> }.into_any();
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
