//! Pictures of rows at their points, which move with them.

use std::sync::Arc;

use leptos::prelude::*;

use super::Scatter;
use crate::page::lasting::Derived;
use crate::page::parts::{Fetched, made, wasm_split};
use crate::page::ui::each::Each;
use crate::page::ui::picture::RowPicture;
use crate::protocol::relief::Relief;
use crate::state::labels::moved;

#[wasm_split(pictures, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn atlas(scatter: Scatter, relief: Derived<Option<Arc<Relief>>>) -> Fetched {
    made(move || view! { <Atlas scatter relief/> })
}

#[component]
fn Atlas(scatter: Scatter, relief: Derived<Option<Arc<Relief>>>) -> impl IntoView {
    let tiles = move || relief.get().map(|relief| relief.pictures.clone()).unwrap_or_default();
    let place = move |row: u64| {
        let (relief, shown) = (relief.get()?, scatter.viewport.get()?);
        let (width, height) = scatter.size.get();
        let [x, y] = moved(&relief, shown, [width, height]);
        let tile = relief.pictures.iter().find(|tile| tile.row == row)?;
        let (left, top) = (tile.x * x[0] + x[1], tile.y * y[0] + y[1]);
        Some(format!("translate({left:.1}px,{top:.1}px)"))
    };
    view! {
        <div class="atlas" aria-hidden="true">
            <Each each=tiles key=|tile| tile.row let:tile>
                <div style:transform=move || place(tile.row)>
                    <RowPicture row=tile.row values=Vec::new()/>
                </div>
            </Each>
        </div>
    }
}
