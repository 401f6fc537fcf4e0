// An epoch of UMAP, for the rows of one block: each goes through its bonds in order, as in
// embedding/src/umap/walk.rs. One that acts pulls its row to the other end, random rows push it
// away, and the row has moved before the next one acts; all others stay where they are. What a
// bond moves its other end by is summed up in whole numbers, which have one sum in any order.

struct Epoch {
    rows: u32,
    // From 1.
    number: u32,
    word: u32,
    // Of a point, 4 at most.
    dimensions: u32,
    a: f32,
    b: f32,
    rate: f32,
    padding: u32,
}

struct Block {
    first: u32,
    until: u32,
}

struct Bond {
    other: u32,
    // It acts in epochs in which the sum of this runs over.
    pace: u32,
}

@group(0) @binding(0) var<uniform> epoch: Epoch;
@group(0) @binding(1) var<uniform> block: Block;
@group(0) @binding(2) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> starts: array<u32>;
@group(0) @binding(4) var<storage, read> bonds: array<Bond>;
@group(0) @binding(5) var<storage, read> keys: array<u32>;
// Four to a point.
@group(0) @binding(6) var<storage, read_write> pulls: array<atomic<i32>>;
@group(0) @binding(7) var<storage, read_write> moved: array<vec4<f32>>;

const PUSHES: u32 = 5u;
const CLIP: vec4<f32> = vec4<f32>(4.0);
const SOFT: f32 = 1e-3;
const LEAST: f32 = 1.1754944e-38;
// What 1 is in whole numbers.
const WHOLE: f32 = 65536.0;

fn mixed(seed: u32) -> u32 {
    var word = (seed ^ (seed >> 16u)) * 0x85ebca6bu;
    word = (word ^ (word >> 13u)) * 0xc2b2ae35u;
    return word ^ (word >> 16u);
}

// The upper half of a product of 64 bits.
fn below(word: u32, n: u32) -> u32 {
    let low = word & 0xffffu;
    let high = word >> 16u;
    let middle = high * (n & 0xffffu) + ((low * (n & 0xffffu)) >> 16u);
    let other = low * (n >> 16u) + (middle & 0xffffu);
    return high * (n >> 16u) + (middle >> 16u) + (other >> 16u);
}

// The polynomials of embedding/src/umap/power.rs.
fn power(x: f32, b: f32) -> f32 {
    let shifted = bitcast<u32>(x) - 0x3f3504f3u;
    let exponent = f32(bitcast<i32>(shifted) >> 23u);
    let t = bitcast<f32>((shifted & 0x7fffffu) + 0x3f3504f3u) - 1.0;
    let tt = t * t;
    let log_low = 1.4427135 - 0.72113186 * t;
    let log_middle = 0.479348 - 0.36749 * t;
    let log_high = 0.3221549 - 0.20659185 * t;
    let log = exponent + t * (log_low + tt * (log_middle + tt * log_high));
    let scaled = clamp(b * log, -126.0, 126.0);
    let whole = round(scaled);
    let y = scaled - whole;
    let yy = y * y;
    let low = 0.9999993 + 0.6931218 * y;
    let middle = 0.24024745 + 0.05591786 * y;
    let two = bitcast<f32>(u32(i32(whole) + 127) << 23u);
    return two * (low + yy * (middle + yy * 0.009570102));
}

fn pull(way: vec4<f32>) -> vec4<f32> {
    let square = dot(way, way) + LEAST;
    let near = power(square, epoch.b);
    let force = (-2.0 * epoch.a * epoch.b) * near / (square * (1.0 + epoch.a * near));
    return clamp(way * force, -CLIP, CLIP) * epoch.rate;
}

fn push(way: vec4<f32>) -> vec4<f32> {
    let square = dot(way, way) + LEAST;
    let force = (2.0 * epoch.b) / ((SOFT + square) * (1.0 + epoch.a * power(square, epoch.b)));
    return clamp(way * force, -CLIP, CLIP) * epoch.rate;
}

@compute @workgroup_size(64)
fn walk(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = block.first + id.x;
    if row >= block.until {
        return;
    }
    var point = points[row];
    var dice = mixed(keys[row] ^ epoch.word);
    for (var at = starts[row]; at < starts[row + 1u]; at += 1u) {
        let bond = bonds[at];
        if epoch.number * bond.pace >= bond.pace {
            continue;
        }
        let pulled = pull(point - points[bond.other]);
        var shift = pulled;
        for (var nth = 0u; nth < PUSHES; nth += 1u) {
            dice += 0x9e3779b9u;
            shift += push(point - points[below(mixed(dice), epoch.rows)]);
        }
        point += shift;
        for (var axis = 0u; axis < epoch.dimensions; axis += 1u) {
            atomicAdd(&pulls[4u * bond.other + axis], -i32(round(pulled[axis] * WHOLE)));
        }
    }
    moved[row] = point - points[row];
}
