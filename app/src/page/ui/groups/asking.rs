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

/// Questions of one kind and their answers, each of the rows of the selection of its number.
struct Letters<Q, A> {
    asked: BTreeMap<u64, (u64, Q)>,
    answered: BTreeMap<Q, (u64, A)>,
}

impl<Q: Ord + Clone, A: Clone> Letters<Q, A> {
    fn new() -> Self {
        Self { asked: BTreeMap::new(), answered: BTreeMap::new() }
    }

    /// Whether the answer is here or on its way.
    fn is_current(&self, question: &Q, of: u64) -> bool {
        self.answered.get(question).is_some_and(|(answer, _)| *answer == of)
            || self.asked.values().any(|(asked, other)| *asked == of && other == question)
    }

    /// Of whatever selection it is.
    fn answer(&self, question: &Q) -> Option<A> {
        self.answered.get(question).map(|(_, answer)| answer.clone())
    }

    /// An answer of an earlier selection does not take the place of a later one's.
    fn put(&mut self, of: u64, question: Q, answer: A) {
        if self.answered.get(&question).is_none_or(|(before, _)| *before <= of) {
            self.answered.insert(question, (of, answer));
        }
    }
}

struct Known {
    counts: Letters<Counts, Found>,
    extremes: Letters<Extremes, RowsFound>,
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
        let known = Known { counts: Letters::new(), extremes: Letters::new() };
        let asking = Self { page, known: Lasting::new(known) };
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

    /// Asks, unless that was done of this selection.
    fn ask<Q: Ord + Clone, A: Clone>(
        self,
        question: Q,
        of: u64,
        letters: fn(&mut Known) -> &mut Letters<Q, A>,
        asked: fn(Q) -> GroupsAsked,
    ) {
        let mut is_current = true;
        self.known.update_untracked(|known| is_current = letters(known).is_current(&question, of));
        if !is_current {
            let request = self.send(&asked(question.clone()));
            // Nothing is shown of what is on its way.
            self.known.update_untracked(|known| {
                letters(known).asked.insert(request, (of, question));
            });
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
    /// `now` is the selection that is asked about by now: that an answer about an earlier one
    /// failed no longer matters.
    fn read(&mut self, (request, answer): (u64, Result<String, String>), now: u64) {
        if let Some((of, question)) = self.counts.asked.remove(&request) {
            let read = |text: String| serde_json::from_str(&text).map_err(|e| e.to_string());
            let answer = answer.and_then(read);
            if answer.is_ok() || of == now {
                self.counts.put(of, question, Arc::new(answer));
            }
        } else if let Some((of, question)) = self.extremes.asked.remove(&request) {
            // Of what cannot be answered there are no rows.
            let rows = answer.ok().and_then(|text| serde_json::from_str(&text).ok());
            self.extremes.put(of, question, Arc::new(rows.unwrap_or_default()));
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
    Counts { keys, without, measures, most, has_terms: false }
}

/// Asks for groups, and for those of other rows once others are selected.
pub(super) fn counted(
    wanted: impl Fn() -> Option<Counts> + Send + Sync + Copy + 'static,
) -> Derived<Counted> {
    let (page, asking) = (use_page(), expect_context::<Asking>());
    Effect::new(move |_| {
        let of = selection(page);
        if let Some(wanted) = wanted() {
            asking.ask(wanted, of, |known| &mut known.counts, GroupsAsked::Counts);
        }
    });
    Derived::new(move |_| {
        let answer = |question: Counts| asking.known.with(|known| known.counts.answer(&question));
        Counted(wanted().and_then(answer))
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
            asking.ask(wanted, of, |known| &mut known.extremes, GroupsAsked::Extremes);
        }
    });
    Derived::new(move |_| {
        let wanted = wanted()?;
        let rows = asking.known.with(|known| known.extremes.answer(&wanted))?;
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
