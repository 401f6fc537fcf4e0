// Products of all pairs of columns, for the covariance: the sums of `embedding/src/kernel/gram.rs`,
// bit by bit. Rows count by LOTs; in a lot terms are added in 32 bits, in the order of the rows
// and each rounded once, and lots as whole numbers, which have one sum in any order.

typedef unsigned int u32;
typedef unsigned long long u64;

// Rows of a lot, and of them so many at a time.
#define LOT 128
#define PART 16
// Columns of a block's square, and of a thread's.
#define SIDE 64
#define OWN 4
// Added to it, a number below 2^50 is rounded to a whole one, which stands in its last bits.
#define ROUNDER 6755399441055744.0

// A block has the products of SIDE columns with SIDE others, of the lots that are its turn; pairs of
// squares are counted row by row, those below the diagonal left out.
extern "C" __global__ void __launch_bounds__(256) gram_add(
    const float* __restrict__ rows, const float* __restrict__ centres,
    const float* __restrict__ scales, u64* __restrict__ sums, double units, u32 n, u32 d,
    u32 squares) {
    __shared__ float own[PART][SIDE], others[PART][SIDE];
    u32 down = 0, left = blockIdx.x;
    while (left >= squares - down) {
        left -= squares - down;
        down++;
    }
    u32 first = down * SIDE, second = (down + left) * SIDE;
    u32 thread = threadIdx.x, line = thread / 16 * OWN, column = thread % 16 * OWN;
    long long whole[OWN][OWN] = {};
    u32 lots = (n + LOT - 1) / LOT;
    for (u32 lot = blockIdx.y; lot < lots; lot += gridDim.y) {
        float sum[OWN][OWN] = {};
        u32 end = min((lot + 1) * LOT, n);
        for (u32 from = lot * LOT; from < end; from += PART) {
            __syncthreads();
#pragma unroll
            for (u32 turn = 0; turn < PART * SIDE / 256; turn++) {
                u32 row = turn * 4 + thread / SIDE, place = thread % SIDE;
                u32 a = first + place, b = second + place;
                float x = 0.0f, y = 0.0f;
                if (from + row < end) {
                    const float* of = rows + (size_t)(from + row) * d;
                    if (a < d) x = __fmul_rn(__fsub_rn(of[a], centres[a]), scales[a]);
                    if (b < d) y = __fmul_rn(__fsub_rn(of[b], centres[b]), scales[b]);
                }
                own[row][place] = x;
                others[row][place] = y;
            }
            __syncthreads();
            u32 many = min(PART, end - from);
            for (u32 row = 0; row < many; row++) {
                float4 x = *(const float4*)&own[row][line], y = *(const float4*)&others[row][column];
                float of[OWN] = {x.x, x.y, x.z, x.w}, with[OWN] = {y.x, y.y, y.z, y.w};
#pragma unroll
                for (u32 i = 0; i < OWN; i++)
#pragma unroll
                    for (u32 j = 0; j < OWN; j++) sum[i][j] = fmaf(of[i], with[j], sum[i][j]);
            }
        }
#pragma unroll
        for (u32 i = 0; i < OWN; i++)
#pragma unroll
            for (u32 j = 0; j < OWN; j++) {
                double rounded = __dadd_rn(__dmul_rn((double)sum[i][j], units), ROUNDER);
                whole[i][j] += __double_as_longlong(rounded) - __double_as_longlong(ROUNDER);
            }
    }
#pragma unroll
    for (u32 i = 0; i < OWN; i++)
#pragma unroll
        for (u32 j = 0; j < OWN; j++) {
            u32 a = first + line + i, b = second + column + j;
            if (a <= b && b < d) atomicAdd(sums + (size_t)a * d + b, (u64)whole[i][j]);
        }
}
