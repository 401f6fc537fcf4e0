//! Instructions that a thread does alone, on values as registers hold them: 64 bits, of which a
//! narrower value fills the lower ones (PTX ISA 8.5, chapter 9.7).

/// How the bits of a value are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Predicate,
    /// Bits, or whole numbers from 0 on.
    Unsigned(u32),
    Signed(u32),
    Float(u32),
}

impl Type {
    pub(super) fn parse(word: &str) -> Option<Self> {
        let bits = || word.get(1..)?.parse().ok();
        match word.as_bytes().first()? {
            _ if word == "pred" => Some(Self::Predicate),
            b'u' | b'b' => Some(Self::Unsigned(bits()?)),
            b's' => Some(Self::Signed(bits()?)),
            b'f' => Some(Self::Float(bits()?)),
            _ => None,
        }
    }

    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Predicate => 1,
            Self::Unsigned(bits) | Self::Signed(bits) | Self::Float(bits) => bits,
        }
    }

    pub(super) fn bytes(self) -> usize {
        self.bits() as usize / 8
    }

    /// The bits of a value, the rest cleared.
    pub(super) fn of(self, value: u64) -> u64 {
        if self.bits() >= 64 { value } else { value & ((1 << self.bits()) - 1) }
    }

    fn signed(self, value: u64) -> i64 {
        let unused = 64 - self.bits();
        (value << unused).cast_signed() >> unused
    }

    /// A whole number with its sign, if it has one.
    fn whole(self, value: u64) -> i128 {
        match self {
            Self::Signed(_) => i128::from(self.signed(value)),
            _ => i128::from(self.of(value)),
        }
    }
}

pub(super) fn single(value: u64) -> f32 {
    f32::from_bits(value as u32)
}

pub(super) fn of_single(value: f32) -> u64 {
    u64::from(value.to_bits())
}

fn double(value: u64) -> f64 {
    f64::from_bits(value)
}

/// Of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum One {
    Negate,
    Absolute,
    Not,
    Root,
    Reciprocal,
    Count,
    LeadingZeros,
}

pub(super) fn one(what: One, of: Type, value: u64) -> u64 {
    let float = |narrow: fn(f32) -> f32, wide: fn(f64) -> f64| match of {
        Type::Float(64) => wide(double(value)).to_bits(),
        _ => of_single(narrow(single(value))),
    };
    let is_float = matches!(of, Type::Float(_));
    let found = match what {
        One::Negate if is_float => float(|x| -x, |x| -x),
        One::Negate => of.signed(value).wrapping_neg().cast_unsigned(),
        One::Absolute if is_float => float(f32::abs, f64::abs),
        One::Absolute => of.signed(value).wrapping_abs().cast_unsigned(),
        One::Not => !value,
        One::Root => float(f32::sqrt, f64::sqrt),
        One::Reciprocal => float(f32::recip, f64::recip),
        One::Count => u64::from(of.of(value).count_ones()),
        One::LeadingZeros => u64::from(of.of(value).leading_zeros() + of.bits() - 64),
    };
    of.of(found)
}

/// Of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Two {
    Add,
    Subtract,
    Multiply(Part),
    Divide,
    Remainder,
    Least,
    Most,
    And,
    Or,
    Xor,
    Left,
    Right,
}

/// Which half of a product of whole numbers, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Low,
    High,
    Wide,
}

pub(super) fn two(what: Two, of: Type, a: u64, b: u64) -> u64 {
    match of {
        Type::Float(32) => of_single(two_singles(what, single(a), single(b))),
        Type::Float(_) => two_doubles(what, double(a), double(b)).to_bits(),
        _ => two_wholes(what, of, a, b),
    }
}

fn two_singles(what: Two, a: f32, b: f32) -> f32 {
    match what {
        Two::Add => a + b,
        Two::Subtract => a - b,
        Two::Multiply(_) => a * b,
        Two::Divide => a / b,
        Two::Least => a.min(b),
        Two::Most => a.max(b),
        _ => f32::NAN,
    }
}

fn two_doubles(what: Two, a: f64, b: f64) -> f64 {
    match what {
        Two::Add => a + b,
        Two::Subtract => a - b,
        Two::Multiply(_) => a * b,
        Two::Divide => a / b,
        Two::Least => a.min(b),
        Two::Most => a.max(b),
        _ => f64::NAN,
    }
}

