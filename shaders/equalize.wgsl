// Cells by how much lies on them, then the rank of each such sum among all of them, twice,
// so that the middle of those that are alike is whole: what an equalised tone goes by.

@group(0) @binding(0) var<uniform> layer: Layer;
@group(0) @binding(1) var<storage, read> cells: array<u32>;
// By key, and one more: twice the number of cells that anything lies on.
@group(0) @binding(2) var<storage, read_write> ranks: array<atomic<u32>>;

@compute @workgroup_size(GROUP)
fn count(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let many = layer.size.x * layer.size.y;
    for (var cell = id.x; cell < many; cell += groups.x * GROUP) {
        let coverage = cells[cell * layer.stride];
        if coverage > 0u {
            atomicAdd(&ranks[key_of(coverage)], 1u);
        }
    }
}

var<workgroup> parts: array<u32, GROUP>;

// One workgroup: each invocation goes over its share of the keys.
@compute @workgroup_size(GROUP)
fn sum(@builtin(local_invocation_index) local: u32) {
    let share = KEYS / GROUP;
    var own = 0u;
    for (var key = local * share; key < (local + 1u) * share; key++) {
        own += atomicLoad(&ranks[key]);
    }
    parts[local] = own;
    workgroupBarrier();
    var before = 0u;
    for (var part = 0u; part < local; part++) {
        before += parts[part];
    }
    for (var key = local * share; key < (local + 1u) * share; key++) {
        let alike = atomicLoad(&ranks[key]);
        atomicStore(&ranks[key], 2u * before + alike);
        before += alike;
    }
    if local == GROUP - 1u {
        atomicStore(&ranks[KEYS], 2u * before);
    }
}
