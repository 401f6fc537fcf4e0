// The least scores of each row, kept in order from one run of points to the next. A group has
// one row. What is below the worst that is kept is put behind those that are; where there is no
// room for another 256, all are sorted and the least stay.

struct Asked {
    points: u32,
    width: u32,
    // The number of the first point among all.
    first: u32,
    // Whether nothing was kept yet.
    is_first: u32,
}

@group(0) @binding(0) var<uniform> asked: Asked;
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read_write> kept_scores: array<f32>;
@group(0) @binding(3) var<storage, read_write> kept_numbers: array<u32>;

const KEPT: u32 = 48u;
const GROUP: u32 = 256u;
const ROOM: u32 = 512u;
const FAR: f32 = 1e38;
const NOBODY: u32 = 0xffffffffu;

var<workgroup> found: array<f32, ROOM>;
var<workgroup> numbers: array<u32, ROOM>;
var<workgroup> put: atomic<u32>;
// How many there are, as all invocations agree.
var<workgroup> many: u32;

fn is_after(a: u32, b: u32) -> bool {
    return found[a] > found[b] || (found[a] == found[b] && numbers[a] > numbers[b]);
}

// Bitonic, over all the room: what is not taken is far.
fn sort(local: u32, taken: u32) {
    for (var at = local; at < ROOM; at += GROUP) {
        if at >= taken {
            found[at] = FAR;
            numbers[at] = NOBODY;
        }
    }
    for (var run = 2u; run <= ROOM; run *= 2u) {
        for (var apart = run / 2u; apart > 0u; apart /= 2u) {
            workgroupBarrier();
            // Of each pair that is so far apart, the first.
            let a = (local / apart) * 2u * apart + local % apart;
            let b = a + apart;
            let is_up = (a & run) == 0u;
            if is_after(a, b) == is_up {
                let score = found[a];
                let number = numbers[a];
                found[a] = found[b];
                numbers[a] = numbers[b];
                found[b] = score;
                numbers[b] = number;
            }
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(256)
fn select_least(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group.x;
    if local < KEPT {
        let is_first = asked.is_first != 0u;
        found[local] = select(kept_scores[row * KEPT + local], FAR, is_first);
        numbers[local] = select(kept_numbers[row * KEPT + local], NOBODY, is_first);
    }
    if local == 0u {
        atomicStore(&put, KEPT);
    }
    workgroupBarrier();
    for (var base = 0u; base < asked.points; base += GROUP) {
        let limit = found[KEPT - 1u];
        let point = base + local;
        if point < asked.points {
            let score = scores[row * asked.width + point];
            if score < limit {
                let at = atomicAdd(&put, 1u);
                found[at] = score;
                numbers[at] = asked.first + point;
            }
        }
        workgroupBarrier();
        if local == 0u {
            many = atomicLoad(&put);
        }
        let taken = workgroupUniformLoad(&many);
        if taken > ROOM - GROUP {
            sort(local, taken);
            if local == 0u {
                atomicStore(&put, KEPT);
            }
            workgroupBarrier();
        }
    }
    if local == 0u {
        many = atomicLoad(&put);
    }
    let taken = workgroupUniformLoad(&many);
    // Those that are kept are in order as they are.
    if taken > KEPT {
        sort(local, taken);
    }
    if local < KEPT {
        kept_scores[row * KEPT + local] = found[local];
        kept_numbers[row * KEPT + local] = numbers[local];
    }
}
