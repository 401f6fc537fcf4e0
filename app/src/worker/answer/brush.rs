//! What makes the steps of a brush cheap. While one column's clause moves, all others stand
//! still: the column's rows are ranked once, and for every histogram and bars the counts
//! before each stretch of the ranks are summed up. A step is then two lines of counts and a
//! few rows (see [`engine::cube`]). Prepared when the pointer comes near, a little at a time
//! while there is nothing else to do, and again when another clause changes.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::ArrayRef;
use engine::bind::Bound;
use engine::cube::{Cube, Ranked};
use engine::mask::WORD_BITS;
use engine::query::{Nulls, OrderKey};

use super::masks::{BLOCK_WORDS, Masks};
use super::{Question, Shown};
use crate::protocol::{Clause, Mark, View, ViewId, column_clause};
use crate::worker::resident::column::NULL_CODE;
use crate::worker::resident::{BLOCK_ROWS, Resident};
use crate::worker::sort::{RowSort, Sorted};
use crate::worker::tally::{Codes, NULL_WIDE};

/// Rows that are ranked between two looks at what else has come in.
const RANKED_A_STEP: usize = 1 << 18;
/// Ranks are kept of the columns brushed last, as long as they take no more than this.
const RANKS_BYTES_MAX: usize = 64 << 20;
/// A view of more codes is counted by its tally.
const CUBE_BYTES_MAX: usize = 16 << 20;

#[derive(Default)]
pub struct Brush {
    /// The column whose clause moves, or is about to.
    column: Option<String>,
    /// The last ranked last; those ranked ahead, that nobody has brushed yet, first.
    ranks: Vec<(String, Ranked)>,
    /// What is being ranked, and the column: of the one that somebody is near, and ahead.
    near: (String, Work),
    ahead: (String, Work),
    cubes: BTreeMap<ViewId, ViewCube>,
}

#[derive(Default)]
enum Work {
    #[default]
    Nothing,
    Sort(RowSort),
    Rank(Ranked),
    /// The column has no ranks.
    Impossible,
}

impl Work {
    fn is_impossible(&self) -> bool {
        matches!(self, Self::Impossible)
    }
}

/// The cube of one view, and what it is of.
struct ViewCube {
    mark: Mark,
    /// The clauses that hold besides the brushed one, the view's own left out.
    others: Vec<Clause>,
    /// The rows that pass them.
    mask: Vec<u64>,
    cube: Cube,
    n_blocks: usize,
    is_done: bool,
}

impl std::fmt::Debug for Brush {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cubes: Vec<_> = self.cubes.iter().map(|(view, cube)| (view, cube.is_done)).collect();
        f.debug_struct("Brush")
            .field("column", &self.column)
            .field("ranked", &self.ranked())
            .field("cubes", &cubes)
            .finish()
    }
}

impl Brush {
    /// Forgets rows that are gone.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The clause of this column is about to move.
    pub fn approach(&mut self, column: &str) {
        if self.column.as_deref() != Some(column) {
            self.column = Some(column.to_owned());
            self.cubes.clear();
        }
    }

    /// The column whose clause may move cheaply.
    pub fn prepared(&self) -> Option<&str> {
        let column = self.column.as_deref()?;
        self.ranks.last().is_some_and(|(of, _)| of == column).then_some(column)
    }

    /// A clause that moved is likely to move again.
    pub fn notice(&mut self, before: &[Clause], now: &[Clause]) {
        let missing = |clauses: &[Clause], clause: &Clause| !clauses.contains(clause);
        let came = now.iter().filter(|clause| missing(before, clause));
        let went = before.iter().filter(|clause| missing(now, clause));
        let mut changed: Vec<&Clause> = came.chain(went).collect();
        changed.dedup_by_key(|clause| &clause.id);
        if let [clause] = changed.as_slice()
            && let Some(column) = own_column(clause)
        {
            self.approach(column);
        }
    }

    /// The columns that are ranked, those ranked ahead first.
    pub fn ranked(&self) -> Vec<&str> {
        self.ranks.iter().map(|(column, _)| column.as_str()).collect()
    }

    /// The runs of the ranks that a clause passes, where its column is ranked.
    pub fn runs(
        &self,
        clause: &Clause,
        bound: &Bound,
        resident: &Resident,
    ) -> Option<(&Ranked, Vec<Range<usize>>)> {
        let (column, ranked) =
            self.ranks.iter().find(|(column, _)| clause.id == column_clause(column))?;
        let blocks = resident.column(column)?.blocks();
        let at = |row: u32| -> Option<(&ArrayRef, usize)> {
            Some((blocks.get(row as usize / BLOCK_ROWS)?, row as usize % BLOCK_ROWS))
        };
        let runs = bound.runs(column, ranked.order(), &at)?;
        Some((ranked, runs))
    }

