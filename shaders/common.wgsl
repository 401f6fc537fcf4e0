// What several passes share. Every pass's source is this file and its own, joined; the
// structs have twins in app/src/draw/gpu/layout.rs, compared by tests/shaders.rs.

// How a layer's points become pixels (app/src/draw/projection.rs, stamp.rs).
struct Layer {
    // Stored coordinates of the viewport's left and top edge: high and low part.
    x_edge: vec2<f32>,
    y_edge: vec2<f32>,
    // Pixels per stored unit.
    scale: vec2<f32>,
    size: vec2<u32>,
    // Of the widest stamp, in pixels; zero for single pixels.
    reach: i32,
    // Words per cell: 1 (coverage) or 4 (coverage, red, green, blue).
    stride: u32,
    // 1 where only rows with a bit in the mask are drawn.
    masked: u32,
    // 1 where rows have stamps of their own.
    varied: u32,
}

// Some rows of the points.
struct Chunk {
    rows: u32,
    // Where the chunk's bits begin in the mask, in words of 32.
    first_word: u32,
    // 1 where there are low parts of coordinates.
    fine: u32,
    // 1 where points have colours.
    colored: u32,
}

// How opaque so much coverage is (app/src/draw/tone.rs).
struct Tone {
    // 1 / coverage of one point.
    per_unit: f32,
    opacity: f32,
    strength: f32,
    // 1 where the rank of a sum decides rather than its logarithm.
    equalized: u32,
}

// Workgroups of all passes that go over rows or cells.
const GROUP: u32 = 256u;
// Rows that a chunk's buffers have room for.
const CHUNK_ROWS: u32 = 65536u;

// Sums cut to their leading bits and counted on (app/src/draw/tone.rs).
const MANTISSA_BITS: u32 = 8u;
const KEYS: u32 = 6400u;

fn key_of(coverage: u32) -> u32 {
    let zeros = countLeadingZeros(coverage);
    let bits = 31u - MANTISSA_BITS;
    let cut = select(bits - zeros, 0u, zeros > bits);
    return (cut << MANTISSA_BITS) + (coverage >> cut);
}
