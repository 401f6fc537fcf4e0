//! What groups of rows are made of, worked out from counts: how a grouping agrees with a
//! column ([`Contingency`]), what sets each group apart ([`apart`]), and trees of columns that
//! divide each other ([`tree`]). Pure.

pub mod apart;
pub mod selected;
pub mod tree;

use embedding::metrics::chance_information;
use engine::kind::Kind;
use engine::literal::Literal;

use crate::protocol::groups::Groups;
use crate::protocol::{ColumnInfo, Mark};

/// Groups of one column that are looked at: the largest. More are no longer read.
pub const GROUPS_MAX: u32 = 200;
/// Pairs of a group and a value that are counted.
pub const PAIRS_MAX: u32 = 50_000;
/// Columns that groups are compared by unasked: each is counted once.
pub const COLUMNS_MAX: usize = 16;

/// Pairs of a group and a value that chance is worked out for, while somebody waits.
const CHANCE_MAX: usize = 40_000;

/// Rows by group and by a value of another column. Rows without one of both are left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contingency {
    /// Sorted by value, as are `values`.
    pub groups: Vec<Literal>,
    pub values: Vec<Literal>,
    /// Of each group, which of the values it has and how often: of columns with a value for
    /// each row a table of all would be the square of the rows.
    counts: Vec<Vec<(usize, u64)>>,
}

/// How alike two ways of grouping are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// The adjusted Rand index: 1 where they are the same, about 0 where one says nothing of
    /// the other (Hubert, Arabie 1985).
    pub adjusted_rand: f64,
    /// Mutual information, as a share of the mean of both entropies.
    pub normalized_mutual: f64,
    /// The same beyond what chance gives, however many groups there are; none where there are so
    /// many that to know it would take long.
    pub adjusted_mutual: Option<f64>,
    /// Rows that have both.
    pub rows: u64,
}

/// A group by the values of another column.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    pub rows: u64,
    /// The share of its most frequent value.
    pub purity: f64,
    /// In bits: 0 where all rows have the same value.
    pub entropy: f64,
    /// Its values, the most frequent first.
    pub values: Vec<(Literal, u64)>,
}

impl Contingency {
    /// Of groups by two columns.
    pub fn new(found: &Groups) -> Self {
        let pairs = || {
            found.groups.iter().filter_map(|group| match group.key.as_slice() {
                [Some(of), Some(value)] => Some((of, value, group.rows)),
                _ => None,
            })
        };
        let sorted = |literals: Vec<&Literal>| {
            let mut literals: Vec<Literal> = literals.into_iter().cloned().collect();
            literals.sort_by(compare);
            literals.dedup();
            literals
        };
        let groups = sorted(pairs().map(|(of, _, _)| of).collect());
        let values = sorted(pairs().map(|(_, value, _)| value).collect());
        let mut counts = vec![Vec::new(); groups.len()];
        for (of, value, rows) in pairs() {
            let place = |all: &[Literal], one: &Literal| {
                all.binary_search_by(|other| compare(other, one)).unwrap_or_default()
            };
            if let Some(own) = counts.get_mut(place(&groups, of)) {
                own.push((place(&values, value), rows));
            }
        }
        Self { groups, values, counts }
    }

    /// Which of the groups one is.
    pub fn place(&self, group: &Literal) -> Option<usize> {
        self.groups.binary_search_by(|other| compare(other, group)).ok()
    }

    /// The values of a group, by their places, and how many rows have each.
    pub fn row(&self, group: usize) -> &[(usize, u64)] {
        self.counts.get(group).map_or(&[], Vec::as_slice)
    }

    fn sums(&self) -> (Vec<u64>, Vec<u64>) {
        let of_groups = self.counts.iter().map(|row| row.iter().map(|(_, rows)| rows).sum());
        let mut of_values = vec![0; self.values.len()];
        for (value, rows) in self.counts.iter().flatten() {
            if let Some(sum) = of_values.get_mut(*value) {
                *sum += rows;
            }
        }
        (of_groups.collect(), of_values)
    }

