//! What the views of a dashboard select: a clause per view, all of which must hold. A
//! view is filtered by every clause but its own, so that it shows what else could be
//! chosen in it (cross-filter).

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::bind::Bound;
use crate::error::QueryError;
use crate::eval::Evaluation;
use crate::mask::Mask;
use crate::predicate::Predicate;

/// A predicate and the view or control that made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clause {
    pub source: String,
    pub predicate: Predicate,
}

/// The clauses in force, at most one of each source, in the order they were first made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Selection {
    clauses: Vec<Clause>,
}

impl Selection {
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Sets the clause of a source in its place; the predicate that all rows pass clears it.
    pub fn set(&mut self, source: &str, predicate: Predicate) {
        if predicate.is_all() {
            return self.clear(source);
        }
        match self.clauses.iter_mut().find(|clause| clause.source == source) {
            Some(clause) => clause.predicate = predicate,
            None => self.clauses.push(Clause { source: source.to_owned(), predicate }),
        }
    }

    pub fn clear(&mut self, source: &str) {
        self.clauses.retain(|clause| clause.source != source);
    }

    pub fn clear_all(&mut self) {
        self.clauses.clear();
    }

    /// What every row must pass.
    pub fn predicate(&self) -> Predicate {
        Predicate::And(self.clauses.iter().map(|clause| clause.predicate.clone()).collect())
    }

    /// What the rows of one view must pass: all but its own clause.
    pub fn predicate_for(&self, source: &str) -> Predicate {
        let others = self.clauses.iter().filter(|clause| clause.source != source);
        Predicate::And(others.map(|clause| clause.predicate.clone()).collect())
    }
}

/// One mask per clause over the rows of a slice. A changed clause is evaluated alone;
/// what the other views see without it is kept until another clause changes.
#[derive(Debug, Default)]
pub struct SelectionMasks {
    rows: usize,
    masks: BTreeMap<String, ClauseMask>,
    /// The rows that pass all clauses but one, by its source, as far as asked for.
    others: BTreeMap<String, Mask>,
}

#[derive(Debug)]
struct ClauseMask {
    predicate: Predicate,
    mask: Mask,
}

impl SelectionMasks {
    /// For a slice of so many rows, with no clauses.
    pub fn new(rows: usize) -> Self {
        Self { rows, ..Self::default() }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The sources whose clauses differ from the masks kept; they are to be evaluated.
    pub fn changed<'a>(&self, selection: &'a Selection) -> Vec<&'a Clause> {
        let differs = |clause: &&Clause| {
            self.masks.get(&clause.source).is_none_or(|kept| kept.predicate != clause.predicate)
        };
        selection.clauses.iter().filter(differs).collect()
    }

    /// Keeps the mask of a clause that was evaluated.
    pub fn set(&mut self, clause: &Clause, mask: Mask) {
        let kept = ClauseMask { predicate: clause.predicate.clone(), mask };
        self.masks.insert(clause.source.clone(), kept);
        self.others.retain(|source, _| *source == clause.source);
    }

    /// Drops the masks of sources that no longer have a clause.
    pub fn retain(&mut self, selection: &Selection) {
        let has_clause =
            |source: &String| selection.clauses.iter().any(|clause| clause.source == *source);
        let gone = |source: &&String| !has_clause(source);
        let gone: Vec<String> = self.masks.keys().filter(gone).cloned().collect();
        for source in gone {
            self.masks.remove(&source);
            self.others.retain(|kept, _| *kept == source);
        }
    }

    /// Brings the masks in line with a selection: evaluates what changed, at once.
    pub fn update(
        &mut self,
        selection: &Selection,
        schema: &Schema,
        batches: &[RecordBatch],
        first_row: u64,
    ) -> Result<(), QueryError> {
        self.retain(selection);
        for clause in self.changed(selection) {
            let bound = Bound::new(&clause.predicate, schema, &clause.source)?;
            let mut evaluation = Evaluation::new(bound);
            while !evaluation.step(batches, first_row, usize::MAX)? {}
            self.set(clause, evaluation.into_mask());
        }
        Ok(())
    }

    /// The mask of one clause.
    pub fn of(&self, source: &str) -> Option<&Mask> {
        self.masks.get(source).map(|kept| &kept.mask)
    }

    /// The rows that pass all clauses.
    pub fn all(&mut self) -> Mask {
        // Dragging one control leaves what the others pass as it was.
        let kept = self.others.keys().next().cloned();
        let source = kept.or_else(|| self.masks.keys().next().cloned());
        let Some(source) = source else { return Mask::all(self.rows) };
        let mut all = self.all_but(&source).clone();
        if let Some(own) = self.masks.get(&source) {
            all.and(&own.mask);
        }
        all
    }

    /// The rows that one view shows: those that pass all clauses but its own.
    pub fn all_but(&mut self, source: &str) -> &Mask {
        let (rows, masks) = (self.rows, &self.masks);
        self.others.entry(source.to_owned()).or_insert_with(|| {
            let mut others = masks.iter().filter(|(other, _)| *other != source);
            let first = others.next().map(|(_, kept)| kept.mask.clone());
            let mut all = first.unwrap_or_else(|| Mask::all(rows));
            others.for_each(|(_, kept)| all.and(&kept.mask));
            all
        })
    }
}

#[cfg(test)]
mod tests;
