// Products of rows and points on tensor cores: halves in, scores and their bounds in 32 bits.
//
// Rows and points are moved to the centre of all rows and scaled by a power of two, so that
// halves have room for them. Of a row a and a point b the score is |b|^2 / 2 - a.b: least for
// the nearest. What a score of halves can be wrong by is
//     error(row, j) = e_row * norm_j + norm_row * share_j + rest_j
// `cuda/src/bound.rs` works the terms out and says why they hold.
//
// A block has ROWS rows, against COLUMNS points at a time, DEPTH dimensions a step; its eight
// warps are 4 x 2, each with 32 x 64 scores in registers. Of a thread r counts its rows, four of
// them, and c its columns, sixteen.

#pragma once

#include "scores.cuh"

#define ROWS 128
#define COLUMNS 128
#define DEPTH 32
#define STAGES 3
#define THREADS 256
#define STAGE_BYTES ((ROWS + COLUMNS) * DEPTH * 2)

// Sixteen bytes of a tile. Rows of a tile are 64 bytes, so eight rows below each other would
// share four banks: pairs of rows have their chunks turned.
static __device__ __forceinline__ u32 place(u32 row, u32 chunk) {
    return row * 64 + ((chunk ^ ((row >> 1) & 3)) << 4);
}

static __device__ __forceinline__ void fetch(u32 to, const void* from) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}

// Where a thread fetches from: sixteen bytes of every sixty-fourth row and point. With two PARTS a
// value is the sum of two halves, whose rows lie behind each other, the coarse ones first; of their
// products those of two fine ones are left out.
template <int PARTS>
struct Source {
    const u16* rows;
    const u16* points;
    u32 step;
};

// DEPTH dimensions of ROWS rows and of COLUMNS points, on their way to a stage. The turn of
// chunks is the same 64 rows on. `depth` is of all parts.
template <int PARTS>
static __device__ __forceinline__ void fetch_stage(
    u32 to, Source<PARTS>& from, u32 depth, u32 n_steps) {
    to += place(threadIdx.x >> 2, threadIdx.x & 3);
#pragma unroll
    for (u32 turn = 0; turn < 2; turn++) {
        fetch(to + turn * 4096, from.rows + (size_t)turn * 64 * depth);
        fetch(to + ROWS * 64 + turn * 4096, from.points + (size_t)turn * 64 * depth);
    }
    from.rows += DEPTH;
    from.points += DEPTH;
    from.step++;
    if (PARTS == 1) {
        if (from.step == n_steps) {
            from.step = 0;
            from.rows -= depth;
            from.points += (size_t)(COLUMNS - 1) * depth;
        }
        return;
    }
    // Coarse rows and coarse points, fine rows and coarse points, coarse rows and fine points.
    u32 half = depth / 2, third = n_steps / 3;
    if (from.step == third) from.points -= half;
    if (from.step == 2 * third) from.rows -= depth;
    if (from.step == n_steps) {
        from.step = 0;
        from.rows -= half;
        from.points += (size_t)(COLUMNS - 1) * depth;
    }
}

static __device__ __forceinline__ void load_four(u32 (&to)[4], u32 from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(from)
                 : "memory");
}

static __device__ __forceinline__ void multiply(
    float (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// DEPTH dimensions more in the products of a warp.
static __device__ __forceinline__ void step(
    float (&sums)[2][8][4], u32 stage, u32 first_row, u32 first_column) {
    u32 lane = threadIdx.x & 31;
#pragma unroll
    for (u32 k = 0; k < DEPTH / 16; k++) {
        u32 a[2][4];
#pragma unroll
        for (u32 m = 0; m < 2; m++)
            load_four(a[m], stage + place(first_row + m * 16 + (lane & 15), k * 2 + (lane >> 4)));
#pragma unroll
        for (u32 pair = 0; pair < 4; pair++) {
            u32 b[4];
            u32 column = first_column + pair * 16 + ((lane >> 4) << 3) + (lane & 7);
            load_four(b, stage + ROWS * 64 + place(column, k * 2 + ((lane >> 3) & 1)));
#pragma unroll
            for (u32 m = 0; m < 2; m++) {
                multiply(sums[m][pair * 2], a[m], b[0], b[1]);
                multiply(sums[m][pair * 2 + 1], a[m], b[2], b[3]);
            }
        }
    }
}

// All points of some columns, COLUMNS at a time: `seen` has the products of a thread with the
// columns from a number on, and makes them zero. `n_steps` are those of DEPTH dimensions of a product.
template <int PARTS, typename Seen>
static __device__ __forceinline__ void products(
    u32 base, Source<PARTS> from, u32 depth, u32 n_steps, u32 n_columns, Seen&& seen) {
    u32 warp = threadIdx.x >> 5;
    u32 first_row = (warp >> 1) * 32, first_column = (warp & 1) * 64;
    u32 n_all = n_steps * (n_columns / COLUMNS);
    float sums[2][8][4] = {};
#pragma unroll
    for (u32 s = 0; s < STAGES - 1; s++) {
        if (s < n_all) fetch_stage<PARTS>(base + s * STAGE_BYTES, from, depth, n_steps);
        asm volatile("cp.async.commit_group;" ::: "memory");
    }
    u32 at_step = 0, column = 0, stage = 0;
    for (u32 nth = 0; nth < n_all; nth++) {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
        __syncthreads();
        // The stage that all have just left.
        u32 into = stage == 0 ? STAGES - 1 : stage - 1;
        if (nth + STAGES - 1 < n_all)
            fetch_stage<PARTS>(base + into * STAGE_BYTES, from, depth, n_steps);
        asm volatile("cp.async.commit_group;" ::: "memory");
        step(sums, base + stage * STAGE_BYTES, first_row, first_column);
        stage = stage + 1 == STAGES ? 0 : stage + 1;
        if (++at_step < n_steps) continue;
        seen(sums, column);
        at_step = 0;
        column += COLUMNS;
    }
    asm volatile("cp.async.wait_group 0;" ::: "memory");
    __syncthreads();
}

// Where a thread begins to fetch, of rows and points from these on.
template <int PARTS>
static __device__ __forceinline__ Source<PARTS> source(
    const u16* rows, const u16* points, u32 depth) {
    size_t begin = (size_t)(threadIdx.x >> 2) * depth + (threadIdx.x & 3) * 8;
    return {rows + begin, points + begin, 0};
}

// The row of a thread's r-th, and the column of its c-th, within the block's tile.
static __device__ __forceinline__ u32 row_of(u32 r) {
    return (threadIdx.x >> 6) * 32 + (r >> 1) * 16 + (r & 1) * 8 + ((threadIdx.x & 31) >> 2);
}

static __device__ __forceinline__ u32 column_of(u32 c) {
    return ((threadIdx.x >> 5) & 1) * 64 + (c >> 1) * 8 + (threadIdx.x & 3) * 2 + (c & 1);
}

static __device__ __forceinline__ float& product_of(float (&sums)[2][8][4], u32 r, u32 c) {
    return sums[r >> 1][c >> 1][(r & 1) * 2 + (c & 1)];
}
