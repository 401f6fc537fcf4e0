// Sums to colours, over the whole canvas: the twin of app/src/draw/raster/resolve.rs.

// A disc with a ring around it.
struct Ringed {
    color: vec4<f32>,
    // Its centre, in pixels.
    at: vec2<f32>,
    radius: f32,
    // Beyond the radius; zero where there is none.
    ring: f32,
}

struct Resolve {
    tone: Tone,
    context_tone: Tone,
    // Colours are red, green, blue from 0 to 255.
    background: vec4<f32>,
    faint: vec4<f32>,
    single: vec4<f32>,
    ring_color: vec4<f32>,
    // The point under the pointer, over the one that is looked at.
    highlight: Ringed,
    pinned: Ringed,
    // Cells in a line of them.
    width: u32,
    // Pixels on a side of a cell.
    cell: u32,
    stride: u32,
    // One of the SHADE constants.
    shade: u32,
    // 1 where there is a layer of all rows beneath.
    context: u32,
    padding_1: u32,
    padding_2: u32,
    padding_3: u32,
}

const SHADE_SINGLE: u32 = 0u;
const SHADE_MEAN: u32 = 1u;
const SHADE_RAMP: u32 = 2u;
const RAMP_LAST: f32 = 253.0;
const DEEPEST_MIN: f32 = 8.0;

@group(0) @binding(0) var<uniform> view: Resolve;
@group(0) @binding(1) var<storage, read> cells: array<u32>;
@group(0) @binding(2) var<storage, read> context_cells: array<u32>;
@group(0) @binding(3) var<storage, read> peak: u32;
@group(0) @binding(4) var<storage, read> context_peak: u32;
@group(0) @binding(5) var<storage, read> palette: array<u32>;
// Of the cells, by key, where the tone goes by it.
@group(0) @binding(6) var<storage, read> ranks: array<u32>;

// One triangle that covers the canvas.
@vertex
fn cover(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

fn opacity(coverage: u32, tone: Tone, most: u32) -> f32 {
    if tone.equalized == 1u {
        let share = f32(ranks[key_of(coverage)]) / f32(max(ranks[KEYS], 1u));
        return (tone.opacity + (1.0 - tone.opacity) * share) * tone.strength;
    }
    let depth = f32(coverage) * tone.per_unit;
    if depth <= 1.0 {
        return depth * tone.opacity * tone.strength;
    }
    let deepest = max(f32(most) * tone.per_unit, DEEPEST_MIN);
    let share = min(log(depth) / log(deepest), 1.0);
    return (tone.opacity + (1.0 - tone.opacity) * share) * tone.strength;
}

fn unpacked(color: u32) -> vec3<f32> {
    return vec3<f32>(vec3(color, color >> 8u, color >> 16u) & vec3(0xffu));
}

fn points(under: vec3<f32>, cell: u32) -> vec3<f32> {
    let coverage = cells[cell * view.stride];
    if coverage == 0u {
        return under;
    }
    let strength = opacity(coverage, view.tone, peak);
    switch view.shade {
        case SHADE_MEAN: {
            let first = cell * 4u;
            let sums = vec3(f32(cells[first + 1u]), f32(cells[first + 2u]), f32(cells[first + 3u]));
            return mix(under, sums / f32(coverage), strength);
        }
        case SHADE_RAMP: {
            return unpacked(palette[u32(round(strength * RAMP_LAST))]);
        }
        default: {
            return mix(under, view.single.rgb, strength);
        }
    }
}

fn highlighted(under: vec3<f32>, at: vec2<f32>, disc: Ringed) -> vec3<f32> {
    if disc.ring == 0.0 {
        return under;
    }
    let from_edge = disc.radius + 0.5 - distance(at, disc.at);
    let ringed = mix(under, view.ring_color.rgb, clamp(from_edge + disc.ring, 0.0, 1.0));
    return mix(ringed, disc.color.rgb, clamp(from_edge, 0.0, 1.0));
}

@fragment
fn resolve(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let place = vec2<u32>(position.xy) / vec2(view.cell);
    let cell = place.y * view.width + place.x;
    var color = view.background.rgb;
    if view.context == 1u {
        let coverage = context_cells[cell];
        if coverage > 0u {
            color = mix(color, view.faint.rgb, opacity(coverage, view.context_tone, context_peak));
        }
    }
    color = highlighted(points(color, cell), position.xy, view.pinned);
    color = highlighted(color, position.xy, view.highlight);
    return vec4(color / 255.0, 1.0);
}
