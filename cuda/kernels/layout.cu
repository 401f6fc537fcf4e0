// The epochs of UMAP, as in embedding/src/umap/walk.rs: rows of one block of the deal walk side by
// side, a thread each. A bond that acts pulls its row to the other end, random rows push it away,
// and the row has moved before the next one acts; all others stay where they are. What a bond
// moves its other end by is summed up in whole numbers, which have one sum in any order.

typedef unsigned int u32;
typedef unsigned long long u64;

#define PUSHES 5
#define CLIP 4.0f
#define SOFT 1e-3f
#define LEAST 1.17549435e-38f
// What 1 is in whole numbers.
#define WHOLE 1099511627776.0f

// The last step of MurmurHash3.
static __device__ __forceinline__ u32 mixed(u32 word) {
    word = (word ^ word >> 16) * 0x85ebca6bu;
    word = (word ^ word >> 13) * 0xc2b2ae35u;
    return word ^ word >> 16;
}

// The polynomials of embedding/src/umap/power.rs.
static __device__ __forceinline__ float power(float x, float b) {
    u32 shifted = __float_as_uint(x) - 0x3f3504f3u;
    float exponent = (float)((int)shifted >> 23);
    float t = __uint_as_float((shifted & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    float tt = t * t;
    float log_low = 1.4427135f - 0.72113186f * t;
    float log_middle = 0.479348f - 0.36749f * t;
    float log_high = 0.3221549f - 0.20659185f * t;
    float log = exponent + t * (log_low + tt * (log_middle + tt * log_high));
    float scaled = fminf(fmaxf(b * log, -126.0f), 126.0f);
    float whole = rintf(scaled), y = scaled - whole, yy = y * y;
    float low = 0.9999993f + 0.6931218f * y;
    float middle = 0.24024745f + 0.05591786f * y;
    float two = __uint_as_float((u32)((int)whole + 127) << 23);
    return two * (low + yy * (middle + yy * 0.009570102f));
}

// How far a force moves along an axis.
static __device__ __forceinline__ float moved_by(float way, float force, float rate) {
    return fminf(fmaxf(way * force, -CLIP), CLIP) * rate;
}

// What an epoch is made of; places are those of the deal, and points have M axes each.
template <int M>
static __device__ __forceinline__ void walk(
    const float* points, const u64* starts, const u32* others, const u32* paces, const u32* keys,
    u64* pulls, float* moved, u32 rows, u32 first, u32 until, u32 number, u32 word, float a,
    float b, float rate) {
    u32 row = first + blockIdx.x * 128 + threadIdx.x;
    if (row >= until) return;
    float point[M], begin[M];
#pragma unroll
    for (u32 axis = 0; axis < M; axis++)
        point[axis] = begin[axis] = points[(size_t)row * M + axis];
    u32 dice = mixed(keys[row] ^ word);
    u64 end = starts[row + 1];
    for (u64 at = starts[row]; at < end; at++) {
        u32 pace = paces[at];
        if (number * pace >= pace) continue;
        u32 other = others[at];
        float way[M], pulled[M], shift[M], square = LEAST;
#pragma unroll
        for (u32 axis = 0; axis < M; axis++) {
            way[axis] = point[axis] - points[(size_t)other * M + axis];
            square = fmaf(way[axis], way[axis], square);
        }
        float near = power(square, b);
        float force = -2.0f * a * b * near / (square * (1.0f + a * near));
#pragma unroll
        for (u32 axis = 0; axis < M; axis++)
            shift[axis] = pulled[axis] = moved_by(way[axis], force, rate);
        for (u32 nth = 0; nth < PUSHES; nth++) {
            dice += 0x9e3779b9u;
            u32 from = __umulhi(mixed(dice), rows);
            square = LEAST;
#pragma unroll
            for (u32 axis = 0; axis < M; axis++) {
                way[axis] = point[axis] - points[(size_t)from * M + axis];
                square = fmaf(way[axis], way[axis], square);
            }
            force = 2.0f * b / ((SOFT + square) * (1.0f + a * power(square, b)));
#pragma unroll
            for (u32 axis = 0; axis < M; axis++) shift[axis] += moved_by(way[axis], force, rate);
        }
#pragma unroll
        for (u32 axis = 0; axis < M; axis++) {
            point[axis] += shift[axis];
            atomicAdd(pulls + (size_t)other * M + axis, (u64)__float2ll_rn(-pulled[axis] * WHOLE));
        }
    }
#pragma unroll
    for (u32 axis = 0; axis < M; axis++) moved[(size_t)row * M + axis] = point[axis] - begin[axis];
}

#define WALK(M)                                                                                  \
    extern "C" __global__ void __launch_bounds__(128) layout_walk_##M(                           \
        const float* __restrict__ points, const u64* __restrict__ starts,                        \
        const u32* __restrict__ others, const u32* __restrict__ paces,                           \
        const u32* __restrict__ keys, u64* pulls, float* moved, u32 rows, u32 first, u32 until,  \
        u32 number, u32 word, float a, float b, float rate) {                                    \
        walk<M>(points, starts, others, paces, keys, pulls, moved, rows, first, until, number,   \
                word, a, b, rate);                                                               \
    }

WALK(1)
WALK(2)
WALK(3)
WALK(4)
WALK(5)
WALK(6)
WALK(7)
WALK(8)

// Each coordinate goes where its row moved to, and where others pulled it.
extern "C" __global__ void __launch_bounds__(256) layout_settle(
    float* __restrict__ points, u64* __restrict__ pulls, float* __restrict__ moved, u32 many) {
    u32 at = blockIdx.x * 256 + threadIdx.x;
    if (at >= many) return;
    points[at] += moved[at] + (float)(long long)pulls[at] / WHOLE;
    pulls[at] = 0;
    moved[at] = 0.0f;
}
