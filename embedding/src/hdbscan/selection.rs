//! Which clusters of the condensed tree are the answer, and what that says of each row. Rules
//! are scikit-learn's, which are those of the library by McInnes, Healy and Astels: hdbscan:
//! Hierarchical density based clustering. 2017; the outliers' scores are GLOSH (Campello,
//! Moulavi, Zimek, Sander: Hierarchical density estimates for data clustering, visualization,
//! and outlier detection. 2015).

use super::hierarchy::Condensed;
use super::{Cluster, Clustering, NOISE, Options, Selection};

/// No cluster at all.
const NONE: u32 = u32::MAX;
const ROOT: usize = 0;

/// Chooses clusters, and puts rows to them.
pub(super) fn clustering(tree: &Condensed, options: &Options) -> Clustering {
    let chosen = choose(tree, options);
    let over = chosen_over(tree, &chosen);
    let root_from = root_from(tree, options);
    // Numbered as they come in the rows.
    let mut numbers = vec![NONE; tree.nodes.len()];
    let mut clusters: Vec<(usize, Cluster)> = Vec::new();
    let mut labels = vec![NOISE; tree.rows.len()];
    let mut probabilities = vec![0.0; tree.rows.len()];
    let slots = labels.iter_mut().zip(&mut probabilities);
    for ((last, lambda), (label, probability)) in tree.rows.iter().zip(slots) {
        let cluster = over[*last as usize];
        let is_early = cluster as usize == ROOT && *lambda < root_from;
        if cluster == NONE || is_early {
            continue;
        }
        let number = &mut numbers[cluster as usize];
        if *number == NONE {
            *number = clusters.len() as u32;
            let stability = tree.nodes[cluster as usize].stability;
            clusters.push((cluster as usize, Cluster { size: 0, stability, persistence: 0.0 }));
        }
        *label = *number as i32;
        *probability = share(*lambda, tree.nodes[cluster as usize].death) as f32;
        clusters[*number as usize].1.size += 1;
    }
    for (cluster, found) in &mut clusters {
        let node = &tree.nodes[*cluster];
        let most = f64::from(node.size) * node.death;
        found.persistence = if most.is_finite() { node.stability / most } else { 1.0 };
    }
    let clusters = clusters.into_iter().map(|(_, cluster)| cluster).collect();
    Clustering { labels, probabilities, clusters, outlier_scores: outlier_scores(tree) }
}

/// λ of a row as a share of the largest of its cluster.
fn share(lambda: f64, most: f64) -> f64 {
    if lambda >= most { 1.0 } else { lambda / most }
}

/// Which clusters are chosen; none of them is in another.
fn choose(tree: &Condensed, options: &Options) -> Vec<bool> {
    let n = tree.rows.len();
    if n < options.min_cluster_size {
        return vec![false; tree.nodes.len()];
    }
    let mut chosen = match options.selection {
        Selection::ExcessOfMass => most_stable(tree, options),
        Selection::Leaf => tree.nodes.iter().map(|node| node.is_leaf).collect(),
    };
    chosen[ROOT] &= options.allow_single_cluster;
    if options.epsilon > 0.0 && !chosen[ROOT] {
        chosen = not_finer(tree, &chosen, options);
    }
    keep_outermost(tree, &mut chosen);
    chosen
}

/// Clusters that have at least the stability of all that is in them.
fn most_stable(tree: &Condensed, options: &Options) -> Vec<bool> {
    let mut inner = vec![0.0; tree.nodes.len()];
    let mut chosen = vec![false; tree.nodes.len()];
    let most = options.max_cluster_size.unwrap_or(usize::MAX);
    for (at, node) in tree.nodes.iter().enumerate().rev() {
        chosen[at] = inner[at] <= node.stability && node.size as usize <= most;
        if at != ROOT {
            inner[node.parent as usize] += if chosen[at] { node.stability } else { inner[at] };
        }
    }
    chosen
}

/// In place of each chosen cluster that begins nearer than epsilon the first one around it that
/// does not (Malzer, Baum: A hybrid approach to hierarchical density-based cluster selection.
/// 2020).
fn not_finer(tree: &Condensed, chosen: &[bool], options: &Options) -> Vec<bool> {
    let is_finer = |at: usize| 1.0 / tree.nodes[at].birth < options.epsilon;
    let mut around: Vec<usize> = (0..chosen.len()).collect();
    for (at, node) in tree.nodes.iter().enumerate().skip(1) {
        let parent = node.parent as usize;
        around[at] = match parent {
            ROOT if options.allow_single_cluster => ROOT,
            ROOT => at,
            _ if 1.0 / tree.nodes[parent].birth > options.epsilon => parent,
            _ => around[parent],
        };
    }
    let mut kept = vec![false; chosen.len()];
    for at in (0..chosen.len()).filter(|at| chosen[*at]) {
        kept[if is_finer(at) { around[at] } else { at }] = true;
    }
    kept
}

fn keep_outermost(tree: &Condensed, chosen: &mut [bool]) {
    let mut is_in = vec![false; chosen.len()];
    for (at, node) in tree.nodes.iter().enumerate().skip(1) {
        let parent = node.parent as usize;
        is_in[at] = is_in[parent] || chosen[parent];
        chosen[at] &= !is_in[at];
    }
}

/// Of each cluster the chosen one that it is, or is in.
fn chosen_over(tree: &Condensed, chosen: &[bool]) -> Vec<u32> {
    let mut over = vec![NONE; chosen.len()];
    for (at, node) in tree.nodes.iter().enumerate() {
        over[at] = if chosen[at] { at as u32 } else { over[node.parent as usize] };
    }
    over
}

/// λ from which rows that leave the root are of a cluster that is all of it.
fn root_from(tree: &Condensed, options: &Options) -> f64 {
    match options.epsilon > 0.0 {
        true => 1.0 / options.epsilon,
        false => tree.nodes.first().map_or(0.0, |root| root.death),
    }
}

/// 1 − λ/λ' with λ' the largest in the last cluster that a row was in, or in any of its parts.
fn outlier_scores(tree: &Condensed) -> Vec<f32> {
    let mut deaths: Vec<f64> = tree.nodes.iter().map(|node| node.death).collect();
    for (at, node) in tree.nodes.iter().enumerate().skip(1).rev() {
        let parent = node.parent as usize;
        deaths[parent] = deaths[parent].max(deaths[at]);
    }
    let score = |(last, lambda): &(u32, f64)| 1.0 - share(*lambda, deaths[*last as usize]);
    tree.rows.iter().map(|row| score(row) as f32).collect()
}
