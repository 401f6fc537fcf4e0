//! Rows by columns that divide each other, such as the ranks of a taxonomy: as a tree.

use engine::literal::Literal;

use super::compare;
use crate::protocol::ColumnInfo;
use crate::protocol::groups::Groups;

/// Ranks that columns are known by, from the whole to its parts.
const RANKS: [&str; 9] =
    ["domain", "kingdom", "phylum", "class", "order", "family", "genus", "species", "subspecies"];
/// Columns of a tree at most.
pub const DEPTH_MAX: usize = 7;
/// Paths that are counted.
pub const PATHS_MAX: u32 = 20_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// `None` where a row has nothing there.
    pub value: Option<Literal>,
    pub rows: u64,
    pub children: Vec<Node>,
}

/// The columns that divide each other by their names, if there are two of them.
pub fn guess(columns: &[ColumnInfo]) -> Vec<String> {
    let named = |rank: &&str| columns.iter().find(|column| column.name.eq_ignore_ascii_case(rank));
    let found = RANKS.iter().filter_map(named).map(|column| column.name.clone());
    let found: Vec<String> = found.take(DEPTH_MAX).collect();
    if found.len() > 1 { found } else { Vec::new() }
}

/// The tree of so many levels, of branches with at least so many rows. Rows with nothing at the
/// first level are left out. Branches are sorted by value, those of the last level by rows.
pub fn of(found: &Groups, depth: usize, least: u64) -> Vec<Node> {
    let mut roots = Vec::new();
    // What begins alike comes together, so that only the last branch may be the one.
    let mut groups: Vec<_> = found.groups.iter().collect();
    groups.sort_by(|a, b| a.key.cmp(&b.key));
    for group in groups {
        let path = group.key.get(..depth.min(group.key.len())).unwrap_or_default();
        if path.first().is_some_and(Option::is_some) {
            add(&mut roots, path, group.rows);
        }
    }
    tidy(&mut roots, least);
    roots
}

/// No deeper than there are columns.
fn add(nodes: &mut Vec<Node>, path: &[Option<Literal>], rows: u64) {
    let Some((first, rest)) = path.split_first() else { return };
    if nodes.last().is_none_or(|last| last.value != *first) {
        nodes.push(Node { value: first.clone(), rows: 0, children: Vec::new() });
    }
    if let Some(node) = nodes.last_mut() {
        node.rows += rows;
        add(&mut node.children, rest, rows);
    }
}

fn tidy(nodes: &mut Vec<Node>, least: u64) {
    nodes.retain(|node| node.rows >= least);
    let is_last = nodes.iter().all(|node| node.children.is_empty());
    let by_value = |a: &Node, b: &Node| match (&a.value, &b.value) {
        (Some(a), Some(b)) => compare(a, b),
        // What is not known comes last.
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    nodes.sort_by(by_value);
    if is_last {
        nodes.sort_by_key(|node| std::cmp::Reverse(node.rows));
    }
    nodes.iter_mut().for_each(|node| tidy(&mut node.children, least));
}

/// How many different values each level has, those of what is not known left out.
pub fn widths(nodes: &[Node], depth: usize) -> Vec<usize> {
    let mut found: Vec<std::collections::BTreeSet<&Literal>> = vec![Default::default(); depth];
    fn look<'a>(
        nodes: &'a [Node],
        level: usize,
        found: &mut [std::collections::BTreeSet<&'a Literal>],
    ) {
        for node in nodes {
            if let (Some(slot), Some(value)) = (found.get_mut(level), &node.value) {
                slot.insert(value);
            }
            look(&node.children, level + 1, found);
        }
    }
    look(nodes, 0, &mut found);
    found.iter().map(std::collections::BTreeSet::len).collect()
}

/// The tree as text, as the command `tree` draws one.
pub fn text(nodes: &[Node], unknown: &str) -> String {
    let mut out = String::new();
    write(&mut out, nodes, "", unknown);
    out
}

fn write(out: &mut String, nodes: &[Node], indent: &str, unknown: &str) {
    for (at, node) in nodes.iter().enumerate() {
        let is_last = at + 1 == nodes.len();
        let (branch, below) =
            if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let name = node.value.as_ref().map_or(unknown, Literal::as_text);
        out.push_str(&format!("{indent}{branch}{name} ({})\n", node.rows));
        write(out, &node.children, &format!("{indent}{below}"), unknown);
    }
}

/// A node of an icicle: where it is from 0 to 1 across all rows, its level, and the path to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Slab {
    pub path: Vec<Option<Literal>>,
    pub level: usize,
    pub from: f64,
    pub to: f64,
    pub rows: u64,
}

/// The slabs of a tree, those that would be too narrow to see left out.
pub fn slabs(nodes: &[Node], narrowest: f64) -> Vec<Slab> {
    let total: u64 = nodes.iter().map(|node| node.rows).sum();
    let mut found = Vec::new();
    lay(nodes, &[], 0.0, 1.0 / total.max(1) as f64, narrowest, &mut found);
    found
}

fn lay(
    nodes: &[Node],
    path: &[Option<Literal>],
    mut from: f64,
    per_row: f64,
    narrowest: f64,
    found: &mut Vec<Slab>,
) {
    for node in nodes {
        let to = from + node.rows as f64 * per_row;
        if to - from >= narrowest {
            let mut path = path.to_vec();
            path.push(node.value.clone());
            let (level, rows) = (path.len() - 1, node.rows);
            found.push(Slab { level, path: path.clone(), from, to, rows });
            lay(&node.children, &path, from, per_row, narrowest, found);
        }
        from = to;
    }
}
