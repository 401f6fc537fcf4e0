//! A list whose entries come and go by their keys.

use std::hash::Hash;

use leptos::prelude::*;
use leptos::tachys::reactive_graph::OwnedView;
use leptos::tachys::view::keyed::{SerializableKey, keyed};

use crate::page::parts::OnArrival;
use crate::page::signals::use_page;

/// Leptos' own `For`, but for what an entry leaves behind: an owner (reactive_graph 0.2) keeps
/// a place for each child it ever had until it goes itself, and a list stays while thousands
/// of entries pass through it. So an entry's owner is nobody's child: it goes with the entry,
/// and is given the contexts that there are: one more belongs here too.
#[component]
pub(super) fn Each<IF, I, T, EF, N, KF, K>(each: IF, key: KF, children: EF) -> impl IntoView
where
    IF: Fn() -> I + Send + 'static,
    I: IntoIterator<Item = T> + Send + 'static,
    EF: Fn(T) -> N + Send + Clone + 'static,
    N: IntoView + 'static,
    KF: Fn(&T) -> K + Send + Clone + 'static,
    K: Eq + Hash + SerializableKey + 'static,
    T: Send + 'static,
{
    let page = use_page();
    let on_arrival = use_context::<OnArrival>();
    let entry = move |_: usize, item: T| {
        let owner = Owner::default();
        let view = owner.with(|| {
            provide_context(page);
            if let Some(on_arrival) = on_arrival {
                provide_context(on_arrival);
            }
            children(item).into_view()
        });
        (drop::<usize>, OwnedView::new_with_owner(view, owner))
    };
    move || keyed(each(), key.clone(), entry.clone())
}
