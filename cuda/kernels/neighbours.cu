// The nearest points of each row: those whose scores, less what they can be wrong by, are below
// the row's limit are put behind each other as they come; once in a while they are put in order, the
// least of them stay, and the worst of those is the limit from then on.

#include "near.cuh"
#include "tiles.cuh"

// Rows of a lot, a block ROWS of them, against `each` columns a block of the other axis.
template <int PARTS>
static __device__ __forceinline__ void find(
    const u16* rows, const u16* points, const float4* terms, const float2* row_terms,
    const float* limits, u32* many, u64* found, u32 n, u32 depth, u32 first_point, u32 n_columns,
    u32 each) {
    __shared__ __align__(128) unsigned char stages[STAGES * STAGE_BYTES];
    u32 block_row = blockIdx.x * ROWS, first = blockIdx.y * each;
    u32 columns = min(each, n_columns - first);
    auto seen = [&](float (&sums)[2][8][4], u32 column) {
        u32 point = here(first_point + first + column + column_of(0));
#pragma unroll
        for (u32 r = 0; r < 4; r++) {
            u32 row = here(block_row + row_of(r));
            float2 own_terms = row_terms[row];
            float limit = row < n ? limits[row] : -INFINITE;
            bool is_any = false;
#pragma unroll
            for (u32 c = 0; c < 16; c++) {
                float4 of = read(terms + point + (c >> 1) * 8 + (c & 1));
                float& product = product_of(sums, r, c);
                product = of.x - product - error_of(of, own_terms);
                is_any |= product < limit;
            }
            if (is_any) {
                float lows[16];
#pragma unroll
                for (u32 c = 0; c < 16; c++) lows[c] = product_of(sums, r, c);
                push_below(lows, limit, many + row, found + (size_t)row * ROOM, point);
            }
#pragma unroll
            for (u32 c = 0; c < 16; c++) product_of(sums, r, c) = 0.0f;
        }
    };
    const u16* from_point = points + (size_t)(first_point + first) * depth;
    Source<PARTS> from = source<PARTS>(rows + (size_t)block_row * depth, from_point, depth);
    u32 steps = depth / PARTS / DEPTH * (PARTS == 2 ? 3 : 1);
    products<PARTS>(shared_address(stages), from, depth, steps, columns, seen);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2) neighbours_find(
    const u16* __restrict__ rows, const u16* __restrict__ points,
    const float4* __restrict__ terms, const float2* __restrict__ row_terms,
    const float* __restrict__ limits, u32* many, u64* found, u32 n, u32 depth, u32 first_point,
    u32 n_columns, u32 each) {
    find<1>(rows, points, terms, row_terms, limits, many, found, n, depth, first_point, n_columns,
            each);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2) neighbours_find_fine(
    const u16* __restrict__ rows, const u16* __restrict__ points,
    const float4* __restrict__ terms, const float2* __restrict__ row_terms,
    const float* __restrict__ limits, u32* many, u64* found, u32 n, u32 depth, u32 first_point,
    u32 n_columns, u32 each) {
    find<2>(rows, points, terms, row_terms, limits, many, found, n, depth, first_point, n_columns,
            each);
}

// The `kept` least of each row, 256 at most, in order, and their numbers by themselves; a block a
// row. Where there was no room for all that came,
// the row's limit is minus infinity from then on: nothing is known of it.
extern "C" __global__ void __launch_bounds__(256) neighbours_select(
    u64* __restrict__ found, u32* __restrict__ many, float* __restrict__ limits,
    u32* __restrict__ numbers, u32 kept) {
    __shared__ u64 keys[ROOM];
    u32 row = blockIdx.x, thread = threadIdx.x;
    u32 count = many[row];
    u32 taken = min(count, ROOM);
    // A power of two, with all that are kept.
    u32 size = 64;
    while (size < max(taken, kept)) size *= 2;
    for (u32 at = thread; at < size; at += 256)
        keys[at] = at < taken ? found[(size_t)row * ROOM + at] : ~0ull;
    __syncthreads();
    for (u32 run = 2; run <= size; run *= 2) {
        for (u32 apart = run / 2; apart > 0; apart /= 2) {
            for (u32 pair = thread; pair < size / 2; pair += 256) {
                u32 a = pair / apart * 2 * apart + pair % apart, b = a + apart;
                bool is_up = (a & run) == 0;
                u64 x = keys[a], y = keys[b];
                if ((x > y) == is_up) {
                    keys[a] = y;
                    keys[b] = x;
                }
            }
            __syncthreads();
        }
    }
    if (thread < kept) {
        found[(size_t)row * ROOM + thread] = keys[thread];
        numbers[(size_t)row * kept + thread] = (u32)keys[thread];
    }
    if (thread > 0) return;
    bool is_lost = count > ROOM || limits[row] == -INFINITE;
    many[row] = min(taken, kept);
    limits[row] = is_lost ? -INFINITE : taken >= kept ? score_of(keys[kept - 1]) : INFINITE;
}