    /// The groups with the most rows, in their order.
    pub fn largest(&self, most: usize) -> Vec<usize> {
        let (of_groups, _) = self.sums();
        let mut order: Vec<usize> = (0..of_groups.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(of_groups.get(*at).copied()));
        order.truncate(most);
        order.sort_unstable();
        order
    }

    /// The values of a column by all groups together, the most frequent first.
    pub fn most_frequent(&self) -> Vec<usize> {
        let (_, of_values) = self.sums();
        let mut order: Vec<usize> = (0..of_values.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(of_values.get(*at).copied()));
        order
    }

    pub fn agreement(&self) -> Agreement {
        let (of_groups, of_values) = self.sums();
        let rows: u64 = of_groups.iter().sum();
        let pairs = |counts: &[u64]| -> f64 {
            counts.iter().map(|count| *count as f64 * (*count as f64 - 1.0) / 2.0).sum()
        };
        let n = rows as f64;
        let all = n * (n - 1.0) / 2.0;
        let each: Vec<u64> = self.counts.iter().flatten().map(|(_, rows)| *rows).collect();
        let (together, in_groups, in_values) = (pairs(&each), pairs(&of_groups), pairs(&of_values));
        let expected = if all > 0.0 { in_groups * in_values / all } else { 0.0 };
        let most = (in_groups + in_values) / 2.0;
        // One group and one value, or each row for itself: the same, whatever is expected.
        let adjusted_rand =
            if most == expected { 1.0 } else { (together - expected) / (most - expected) };
        let (h_groups, h_values) = (entropy(&of_groups), entropy(&of_values));
        let mutual = (h_groups + h_values - entropy(&each)).max(0.0);
        let mean = (h_groups + h_values) / 2.0;
        let normalized_mutual = if mean > 0.0 { (mutual / mean).min(1.0) } else { 1.0 };
        let adjusted_mutual = match (of_groups.len(), of_values.len()) {
            (0 | 1, 0 | 1) => Some(1.0),
            // One group tells nothing.
            (0 | 1, _) | (_, 0 | 1) => Some(0.0),
            // Each group is a value, and each value a group.
            (groups, values) if each.len() == groups && each.len() == values => Some(1.0),
            (groups, values) => (groups * values <= CHANCE_MAX).then(|| {
                let by_chance = chance_information(of_groups.iter(), of_values.iter(), rows);
                let by_chance = by_chance / std::f64::consts::LN_2;
                ((mutual - by_chance) / (mean - by_chance).max(f64::EPSILON)).min(1.0)
            }),
        };
        Agreement { adjusted_rand, normalized_mutual, adjusted_mutual, rows }
    }

    pub fn mixture(&self, group: usize) -> Mixture {
        let counts: Vec<u64> = self.row(group).iter().map(|(_, rows)| *rows).collect();
        let rows: u64 = counts.iter().sum();
        let named = |(at, rows): &(usize, u64)| Some((self.values.get(*at)?.clone(), *rows));
        let mut values: Vec<(Literal, u64)> = self.row(group).iter().filter_map(named).collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let most = values.first().map_or(0, |(_, count)| *count);
        let purity = if rows > 0 { most as f64 / rows as f64 } else { 0.0 };
        Mixture { rows, purity, entropy: entropy(&counts), values }
    }
}

/// Of shares of a whole, in bits.
fn entropy(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let bits = |count: &u64| {
        let share = *count as f64 / total as f64;
        if *count > 0 { -share * share.log2() } else { 0.0 }
    };
    counts.iter().map(bits).sum::<f64>().max(0.0)
}

