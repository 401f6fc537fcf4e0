//! What groups of rows are made of: asked of the worker while somebody looks, and again when
//! other rows are selected.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::prelude::*;

use super::instead_of;
use crate::page::groups;
use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::{Page, use_page};
use crate::protocol::Request;
use crate::protocol::groups::{Counts, Extremes, Groups, GroupsAsked};
use crate::state::column_clause;
use engine::literal::Literal;

/// Or why there is no answer.
type Found = Arc<Result<Groups, String>>;

/// Rows' numbers, group by group.
pub(super) type RowsFound = Arc<Vec<Vec<u64>>>;

/// What was answered, and what is on its way: each of the rows of the selection of this number.
#[derive(Debug, Clone, PartialEq, Default)]
struct Known {
    counts_asked: BTreeMap<u64, (u64, Counts)>,
    counts: BTreeMap<Counts, (u64, Found)>,
    extremes_asked: BTreeMap<u64, (u64, Extremes)>,
    extremes: BTreeMap<Extremes, (u64, RowsFound)>,
}

/// Asks, and knows the answers, for as long as the dialog is open.
#[derive(Clone, Copy)]
pub(super) struct Asking {
    page: Page,
    known: Lasting<Known>,
}

impl Asking {
    /// For the dialog, and all that is in it.
    pub(super) fn provide() {
        let page = use_page();
        let asking = Self { page, known: Lasting::new(Known::default()) };
        page.letters.update(Vec::clear);
        Effect::new(move |_| {
            if page.letters.with(Vec::is_empty) {
                return;
            }
            let letters = page.letters.try_update(std::mem::take).unwrap_or_default();
            let now = untrack(|| selection(page));
            asking
                .known
                .update(|known| letters.into_iter().for_each(|letter| known.read(letter, now)));
        });
        provide_context(asking);
    }

    fn counts(self, wanted: Counts, of: u64) {
        let is_current = self.known.with_untracked(|known| {
            known.counts.get(&wanted).is_some_and(|(answer, _)| *answer == of)
                || known.counts_asked.values().any(|asked| *asked == (of, wanted.clone()))
        });
        if !is_current {
            let request = self.send(&GroupsAsked::Counts(wanted.clone()));
            self.known.update(|known| drop(known.counts_asked.insert(request, (of, wanted))));
        }
    }

    fn extremes(self, wanted: Extremes, of: u64) {
        let is_current = self.known.with_untracked(|known| {
            known.extremes.get(&wanted).is_some_and(|(answer, _)| *answer == of)
                || known.extremes_asked.values().any(|asked| *asked == (of, wanted.clone()))
        });
        if !is_current {
            let request = self.send(&GroupsAsked::Extremes(wanted.clone()));
            self.known.update(|known| drop(known.extremes_asked.insert(request, (of, wanted))));
        }
    }

    /// Gives the number of the request. Numbers are the page's: of an earlier dialog nothing is
    /// taken for an answer.
    fn send(self, asked: &GroupsAsked) -> u64 {
        let request = groups::next(self.page);
        let text = serde_json::to_string(asked).unwrap_or_default();
        self.page.link.send(&Request::Groups { request, text });
        request
    }
}

impl Known {
    /// `now` is the selection that is asked about by now: an answer of an earlier one does not
    /// take the place of a later one's, and that it failed no longer matters.
    fn read(&mut self, (request, answer): (u64, Result<String, String>), now: u64) {
        if let Some((of, wanted)) = self.counts_asked.remove(&request) {
            let read = |text: String| serde_json::from_str(&text).map_err(|e| e.to_string());
            let answer = answer.and_then(read);
            let is_late = self.counts.get(&wanted).is_some_and(|(before, _)| *before > of);
            if !is_late && (answer.is_ok() || of == now) {
                self.counts.insert(wanted, (of, Arc::new(answer)));
            }
        } else if let Some((of, wanted)) = self.extremes_asked.remove(&request) {
            // Of what cannot be answered there are no rows.
            let rows = answer.ok().and_then(|text| serde_json::from_str(&text).ok());
            let is_late = self.extremes.get(&wanted).is_some_and(|(before, _)| *before > of);
            if !is_late {
                self.extremes.insert(wanted, (of, Arc::new(rows.unwrap_or_default())));
            }
        }
    }
}

/// Which rows are selected: another number once others are.
fn selection(page: Page) -> u64 {
    page.shown.with(|shown| shown.as_ref().map_or(0, |shown| shown.answer))
}

/// Counts by these columns, which rows' own filters do not matter to, with means of others.
pub(super) fn counts(
    keys: Vec<String>,
    free: &[String],
    measures: Vec<String>,
    most: u32,
) -> Counts {
    let without = free.iter().map(|column| column_clause(column)).collect();
    Counts { keys, without, measures, most }
}

/// Asks for groups, and for those of other rows once others are selected.
pub(super) fn counted(
    wanted: impl Fn() -> Option<Counts> + Send + Sync + Copy + 'static,
) -> Derived<Counted> {
    let (page, asking) = (use_page(), expect_context::<Asking>());
    Effect::new(move |_| {
        let of = selection(page);
        if let Some(wanted) = wanted() {
            asking.counts(wanted, of);
        }
    });
    Derived::new(move |_| {
        let wanted = wanted();
        let found = |wanted: &Counts| {
            asking.known.with(|known| known.counts.get(wanted).map(|(_, found)| Arc::clone(found)))
        };
        Counted(wanted.and_then(|wanted| found(&wanted)))
    })
}

/// Asks for rows of each group, as [`counted`] does for groups.
pub(super) fn extremes(
    wanted: impl Fn() -> Option<Extremes> + Send + Sync + Copy + 'static,
) -> Derived<Option<(Vec<Literal>, RowsFound)>> {
    let (page, asking) = (use_page(), expect_context::<Asking>());
    Effect::new(move |_| {
        let of = selection(page);
        if let Some(wanted) = wanted() {
            asking.extremes(wanted, of);
        }
    });
    Derived::new(move |_| {
        let wanted = wanted()?;
        let rows =
            asking.known.with(|known| known.extremes.get(&wanted).map(|(_, r)| r.clone()))?;
        Some((wanted.values, rows))
    })
}

/// Groups, as far as they are known.
#[derive(Clone, PartialEq)]
pub(super) struct Counted(Option<Found>);

impl Counted {
    pub(super) fn groups(&self) -> Option<&Groups> {
        self.0.as_ref().and_then(|found| found.as_ref().as_ref().ok())
    }

    /// What is said instead of groups.
    pub(super) fn instead(&self) -> Option<AnyView> {
        instead_of(self.0.as_deref())
    }
}
