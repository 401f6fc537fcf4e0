//! One mask a clause, evaluated when the clause changes and carried on as rows arrive; and
//! what several of them leave. Evaluation is the engine's, a block a step.

use engine::bind::Bound;
use engine::cube::Ranked;
use engine::eval::Evaluator;
use engine::mask::WORD_BITS;
use engine::predicate::Predicate;

use crate::protocol::{Clause, ClauseError};
use crate::texts;
use crate::worker::resident::{BLOCK_ROWS, Resident, n_blocks};
use crate::worker::tally::Under;

use super::brush::{Brush, Runs};

/// Words of a block's mask.
pub const BLOCK_WORDS: usize = BLOCK_ROWS / WORD_BITS;

/// Rows are moved one by one, here and there in memory, as long as they are fewer than one
/// in so many; evaluating all of them goes in sequence.
const SHIFTED_SHARE: usize = 8;

/// The masks of the clauses that hold now.
#[derive(Debug, Default)]
pub struct Masks {
    clauses: Vec<ClauseMask>,
    /// How many masks there have been.
    n_made: u64,
}

#[derive(Debug)]
struct ClauseMask {
    /// No other mask ever has it.
    serial: u64,
    id: String,
    predicate: Predicate,
    columns: Vec<String>,
    /// Or why the clause cannot be evaluated; it is then as if it were absent.
    evaluator: Result<Evaluator, String>,
    words: Vec<u64>,
    rows: usize,
    n_blocks: usize,
    /// The runs of its column's ranks that pass, where they are known.
    runs: Option<Runs>,
}

impl Masks {
    pub fn clear(&mut self) {
        self.clauses.clear();
    }

    /// Makes these the clauses. Masks of clauses that stay are kept.
    pub fn set(&mut self, clauses: &[Clause], resident: &Resident, brush: &mut Brush) {
        let mut old = std::mem::take(&mut self.clauses);
        for clause in clauses {
            let before = old.iter().position(|mask| mask.id == clause.id);
            let before = before.map(|index| old.swap_remove(index));
            let mask = match before {
                Some(same) if same.predicate == clause.predicate && !same.waits(resident) => same,
                changed => {
                    self.n_made += 1;
                    ClauseMask::new(self.n_made, clause, resident, changed, brush)
                }
            };
            self.clauses.push(mask);
        }
    }

    /// Evaluates one more block of one clause; false where all are done.
    pub fn step(&mut self, resident: &Resident) -> bool {
        let mut clauses = self.clauses.iter_mut();
        clauses.any(|clause| clause.step(resident))
    }

    /// The clauses that cannot be evaluated, but for those that only wait for a column.
    pub fn errors(&self, resident: &Resident) -> Vec<ClauseError> {
        let failed = self.clauses.iter().filter(|clause| !clause.awaits(resident));
        let failed = failed.filter_map(|clause| {
            let detail = clause.evaluator.as_ref().err()?.clone();
            Some(ClauseError { id: clause.id.clone(), detail })
        });
        failed.collect()
    }

    fn others<'a>(&'a self, except: &'a [&str]) -> impl Iterator<Item = &'a ClauseMask> {
        self.clauses
            .iter()
            .filter(move |clause| clause.evaluator.is_ok() && !except.contains(&clause.id.as_str()))
    }

    /// Rows for which all clauses but some are evaluated; `rows` where there is no other.
    pub fn rows(&self, except: &[&str], rows: usize) -> usize {
        self.others(except).map(|clause| clause.rows).fold(rows, usize::min)
    }

    /// What [`Self::combine`] gives, by name: where it is the same, so are the rows.
    pub fn under(&self, except: &[&str], rows: usize) -> Under {
        Under { serials: self.others(except).map(|clause| clause.serial).collect(), rows }
    }

    /// Replaces `out` by the rows that pass all clauses but some, among the first `rows`.
    pub fn combine(&self, except: &[&str], rows: usize, out: &mut Vec<u64>) {
        let n_words = rows.div_ceil(WORD_BITS);
        let mut clauses = self.others(except);
        out.clear();
        if let Some(words) = clauses.next().and_then(|first| first.words.get(..n_words)) {
            out.extend_from_slice(words);
        }
        out.resize(n_words, u64::MAX);
        for clause in clauses {
            for (word, other) in out.iter_mut().zip(&clause.words) {
                *word &= other;
            }
        }
        let used = rows % WORD_BITS;
        if used != 0
            && let Some(last) = out.last_mut()
        {
            *last &= u64::MAX >> (WORD_BITS - used);
        }
    }

    /// The runs of its column's ranks that a clause passes, once all its rows are evaluated.
    pub fn runs(&self, id: &str) -> Option<&Runs> {
        let clause = self.clauses.iter().find(|clause| clause.id == id)?;
        clause.runs.as_ref()
    }

