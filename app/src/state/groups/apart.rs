//! What sets a group apart from all other rows: names that are more frequent in it beyond chance
//! (log-odds with an informative prior; Monroe, Colaresi, Quinn: Fightin' words. Political
//! Analysis 2008), and numbers that are larger or smaller in it. What tells most of a group
//! comes first: that with the most relative entropy, in nats.

use engine::literal::Literal;

use super::Contingency;
use crate::protocol::groups::Group;

/// What a name has to be beyond chance: two standard deviations.
const CERTAINTY_MIN: f64 = 2.0;
/// Names that only few rows of a group have say little of it.
const SHARE_MIN: f64 = 0.1;
/// How many rows of the whole each group is thought to have beside its own: with few rows
/// nothing is certain.
const PRIOR_ROWS: f64 = 20.0;
/// Standard deviations that a mean has to be away.
const DISTANCE_MIN: f64 = 0.5;

#[derive(Debug, Clone, PartialEq)]
pub enum Trait {
    /// A name that is more frequent here, and its shares here and elsewhere.
    Name { column: String, value: Literal, here: f64, elsewhere: f64 },
    /// Words that are in more texts here, the clearest first, each with its shares.
    Terms { column: String, terms: Vec<Term> },
    /// A number whose mean here is so many standard deviations away from that of all rows.
    Number { column: String, mean: f64, distance: f64 },
}

/// A word, and the shares of rows here and elsewhere whose texts have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    pub word: String,
    pub here: f64,
    pub elsewhere: f64,
}

/// Traits, each with how much it tells.
pub type Traits = Vec<(f64, Trait)>;

/// Names of a column that set groups apart, group by group in the order of the contingency.
pub fn names(column: &str, table: &Contingency) -> Vec<Traits> {
    let (of_groups, of_values) = table.sums();
    let all: u64 = of_groups.iter().sum();
    (0..table.groups.len())
        .map(|group| {
            let rows = of_groups.get(group).copied().unwrap_or_default();
            let each = table.row(group).iter();
            each.filter_map(|(at, here)| {
                let (value, everywhere) = (table.values.get(*at)?, of_values.get(*at)?);
                let counts = Counts { here: *here, rows, everywhere: *everywhere, all };
                let (share, elsewhere) = counts.shares();
                let is_apart = counts.certainty() >= CERTAINTY_MIN && share >= SHARE_MIN;
                let value = value.clone();
                let found =
                    Trait::Name { column: column.to_owned(), value, here: share, elsewhere };
                is_apart.then(|| (counts.information(), found))
            })
            .collect()
        })
        .collect()
}

/// Words of a text column that are said of a group.
const TERMS: usize = 3;

/// Words of a column of texts that set groups apart, as [`names`] has it; `rows` are those of each
/// group, of which one may have several words, or none.
pub fn terms(column: &str, table: &Contingency, rows: &[u64]) -> Vec<Traits> {
    let (_, of_words) = table.sums();
    let all: u64 = rows.iter().sum();
    let of_group = |group: usize| {
        let rows = rows.get(group).copied().unwrap_or_default();
        let each = table.row(group).iter().filter_map(|(at, here)| {
            let (word, everywhere) = (table.values.get(*at)?, *of_words.get(*at)?);
            let counts = Counts { here: *here, rows, everywhere, all };
            let (here, elsewhere) = counts.shares();
            let is_apart = counts.certainty() >= CERTAINTY_MIN && here >= SHARE_MIN;
            let word = word.as_text().to_owned();
            is_apart.then(|| (counts.information(), Term { word, here, elsewhere }))
        });
        let mut found: Vec<(f64, Term)> = each.collect();
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        found.truncate(TERMS);
        let Some((information, _)) = found.first() else { return Vec::new() };
        let (information, column) = (*information, column.to_owned());
        let terms = found.into_iter().map(|(_, term)| term).collect();
        vec![(information, Trait::Terms { column, terms })]
    };
    (0..table.groups.len()).map(of_group).collect()
}

/// Of one value: rows with it here, of how many; and everywhere, of how many.
struct Counts {
    here: u64,
    rows: u64,
    everywhere: u64,
    all: u64,
}

impl Counts {
    /// Of the rows here, and of those elsewhere.
    fn shares(&self) -> (f64, f64) {
        let elsewhere = self.everywhere.saturating_sub(self.here) as f64;
        let others = self.all.saturating_sub(self.rows).max(1) as f64;
        (self.here as f64 / self.rows.max(1) as f64, elsewhere / others)
    }

    /// Rows that a group is thought to have besides, with and without the value.
    fn prior(&self) -> (f64, f64) {
        let with = PRIOR_ROWS * self.everywhere as f64 / self.all as f64;
        (with, PRIOR_ROWS - with)
    }

