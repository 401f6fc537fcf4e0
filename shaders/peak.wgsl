// The most that lies on any pixel, to scale tones by.

@group(0) @binding(0) var<uniform> layer: Layer;
@group(0) @binding(1) var<storage, read> cells: array<u32>;
@group(0) @binding(2) var<storage, read_write> peak: atomic<u32>;

var<workgroup> group_peak: atomic<u32>;

@compute @workgroup_size(GROUP)
fn find(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    var most = 0u;
    let count = layer.size.x * layer.size.y;
    for (var cell = id.x; cell < count; cell += groups.x * GROUP) {
        most = max(most, cells[cell * layer.stride]);
    }
    atomicMax(&group_peak, most);
    workgroupBarrier();
    if local == 0u {
        atomicMax(&peak, atomicLoad(&group_peak));
    }
}