fn two_wholes(what: Two, of: Type, a: u64, b: u64) -> u64 {
    let (x, y) = (of.whole(a), of.whole(b));
    // Shifts count in 32 bits, and no farther than there are bits.
    let places = (b as u32).min(of.bits());
    let found = match what {
        Two::Add => x.wrapping_add(y),
        Two::Subtract => x.wrapping_sub(y),
        Two::Multiply(part) => return multiplied(part, of, a, b),
        Two::Divide => x.checked_div(y).unwrap_or(-1),
        Two::Remainder => x.checked_rem(y).unwrap_or(x),
        Two::Least => x.min(y),
        Two::Most => x.max(y),
        Two::And => return of.of(a & b),
        Two::Or => return of.of(a | b),
        Two::Xor => return of.of(a ^ b),
        Two::Left => x << places,
        Two::Right => x >> places,
    };
    of.of(found as u64)
}

pub(super) fn multiplied(part: Part, of: Type, a: u64, b: u64) -> u64 {
    let product = of.whole(a).wrapping_mul(of.whole(b));
    match part {
        Part::Low => of.of(product as u64),
        Part::High => of.of((product >> of.bits()) as u64),
        Part::Wide => product as u64,
    }
}

/// a · b + c, of floats rounded once.
pub(super) fn fused(of: Type, a: u64, b: u64, c: u64) -> u64 {
    match of {
        Type::Float(32) => of_single(single(a).mul_add(single(b), single(c))),
        _ => double(a).mul_add(double(b), double(c)).to_bits(),
    }
}

/// How two values are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compare {
    is_less: bool,
    is_equal: bool,
    is_more: bool,
    /// What is said of what is not a number.
    is_odd: bool,
}

impl Compare {
    pub(super) fn parse(word: &str) -> Option<Self> {
        let (base, is_odd) = match word {
            "num" => ("num", false),
            "nan" => ("nan", true),
            "lo" => ("lt", false),
            "ls" => ("le", false),
            "hi" => ("gt", false),
            "hs" => ("ge", false),
            _ => (word.get(..2)?, word.len() == 3 && word.ends_with('u')),
        };
        let (is_less, is_equal, is_more) = match base {
            "lt" => (true, false, false),
            "le" => (true, true, false),
            "gt" => (false, false, true),
            "ge" => (false, true, true),
            "eq" => (false, true, false),
            "ne" => (true, false, true),
            "num" => (true, true, true),
            "nan" => (false, false, false),
            _ => return None,
        };
        Some(Self { is_less, is_equal, is_more, is_odd })
    }

    pub(super) fn holds(self, of: Type, a: u64, b: u64) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let order = match of {
            Type::Float(32) => single(a).partial_cmp(&single(b)),
            Type::Float(_) => double(a).partial_cmp(&double(b)),
            _ => Some(of.whole(a).cmp(&of.whole(b))),
        };
        match order {
            Some(Less) => self.is_less,
            Some(Equal) => self.is_equal,
            Some(Greater) => self.is_more,
            None => self.is_odd,
        }
    }
}

/// Which way a conversion rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    Nearest,
    Zero,
    Down,
    Up,
}

impl Rounding {
    /// And whether to whole numbers.
    pub(super) fn parse(word: &str) -> Option<(Self, bool)> {
        let way = match word.get(..2)? {
            "rn" => Self::Nearest,
            "rz" => Self::Zero,
            "rm" => Self::Down,
            "rp" => Self::Up,
            _ => return None,
        };
        match word.get(2..)? {
            "" => Some((way, false)),
            "i" => Some((way, true)),
            _ => None,
        }
    }

    fn whole(self, value: f64) -> f64 {
        match self {
            Self::Nearest => value.round_ties_even(),
            Self::Zero => value.trunc(),
            Self::Down => value.floor(),
            Self::Up => value.ceil(),
        }
    }

    fn single(self, value: f64) -> f32 {
        let near = value as f32;
        let is_above = f64::from(near) > value;
        let is_below = f64::from(near) < value;
        match self {
            Self::Down if is_above => near.next_down(),
            Self::Up if is_below => near.next_up(),
            Self::Zero if is_above && value > 0.0 => near.next_down(),
            Self::Zero if is_below && value < 0.0 => near.next_up(),
            _ => near,
        }
    }
}

/// A conversion: to which type, from which, and how it is rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Convert {
    pub to: Type,
    pub from: Type,
    pub rounding: Rounding,
    pub is_whole: bool,
}

