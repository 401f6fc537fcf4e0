// The nearest of some points to each row, or that it is in doubt.
//
// A group has 64 rows and goes through all points, 64 at a time, by tiles of 16 dimensions: each
// invocation has products of four rows and four points in registers. Of a row it keeps the least
// score, half the square of the point's norm less the product, and the next; the 16 invocations
// of a row then put theirs together. Products may be fused and summed up in any order, and what is
// below the least normal number may be lost: the margin that Rust gives allows for all of that.

struct Asked {
    rows: u32,
    first: u32,
    points: u32,
    quads: u32,
    by_norm: f32,
    by_square: f32,
    always: f32,
    padding: u32,
}

@group(0) @binding(0) var<uniform> asked: Asked;
@group(0) @binding(1) var<storage, read> rows: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> norms: array<f32>;
@group(0) @binding(3) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> half_norms: array<f32>;
@group(0) @binding(5) var<storage, read_write> labels: array<u32>;

const TILE: u32 = 64u;
const UNSURE: u32 = 0xffffffffu;
const LANES: u32 = 16u;
const TILE_QUADS: u32 = 4u;
// One more than the quads of a tile: rows then begin in different banks.
const STRIDE: u32 = 5u;
// No score comes near it: values are scaled to be about one.
const FAR: f32 = 1e38;

var<workgroup> own: array<vec4<f32>, 320>;
var<workgroup> others: array<vec4<f32>, 320>;

// The least score, the next, and whose the least is.
struct Near {
    best: f32,
    second: f32,
    label: u32,
}

fn nearer(near: Near, score: f32, label: u32) -> Near {
    if score < near.best {
        return Near(score, near.best, label);
    }
    return Near(near.best, min(near.second, score), near.label);
}

@compute @workgroup_size(256)
fn assign(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let lane = local % LANES;
    let line = local / LANES;
    let first_row = asked.first + group.x * TILE;
    // What this invocation fetches of each tile: one quad of one row, and of one point.
    let fetched = local / TILE_QUADS;
    let fetched_quad = local % TILE_QUADS;
    var nears = array<Near, 4>(
        Near(FAR, FAR, 0u), Near(FAR, FAR, 0u), Near(FAR, FAR, 0u), Near(FAR, FAR, 0u));

    for (var first_point = 0u; first_point < asked.points; first_point += TILE) {
        var products = array<vec4<f32>, 4>(
            vec4<f32>(), vec4<f32>(), vec4<f32>(), vec4<f32>());
        for (var quad = 0u; quad < asked.quads; quad += TILE_QUADS) {
            let at = quad + fetched_quad;
            let row = first_row + fetched;
            let point = first_point + fetched;
            var from_row = vec4<f32>();
            var from_point = vec4<f32>();
            if at < asked.quads && row < asked.rows {
                from_row = rows[row * asked.quads + at];
            }
            if at < asked.quads && point < asked.points {
                from_point = points[point * asked.quads + at];
            }
            workgroupBarrier();
            own[fetched * STRIDE + fetched_quad] = from_row;
            others[fetched * STRIDE + fetched_quad] = from_point;
            workgroupBarrier();
            for (var t = 0u; t < TILE_QUADS; t++) {
                let a = others[lane * STRIDE + t];
                let b = others[(lane + 16u) * STRIDE + t];
                let c = others[(lane + 32u) * STRIDE + t];
                let d = others[(lane + 48u) * STRIDE + t];
                for (var nth = 0u; nth < 4u; nth++) {
                    let x = own[(line + nth * LANES) * STRIDE + t];
                    products[nth] += vec4<f32>(dot(x, a), dot(x, b), dot(x, c), dot(x, d));
                }
            }
        }
        for (var column = 0u; column < 4u; column++) {
            let point = first_point + lane + column * LANES;
            if point < asked.points {
                let half_norm = half_norms[point];
                for (var nth = 0u; nth < 4u; nth++) {
                    nears[nth] = nearer(nears[nth], half_norm - products[nth][column], point);
                }
            }
        }
    }

    for (var nth = 0u; nth < 4u; nth++) {
        let near = nears[nth];
        workgroupBarrier();
        // Numbers of points are exact in 32 bits up to 2²⁴.
        own[local] = vec4<f32>(near.best, near.second, f32(near.label), 0.0);
        workgroupBarrier();
        let row = first_row + line + nth * LANES;
        if lane == 0u && row < asked.rows {
            var all = near;
            for (var other = 1u; other < LANES; other++) {
                let found = own[local + other];
                all = nearer(all, found.x, u32(found.z));
                all.second = min(all.second, found.y);
            }
            let norm = norms[row];
            let margin = (asked.by_square * norm + asked.by_norm) * norm + asked.always;
            labels[row] = select(UNSURE, all.label, all.second - all.best > margin);
        }
    }
}