    /// The counts of a view under all clauses but its own, nulls last; `None` where there is
    /// no cube for them.
    pub fn counts(
        &self,
        view: &View,
        shown: &Shown,
        question: &Question,
        masks: &Masks,
        resident: &Resident,
    ) -> Option<Vec<u32>> {
        let column = self.column.as_deref()?;
        let (of, ranked) = self.ranks.last()?;
        let cube = self.cubes.get(&view.id).filter(|cube| cube.is_done && of == column)?;
        let brushed = column_clause(column);
        if cube.mark != view.mark || !is_of_others(&cube.others, question, &brushed, view) {
            return None;
        }
        let mut counts = Vec::new();
        if !question.clauses.iter().any(|clause| clause.id == brushed) {
            cube.cube.all(&mut counts);
            return Some(counts);
        }
        let runs = masks.runs(&brushed)?;
        let (codes, n_codes) = shown.codes(resident)?;
        let code = |row: u32| {
            let (block, place) = (row as usize / BLOCK_ROWS, row as usize % BLOCK_ROWS);
            let is_in = cube.mask.get(row as usize / WORD_BITS)? >> (row as usize % WORD_BITS) & 1;
            (is_in == 1).then_some(())?;
            place_of(codes.get(block)?, place, n_codes)
        };
        cube.cube.counts(ranked, runs, code, &mut counts);
        Some(counts)
    }

    /// Prepares a little for the next step of the brush; false where nothing is left to do.
    pub fn step(
        &mut self,
        resident: &Resident,
        question: &Question,
        views: &BTreeMap<ViewId, Shown>,
        masks: &Masks,
    ) -> bool {
        let Some(column) = self.column.clone() else { return false };
        let brushed = column_clause(&column);
        let is_ranked = self.ranks.last().is_some_and(|(of, _)| *of == column);
        if !is_ranked {
            return self.rank(&column, resident, true);
        }
        let Some((_, ranked)) = self.ranks.last() else { return false };
        self.cubes.retain(|id, _| views.contains_key(id));
        for view in &question.views {
            let Some(shown) = views.get(&view.id) else { continue };
            if view.own_clause() == brushed || !shown.is_complete(resident) {
                continue;
            }
            let Some((codes, n_codes)) = shown.codes(resident) else { continue };
            let is_known = self.cubes.get(&view.id).is_some_and(|cube| {
                cube.mark == view.mark && is_of_others(&cube.others, question, &brushed, view)
            });
            if !is_known {
                let rows = ranked.rows();
                let own = view.own_clause();
                let except = [brushed.as_str(), own.as_str()];
                let is_too_wide = Cube::byte_count(ranked, n_codes + 1) > CUBE_BYTES_MAX;
                if is_too_wide || masks.rows(&except, rows) < rows {
                    continue;
                }
                let mut mask =
                    self.cubes.remove(&view.id).map(|cube| cube.mask).unwrap_or_default();
                masks.combine(&except, rows, &mut mask);
                let cube = ViewCube {
                    mark: view.mark.clone(),
                    others: others(question, &brushed, view).cloned().collect(),
                    mask,
                    cube: Cube::new(ranked, n_codes + 1),
                    n_blocks: 0,
                    is_done: false,
                };
                self.cubes.insert(view.id, cube);
                return true;
            }
            let Some(cube) = self.cubes.get_mut(&view.id).filter(|cube| !cube.is_done) else {
                continue;
            };
            let first = cube.n_blocks * BLOCK_WORDS;
            match (codes.get(cube.n_blocks), cube.mask.get(first..)) {
                (Some(Codes::Narrow(codes)), Some(mask)) => {
                    let index = |code: u16| {
                        Some(if code == NULL_CODE { n_codes } else { usize::from(code) })
                    };
                    cube.cube.add(ranked, codes, mask, index);
                }
                (Some(Codes::Wide(codes)), Some(mask)) => {
                    let index =
                        |code: u32| Some(if code == NULL_WIDE { n_codes } else { code as usize });
                    cube.cube.add(ranked, codes, mask, index);
                }
                _ => {
                    cube.cube.finish();
                    cube.is_done = true;
                    return true;
                }
            }
            cube.n_blocks += 1;
            return true;
        }
        false
    }

