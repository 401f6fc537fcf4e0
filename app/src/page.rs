//! The page: what the user sees and does. It decodes, filters and draws nothing; it
//! asks the worker, and shows plain values.

use leptos::prelude::*;

/// Mounts the page on the document's body.
pub fn start() {
    console_error_panic_hook::set_once();
    mount_to_body(|| view! { <p>"Limn"</p> });
}
