//! Rows dealt to blocks by the seed, to be moved block by block. Rows of one block are moved side by
//! side: few of them are each other's neighbours, as those of a block are anywhere.

use super::graph::Graph;
use super::walk::paces;
use crate::random::Random;

/// So many blocks. With fewer, rows see too late what others did: of 50,000 rows in two moons
/// 0.71 of the neighbours are kept with one block, 0.759 with 32, and 0.761 one row after another.
const BLOCKS: usize = 32;
/// Rows that one thread takes at once: so many to a block, and within these bounds.
const TEAMS: usize = 8;
const TEAM_ROWS_MIN: usize = 64;
const TEAM_ROWS_MAX: usize = 512;
const DEAL_STREAM: u64 = 0x65;
const KEY_STREAM: u64 = 0x61;

/// Rows in the order in which they are moved, and the bonds between them by their places in it.
pub struct Dealt {
    /// Which row is at each place.
    pub rows: Vec<u32>,
    /// Where a place's bonds begin; one more than there are rows.
    pub starts: Vec<usize>,
    pub others: Vec<u32>,
    /// How often each acts: in the epochs in which the sum of it runs over its 32 bits, which is
    /// where `epoch * pace < pace`, modulo 2³².
    pub paces: Vec<u32>,
    /// What a place's random numbers begin with: the row's, wherever it is dealt to.
    pub keys: Vec<u32>,
    /// Where blocks begin; one more than there are. What rows of one are moved by is seen by those
    /// of the next.
    pub blocks: Vec<usize>,
    pub(super) team_rows: usize,
}

impl Dealt {
    pub(super) fn new(graph: &Graph, seed: u64) -> Self {
        let n = graph.rows();
        let many = |row: u32| graph.starts[row as usize + 1] - graph.starts[row as usize];
        let mut rows = shuffled(n, seed);
        let blocks: Vec<usize> = (0..=BLOCKS).map(|block| block * n / BLOCKS).collect();
        // Those of many bonds first: whoever takes long does not begin last.
        for block in blocks.windows(2) {
            rows[block[0]..block[1]].sort_by_key(|row| std::cmp::Reverse(many(*row)));
        }
        let mut places = vec![0_u32; n];
        for (place, row) in rows.iter().enumerate() {
            places[*row as usize] = place as u32;
        }
        let (mut starts, mut others, mut pace) = (vec![0], Vec::new(), Vec::new());
        for row in &rows {
            let row = *row as usize;
            let (of, weights) = graph.bonds(graph.starts[row]..graph.starts[row + 1]);
            others.extend(of.iter().map(|other| places[*other as usize]));
            pace.extend(paces(weights));
            starts.push(others.len());
        }
        let random = Random::new(seed, KEY_STREAM);
        let keys = rows.iter().map(|row| random.words(u64::from(*row))[0]).collect();
        let team_rows = (n / BLOCKS / TEAMS).clamp(TEAM_ROWS_MIN, TEAM_ROWS_MAX);
        Self { rows, starts, others, paces: pace, keys, blocks, team_rows }
    }

    /// How often bonds act in an epoch, on the average.
    pub fn acting(&self) -> f64 {
        self.paces.iter().map(|pace| f64::from(*pace)).sum::<f64>() / (1_u64 << 32) as f64
    }

    /// Of points by row, those by place.
    pub(super) fn by_place<const M: usize>(&self, points: &[[f32; M]]) -> Vec<[f32; M]> {
        self.rows.iter().map(|row| points[*row as usize]).collect()
    }
}

/// Fisher and Yates' shuffle.
fn shuffled(n: usize, seed: u64) -> Vec<u32> {
    let random = Random::new(seed, DEAL_STREAM);
    let mut rows: Vec<u32> = (0..n as u32).collect();
    for last in (1..n).rev() {
        rows.swap(last, random.below(last as u64, last as u64 + 1) as usize);
    }
    rows
}
