//! Numbers and times of any Arrow type as what bins, extents and axes are reckoned in:
//! integers as they are stored, or floats. Data units are the values themselves; of times,
//! milliseconds since 1970 in UTC (of times of day, since midnight). Pure.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::{DataType, TimeUnit};

/// What the numbers of a type are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    Float,
    /// Whole numbers, `per_unit` of which make one data unit.
    Whole {
        per_unit: f64,
        is_unsigned: bool,
    },
}

impl Measure {
    /// `None` for types that are no numbers or times.
    pub fn of(data_type: &DataType) -> Option<Self> {
        let whole = |per_unit| Some(Self::Whole { per_unit, is_unsigned: false });
        match data_type {
            DataType::Float16
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal32(_, _)
            | DataType::Decimal64(_, _)
            | DataType::Decimal128(_, _)
            | DataType::Decimal256(_, _) => Some(Self::Float),
            DataType::UInt64 => Some(Self::Whole { per_unit: 1.0, is_unsigned: true }),
            DataType::Date32 => whole(1.0 / 86_400_000.0),
            DataType::Date64 => whole(1.0),
            DataType::Time32(unit) | DataType::Time64(unit) | DataType::Timestamp(unit, _) => {
                whole(match unit {
                    TimeUnit::Second => 1e-3,
                    TimeUnit::Millisecond => 1.0,
                    TimeUnit::Microsecond => 1e3,
                    TimeUnit::Nanosecond => 1e6,
                })
            }
            DataType::Duration(_) => whole(1.0),
            other if other.is_integer() => whole(1.0),
            _ => None,
        }
    }

    /// A stored number in data units.
    pub fn in_units(&self, stored: i64) -> f64 {
        match self {
            Self::Float => stored as f64,
            Self::Whole { is_unsigned: true, .. } => stored_to_unsigned(stored) as f64,
            // By a division where units are many: so a day is exactly 86,400,000 ms.
            Self::Whole { per_unit, .. } if *per_unit < 1.0 => {
                stored as f64 * (1.0 / per_unit).round()
            }
            Self::Whole { per_unit, .. } => stored as f64 / per_unit,
        }
    }

    /// The stored number at or next above a value in data units.
    pub fn stored_above(&self, value: f64) -> i64 {
        self.stored(value, f64::ceil)
    }

    /// The stored number at or next below a value in data units.
    pub fn stored_below(&self, value: f64) -> i64 {
        self.stored(value, f64::floor)
    }

    fn stored(&self, value: f64, round: fn(f64) -> f64) -> i64 {
        match self {
            Self::Float => round(value) as i64,
            Self::Whole { is_unsigned: true, .. } => unsigned_to_stored(round(value) as u64),
            Self::Whole { per_unit, .. } if *per_unit < 1.0 => {
                round(value / (1.0 / per_unit).round()) as i64
            }
            Self::Whole { per_unit, .. } => round(value * per_unit) as i64,
        }
    }
}

/// Unsigned numbers are kept in the order of signed ones, by turning the highest bit.
pub fn unsigned_to_stored(number: u64) -> i64 {
    (number ^ (1 << 63)).cast_signed()
}

pub fn stored_to_unsigned(stored: i64) -> u64 {
    stored.cast_unsigned() ^ (1 << 63)
}

/// Replaces `out` by the whole numbers of an array, in the slots of nulls by anything.
/// False for types that are not measured in whole numbers.
pub fn wholes_into(array: &dyn Array, out: &mut Vec<i64>) -> bool {
    out.clear();
    macro_rules! take {
        ($($type:ty)*) => {
            $(if let Some(array) = array.as_primitive_opt::<$type>() {
                out.extend(array.values().iter().map(|&value| i64::from(value)));
                return true;
            })*
        };
    }
    take!(Int8Type Int16Type Int32Type Int64Type UInt8Type UInt16Type UInt32Type
        Date32Type Date64Type Time32SecondType Time32MillisecondType Time64MicrosecondType
        Time64NanosecondType TimestampSecondType TimestampMillisecondType
        TimestampMicrosecondType TimestampNanosecondType DurationSecondType
        DurationMillisecondType DurationMicrosecondType DurationNanosecondType);
    if let Some(array) = array.as_primitive_opt::<UInt64Type>() {
        out.extend(array.values().iter().map(|&value| unsigned_to_stored(value)));
        return true;
    }
    false
}

/// Replaces `out` by the numbers of an array in data units, NaN for null. False for types
/// that are no numbers or times.
pub fn floats_into(array: &dyn Array, out: &mut Vec<f64>) -> bool {
    out.clear();
    let Some(measure) = Measure::of(array.data_type()) else { return false };
    let is_taken = match measure {
        Measure::Whole { .. } => {
            let mut wholes = Vec::new();
            let is_taken = wholes_into(array, &mut wholes);
            out.extend(wholes.into_iter().map(|stored| measure.in_units(stored)));
            is_taken
        }
        Measure::Float => plain_floats_into(array, out),
    };
    if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
        for (row, value) in out.iter_mut().enumerate() {
            if nulls.is_null(row) {
                *value = f64::NAN;
            }
        }
    }
    is_taken
}

