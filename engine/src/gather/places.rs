//! Where the rows of a dictionary array have their values.

use arrow_array::Array;

use crate::column::Values;
use crate::gather::NO_PLACE;

/// The place in the dictionary of each row's value; `NO_PLACE` for null.
pub(crate) fn places_of(keys: &dyn Array) -> Vec<u32> {
    macro_rules! places {
        ($keys:expr) => {
            $keys.iter().map(|key| u32::try_from(*key).unwrap_or(NO_PLACE)).collect()
        };
    }
    let mut places: Vec<u32> = match Values::of(keys) {
        Some(Values::Int8(keys)) => places!(keys),
        Some(Values::Int16(keys)) => places!(keys),
        Some(Values::Int32(keys)) => places!(keys),
        Some(Values::Int64(keys)) => places!(keys),
        Some(Values::UInt8(keys)) => places!(keys),
        Some(Values::UInt16(keys)) => places!(keys),
        Some(Values::UInt32(keys)) => places!(keys),
        Some(Values::UInt64(keys)) => places!(keys),
        _ => vec![NO_PLACE; keys.len()],
    };
    if let Some(nulls) = keys.nulls() {
        let valid = nulls.iter();
        places.iter_mut().zip(valid).filter(|(_, valid)| !valid).for_each(|(place, _)| {
            *place = NO_PLACE;
        });
    }
    places
}
