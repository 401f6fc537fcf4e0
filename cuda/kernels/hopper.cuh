// Products of rows and points on Hopper (sm_90a): those of `tiles.cuh`, by the instructions that only
// it has. A warp fetches boxes of rows and of points, each with one instruction; two groups of four
// warps multiply matrices as they lie in shared memory. Boxes arrive and are left by barriers of
// their own (PTX ISA 8.5, chapters 9.7.8.24, 9.7.12.15 and 9.7.14).
//
// A block has ROWS rows, against SPANS times SPAN points at a time, DEPTH dimensions a step, then
// others: there are as many blocks as processors, and boxes of the next rows are on their way while
// these are decided. A box is 128 lines of 128 bytes, whose chunks of sixteen bytes are turned by
// the line's last three bits: so matrices are read from all banks. What lies beyond an array is
// zero in a box.

#pragma once

#include "scores.cuh"

#define ROWS 128
#define SPAN 128
#define DEPTH 64
#define BOX_BYTES (128 * DEPTH * 2)
// Groups of four warps that multiply, 64 rows each.
#define GROUPS 2
#define MULTIPLIERS (GROUPS * 4)
// And a group of which one thread fetches: registers are handed round by groups.
#define THREADS (GROUPS * 128 + 128)

// Where an array of halves lies in memory, as the driver describes it for fetching boxes.
struct alignas(64) Map {
    u64 words[16];
};

static __device__ __forceinline__ void init(u32 barrier, u32 many) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(many) : "memory");
}

static __device__ __forceinline__ void arrive(u32 barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

// So many bytes are on their way besides.
static __device__ __forceinline__ void arrive_before(u32 barrier, u32 bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier),
                 "r"(bytes)
                 : "memory");
}

// Until the turn of a barrier that has this parity is over.
static __device__ __forceinline__ void wait(u32 barrier, u32 parity) {
    u32 is_over = 0;
    while (!is_over) {
        asm volatile(
            "{\n"
            ".reg .pred p;\n"
            "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
            "selp.b32 %0, 1, 0, p;\n"
            "}\n"
            : "=r"(is_over)
            : "r"(barrier), "r"(parity)
            : "memory");
    }
}

// A box of 128 lines and DEPTH columns, from these on.
static __device__ __forceinline__ void fetch(
    u32 to, const Map& map, u32 column, u32 line, u32 barrier) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%2, %3}], [%4];" ::"r"(to),
        "l"(&map), "r"(column), "r"(line), "r"(barrier)
        : "memory");
}

// Where a matrix begins whose lines are those of a box: eight of them are 1,024 bytes.
static __device__ __forceinline__ u64 matrix(u32 at) {
    return (u64)((at & 0x3ffff) >> 4) | (u64)1 << 16 | (u64)(1024 >> 4) << 32 | (u64)1 << 62;
}

#define FOUR(of, at) "+f"(of[at]), "+f"(of[at + 1]), "+f"(of[at + 2]), "+f"(of[at + 3])
#define SIXTEEN(of, at) FOUR(of, at), FOUR(of, at + 4), FOUR(of, at + 8), FOUR(of, at + 12)
#define ALL(of) SIXTEEN(of, 0), SIXTEEN(of, 16), SIXTEEN(of, 32), SIXTEEN(of, 48)

// Products of 64 rows and SPAN points, of sixteen dimensions, are added to the sums. Of a thread, sums 4·g + 2·r + o are of its row r and of column 8·g + 2·(lane % 4) + o.
static __device__ __forceinline__ void multiply(float (&sums)[64], u64 a, u64 b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, "
        "%8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, "
        "%24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, "
        "%40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, "
        "%56, %57, %58, %59, %60, %61, %62, %63"
        "}, %64, %65, 1, 1, 1, 0, 0;"
        : ALL(sums)
        : "l"(a), "l"(b));
}

// Sums are not read before, whatever the compiler thinks.
static __device__ __forceinline__ void keep(float (&sums)[64]) {
    asm volatile("" : ALL(sums)::"memory");
}

template <int LEFT>
static __device__ __forceinline__ void await_products() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(LEFT) : "memory");
}

// A task: ROWS rows from one on, against the points from one up to another.
struct Task {
    u32 row;
    u32 first;
    u32 end;
};

// The first row of a thread, within its tile; its second one is eight further.
static __device__ __forceinline__ u32 own_row() {
    return (threadIdx.x >> 7) * 64 + (threadIdx.x >> 5 & 3) * 16 + ((threadIdx.x & 31) >> 2);
}