    /// Ranks a column that a histogram on screen shows, or that is filtered, before anybody
    /// comes near it: most of what a first brush would wait for. A step at a time; false
    /// where none is left, or no more are kept.
    pub fn step_ahead(&mut self, resident: &Resident, question: &Question) -> bool {
        // What somebody is near comes first, if it can be had.
        let is_waited_for = |column: &String| {
            let is_vain = self.near.0 == *column && self.near.1.is_impossible();
            !is_vain && self.prepared().is_none()
        };
        if self.column.as_ref().is_some_and(is_waited_for) {
            return false;
        }
        let kept: usize = self.ranks.iter().map(|(_, ranked)| ranked.byte_count()).sum();
        let is_wanted = |column: &&str| {
            let is_known = self.ranks.iter().any(|(of, _)| of == column);
            let of_none = |(of, work): &(String, Work)| of == column && work.is_impossible();
            let is_vain = of_none(&self.near) || of_none(&self.ahead);
            let bytes = Ranked::byte_count_of(resident.rows_of([*column]));
            !is_known && !is_vain && kept + bytes <= RANKS_BYTES_MAX
        };
        let shown = question.views.iter().filter_map(|view| match &view.mark {
            Mark::Histogram { column, .. } => Some(column.as_str()),
            _ => None,
        });
        let filtered = question.clauses.iter().filter_map(own_column);
        let wanted = shown.chain(filtered).find(is_wanted).map(str::to_owned);
        wanted.is_some_and(|column| self.rank(&column, resident, false))
    }

    /// Ranks the rows of a column, a step at a time; false where it has no ranks.
    fn rank(&mut self, column: &str, resident: &Resident, is_near: bool) -> bool {
        if let Some(index) = self.ranks.iter().position(|(of, _)| of == column) {
            let ranked = self.ranks.remove(index);
            self.ranks.push(ranked);
            return true;
        }
        if !resident.is_complete([column]) {
            return false;
        }
        if is_near && self.ahead.0 == column {
            // What was begun ahead is gone on with.
            self.near = std::mem::take(&mut self.ahead);
        }
        let work = if is_near { &mut self.near } else { &mut self.ahead };
        if work.0 != column {
            *work = (column.to_owned(), Work::Nothing);
        }
        let key = OrderKey { column: column.to_owned(), descending: false, nulls: Nulls::Last };
        let rows = resident.rows_of([column]);
        let next = match std::mem::take(&mut work.1) {
            Work::Nothing => {
                let is_text = resident.column(column).is_none_or(|here| here.n_words().is_some());
                match RowSort::new(&[key], rows, resident) {
                    Ok(sort) if !is_text => Work::Sort(sort),
                    _ => Work::Impossible,
                }
            }
            Work::Sort(sort) => match sort.step(resident) {
                Ok(Sorted::Partly(sort)) => Work::Sort(sort),
                Ok(Sorted::Whole(sorting)) => Work::Rank(Ranked::new(sorting.into_valued(), rows)),
                Err(_) => Work::Impossible,
            },
            Work::Rank(mut ranked) => match ranked.step(RANKED_A_STEP) {
                true => {
                    let at = if is_near { self.ranks.len() } else { 0 };
                    self.ranks.insert(at, (column.to_owned(), ranked));
                    self.forget_ranks();
                    Work::Nothing
                }
                false => Work::Rank(ranked),
            },
            Work::Impossible => Work::Impossible,
        };
        let is_possible = !next.is_impossible();
        let work = if is_near { &mut self.near } else { &mut self.ahead };
        work.1 = next;
        is_possible
    }

    fn forget_ranks(&mut self) {
        let bytes = |ranks: &[(String, Ranked)]| {
            ranks.iter().map(|(_, ranked)| ranked.byte_count()).sum::<usize>()
        };
        while self.ranks.len() > 1 && bytes(&self.ranks) > RANKS_BYTES_MAX {
            self.ranks.remove(0);
        }
    }
}

/// The place of a row's code among the counts: nulls come after all codes, and what is in no
/// bin has none.
fn place_of(codes: &Codes<'_>, row: usize, n_codes: usize) -> Option<usize> {
    codes.get(row)?.map_or(Some(n_codes), |code| (code < n_codes).then_some(code))
}

/// The column of a clause that is that column's own.
fn own_column(clause: &Clause) -> Option<&str> {
    let columns = clause.predicate.columns();
    let column = columns.first().filter(|_| columns.len() == 1)?;
    (clause.id == column_clause(column)).then_some(*column)
}

fn others<'a>(
    question: &'a Question,
    brushed: &'a str,
    view: &View,
) -> impl Iterator<Item = &'a Clause> {
    let own = view.own_clause();
    question.clauses.iter().filter(move |clause| clause.id != brushed && clause.id != own)
}

fn is_of_others(cube: &[Clause], question: &Question, brushed: &str, view: &View) -> bool {
    cube.iter().eq(others(question, brushed, view))
}
