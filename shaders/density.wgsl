// Cells from the companion's counts: each pixel has the count of the bin under it.

@group(0) @binding(0) var<uniform> layer: Layer;
@group(0) @binding(1) var<storage, read_write> cells: array<u32>;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
// The offset of the bin in its row for each column of pixels, then the start of the row of
// bins for each row of pixels; negative where there is none.
@group(0) @binding(3) var<storage, read> bins: array<i32>;

@compute @workgroup_size(16, 16)
fn fill(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= layer.size.x || id.y >= layer.size.y {
        return;
    }
    let column = bins[id.x];
    let row = bins[layer.size.x + id.y];
    var count = 0u;
    if column >= 0 && row >= 0 {
        count = counts[row + column];
    }
    cells[id.y * layer.size.x + id.x] = count;
}
