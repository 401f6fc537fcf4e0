// What kernels know of scores, and how they read what they need for them.

#pragma once

#define NONE 0xffffffffu
#define INFINITE __int_as_float(0x7f800000)

typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned short u16;

static __device__ __forceinline__ u32 shared_address(const void* at) {
    return (u32)__cvta_generic_to_shared(at);
}

// Read where it is asked for: the compiler would rather keep all of them, and spill others.
static __device__ __forceinline__ float4 read(const float4* at) {
    float4 of;
    asm volatile("ld.global.nc.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(of.x), "=f"(of.y), "=f"(of.z), "=f"(of.w)
                 : "l"(at));
    return of;
}

static __device__ __forceinline__ float2 read(const float2* at) {
    float2 of;
    asm volatile("ld.global.nc.v2.f32 {%0, %1}, [%2];" : "=f"(of.x), "=f"(of.y) : "l"(at));
    return of;
}

// What a score may be wrong by: terms of the point, and of the row.
static __device__ __forceinline__ float error_of(float4 of, float2 row) {
    return fmaf(row.x, of.y, fmaf(row.y, of.z, of.w));
}

// What a row knows of the centroids it has seen: the least of their scores less errors, whose
// that is, and the next.
struct Nearest {
    float low;
    float next;
    u32 label;
};

#define NOBODY Nearest{INFINITE, INFINITE, NONE}

static __device__ __forceinline__ void see(Nearest& known, float low, float next, u32 label) {
    bool is_less = low < known.low;
    known.next = fminf(is_less ? known.low : low, is_less ? fminf(next, known.next) : known.next);
    known.low = is_less ? low : known.low;
    known.label = is_less ? label : known.label;
}

// The same of one score, in fewer instructions.
static __device__ __forceinline__ void see_one(Nearest& known, float low, u32 label) {
    bool is_less = low < known.low;
    known.next = fminf(known.next, is_less ? known.low : low);
    known.low = is_less ? low : known.low;
    known.label = is_less ? label : known.label;
}

// What others of a row's four lanes have seen, too.
static __device__ __forceinline__ void see_lanes(Nearest& known) {
#pragma unroll
    for (u32 apart = 1; apart < 4; apart *= 2) {
        float low = __shfl_xor_sync(NONE, known.low, apart);
        float next = __shfl_xor_sync(NONE, known.next, apart);
        u32 label = __shfl_xor_sync(NONE, known.label, apart);
        see(known, low, next, label);
    }
}

// The label of a row, or NONE where another could be nearer.
static __device__ __forceinline__ u32 settled(Nearest known, const float4* terms, float2 row) {
    if (known.label == NONE) return NONE;
    float error = error_of(terms[known.label], row);
    // The score plus its error is the score less its error plus twice that. Written so that
    // what is not a number is not sure.
    return known.next > fmaf(2.0f, error, known.low) ? known.label : NONE;
}
