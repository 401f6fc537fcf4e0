// Rows dealt to centroids on tensor cores: halves in, scores and their bounds in 32 bits.
//
// Rows and centroids are moved to the centre of all rows and scaled by a power of two, so that
// halves have room for them. Of a row a and a centroid b the score is |b|^2 / 2 - a.b: least for
// the nearest. What a score of halves can be wrong by is
//     error(row, j) = e_row * norm_j + norm_row * share_j + rest_j
// and a row is sure of its centroid when the score of every other one, less its error, is above
// the score of that one, plus its error. `cuda/src/bound.rs` works the terms out and says why
// they hold; `cuda/src/emulator.rs` goes through the same tiles in the same order.
//
// A block deals ROWS rows, against COLUMNS centroids at a time, DEPTH dimensions a step; its
// eight warps are 4 x 2, each with 32 x 64 scores in registers.

#define ROWS 128
#define COLUMNS 128
#define DEPTH 32
#define STAGES 3
#define THREADS 256
#define STAGE_BYTES ((ROWS + COLUMNS) * DEPTH * 2)
#define NONE 0xffffffffu
#define INFINITE __int_as_float(0x7f800000)

typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned short u16;

// What a row knows of the centroids it has seen: the least of their scores less errors, whose
// that is, and the next.
struct Nearest {
    float low;
    float next;
    u32 label;
};

// Sixteen bytes of a tile. Rows of a tile are 64 bytes, so eight rows below each other would
// share four banks: pairs of rows have their chunks turned.
static __device__ __forceinline__ u32 place(u32 row, u32 chunk) {
    return row * 64 + ((chunk ^ ((row >> 1) & 3)) << 4);
}

static __device__ __forceinline__ u32 shared_address(const void* at) {
    return (u32)__cvta_generic_to_shared(at);
}

static __device__ __forceinline__ void fetch(u32 to, const void* from) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}

// Where a thread fetches from: sixteen bytes of every sixty-fourth row and centroid.
struct Source {
    const u16* rows;
    const u16* centroids;
    u32 step;
};