/// Numbers by size, what else there is by text.
pub fn compare(a: &Literal, b: &Literal) -> std::cmp::Ordering {
    let number = |literal: &Literal| match literal {
        Literal::Number(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        _ => a.cmp(b),
    }
}

/// The columns whose values can be groups.
pub fn groupings(columns: &[ColumnInfo]) -> Vec<String> {
    columns.iter().filter(|column| is_grouping(column)).map(|column| column.name.clone()).collect()
}

pub fn has_groupings(columns: &[ColumnInfo]) -> bool {
    columns.iter().any(is_grouping)
}

/// Names, booleans and whole numbers.
fn is_grouping(column: &ColumnInfo) -> bool {
    match column.kind {
        Kind::Category | Kind::Boolean | Kind::Text => true,
        Kind::Number => ["Int", "UInt"].iter().any(|whole| column.data_type.starts_with(whole)),
        _ => false,
    }
}

/// The column that is most likely meant: what colours a scatter, what is called a cluster, or
/// the first category.
pub fn guess(columns: &[ColumnInfo], marks: &[&Mark]) -> Option<String> {
    let all = groupings(columns);
    let colors = marks.iter().filter_map(|mark| match mark {
        Mark::Scatter { color, .. } => color.as_ref(),
        _ => None,
    });
    let colored = colors.into_iter().find(|color| all.contains(color));
    let cluster = all.iter().find(|name| name.to_lowercase().contains("cluster"));
    let category = columns.iter().find(|column| column.kind == Kind::Category);
    colored.or(cluster).or(category.map(|column| &column.name)).or(all.first()).cloned()
}

/// What clusters of a job are measured by, beside their own column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    pub measure: String,
    /// Whether rows with most of it are typical, rather than those with least.
    pub is_more_typical: bool,
    /// The measure of rows that are far out, which are those with most of it.
    pub far_out: String,
    /// Whether it is a distance from the middle of the cluster, as vectors were clustered.
    pub is_distance: bool,
}

/// The columns that a job wrote beside a column of clusters, if these are of one.
pub fn beside(columns: &[ColumnInfo], by: &str) -> Option<Beside> {
    let is_made = |column: &ColumnInfo| column.data_type == "Float32";
    let has = |name: &String| columns.iter().any(|c| c.name == *name && is_made(c));
    let [distance, probability, outlier] =
        ["distance", "probability", "outlier"].map(|name| format!("{by}_{name}"));
    if has(&distance) {
        let (measure, far_out) = (distance.clone(), distance);
        return Some(Beside { measure, is_more_typical: false, far_out, is_distance: true });
    }
    let (measure, far_out) = (probability, outlier);
    let is_there = has(&measure) && has(&far_out);
    is_there.then_some(Beside { measure, is_more_typical: true, far_out, is_distance: false })
}

/// The mean of squares of numbers of which mean and standard deviation (of a sample) are known.
pub fn mean_square(mean: f64, deviation: Option<f64>, rows: u64) -> f64 {
    let n = rows.max(1) as f64;
    mean * mean + deviation.unwrap_or_default().powi(2) * (n - 1.0) / n
}

/// Columns to tell groups by: names, and numbers. Not what a job made of the same vectors: where
/// rows are on a map, and what it wrote beside the groups.
pub fn describing(columns: &[ColumnInfo], by: &str) -> (Vec<String>, Vec<String>) {
    let is_name =
        |column: &&ColumnInfo| matches!(column.kind, Kind::Category | Kind::Boolean | Kind::Text);
    let is_number = |column: &&ColumnInfo| column.kind == Kind::Number;
    let beside = ["distance", "probability", "outlier"].map(|name| format!("{by}_{name}"));
    let is_own = |column: &&ColumnInfo| column.name == by || beside.contains(&column.name);
    let is_other =
        move |column: &&ColumnInfo| !is_own(column) && !is_coordinate(columns, &column.name);
    let others = || columns.iter().filter(&is_other);
    let some = |these: Vec<&ColumnInfo>| -> Vec<String> {
        these.into_iter().take(COLUMNS_MAX).map(|column| column.name.clone()).collect()
    };
    (some(others().filter(is_name).collect()), some(others().filter(is_number).collect()))
}

/// Whether a column's values are texts, of which words may say more than the whole.
pub fn is_text(columns: &[ColumnInfo], name: &str) -> bool {
    columns.iter().any(|column| column.name == name && column.kind == Kind::Text)
}

/// Whether a column is one of several that are numbered, as those of a projection are.
fn is_coordinate(columns: &[ColumnInfo], name: &str) -> bool {
    let Some((map, number)) = name.rsplit_once('_') else { return false };
    let has = |at: u32| {
        let own = format!("{map}_{at}");
        columns.iter().any(|column| column.name == own && column.data_type == "Float32")
    };
    number.parse::<u32>().is_ok_and(has) && has(1) && has(2)
}

#[cfg(test)]
mod tests;
