// Rows dealt to centroids, and neighbours found, on Hopper: what `kmeans.cu` and `neighbours.cu` do, with
// the products of `hopper.cuh`.

#include "hopper.cuh"
#include "near.cuh"

// Parameters as those of `kmeans_assign`; `rows` and `centroids` are maps of the halves.
template <int SPANS, int STAGES>
static __device__ __forceinline__ void assign(
    const Map& rows, const Map& centroids, const float4* terms, const float2* row_terms,
    u32* labels, u32 n, u32 depth, u32 n_columns) {
    Nearest nearest[2] = {NOBODY, NOBODY};
    auto task = [&](u32 nth) { return Task{nth * ROWS, 0, n_columns}; };
    auto seen = [&](float (&sums)[64], Task of, u32 column) {
        // Read once more for each span: registers are full of sums until then.
        const float2* own = row_terms + of.row + own_row();
        float2 own_terms[2] = {read(own), read(own + 8)};
#pragma unroll
        for (u32 c = 0; c < 32; c++) {
            u32 j = column + own_column(c);
            float4 terms_of = read(terms + j);
#pragma unroll
            for (u32 r = 0; r < 2; r++) {
                float score = terms_of.x - sum_of(sums, r, c);
                see_one(nearest[r], score - error_of(terms_of, own_terms[r]), j);
            }
        }
    };
    auto done = [&](Task of) {
#pragma unroll
        for (u32 r = 0; r < 2; r++) {
            see_lanes(nearest[r]);
            u32 row = of.row + own_row() + r * 8;
            if ((threadIdx.x & 3) == 0 && row < n)
                labels[row] = settled(nearest[r], terms, row_terms[row]);
            nearest[r] = NOBODY;
        }
    };
    u32 n_tasks = (n + ROWS - 1) / ROWS;
    products<SPANS, STAGES>(rows, centroids, depth, n_tasks, task, seen, done);
}

// For at most SPAN centroids, which memory is waited for.
extern "C" __global__ void __launch_bounds__(THREADS, 1) hopper_assign_128(
    const __grid_constant__ Map rows, const __grid_constant__ Map centroids,
    const float4* __restrict__ terms, const float2* __restrict__ row_terms,
    u32* __restrict__ labels, u32 n, u32 depth, u32 n_columns) {
    assign<1, 6>(rows, centroids, terms, row_terms, labels, n, depth, n_columns);
}

// For more: rows are fetched once for twice as many.
extern "C" __global__ void __launch_bounds__(THREADS, 1) hopper_assign_256(
    const __grid_constant__ Map rows, const __grid_constant__ Map centroids,
    const float4* __restrict__ terms, const float2* __restrict__ row_terms,
    u32* __restrict__ labels, u32 n, u32 depth, u32 n_columns) {
    assign<2, 4>(rows, centroids, terms, row_terms, labels, n, depth, n_columns);
}

// Parameters as those of `neighbours_find`; rows are those of the map from `first_row` on, and
// `terms` and the map `points` have all points.
extern "C" __global__ void __launch_bounds__(THREADS, 1) hopper_find(
    const __grid_constant__ Map rows, const __grid_constant__ Map points,
    const float4* __restrict__ terms, const float2* __restrict__ row_terms,
    const float* __restrict__ limits, u32* many, u64* found, u32 n, u32 depth, u32 first_row,
    u32 first_point, u32 n_columns, u32 each) {
    u32 across = (n_columns + each - 1) / each;
    auto task = [&](u32 nth) {
        u32 first = nth % across * each;
        u32 end = first + min(each, n_columns - first);
        return Task{first_row + nth / across * ROWS, first_point + first, first_point + end};
    };
    auto seen = [&](float (&sums)[64], Task of, u32 column) {
        u32 first = of.row - first_row + own_row();
#pragma unroll
        for (u32 r = 0; r < 2; r++) {
            u32 row = here(first + r * 8);
            float2 own_terms = row_terms[row];
            float limit = row < n ? limits[row] : -INFINITE;
#pragma unroll
            for (u32 part = 0; part < 2; part++) {
                u32 point = here(column + own_column(part * 16));
                bool is_any = false;
#pragma unroll
                for (u32 c = 0; c < 16; c++) {
                    float4 terms_of = read(terms + point + (c >> 1) * 8 + (c & 1));
                    float& sum = sum_of(sums, r, part * 16 + c);
                    sum = terms_of.x - sum - error_of(terms_of, own_terms);
                    is_any |= sum < limit;
                }
                if (!is_any) continue;
                float lows[16];
#pragma unroll
                for (u32 c = 0; c < 16; c++) lows[c] = sum_of(sums, r, part * 16 + c);
                push_below(lows, limit, many + row, found + (size_t)row * ROOM, point);
            }
        }
    };
    u32 n_tasks = (n + ROWS - 1) / ROWS * across;
    products<2, 4>(rows, points, depth, n_tasks, task, seen, [](Task) {});
}