fn plain_floats_into(array: &dyn Array, out: &mut Vec<f64>) -> bool {
    fn take<T: ArrowPrimitiveType>(
        array: &dyn Array,
        out: &mut Vec<f64>,
        float: impl Fn(T::Native) -> f64,
    ) -> bool {
        let Some(array) = array.as_primitive_opt::<T>() else { return false };
        out.extend(array.values().iter().map(|&value| float(value)));
        true
    }
    // One rounding: up to 22 a power of ten is exact in f64.
    let unscaled = |scale: i8| {
        let power = 10_f64.powi(i32::from(scale).abs());
        move |value: f64| if scale >= 0 { value / power } else { value * power }
    };
    match array.data_type() {
        DataType::Float16 => take::<Float16Type>(array, out, |value| value.to_f64()),
        DataType::Float32 => take::<Float32Type>(array, out, f64::from),
        DataType::Float64 => take::<Float64Type>(array, out, |value| value),
        DataType::Decimal32(_, scale) => {
            let unscaled = unscaled(*scale);
            take::<Decimal32Type>(array, out, |value| unscaled(f64::from(value)))
        }
        DataType::Decimal64(_, scale) => {
            let unscaled = unscaled(*scale);
            take::<Decimal64Type>(array, out, |value| unscaled(value as f64))
        }
        DataType::Decimal128(_, scale) => {
            let unscaled = unscaled(*scale);
            take::<Decimal128Type>(array, out, |value| unscaled(value as f64))
        }
        DataType::Decimal256(_, scale) => {
            let unscaled = unscaled(*scale);
            take::<Decimal256Type>(array, out, |value| {
                let (low, high) = value.to_parts();
                unscaled(high as f64 * 2_f64.powi(128) + low as f64)
            })
        }
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow_array::{
        Date32Array, Decimal128Array, Int16Array, TimestampNanosecondArray, UInt64Array,
    };

    use super::*;

    fn floats(array: &dyn Array) -> Vec<f64> {
        let mut out = Vec::new();
        assert!(floats_into(array, &mut out));
        out
    }

    #[test]
    fn every_number_comes_in_data_units() {
        let small = floats(&Int16Array::from(vec![Some(-3), None]));
        assert!(small[0] == -3.0 && small[1].is_nan());
        assert_eq!(floats(&Date32Array::from(vec![-1, 20_000])), [-86_400_000.0, 1.728e12]);
        assert_eq!(floats(&TimestampNanosecondArray::from(vec![1_500_000])), [1.5]);
        let money = Decimal128Array::from(vec![12_345]).with_precision_and_scale(10, 2).unwrap();
        assert_eq!(floats(&money), [123.45]);
        assert_eq!(floats(&UInt64Array::from(vec![0, u64::MAX])), [0.0, u64::MAX as f64]);
        assert!(!floats_into(&arrow_array::BooleanArray::from(vec![true]), &mut Vec::new()));
    }

    #[test]
    fn the_page_knows_the_units_from_the_type_as_it_is_printed() {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        let zone = || Some("Europe/Berlin".into());
        let types = [
            DataType::Int8,
            DataType::UInt64,
            DataType::Float16,
            DataType::Decimal128(9, 2),
            DataType::Date32,
            DataType::Date64,
            DataType::Time32(Second),
            DataType::Time32(Millisecond),
            DataType::Time64(Microsecond),
            DataType::Time64(Nanosecond),
            DataType::Timestamp(Second, None),
            DataType::Timestamp(Millisecond, zone()),
            DataType::Timestamp(Microsecond, zone()),
            DataType::Timestamp(Nanosecond, None),
            DataType::Duration(Microsecond),
        ];
        for data_type in types {
            let per_unit = match Measure::of(&data_type) {
                Some(Measure::Whole { per_unit, .. }) => per_unit,
                _ => 1.0,
            };
            let text = data_type.to_string();
            assert_eq!(crate::state::position::Scalar::stored_per_unit(&text), per_unit, "{text}");
        }
    }

    #[test]
    fn stored_numbers_keep_their_order_and_come_back() {
        let mut stored = Vec::new();
        assert!(wholes_into(&UInt64Array::from(vec![0, 1, u64::MAX]), &mut stored));
        assert!(stored.is_sorted());
        assert_eq!(
            stored.iter().map(|&n| stored_to_unsigned(n)).collect::<Vec<_>>(),
            [0, 1, u64::MAX]
        );
        let days = Measure::of(&DataType::Date32).unwrap();
        assert_eq!(days.in_units(365), 365.0 * 86_400_000.0);
        assert_eq!(days.stored_below(86_400_000.0 * 1.5), 1);
        assert_eq!(days.stored_above(86_400_000.0 * 1.5), 2);
        let micros = Measure::of(&DataType::Timestamp(TimeUnit::Microsecond, None)).unwrap();
        assert_eq!(micros.stored_below(1.5), 1500);
        assert_eq!(micros.in_units(1500), 1.5);
    }
}
