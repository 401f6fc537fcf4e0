//! What makes the steps of a brush cheap. While one column's clause moves, all others stand
//! still: the column's rows are ranked once, and for every histogram and bars the counts
//! before each stretch of the ranks are summed up. A step is then two lines of counts and a
//! few rows (see [`engine::cube`]). Prepared when the pointer comes near, which takes a
//! moment, and the cubes again when another clause changes.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::ArrayRef;
use engine::bind::Bound;
use engine::cube::{Cube, Moved, Ranked, Ranking, moved};
use engine::mask::WORD_BITS;

use super::masks::{BLOCK_WORDS, Masks};
use super::{Question, Shown};
use crate::protocol::{Clause, Mark, View, ViewId, column_clause};
use crate::worker::resident::{BLOCK_ROWS, Resident};
use crate::worker::tally::{Code, Codes};

/// Ranks are kept of the columns brushed last, as long as they take no more than this, and
/// of the last of them.
const RANKS_BYTES_MAX: usize = 16 << 20;
/// A view of more codes is counted by its tally.
const CUBE_BYTES_MAX: usize = 16 << 20;

#[derive(Default)]
pub struct Brush {
    /// The column whose clause moves, or is about to.
    column: Option<String>,
    /// The last ranked last.
    ranks: Vec<Ranks>,
    /// How often a column has been ranked.
    n_ranked: u64,
    ranking: Option<(String, Ranking)>,
    cubes: BTreeMap<ViewId, ViewCube>,
}

struct Ranks {
    column: String,
    /// Places in one order of rows mean nothing in another.
    id: u64,
    ranked: Ranked,
}

/// What a clause passes of its column's ranks, by the name of those.
#[derive(Debug, Clone)]
pub struct Runs {
    id: u64,
    runs: Vec<Range<usize>>,
}

impl Runs {
    /// The rows to go from these to others by: those that come, and those that go. `None`
    /// where they are not of the same ranks.
    pub fn moved(&self, to: &Self) -> Option<Moved> {
        (self.id == to.id).then(|| moved(&self.runs, &to.runs))
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
        let ranked: Vec<&str> = self.ranks.iter().map(|ranks| ranks.column.as_str()).collect();
        let cubes: Vec<_> = self.cubes.iter().map(|(view, cube)| (view, cube.is_done)).collect();
        f.debug_struct("Brush")
            .field("column", &self.column)
            .field("ranked", &ranked)
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
        self.ranks.last().is_some_and(|ranks| ranks.column == column).then_some(column)
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

    /// The runs of the ranks that a clause passes, where its column is ranked.
    pub fn runs(
        &mut self,
        clause: &Clause,
        bound: &Bound,
        resident: &Resident,
    ) -> Option<(&Ranked, Runs)> {
        let mut ranks = self.ranks.iter_mut();
        let Ranks { column, id, ranked } =
            ranks.find(|ranks| clause.id == column_clause(&ranks.column))?;
        let blocks = resident.column(column)?.blocks();
        let at = |row: u32| -> Option<(&ArrayRef, usize)> {
            Some((blocks.get(row as usize / BLOCK_ROWS)?, row as usize % BLOCK_ROWS))
        };
        let runs = bound.runs(column, ranked, &at)?;
        Some((ranked, Runs { id: *id, runs }))
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
        let ranks = self.ranks.last().filter(|ranks| ranks.column == column)?;
        let cube = self.cubes.get(&view.id).filter(|cube| cube.is_done)?;
        let brushed = column_clause(column);
        if cube.mark != view.mark || !is_of_others(&cube.others, question, &brushed, view) {
            return None;
        }
        let mut counts = Vec::new();
        if !question.clauses.iter().any(|clause| clause.id == brushed) {
            cube.cube.all(&mut counts);
            return Some(counts);
        }
        let Runs { runs, .. } = masks.runs(&brushed).filter(|runs| runs.id == ranks.id)?;
        let (codes, n_codes) = shown.codes(resident)?;
        let code = |row: u32| {
            let (block, place) = (row as usize / BLOCK_ROWS, row as usize % BLOCK_ROWS);
            // Rows here and there in memory: not looked up where all are in.
            if !cube.others.is_empty() {
                let word = cube.mask.get(row as usize / WORD_BITS)?;
                (word >> (row as usize % WORD_BITS) & 1 == 1).then_some(())?;
            }
            place_of(codes.get(block)?, place, n_codes)
        };
        cube.cube.counts(&ranks.ranked, runs, code, &mut counts);
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
        if self.ranks.last().is_none_or(|ranks| ranks.column != column) {
            return self.rank(&column, resident);
        }
        let Some(Ranks { ranked, .. }) = self.ranks.last() else { return false };
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
            let (Some(codes), Some(mask)) = (codes.get(cube.n_blocks), cube.mask.get(first..))
            else {
                cube.cube.finish();
                cube.is_done = true;
                return true;
            };
            // Nulls after all codes.
            fn index<C: Code>(code: C, n_codes: usize) -> usize {
                code.code().unwrap_or(n_codes)
            }
            let into = &mut cube.cube;
            match codes {
                Codes::Bytes(codes) => into.add(ranked, codes, mask, |code| index(code, n_codes)),
                Codes::Narrow(codes) => into.add(ranked, codes, mask, |code| index(code, n_codes)),
                Codes::Wide(codes) => into.add(ranked, codes, mask, |code| index(code, n_codes)),
            }
            cube.n_blocks += 1;
            return true;
        }
        false
    }

    /// Ranks the rows of a column, a block at a time; false where it has no ranks.
    fn rank(&mut self, column: &str, resident: &Resident) -> bool {
        if let Some(index) = self.ranks.iter().position(|ranks| ranks.column == column) {
            let ranks = self.ranks.remove(index);
            self.ranks.push(ranks);
            return true;
        }
        let Some(here) = resident.column(column).filter(|here| here.is_complete()) else {
            return false;
        };
        let begun = self.ranking.take().filter(|(of, _)| of == column);
        let begun = begun.or_else(|| Some((column.to_owned(), Ranking::new(here.blocks())?)));
        let Some((of, mut ranking)) = begun else { return false };
        if !ranking.step(here.blocks()) {
            self.ranking = Some((of, ranking));
            return true;
        }
        self.n_ranked += 1;
        let ranked = ranking.into_ranked();
        self.ranks.push(Ranks { column: of, id: self.n_ranked, ranked });
        self.forget_ranks(RANKS_BYTES_MAX);
        true
    }

    /// Keeps the ranks of the columns brushed last, and of the last of them in any case.
    pub(super) fn forget_ranks(&mut self, bytes_max: usize) {
        let bytes =
            |ranks: &[Ranks]| ranks.iter().map(|ranks| ranks.ranked.byte_count()).sum::<usize>();
        while self.ranks.len() > 1 && bytes(&self.ranks) > bytes_max {
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
