// Once the rows of a block have walked: each point is put where it moved to, and where it was
// pulled to by others.

struct Epoch {
    rows: u32,
    number: u32,
    word: u32,
    dimensions: u32,
    a: f32,
    b: f32,
    rate: f32,
    padding: u32,
}

@group(0) @binding(0) var<uniform> epoch: Epoch;
@group(0) @binding(1) var<storage, read_write> points: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> pulls: array<vec4<i32>>;
@group(0) @binding(3) var<storage, read_write> moved: array<vec4<f32>>;

// What 1 is in whole numbers.
const WHOLE: f32 = 65536.0;

@compute @workgroup_size(256)
fn settle(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if row >= epoch.rows {
        return;
    }
    points[row] += moved[row] + vec4<f32>(pulls[row]) / WHOLE;
    pulls[row] = vec4<i32>(0);
    moved[row] = vec4<f32>(0.0);
}