    /// The predicate of a clause.
    pub fn predicate(&self, id: &str) -> Option<&Predicate> {
        self.clauses.iter().find(|clause| clause.id == id).map(|clause| &clause.predicate)
    }

    /// Whether all columns are here whole of all clauses that can be evaluated, or will.
    pub fn is_complete(&self, resident: &Resident) -> bool {
        self.clauses.iter().all(|clause| match clause.evaluator {
            Ok(_) => resident.is_complete(clause.columns.iter().map(String::as_str)),
            Err(_) => !clause.awaits(resident),
        })
    }
}

impl ClauseMask {
    /// The mask of a clause in place of the one `before`. Where the column is ranked and
    /// both pass some of its runs, only the rows between them change.
    fn new(
        serial: u64,
        clause: &Clause,
        resident: &Resident,
        before: Option<Self>,
        brush: &mut Brush,
    ) -> Self {
        let columns: Vec<String> =
            clause.predicate.columns().into_iter().map(str::to_owned).collect();
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let missing = names.iter().find(|name| resident.column(name).is_none());
        let bound = match missing {
            Some(name) => Err(texts::refusals::not_loaded(name)),
            None => Bound::new(&clause.predicate, &resident.schema_of(&names), "filter")
                .map_err(|error| error.kind.to_string()),
        };
        let ranked = bound.as_ref().ok().and_then(|bound| brush.runs(clause, bound, resident));
        let evaluator = bound.map(Evaluator::new);
        let (id, predicate) = (clause.id.clone(), clause.predicate.clone());
        // The memory of the mask before is the memory of this one.
        let (words, rows, known) = match before {
            Some(before) => (before.words, before.rows, before.runs),
            None => (Vec::new(), 0, None),
        };
        let mut mask = Self {
            serial,
            id,
            predicate,
            columns,
            evaluator,
            words,
            rows: 0,
            n_blocks: 0,
            runs: None,
        };
        if let (Some((ranked, to)), Some(from)) = (&ranked, known)
            && rows == ranked.rows()
            && mask.shift(ranked, &from, to)
        {
            mask.rows = rows;
            mask.n_blocks = n_blocks(rows);
        } else {
            mask.words.clear();
        }
        mask.runs = ranked.map(|(_, runs)| runs);
        mask
    }

    /// Goes from some runs to others; false where evaluating anew costs less.
    fn shift(&mut self, ranked: &Ranked, from: &Runs, to: &Runs) -> bool {
        let Some((came, went)) = from.moved(to) else { return false };
        let n_moved: usize = came.iter().chain(&went).map(ExactSizeIterator::len).sum();
        if n_moved > ranked.rows() / SHIFTED_SHARE {
            return false;
        }
        came.into_iter().for_each(|run| ranked.put_in(run, &mut self.words));
        went.into_iter().for_each(|run| ranked.take_out(run, &mut self.words));
        true
    }

    /// Whether the clause is of a column that is on its way.
    fn awaits(&self, resident: &Resident) -> bool {
        resident.awaits(self.columns.iter().map(String::as_str))
    }

    /// Whether the clause failed for want of a column that is here now.
    fn waits(&self, resident: &Resident) -> bool {
        self.evaluator.is_err() && self.columns.iter().all(|name| resident.column(name).is_some())
    }

    fn step(&mut self, resident: &Resident) -> bool {
        let Ok(evaluator) = &mut self.evaluator else { return false };
        let names: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        if names.is_empty() {
            return self.step_constant(resident);
        }
        let Some(batch) = resident.block(&names, self.n_blocks) else { return false };
        let first_row = (self.n_blocks * BLOCK_ROWS) as u64;
        match evaluator.eval(&batch, first_row) {
            Ok(mask) => {
                self.words.extend_from_slice(mask.words());
                self.rows += mask.len();
                self.n_blocks += 1;
                true
            }
            Err(error) => {
                self.evaluator = Err(error.kind.to_string());
                true
            }
        }
    }

    /// A predicate over no column passes all rows or none.
    fn step_constant(&mut self, resident: &Resident) -> bool {
        let rows = resident.rows();
        if self.rows == rows {
            return false;
        }
        let word = if passes_nothing(&self.predicate) { 0 } else { u64::MAX };
        self.words.clear();
        self.words.resize(rows.div_ceil(WORD_BITS), word);
        self.rows = rows;
        true
    }
}

/// The value of a predicate that reads no column.
fn passes_nothing(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::And(clauses) => clauses.iter().any(passes_nothing),
        Predicate::Or(clauses) => clauses.iter().all(passes_nothing),
        Predicate::Not(inner) => !passes_nothing(inner),
        _ => false,
    }
}
