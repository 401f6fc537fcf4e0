// Products of all pairs of columns, summed up over some rows: what a covariance is made of. A group
// has a square of 64 columns by 64 others, and a run of rows; an invocation four of each. Terms are
// added by lots of 128 rows and then lots, so that a sum of thousands loses little.

struct Asked {
    // Of a piece, of which the first is `first`, in runs of `run`.
    rows: u32,
    first: u32,
    run: u32,
    // Vectors of four values that a row has.
    quads: u32,
    // Squares along a side; pairs of them are counted line by line, begin the diagonal on.
    squares: u32,
    pairs: u32,
    padding_1: u32,
    padding_2: u32,
}

@group(0) @binding(0) var<uniform> asked: Asked;
@group(0) @binding(1) var<storage, read> rows: array<vec4<f32>>;
// Of each run each pair's 64 × 16 vectors.
@group(0) @binding(2) var<storage, read_write> sums: array<vec4<f32>>;

// Vectors of a square's side, and rows at hand.
const SIDE: u32 = 16u;
const PART: u32 = 16u;
const LOT: u32 = 128u;

var<workgroup> own: array<vec4<f32>, 256>;
var<workgroup> others: array<vec4<f32>, 256>;

@compute @workgroup_size(256)
fn products_of_columns(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var down = 0u;
    var left = group.x;
    while left >= asked.squares - down {
        left -= asked.squares - down;
        down += 1u;
    }
    let line = local / SIDE;
    let column = local % SIDE;
    let own_quad = down * SIDE + column;
    let other_quad = (down + left) * SIDE + column;
    let first = group.y * asked.run;
    let until = min(first + asked.run, asked.rows);
    var lot = array<vec4<f32>, 4>(vec4<f32>(), vec4<f32>(), vec4<f32>(), vec4<f32>());
    var all = lot;
    for (var begin = first; begin < until; begin += PART) {
        let row = begin + line;
        var a = vec4<f32>();
        var b = vec4<f32>();
        if row < until {
            let at = (asked.first + row) * asked.quads;
            if own_quad < asked.quads {
                a = rows[at + own_quad];
            }
            if other_quad < asked.quads {
                b = rows[at + other_quad];
            }
        }
        workgroupBarrier();
        own[local] = a;
        others[local] = b;
        workgroupBarrier();
        for (var nth = 0u; nth < PART; nth += 1u) {
            let x = own[nth * SIDE + line];
            let y = others[nth * SIDE + column];
            lot[0] += x.x * y;
            lot[1] += x.y * y;
            lot[2] += x.z * y;
            lot[3] += x.w * y;
        }
        if (begin - first + PART) % LOT == 0u || begin + PART >= until {
            for (var nth = 0u; nth < 4u; nth += 1u) {
                all[nth] += lot[nth];
                lot[nth] = vec4<f32>();
            }
        }
    }
    let to = (group.y * asked.pairs + group.x) * 64u * SIDE;
    for (var nth = 0u; nth < 4u; nth += 1u) {
        sums[to + (line * 4u + nth) * SIDE + column] = all[nth];
    }
}
