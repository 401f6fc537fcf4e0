// Points near a row, put behind each other as they come.

#pragma once

#include "scores.cuh"

// Points of a row that there is room for before they are sorted.
#define ROOM 1024

// In the order of scores, and of equal ones of numbers.
static __device__ __forceinline__ u64 key(float score, u32 number) {
    u32 bits = __float_as_uint(score);
    u32 ordered = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return (u64)ordered << 32 | number;
}

static __device__ __forceinline__ float score_of(u64 key) {
    u32 ordered = (u32)(key >> 32);
    return __uint_as_float(ordered & 0x80000000u ? ordered & 0x7fffffffu : ~ordered);
}

// A number that the compiler does not know before: else it keeps the addresses of all rows in
// registers, which are full of products.
static __device__ __forceinline__ u32 here(u32 number) {
    asm volatile("mov.u32 %0, %0;" : "+r"(number));
    return number;
}

// Puts a point behind those that a row has, if there is room.
static __device__ __forceinline__ void push(u32* many, u64* found, float low, u32 point) {
    u32 at = atomicAdd(many, 1u);
    if (at < ROOM) found[at] = key(low, point);
}

// Those of sixteen scores that are below a limit. Seldom any, once the limit is near: by way of
// memory, since a turn of a loop takes fewer registers than sixteen jumps.
static __device__ __forceinline__ void push_below(
    const float (&lows)[16], float limit, u32* many, u64* found, u32 point) {
#pragma unroll 1
    for (u32 c = 0; c < 16; c++)
        if (lows[c] < limit) push(many, found, lows[c], point + (c >> 1) * 8 + (c & 1));
}
