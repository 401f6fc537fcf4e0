//! The index arithmetic of `kmeans.cu` and `hopper.cu`: which padding there is, and where a tile's values lie.

/// Rows that a block deals.
pub const ROWS: usize = 128;
/// Centroids that they are held against at a time.
pub const COLUMNS: usize = 128;
/// Dimensions of a step.
pub const DEPTH: usize = 32;
/// Threads of a block that deals rows.
pub const THREADS: u32 = 256;

/// Of `hopper.cu`: lines of a box, their halves, and threads of a block.
pub const BOX_LINES: usize = 128;
pub const BOX_DEPTH: usize = 64;
pub const HOPPER_THREADS: u32 = 384;
/// Bytes that a block's boxes need: 192 KiB, and what it takes to begin at a multiple of 1,024.
pub const HOPPER_ROOM: u32 = (192 << 10) + 1023;
/// Lines of a map are counted in 31 bits.
pub const HOPPER_ROWS_MAX: usize = i32::MAX as usize - ROWS;

/// The byte of a tile where chunk `chunk` of eight halves of row `row` begins. Pairs of rows
/// have their chunks turned, so that eight rows below each other lie in all banks.
#[cfg(test)]
pub const fn place(row: usize, chunk: usize) -> usize {
    row * 64 + ((chunk ^ (row >> 1 & 3)) << 4)
}

/// What n is rounded up to.
pub const fn padded(n: usize, to: usize) -> usize {
    n.div_ceil(to) * to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_a_tile_lie_apart_and_fill_it() {
        let mut seen = vec![false; ROWS * 4];
        for row in 0..ROWS {
            for chunk in 0..4 {
                let at = place(row, chunk);
                assert_eq!(at % 16, 0);
                assert!(!std::mem::replace(&mut seen[at / 16], true), "row {row}, chunk {chunk}");
            }
        }
        assert!(seen.into_iter().all(|seen| seen));
    }

    #[test]
    fn eight_rows_below_each_other_lie_in_all_banks() {
        for chunk in 0..4 {
            for first in (0..ROWS).step_by(8) {
                let mut banks: Vec<usize> =
                    (first..first + 8).map(|row| place(row, chunk) / 16 % 8).collect();
                banks.sort_unstable();
                assert_eq!(banks, (0..8).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_thread_s_second_turn_is_64_rows_on() {
        for thread in 0..THREADS as usize {
            let (row, chunk) = (thread >> 2, thread & 3);
            assert_eq!(place(row + 64, chunk), place(row, chunk) + 4096);
        }
    }

    #[test]
    fn lanes_of_warps_have_every_score_once() {
        let mut seen = vec![0; ROWS * COLUMNS];
        for thread in 0..THREADS as usize {
            let (lane, warp) = (thread & 31, thread >> 5);
            let (first_row, first_column) = ((warp >> 1) * 32, (warp & 1) * 64);
            for r in 0..4 {
                for c in 0..16 {
                    let row = first_row + (r >> 1) * 16 + (r & 1) * 8 + (lane >> 2);
                    let column = first_column + (c >> 1) * 8 + (lane & 3) * 2 + (c & 1);
                    seen[row * COLUMNS + column] += 1;
                }
            }
        }
        assert!(seen.into_iter().all(|times| times == 1));
    }

    #[test]
    fn padding_is_what_is_missing() {
        assert_eq!((padded(0, 128), padded(1, 128), padded(128, 128)), (0, 128, 128));
        assert_eq!(padded(129, 32), 160);
    }
}
