//! Lanes in arrays, for compilers to do with as they like.

#[derive(Debug, Clone, Copy)]
pub struct Lanes([f32; 4]);

impl Lanes {
    #[inline(always)]
    pub fn of(values: [f32; 4]) -> Self {
        Self(values)
    }

    /// Four values from `first` on.
    #[inline(always)]
    pub fn load<const LENGTH: usize>(values: &[f32; LENGTH], first: usize) -> Self {
        Self([values[first], values[first + 1], values[first + 2], values[first + 3]])
    }

    #[inline(always)]
    pub fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    pub fn minus(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    pub fn times(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    pub fn floor(self) -> Self {
        Self(self.0.map(f32::floor))
    }

    /// Bit i is set where `low <= self[i] < high`; NaN is nowhere.
    #[inline(always)]
    pub fn within(self, low: Self, high: Self) -> u32 {
        let Self([a, b, c, d]) = self;
        let inside = |value: f32| u32::from(value >= low.0[0] && value < high.0[0]);
        inside(a) | inside(b) << 1 | inside(c) << 2 | inside(d) << 3
    }

    /// Towards zero; what i32 cannot hold becomes some number.
    #[inline(always)]
    pub fn truncated(self) -> [i32; 4] {
        self.0.map(|value| value as i32)
    }

    /// `y × width + x` of the numbers truncated, wrapping.
    #[inline(always)]
    pub fn places(x: Self, y: Self, width: i32) -> [i32; 4] {
        let ([a, b, c, d], [e, f, g, h]) = (x.truncated(), y.truncated());
        [(a, e), (b, f), (c, g), (d, h)].map(|(x, y)| y.wrapping_mul(width).wrapping_add(x))
    }

    /// Rounded to bytes, the first lane lowest.
    #[inline(always)]
    pub fn bytes(self) -> u32 {
        u32::from_le_bytes(self.0.map(|value| (value + 0.5) as u8))
    }

    #[inline(always)]
    fn zip(self, other: Self, op: impl Fn(f32, f32) -> f32) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([op(a, e), op(b, f), op(c, g), op(d, h)])
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Counts([u32; 4]);

impl Counts {
    #[inline(always)]
    pub fn of(counts: [u32; 4]) -> Self {
        Self(counts)
    }

    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a.wrapping_add(e), b.wrapping_add(f), c.wrapping_add(g), d.wrapping_add(h)])
    }

    #[inline(always)]
    pub fn times(self, factor: u32) -> Self {
        Self(self.0.map(|count| count.wrapping_mul(factor)))
    }

    #[inline(always)]
    pub fn first(self) -> u32 {
        self.0[0]
    }

    /// As f32, rounded.
    #[inline(always)]
    pub fn lanes(self) -> Lanes {
        Lanes(self.0.map(|count| count as f32))
    }
}
