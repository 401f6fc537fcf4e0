//! Scores by AMX: an instruction adds the products of sixteen rows and sixteen centroids, of 32
//! dimensions. Its tiles are registers of sixteen lines of 64 bytes: four of them hold sums of 32
//! rows and 32 centroids, two have rows, and two centroids.
//!
//! Instructions and what they round: Intel's manual (325383), TDPBF16PS, TILELOADD, LDTILECFG; that
//! a process has to ask for tiles: Linux, `Documentation/arch/x86/xstate.rst`.

use std::arch::asm;
use std::sync::LazyLock;

use super::{Centroids, Room, WIDTH};

/// Rows that are scored together.
pub(super) const TILE: usize = 32;
/// Words of a line of a tile, two values each: a vector is a whole number of these.
pub(super) const WORDS: usize = 16;
/// Lines of a tile.
const LINES: usize = 16;
/// Centroids that are scored together.
const COLUMNS: usize = 32;
/// From a line of a tile of centroids to the next.
const CENTROID_BYTES: usize = WIDTH * size_of::<u32>();
const SUM_BYTES: usize = COLUMNS * size_of::<f32>();

/// Whether the processor has them, the kernel lets this process use them, and they compute what
/// they should: found out once.
pub(super) fn has() -> bool {
    static HAS: LazyLock<bool> = LazyLock::new(|| is_there() && is_given() && is_right());
    *HAS
}

/// Whether processor and kernel know of tiles, and of products of 16 bits of them.
fn is_there() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
    const OSXSAVE: u32 = 1 << 27;
    const TILES: u32 = 1 << 24;
    const PRODUCTS: u32 = 1 << 22;
    /// What the kernel keeps of a thread: how tiles are laid out, and what is in them.
    const KEPT: u64 = 3 << 17;

    #[target_feature(enable = "xsave")]
    fn kept() -> u64 {
        // SAFETY: the kernel has let programs ask.
        unsafe { _xgetbv(0) }
    }

    if __cpuid(0).eax < 7 || __cpuid(1).ecx & OSXSAVE == 0 {
        return false;
    }
    let features = __cpuid_count(7, 0).edx;
    // SAFETY: OSXSAVE says that the instruction is there.
    features & TILES != 0 && features & PRODUCTS != 0 && unsafe { kept() } & KEPT == KEPT
}

/// Asks the kernel for tiles, for all threads of the process: they are eight kilobytes that it has
/// to keep of each.
fn is_given() -> bool {
    const REQUEST: libc::c_long = 0x1023;
    const TILE_DATA: libc::c_long = 18;
    // SAFETY: this call reads two numbers, and changes nothing of this program's memory.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) == 0 }
}

/// Whether small whole numbers, of which nothing is rounded, come out as they should.
pub(super) fn is_right() -> bool {
    const HALF: usize = 2 * WORDS;
    let value = |at: usize| (at * 7 % 13) as f32 - 6.0;
    let pair = |at: usize| value(at).to_bits() >> 16 | value(at + 5).to_bits();
    let centroids: Vec<u32> = (0..HALF * WIDTH).map(pair).collect();
    let half_norms = [0.5; WIDTH];
    let mut room = Room {
        pairs: (0..TILE * HALF).map(|at| pair(at * 3)).collect(),
        scores: vec![0.0; TILE * WIDTH],
        ..Room::default()
    };
    let of = Centroids { half: HALF, pairs: &centroids, half_norms: &half_norms };
    // SAFETY: the processor has them, and there is room for a tile.
    unsafe { score(&of, TILE, &mut room) };
    (0..TILE * WIDTH).all(|at| {
        let (row, column) = (at / WIDTH, at % WIDTH);
        let product = |t: usize| {
            let (a, b) = ((row * HALF + t) * 3, t * WIDTH + column);
            value(a) * value(b) + value(a + 5) * value(b + 5)
        };
        let sum: f32 = (0..HALF).map(product).sum();
        room.scores.get(at) == Some(&(0.5 - sum))
    })
}

