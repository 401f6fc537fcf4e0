// Rows dealt to centroids on tensor cores, and rows made halves for that. A row is sure of its
// centroid when the score of every other one, less its error, is above the score of that one,
// plus its error. `cuda/src/emulator.rs` goes through the same tiles in the same order.

#include "tiles.cuh"

// The nearest centroid of each row, or NONE where the bound does not settle it.
//
// rows: padded to ROWS, depth halves each, a multiple of DEPTH. centroids: padded to COLUMNS.
// terms: of each centroid half its square, norm_j, share_j, rest_j; of padding the first is
// infinite. row_terms: of each row e_row and norm_row.
extern "C" __global__ void __launch_bounds__(THREADS, 2) kmeans_assign(
    const u16* __restrict__ rows, const u16* __restrict__ centroids,
    const float4* __restrict__ terms, const float2* __restrict__ row_terms,
    u32* __restrict__ labels, u32 n, u32 depth, u32 n_columns) {
    __shared__ __align__(128) unsigned char stages[STAGES * STAGE_BYTES];
    u32 lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    u32 block_row = blockIdx.x * ROWS;
    Nearest nearest[4];
#pragma unroll
    for (u32 r = 0; r < 4; r++) nearest[r] = NOBODY;

    // Terms of centroids are read once more for each row, since registers are full of products.
    auto seen = [&](float (&sums)[2][8][4], u32 column) {
#pragma unroll
        for (u32 r = 0; r < 4; r++) {
            float2 own_terms = row_terms[block_row + row_of(r)];
#pragma unroll
            for (u32 c = 0; c < 16; c++) {
                u32 j = column + column_of(c);
                float4 of = read(terms + j);
                float& product = product_of(sums, r, c);
                float score = of.x - product;
                see_one(nearest[r], score - error_of(of, own_terms), j);
                product = 0.0f;
            }
        }
    };
    Source<1> from = source<1>(rows + (size_t)block_row * depth, centroids, depth);
    products<1>(shared_address(stages), from, depth, depth / DEPTH, n_columns, seen);

    // Four lanes and two warps have seen parts of a row's columns.
    Nearest* halves = (Nearest*)stages;
#pragma unroll
    for (u32 r = 0; r < 4; r++) {
        see_lanes(nearest[r]);
        if ((lane & 3) == 0) halves[(warp & 1) * ROWS + row_of(r)] = nearest[r];
    }
    __syncthreads();
    u32 row = threadIdx.x;
    if (row >= ROWS || block_row + row >= n) return;
    Nearest all = halves[row], other = halves[ROWS + row];
    see(all, other.low, other.next, other.label);
    labels[block_row + row] = settled(all, terms, row_terms[block_row + row]);
}

// A value's half, and what that is as a float.
static __device__ __forceinline__ float halved(double value, u16& half) {
    float single = (float)value, back;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(single));
    asm("cvt.f32.f16 %0, %1;" : "=f"(back) : "h"(half));
    return back;
}

// Rows of 32 bits as halves, centred and scaled, with e_row and norm_row; a warp a row. Row i is
// put at places[i], or at i where there are no places, and the square of its norm with it where
// there is room for squares. With two parts, a multiple of DEPTH each, what the first half lost is
// halved once more.
extern "C" __global__ void __launch_bounds__(256) kmeans_mirror(
    const float* __restrict__ rows, const float* __restrict__ centre, u16* __restrict__ halves,
    float2* __restrict__ row_terms, const u32* __restrict__ places, double* __restrict__ square_of,
    double scale, float spare, u32 n, u32 d, u32 depth, u32 parts) {
    u32 row = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
    if (row >= n) return;
    size_t to = places ? places[row] : row;
    u32 part = depth / parts;
    double squares = 0.0, lost = 0.0, whole = 0.0;
    for (u32 t = lane; t < part; t += 32) {
        u16 half = 0, fine = 0;
        if (t < d) {
            double value =
                ((double)rows[(size_t)row * d + t] - (double)centre[t]) * scale;
            // Twice rounded, by 32 bits and to halves: what is lost is measured, not assumed.
            float back = halved(value, half);
            double known = (double)back;
            if (parts == 2) known += (double)halved(value - (double)back, fine);
            squares += (double)back * (double)back;
            lost += (value - known) * (value - known);
            whole += value * value;
        }
        halves[to * depth + t] = half;
        if (parts == 2) halves[to * depth + part + t] = fine;
    }
#pragma unroll
    for (u32 apart = 16; apart > 0; apart /= 2) {
        squares += __shfl_xor_sync(NONE, squares, apart);
        lost += __shfl_xor_sync(NONE, lost, apart);
        whole += __shfl_xor_sync(NONE, whole, apart);
    }
    if (lane > 0) return;
    row_terms[to] = make_float2(__double2float_ru(sqrt(lost)) * spare,
                                __double2float_ru(sqrt(squares)) * spare);
    if (square_of) square_of[to] = whole;
}