impl Convert {
    pub(super) fn apply(self, value: u64) -> u64 {
        let Self { to, from, rounding, is_whole } = self;
        let Type::Float(bits) = from else {
            let whole = from.whole(value);
            return match to {
                Type::Float(64) => (whole as f64).to_bits(),
                Type::Float(_) => of_single(whole as f32),
                _ => to.of(whole as u64),
            };
        };
        let wide = match bits {
            16 => f64::from(crate::half::to_single(value as u16)),
            32 => f64::from(single(value)),
            _ => double(value),
        };
        match to {
            Type::Float(16) => u64::from(crate::half::from_single(wide as f32)),
            Type::Float(64) => (if is_whole { rounding.whole(wide) } else { wide }).to_bits(),
            Type::Float(_) if is_whole => of_single(rounding.whole(wide) as f32),
            Type::Float(_) => of_single(rounding.single(wide)),
            // Beyond the ends stands the end, and 0 for what is no number.
            Type::Signed(bits) => {
                let most = 2_f64.powi(bits as i32 - 1);
                let whole = rounding.whole(wide).clamp(-most, most) as i128;
                to.of(whole.min((1 << (bits - 1)) - 1) as u64)
            }
            _ => {
                let whole = rounding.whole(wide).max(0.0) as u128;
                to.of(whole.min((1 << to.bits()) - 1) as u64)
            }
        }
    }
}

/// b with the lowest `many` bits of a in it from bit `first` on.
pub(super) fn inserted(of: Type, a: u64, b: u64, first: u64, many: u64) -> u64 {
    let (first, many) = ((first & 255) as u32, (many & 255) as u32);
    if first >= of.bits() {
        return b;
    }
    let many = many.min(of.bits() - first);
    let mask = ((1_u128 << many) - 1) as u64;
    of.of((b & !(mask << first)) | ((a & mask) << first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_of_their_width() {
        let (u32s, s32s, u64s) = (Type::Unsigned(32), Type::Signed(32), Type::Unsigned(64));
        assert_eq!(two(Two::Subtract, u32s, 3, 5), 0xffff_fffe);
        assert_eq!(two(Two::Right, s32s, 0xffff_fff0, 2), 0xffff_fffc);
        assert_eq!(two(Two::Right, u32s, 0xffff_fff0, 40), 0);
        assert_eq!(two(Two::Left, u32s, 1, 32), 0);
        assert_eq!(multiplied(Part::High, u32s, 0x8000_0001, 6), 3);
        assert_eq!(multiplied(Part::Wide, s32s, 0xffff_ffff, 7), (-7_i64).cast_unsigned());
        assert_eq!(multiplied(Part::High, u64s, u64::MAX, 4), 3);
        assert_eq!(one(One::LeadingZeros, u32s, 1), 31);
        assert_eq!(inserted(u32s, 0xff, 0x1234_5678, 8, 4), 0x1234_5f78);
    }

    #[test]
    fn conversions_round_as_they_are_told() {
        let convert = |to: &str, from: &str, way: &str, value: u64| {
            let (rounding, is_whole) = Rounding::parse(way).unwrap();
            let [to, from] = [to, from].map(|word| Type::parse(word).unwrap());
            Convert { to, from, rounding, is_whole }.apply(value)
        };
        let third = (1.0_f64 / 3.0).to_bits();
        assert_eq!(single(convert("f32", "f64", "rn", third)), 1.0 / 3.0);
        assert!(f64::from(single(convert("f32", "f64", "rp", third))) > 1.0 / 3.0);
        assert!(f64::from(single(convert("f32", "f64", "rm", third))) < 1.0 / 3.0);
        assert_eq!(convert("s32", "f32", "rni", of_single(-2.5)), 0xffff_fffe);
        assert_eq!(convert("s32", "f32", "rzi", of_single(3e9)), 0x7fff_ffff);
        assert_eq!(convert("s64", "f64", "rni", 1.5_f64.to_bits()), 2);
        assert_eq!(single(convert("f32", "s32", "rn", 0xffff_ffff)), -1.0);
        assert_eq!(convert("u64", "u32", "rn", 0xffff_ffff), 0xffff_ffff);
        assert_eq!(convert("s64", "s32", "rn", 0xffff_ffff), u64::MAX);
    }

    #[test]
    fn what_is_no_number_is_neither_more_nor_less() {
        let holds = |word: &str, a: f32, b: f32| {
            let compare = Compare::parse(word).unwrap();
            compare.holds(Type::Float(32), of_single(a), of_single(b))
        };
        assert!(holds("lt", 1.0, 2.0) && holds("ne", 1.0, 2.0) && holds("leu", 2.0, 2.0));
        for (word, expected) in [("lt", false), ("ne", false), ("leu", true), ("neu", true)] {
            assert_eq!(holds(word, f32::NAN, 1.0), expected, "{word}");
        }
        assert_eq!(two(Two::Least, Type::Float(32), of_single(f32::NAN), 7), 7);
    }
}