// The c-th of a thread's 32 columns within a span, and its sum with the r-th row.
static __device__ __forceinline__ u32 own_column(u32 c) {
    return (c >> 1) * 8 + (threadIdx.x & 3) * 2 + (c & 1);
}

static __device__ __forceinline__ float& sum_of(float (&sums)[64], u32 r, u32 c) {
    return sums[(c >> 1) * 4 + r * 2 + (c & 1)];
}

// All tasks of a block, numbered by `task`: `seen` has the sums of a thread with the points of a
// span from a number on, and `done` comes after the last of a task.
template <int SPANS, int STAGES, typename Tasks, typename Seen, typename Done>
static __device__ __forceinline__ void products(
    const Map& rows, const Map& points, u32 depth, u32 n_tasks, Tasks&& task, Seen&& seen,
    Done&& done) {
    constexpr u32 STAGE_BYTES = (1 + SPANS) * BOX_BYTES;
    extern __shared__ __align__(1024) unsigned char room[];
    __shared__ u64 full[STAGES], left[STAGES];
    // Chunks are turned by where they lie: a box begins at a multiple of 1,024 bytes.
    u32 base = (shared_address(room) + 1023) & ~1023u;
    u32 is_full = shared_address(full), is_left = shared_address(left);
    u32 warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    u32 n_steps = (depth + DEPTH - 1) / DEPTH;
    if (threadIdx.x == 0) {
        for (u32 s = 0; s < STAGES; s++) {
            init(is_full + 8 * s, 1);
            init(is_left + 8 * s, MULTIPLIERS);
        }
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __syncthreads();
    u32 stage = 0, turn = 0;
    if (warp >= MULTIPLIERS) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
        if (threadIdx.x > MULTIPLIERS * 32) return;
        for (u32 nth = blockIdx.x; nth < n_tasks; nth += gridDim.x) {
            Task of = task(nth);
            for (u32 column = of.first; column < of.end; column += SPANS * SPAN) {
                for (u32 step = 0; step < n_steps; step++) {
                    u32 to = base + stage * STAGE_BYTES, barrier = is_full + 8 * stage;
                    // Nobody was there before the first turn.
                    wait(is_left + 8 * stage, turn ^ 1);
                    arrive_before(barrier, STAGE_BYTES);
                    fetch(to, rows, step * DEPTH, of.row, barrier);
#pragma unroll
                    for (u32 s = 0; s < SPANS; s++) {
                        u32 box = to + (1 + s) * BOX_BYTES;
                        fetch(box, points, step * DEPTH, column + s * SPAN, barrier);
                    }
                    if (++stage == STAGES) stage = 0, turn ^= 1;
                }
            }
        }
        return;
    }
    // Of 512 for a thread of each group, 168 were given to each.
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    for (u32 nth = blockIdx.x; nth < n_tasks; nth += gridDim.x) {
        Task of = task(nth);
        for (u32 column = of.first; column < of.end; column += SPANS * SPAN) {
            float sums[SPANS][64] = {};
            u32 before = stage;
            for (u32 step = 0; step < n_steps; step++) {
                u32 from = base + stage * STAGE_BYTES;
                u64 own = matrix(from + (warp >> 2) * (BOX_BYTES / GROUPS));
                wait(is_full + 8 * stage, turn);
                asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
                for (u32 k = 0; k < DEPTH / 16; k++) {
#pragma unroll
                    for (u32 s = 0; s < SPANS; s++) {
                        // Sixteen halves on are 32 bytes.
                        u64 others = matrix(from + (1 + s) * BOX_BYTES) + 2 * k;
                        multiply(sums[s], own + 2 * k, others);
                    }
                }
                asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
                // The step before is done: who fetches may come to its stage.
                await_products<1>();
                if (step > 0 && lane == 0) arrive(is_left + 8 * before);
                before = stage;
                if (++stage == STAGES) stage = 0, turn ^= 1;
            }
            await_products<0>();
            if (lane == 0) arrive(is_left + 8 * before);
#pragma unroll
            for (u32 s = 0; s < SPANS; s++) keep(sums[s]);
#pragma unroll
            for (u32 s = 0; s < SPANS; s++)
                if (column + s * SPAN < of.end) seen(sums[s], of, column + s * SPAN);
        }
        done(of);
    }
}