    /// The difference between the log-odds of the value here and elsewhere, in standard
    /// deviations. What all rows have, or none, sets nobody apart.
    fn certainty(&self) -> f64 {
        if self.rows == self.all || self.everywhere == 0 || self.everywhere == self.all {
            return 0.0;
        }
        let (with, without) = self.prior();
        let odds =
            |here: u64, rows: u64| ((here as f64 + with) / ((rows - here) as f64 + without)).ln();
        let there = self.everywhere - self.here;
        let deviation = 1.0 / (self.here as f64 + with) + 1.0 / (there as f64 + with);
        (odds(self.here, self.rows) - odds(there, self.all - self.rows)) / deviation.sqrt()
    }

    /// What the value adds to the relative entropy of the group's values.
    fn information(&self) -> f64 {
        let (with, _) = self.prior();
        let share = |rows: u64, of: u64| (rows as f64 + with) / (of as f64 + PRIOR_ROWS);
        let here = share(self.here, self.rows);
        here * (here / share(self.everywhere - self.here, self.all - self.rows)).ln()
    }
}

/// Numbers whose mean in a group is far from that of all rows. Both have the same measures.
pub fn numbers(columns: &[String], group: &Group, all: &Group) -> Traits {
    let each = columns.iter().zip(&group.measures).zip(&all.measures);
    each.filter_map(|((column, [mean, _]), [mean_of_all, deviation])| {
        let (mean, middle, deviation) = ((*mean)?, (*mean_of_all)?, (*deviation)?);
        let distance = (mean - middle) / deviation;
        let is_apart = deviation > 0.0 && distance.abs() >= DISTANCE_MIN;
        // Of a bell that is moved by so many of its deviations.
        let information = distance.powi(2) / 2.0;
        let found = Trait::Number { column: column.clone(), mean, distance };
        is_apart.then_some((information, found))
    })
    .collect()
}

/// Those that tell most first, one of each column. Of a column with whole values that set a group
/// apart, words of these say nothing more.
pub fn clearest(mut traits: Traits, most: usize) -> Vec<Trait> {
    let named: Vec<String> = traits
        .iter()
        .filter_map(|(_, one)| match one {
            Trait::Name { column, .. } => Some(column.clone()),
            _ => None,
        })
        .collect();
    traits.retain(|(_, one)| !matches!(one, Trait::Terms { column, .. } if named.contains(column)));
    traits.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut seen: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for (_, one) in traits {
        let column = match &one {
            Trait::Name { column, .. }
            | Trait::Terms { column, .. }
            | Trait::Number { column, .. } => column,
        };
        if !seen.contains(column) {
            seen.push(column.clone());
            found.push(one);
        }
    }
    found.truncate(most);
    found
}

/// A name by which most rows of a group are known.
const MAJORITY: f64 = 0.5;
/// What a proposed name is put together from at most.
const PARTS_MAX: usize = 2;

/// What groups could be called, from what sets each apart, the clearest first: by names that most
/// of their rows have, else by what is most frequent or farthest out. None where nothing is. Two
/// groups with the same name are told apart by a number.
pub fn proposed(groups: &[Vec<Trait>]) -> Vec<Option<String>> {
    let names: Vec<Option<String>> = groups.iter().map(|traits| proposed_of(traits)).collect();
    let mut taken: Vec<String> = Vec::new();
    let numbered = names.into_iter().map(|name| {
        let name = name?;
        let mut own = name.clone();
        let mut number = 2;
        while taken.contains(&own) {
            own = format!("{name} {number}");
            number += 1;
        }
        taken.push(own.clone());
        Some(own)
    });
    numbered.collect()
}

fn proposed_of(traits: &[Trait]) -> Option<String> {
    let is_common = |one: &&Trait| match one {
        Trait::Name { here, .. } => *here >= MAJORITY,
        Trait::Terms { terms, .. } => terms.first().is_some_and(|term| term.here >= MAJORITY),
        Trait::Number { .. } => false,
    };
    let common: Vec<String> = traits.iter().filter(is_common).take(PARTS_MAX).map(said).collect();
    match common.is_empty() {
        false => Some(common.join(", ")),
        true => traits.first().map(said),
    }
}

/// A value that says nothing by itself has its column with it.
fn said(one: &Trait) -> String {
    match one {
        Trait::Name { column, value: Literal::Bool(true), .. } => column.clone(),
        Trait::Name { column, value, .. } => {
            let value = value.as_text();
            match value.chars().any(char::is_alphabetic) && value != "false" {
                true => value.to_owned(),
                false => format!("{column} {value}"),
            }
        }
        Trait::Terms { terms, .. } => {
            let words: Vec<&str> = terms.iter().take(PARTS_MAX).map(|t| t.word.as_str()).collect();
            words.join(", ")
        }
        Trait::Number { column, distance, .. } => {
            crate::texts::groups::far_in(column, *distance > 0.0)
        }
    }
}
