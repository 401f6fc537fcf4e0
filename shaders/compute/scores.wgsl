// Scores of all pairs of some rows and some points, half the square of the point's norm less the
// product: the less, the nearer. A group makes a square of 64 by 64, by tiles of 16 dimensions,
// as in assign.wgsl.

struct Asked {
    rows: u32,
    first_row: u32,
    points: u32,
    first_point: u32,
    quads: u32,
    width: u32,
    padding_1: u32,
    padding_2: u32,
}

@group(0) @binding(0) var<uniform> asked: Asked;
@group(0) @binding(1) var<storage, read> rows: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> half_norms: array<f32>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;

const TILE: u32 = 64u;
const LANES: u32 = 16u;
const TILE_QUADS: u32 = 4u;
const STRIDE: u32 = 5u;

var<workgroup> own: array<vec4<f32>, 320>;
var<workgroup> others: array<vec4<f32>, 320>;

@compute @workgroup_size(256)
fn scores_of_pairs(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let lane = local % LANES;
    let line = local / LANES;
    let fetched = local / TILE_QUADS;
    let fetched_quad = local % TILE_QUADS;
    // Among those that are asked for.
    let first_line = group.y * TILE;
    let first_column = group.x * TILE;
    var products = array<vec4<f32>, 4>(vec4<f32>(), vec4<f32>(), vec4<f32>(), vec4<f32>());

    for (var quad = 0u; quad < asked.quads; quad += TILE_QUADS) {
        let at = quad + fetched_quad;
        var from_row = vec4<f32>();
        var from_point = vec4<f32>();
        if at < asked.quads && first_line + fetched < asked.rows {
            from_row = rows[(asked.first_row + first_line + fetched) * asked.quads + at];
        }
        if at < asked.quads && first_column + fetched < asked.points {
            from_point = points[(asked.first_point + first_column + fetched) * asked.quads + at];
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
        let point = first_column + lane + column * LANES;
        if point < asked.points {
            let half_norm = half_norms[asked.first_point + point];
            for (var nth = 0u; nth < 4u; nth++) {
                let row = first_line + line + nth * LANES;
                if row < asked.rows {
                    scores[row * asked.width + point] = half_norm - products[nth][column];
                }
            }
        }
    }
}