/// How tiles are laid out: all eight of them sixteen lines of 64 bytes.
#[repr(C, align(64))]
struct Layout {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    line_bytes: [u16; 16],
    lines: [u8; 16],
}

static LAYOUT: Layout = Layout {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    line_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    lines: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Sums of 32 rows and 32 centroids.
#[repr(C, align(64))]
struct Sums([[f32; COLUMNS]; TILE]);

/// # Safety
/// The processor has tiles, and there is room for whole tiles of the rows.
pub(super) unsafe fn score(of: &Centroids<'_>, rows: usize, room: &mut Room) {
    let (half, width) = (of.half, of.half_norms.len());
    let layout = &raw const LAYOUT;
    // SAFETY: 64 bytes are read.
    unsafe { asm!("ldtilecfg [{}]", in(reg) layout, options(nostack, readonly, preserves_flags)) };
    let mut sums = Sums([[0.0; COLUMNS]; TILE]);
    for (nth, panel) in of.pairs.chunks_exact(half * WIDTH).enumerate() {
        for part in (0..WIDTH).step_by(COLUMNS) {
            let columns = nth * WIDTH + part..nth * WIDTH + part + COLUMNS;
            let halves = of.half_norms.get(columns.clone()).unwrap_or_default();
            for first in (0..rows).step_by(TILE) {
                // SAFETY: TILE rows of pairs are there from every first one on, and a panel is
                // half × WIDTH pairs.
                unsafe {
                    let own = room.pairs.as_ptr().add(first * half);
                    add(own, panel.as_ptr().add(part), half, &mut sums);
                }
                let lines = room.scores.chunks_exact_mut(width).skip(first);
                for (line, sums) in lines.zip(&sums.0) {
                    let line = line.get_mut(columns.clone()).unwrap_or_default();
                    for ((score, sum), half) in line.iter_mut().zip(sums).zip(halves) {
                        *score = half - sum;
                    }
                }
            }
        }
    }
    // SAFETY: nobody needs what is in the tiles. The kernel need not keep it then.
    unsafe { asm!("tilerelease", options(nomem, nostack, preserves_flags)) };
}

/// Products of TILE rows of `half` words, and of COLUMNS centroids of a panel.
///
/// # Safety
/// All of them are there, and tiles are laid out.
unsafe fn add(rows: *const u32, centroids: *const u32, half: usize, sums: &mut Sums) {
    let row_bytes = half * size_of::<u32>();
    // SAFETY: as the caller says. Of a step are read 64 bytes of each row, and sixteen lines of the
    // panel; `half` is a whole number of steps.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "2:",
            "tileloadd tmm4, [{rows} + {row_bytes}]",
            "tileloadd tmm6, [{centroids} + {centroid_bytes}]",
            "tileloadd tmm7, [{centroids} + {centroid_bytes} + 64]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{below} + {row_bytes}]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {rows}, 64",
            "add {below}, 64",
            "add {centroids}, {step_bytes}",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{sums} + {sum_bytes}], tmm0",
            "tilestored [{sums} + {sum_bytes} + 64], tmm1",
            "tilestored [{sums} + {sum_bytes} + {sums_below}], tmm2",
            "tilestored [{sums} + {sum_bytes} + {sums_below} + 64], tmm3",
            rows = inout(reg) rows => _,
            below = inout(reg) rows.add(LINES * half) => _,
            row_bytes = in(reg) row_bytes,
            centroids = inout(reg) centroids => _,
            centroid_bytes = in(reg) CENTROID_BYTES,
            step_bytes = const LINES * CENTROID_BYTES,
            steps = inout(reg) half / WORDS => _,
            sums = in(reg) sums,
            sum_bytes = in(reg) SUM_BYTES,
            sums_below = const LINES * SUM_BYTES,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
