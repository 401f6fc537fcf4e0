// Each row adds its stamp to the cells it covers, in whole numbers, so that neither the
// order of rows nor that of threads matters. The same sums as app/src/draw/raster/accumulate.rs.

@group(0) @binding(0) var<uniform> layer: Layer;
@group(0) @binding(1) var<storage, read_write> cells: array<atomic<u32>>;
// Colours by palette index: 0xBBGGRR.
@group(0) @binding(2) var<storage, read> palette: array<u32>;
// Weights of discs, a square for each place that a centre can have in its pixel. Where rows
// have stamps of their own: where each begins and how far it reaches, then the weights of all.
@group(0) @binding(3) var<storage, read> weights: array<u32>;

@group(1) @binding(0) var<uniform> chunk: Chunk;
// All x of the chunk, then all y.
@group(1) @binding(1) var<storage, read> high: array<f32>;
@group(1) @binding(2) var<storage, read> low: array<f32>;
// Palette indices, four a word.
@group(1) @binding(3) var<storage, read> colors: array<u32>;

// Sizes and shapes, four a word.
@group(1) @binding(4) var<storage, read> stamps: array<u32>;

// A bit a row.
@group(2) @binding(0) var<storage, read> mask: array<u32>;

const PLACES: i32 = 8;

fn is_wanted(row: u32) -> bool {
    if row >= chunk.rows {
        return false;
    }
    if layer.masked == 0u {
        return true;
    }
    let word = chunk.first_word + row / 32u;
    return word < arrayLength(&mask) && ((mask[word] >> (row % 32u)) & 1u) == 1u;
}

// No multiplication is followed by an addition, so none can be fused: the bits are the CPU's.
fn pixel(row: u32) -> vec2<f32> {
    let hi = vec2(high[row], high[CHUNK_ROWS + row]);
    var lo = vec2(0.0);
    if chunk.fine == 1u {
        lo = vec2(low[row], low[CHUNK_ROWS + row]);
    }
    let from_edge = (hi - vec2(layer.x_edge.x, layer.y_edge.x)) + (lo - vec2(layer.x_edge.y, layer.y_edge.y));
    return from_edge * layer.scale;
}

fn color(row: u32) -> vec3<u32> {
    var index = 0u;
    if chunk.colored == 1u {
        index = (colors[row / 4u] >> (row % 4u * 8u)) & 0xffu;
    }
    let packed = palette[index];
    return vec3(packed, packed >> 8u, packed >> 16u) & vec3(0xffu);
}

fn add(cell: u32, weight: u32, ink: vec3<u32>) {
    atomicAdd(&cells[cell * layer.stride], weight);
    if layer.stride == 4u {
        atomicAdd(&cells[cell * 4u + 1u], weight * ink.x);
        atomicAdd(&cells[cell * 4u + 2u], weight * ink.y);
        atomicAdd(&cells[cell * 4u + 3u], weight * ink.z);
    }
}

// NaN is on no canvas: comparisons with it are false.
@compute @workgroup_size(GROUP)
fn pixels(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if !is_wanted(row) {
        return;
    }
    let at = pixel(row);
    if all(at >= vec2(0.0)) && all(at < vec2<f32>(layer.size)) {
        let place = vec2<u32>(at);
        add(place.y * layer.size.x + place.x, 1u, color(row));
    }
}

@compute @workgroup_size(GROUP)
fn discs(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if !is_wanted(row) {
        return;
    }
    let at = pixel(row);
    let margin = f32(layer.reach) + 1.0;
    if !(all(at >= vec2(-margin)) && all(at < vec2<f32>(layer.size) + margin)) {
        return;
    }
    var begin = 0;
    var reach = layer.reach;
    if layer.varied == 1u {
        let stamp = (stamps[row / 4u] >> (row % 4u * 8u)) & 0xffu;
        begin = i32(weights[2u * stamp]);
        reach = i32(weights[2u * stamp + 1u]);
    }
    // Shifts and masks of negative numbers round down, as they must.
    let eighths = vec2<i32>(floor(at * f32(PLACES)));
    let place = eighths & vec2(PLACES - 1);
    let corner = (eighths >> vec2(3u)) - reach;
    let side = 2 * reach + 1;
    let table = begin + (place.y * PLACES + place.x) * side * side;
    let first = max(-corner, vec2(0));
    let last = min(vec2<i32>(layer.size) - corner, vec2(side));
    let ink = color(row);
    for (var y = first.y; y < last.y; y++) {
        for (var x = first.x; x < last.x; x++) {
            let weight = weights[table + y * side + x];
            if weight > 0u {
                add(u32(corner.y + y) * layer.size.x + u32(corner.x + x), weight, ink);
            }
        }
    }
}