// DEPTH dimensions of ROWS rows and of COLUMNS centroids, on their way to a stage. The turn of
// chunks is the same 64 rows on.
static __device__ __forceinline__ void fetch_stage(u32 to, Source& from, u32 depth, u32 n_steps) {
    to += place(threadIdx.x >> 2, threadIdx.x & 3);
#pragma unroll
    for (u32 turn = 0; turn < 2; turn++) {
        fetch(to + turn * 4096, from.rows + (size_t)turn * 64 * depth);
        fetch(to + ROWS * 64 + turn * 4096, from.centroids + (size_t)turn * 64 * depth);
    }
    from.rows += DEPTH;
    from.centroids += DEPTH;
    if (++from.step == n_steps) {
        from.step = 0;
        from.rows -= depth;
        from.centroids += (size_t)(COLUMNS - 1) * depth;
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

// Read where it is asked for: the compiler would rather keep all of them, and spill others.
static __device__ __forceinline__ float4 read(const float4* at) {
    float4 of;
    asm volatile("ld.global.nc.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(of.x), "=f"(of.y), "=f"(of.z), "=f"(of.w)
                 : "l"(at));
    return of;
}

static __device__ __forceinline__ void see(Nearest& known, float low, float next, u32 label) {
    bool is_less = low < known.low;
    known.next = fminf(is_less ? known.low : low, is_less ? fminf(next, known.next) : known.next);
    known.low = is_less ? low : known.low;
    known.label = is_less ? label : known.label;
}

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
    u32 base = shared_address(stages);
    u32 lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    u32 first_row = (warp >> 1) * 32, first_column = (warp & 1) * 64;
    u32 block_row = blockIdx.x * ROWS;
    u32 n_steps = depth / DEPTH, n_all = n_steps * (n_columns / COLUMNS);

    Nearest nearest[4];
#pragma unroll
    for (u32 r = 0; r < 4; r++) nearest[r] = {INFINITE, INFINITE, NONE};
    float sums[2][8][4] = {};
    size_t begin = (size_t)(threadIdx.x >> 2) * depth + (threadIdx.x & 3) * 8;
    Source from = {rows + (size_t)block_row * depth + begin, centroids + begin, 0};
#pragma unroll
    for (u32 s = 0; s < STAGES - 1; s++) {
        if (s < n_all) fetch_stage(base + s * STAGE_BYTES, from, depth, n_steps);
        asm volatile("cp.async.commit_group;" ::: "memory");
    }
    u32 at_step = 0, column = 0, stage = 0;
    for (u32 nth = 0; nth < n_all; nth++) {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
        __syncthreads();
        // The stage that all have just left.
        u32 into = stage == 0 ? STAGES - 1 : stage - 1;
        if (nth + STAGES - 1 < n_all)
            fetch_stage(base + into * STAGE_BYTES, from, depth, n_steps);
        asm volatile("cp.async.commit_group;" ::: "memory");
        step(sums, base + stage * STAGE_BYTES, first_row, first_column);
        stage = stage + 1 == STAGES ? 0 : stage + 1;
        if (++at_step < n_steps) continue;
        // All dimensions of these columns: scores, and what they are wrong by. Terms of centroids
        // are read once more for each row, since registers are full of products.
#pragma unroll
        for (u32 r = 0; r < 4; r++) {
            u32 row = first_row + (r >> 1) * 16 + (r & 1) * 8 + (lane >> 2);
            float2 own_terms = row_terms[block_row + row];
#pragma unroll
            for (u32 c = 0; c < 16; c++) {
                u32 j = column + first_column + (c >> 1) * 8 + (lane & 3) * 2 + (c & 1);
                float4 of = read(terms + j);
                float& product = sums[r >> 1][c >> 1][(r & 1) * 2 + (c & 1)];
                float score = of.x - product;
                float error = fmaf(own_terms.x, of.y, fmaf(own_terms.y, of.z, of.w));
                float low = score - error;
                bool is_less = low < nearest[r].low;
                nearest[r].next = fminf(nearest[r].next, is_less ? nearest[r].low : low);
                nearest[r].low = is_less ? low : nearest[r].low;
                nearest[r].label = is_less ? j : nearest[r].label;
                product = 0.0f;
            }
        }
        at_step = 0;
        column += COLUMNS;
    }

    // Four lanes and two warps have seen parts of a row's columns.
    asm volatile("cp.async.wait_group 0;" ::: "memory");
    __syncthreads();
    Nearest* halves = (Nearest*)stages;
#pragma unroll
    for (u32 r = 0; r < 4; r++) {
#pragma unroll
        for (u32 apart = 1; apart < 4; apart *= 2) {
            float low = __shfl_xor_sync(NONE, nearest[r].low, apart);
            float next = __shfl_xor_sync(NONE, nearest[r].next, apart);
            u32 label = __shfl_xor_sync(NONE, nearest[r].label, apart);
            see(nearest[r], low, next, label);
        }
        u32 row = first_row + (r >> 1) * 16 + (r & 1) * 8 + (lane >> 2);
        if ((lane & 3) == 0) halves[(warp & 1) * ROWS + row] = nearest[r];
    }
    __syncthreads();
    u32 row = threadIdx.x;
    if (row >= ROWS || block_row + row >= n) return;
    Nearest all = halves[row], other = halves[ROWS + row];
    see(all, other.low, other.next, other.label);
    bool is_sure = false;
    if (all.label != NONE) {
        float4 of = terms[all.label];
        float2 own_terms = row_terms[block_row + row];
        float error = fmaf(own_terms.x, of.y, fmaf(own_terms.y, of.z, of.w));
        // The score plus its error is the score less its error plus twice that. Written so that
        // what is not a number is not sure.
        is_sure = all.next > fmaf(2.0f, error, all.low);
    }
    labels[block_row + row] = is_sure ? all.label : NONE;
}

// Rows of 32 bits as halves, centred and scaled, with e_row and norm_row; a warp a row.
extern "C" __global__ void __launch_bounds__(256) kmeans_mirror(
    const float* __restrict__ rows, const float* __restrict__ centre, u16* __restrict__ halves,
    float2* __restrict__ row_terms, double scale, float spare, u32 n, u32 d, u32 depth) {
    u32 row = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
    if (row >= n) return;
    double squares = 0.0, lost = 0.0;
    for (u32 t = lane; t < depth; t += 32) {
        u16 half = 0;
        if (t < d) {
            double value =
                ((double)rows[(size_t)row * d + t] - (double)centre[t]) * scale;
            // Twice rounded, by 32 bits and to halves: what is lost is measured, not assumed.
            float single = (float)value, back;
            asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(single));
            asm("cvt.f32.f16 %0, %1;" : "=f"(back) : "h"(half));
            squares += (double)back * (double)back;
            lost += (value - (double)back) * (value - (double)back);
        }
        halves[(size_t)row * depth + t] = half;
    }
#pragma unroll
    for (u32 apart = 16; apart > 0; apart /= 2) {
        squares += __shfl_xor_sync(NONE, squares, apart);
        lost += __shfl_xor_sync(NONE, lost, apart);
    }
    if (lane == 0)
        row_terms[row] = make_float2(__double2float_ru(sqrt(lost)) * spare,
                                     __double2float_ru(sqrt(squares)) * spare);
}
