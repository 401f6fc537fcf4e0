//! The distinct values of a column as small numbers: equal values have equal ids, batch
//! after batch. Groups, distinct counts and ranks of dictionaries are built on it.

mod bytes;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, new_null_array};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::DataType;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use self::bytes::BytesStore;
use crate::bind::value_type;
use crate::column::{Values, array_from_natives, arrow_failed, bytes_array, plain};
use crate::error::{QueryError, QueryErrorKind};
use crate::gather::{NO_PLACE, places_of, take};
use crate::hash::hash_bytes;
use crate::sample::mix;

/// Distinct values in order of first appearance; the id of each is its place. Null is a
/// value of its own, NaN is one value, and -0 is +0.
pub(crate) struct Interner {
    store: Store,
    null: Option<u32>,
    len: u32,
    /// The dictionary met last, and the ids of those of its values that were used.
    met: Option<(ArrayRef, Vec<u32>)>,
}

enum Store {
    /// Integers, times, booleans and floats, by 64 bits.
    Bits(BitsStore),
    /// Wide decimals.
    Wide { table: HashTable<u32>, values: Vec<i256>, seed: u64 },
    /// Strings and binaries, end to end.
    Bytes(BytesStore),
}

struct BitsStore {
    /// Values beside their ids: looking one up touches one line of memory, not two.
    table: HashTable<(u64, u32)>,
    values: Vec<u64>,
    /// Ids looked up lately, by a cheap hash.
    recent: Vec<(u64, u32)>,
    seed: u64,
}

const RECENT_BITS: u32 = 10;
const NO_ID: u32 = u32::MAX;
/// Stands for an id that is about to be known.
const ASKED: u32 = u32::MAX - 1;

/// Whether values of a type can be told apart here.
pub(crate) fn has_values(data_type: &DataType) -> bool {
    match value_type(data_type) {
        DataType::Interval(_) => false,
        other => !other.is_nested(),
    }
}

fn seed() -> u64 {
    // Keys of outside data must not be able to collide on purpose.
    RandomState::new().hash_one(0_u8)
}

impl Interner {
    /// For values of a type that [`has_values`].
    pub(crate) fn new(data_type: &DataType) -> Self {
        let data_type = value_type(data_type);
        let store = match data_type {
            DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => {
                Store::Wide { table: HashTable::new(), values: Vec::new(), seed: seed() }
            }
            DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => {
                Store::Bytes(BytesStore { seed: seed(), ..BytesStore::default() })
            }
            _ => Store::Bits(BitsStore {
                table: HashTable::new(),
                values: Vec::new(),
                recent: vec![(0, NO_ID); 1 << RECENT_BITS],
                seed: seed(),
            }),
        };
        Self { store, null: None, len: 0, met: None }
    }

    /// How many distinct values there are, null among them.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn null_id(&self) -> Option<u32> {
        self.null
    }

    /// The memory held, roughly.
    pub(crate) fn byte_count(&self) -> usize {
        let values = self.len() * (size_of::<u64>() + 2 * size_of::<u32>());
        match &self.store {
            Store::Bits(_) => values + self.len() * 2 * size_of::<u64>(),
            Store::Wide { .. } => values + self.len() * size_of::<i256>(),
            Store::Bytes(store) => {
                values + store.bytes.len() + store.hashes.len() * size_of::<u64>()
            }
        }
    }

    /// Makes room for values to come, as many as there may be.
    pub(crate) fn reserve(&mut self, additional: usize) {
        if let Store::Bits(BitsStore { table, values, seed, .. }) = &mut self.store {
            let seed = *seed;
            table.reserve(additional, |(bits, _)| mix(*bits ^ seed));
            values.reserve(additional);
        }
    }

    /// The id of each row of an array.
    pub(crate) fn ids(&mut self, array: &ArrayRef) -> Result<Vec<u32>, QueryError> {
        match array.data_type() {
            DataType::Dictionary(_, _) => self.ids_of_dictionary(array),
            DataType::RunEndEncoded(_, _) => self.ids_of_plain(&*plain(array)?),
            _ => self.ids_of_plain(array),
        }
    }

    fn ids_of_plain(&mut self, array: &dyn Array) -> Result<Vec<u32>, QueryError> {
        macro_rules! bits {
            ($values:expr, $bits:expr) => {
                self.ids_of_each(array, $values.iter().copied().map($bits), Self::id_of_bits)
            };
        }
        match Values::of(array) {
            Some(Values::Boolean(values)) => {
                self.ids_of_each(array, values.iter(), |this, bit| this.id_of_bits(bit.into()))
            }
            Some(Values::Int8(values)) => bits!(values, |value| i64::from(value) as u64),
            Some(Values::Int16(values)) => bits!(values, |value| i64::from(value) as u64),
            Some(Values::Int32(values)) => bits!(values, |value| i64::from(value) as u64),
            Some(Values::Int64(values)) => bits!(values, |value| value as u64),
            Some(Values::UInt8(values)) => bits!(values, u64::from),
            Some(Values::UInt16(values)) => bits!(values, u64::from),
            Some(Values::UInt32(values)) => bits!(values, u64::from),
            Some(Values::UInt64(values)) => bits!(values, |value| value),
            Some(Values::Float16(values)) => bits!(values, |value| float_bits(value.to_f64())),
            Some(Values::Float32(values)) => bits!(values, |value| float_bits(value.into())),
            Some(Values::Float64(values)) => bits!(values, float_bits),
            Some(Values::Int128(values)) => {
                self.ids_of_each(array, values.iter(), |this, value| {
                    this.id_of_wide(i256::from_i128(*value))
                })
            }
            Some(Values::Int256(values)) => {
                self.ids_of_each(array, values.iter(), |this, value| this.id_of_wide(*value))
            }
            Some(Values::Text(values) | Values::Bytes(values)) => {
                let rows = 0..array.len();
                self.ids_of_each(array, rows, |this, row| this.id_of_bytes(values.get(row)))
            }
            None if array.is_empty() => Ok(Vec::new()),
            // Columns of type null.
            None => Ok(vec![self.id_of_null()?; array.len()]),
        }
    }

    #[inline]
    fn ids_of_each<T>(
        &mut self,
        array: &dyn Array,
        values: impl Iterator<Item = T>,
        id_of: impl Fn(&mut Self, T) -> Result<u32, QueryError>,
    ) -> Result<Vec<u32>, QueryError> {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        let mut ids = Vec::with_capacity(array.len());
        for (row, value) in values.enumerate() {
            let is_null = nulls.is_some_and(|nulls| nulls.is_null(row));
            ids.push(if is_null { self.id_of_null()? } else { id_of(self, value)? });
        }
        Ok(ids)
    }

    /// Values of a dictionary that no row uses get no id.
    fn ids_of_dictionary(&mut self, array: &ArrayRef) -> Result<Vec<u32>, QueryError> {
        let Some(dictionary) = array.as_any_dictionary_opt() else {
            return self.ids_of_plain(array);
        };
        let met = self.met.take().filter(|(met, _)| Arc::ptr_eq(met, dictionary.values()));
        let (met, mut known) = met.unwrap_or_else(|| {
            (dictionary.values().clone(), vec![NO_ID; dictionary.values().len()])
        });
        let places = places_of(dictionary.keys());
        let id_at = |known: &[u32], place: u32| known.get(place as usize).copied();
        let mut unknown = Vec::new();
        for place in &places {
            if let Some(id) = known.get_mut(*place as usize)
                && *id == NO_ID
            {
                *id = ASKED;
                unknown.push(*place);
            }
        }
        if !unknown.is_empty() {
            let values = take(&met, &unknown);
            let ids = self.ids(&plain(&values.map_err(arrow_failed)?)?)?;
            for (place, id) in unknown.into_iter().zip(ids) {
                if let Some(known) = known.get_mut(place as usize) {
                    *known = id;
                }
            }
        }
        let null = match places.contains(&NO_PLACE) {
            true => self.id_of_null()?,
            false => NO_ID,
        };
        let ids = places.iter().map(|place| id_at(&known, *place).unwrap_or(null)).collect();
        self.met = Some((met, known));
        Ok(ids)
    }

    fn id_of_null(&mut self) -> Result<u32, QueryError> {
        match self.null {
            Some(id) => Ok(id),
            None => {
                let id = self.add()?;
                match &mut self.store {
                    Store::Bits(store) => store.values.push(0),
                    Store::Wide { values, .. } => values.push(i256::ZERO),
                    Store::Bytes(store) => store.push(&[], 0),
                }
                self.null = Some(id);
                Ok(id)
            }
        }
    }

    #[inline]
    fn id_of_bits(&mut self, bits: u64) -> Result<u32, QueryError> {
        let Store::Bits(store) = &mut self.store else { return Ok(0) };
        let place = (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - RECENT_BITS)) as usize;
        if let Some((recent, id)) = store.recent.get(place)
            && *recent == bits
            && *id != NO_ID
        {
            return Ok(*id);
        }
        let seed = store.seed;
        let hash_of = |(bits, _): &(u64, u32)| mix(*bits ^ seed);
        let hash = hash_of(&(bits, NO_ID));
        let entry = store.table.entry(hash, |(met, _)| *met == bits, hash_of);
        let id = match entry {
            Entry::Occupied(met) => met.get().1,
            Entry::Vacant(free) => {
                let id = next_id(self.len)?;
                self.len += 1;
                free.insert((bits, id));
                store.values.push(bits);
                id
            }
        };
        if let Some(recent) = store.recent.get_mut(place) {
            *recent = (bits, id);
        }
        Ok(id)
    }

    fn id_of_wide(&mut self, value: i256) -> Result<u32, QueryError> {
        let Store::Wide { table, values, seed } = &mut self.store else { return Ok(0) };
        let seed = *seed;
        let hash = |value: i256| hash_bytes(seed, &value.to_le_bytes());
        let null = self.null;
        let same = |id: &u32| values.get(*id as usize) == Some(&value) && Some(*id) != null;
        if let Some(id) = table.find(hash(value), same) {
            return Ok(*id);
        }
        let id = next_id(self.len)?;
        self.len += 1;
        let hash_of = |id: &u32| hash(values.get(*id as usize).copied().unwrap_or_default());
        table.insert_unique(hash(value), id, hash_of);
        values.push(value);
        Ok(id)
    }

    fn id_of_bytes(&mut self, value: &[u8]) -> Result<u32, QueryError> {
        let null = self.null;
        let Store::Bytes(store) = &mut self.store else { return Ok(0) };
        let hash = hash_bytes(store.seed, value);
        let same = |id: &u32| store.get(*id) == value && Some(*id) != null;
        if let Some(id) = store.table.find(hash, same) {
            return Ok(*id);
        }
        let id = next_id(self.len)?;
        self.len += 1;
        let hashes = &store.hashes;
        let hash_of = |id: &u32| hashes.get(*id as usize).copied().unwrap_or_default();
        store.table.insert_unique(hash, id, hash_of);
        store.push(value, hash);
        Ok(id)
    }

    fn add(&mut self) -> Result<u32, QueryError> {
        let id = next_id(self.len)?;
        self.len += 1;
        Ok(id)
    }

    /// The distinct values in the order of their ids, as an array of a plain type.
    pub(crate) fn to_array(&self, data_type: &DataType) -> Result<ArrayRef, QueryError> {
        let len = self.len();
        let nulls =
            self.null.map(|null| NullBuffer::from_iter((0..len).map(|id| id != null as usize)));
        macro_rules! natives {
            ($values:expr, $native:ty) => {
                array_from_natives::<$native>(
                    $values.iter().map(|bits| *bits as $native).collect(),
                    nulls,
                    data_type,
                )
            };
        }
        match (&self.store, data_type) {
            (_, DataType::Null) => Ok(new_null_array(data_type, len)),
            (Store::Bits(store), DataType::Boolean) => {
                let bits = store.values.iter().map(|bits| *bits != 0).collect();
                Ok(Arc::new(BooleanArray::new(bits, nulls)))
            }
            (Store::Bits(store), DataType::Float16) => {
                let halves =
                    store.values.iter().map(|bits| half::f16::from_f64(f64::from_bits(*bits)));
                array_from_natives(halves.collect(), nulls, data_type)
            }
            (Store::Bits(store), DataType::Float32) => {
                let floats = store.values.iter().map(|bits| f64::from_bits(*bits) as f32);
                array_from_natives(floats.collect::<Vec<f32>>(), nulls, data_type)
            }
            (Store::Bits(store), DataType::Int8 | DataType::UInt8) => natives!(store.values, i8),
            (Store::Bits(store), DataType::Int16 | DataType::UInt16) => natives!(store.values, i16),
            (
                Store::Bits(store),
                DataType::Int32
                | DataType::UInt32
                | DataType::Date32
                | DataType::Time32(_)
                | DataType::Decimal32(_, _),
            ) => natives!(store.values, i32),
            (Store::Bits(store), _) => natives!(store.values, i64),
            (Store::Wide { values, .. }, DataType::Decimal128(_, _)) => array_from_natives(
                values.iter().map(|value| value.as_i128()).collect(),
                nulls,
                data_type,
            ),
            (Store::Wide { values, .. }, _) => array_from_natives(values.clone(), nulls, data_type),
            (Store::Bytes(store), _) => {
                bytes_array((0..self.len).map(|id| store.get(id)), nulls, data_type)
            }
        }
    }
}

fn next_id(len: u32) -> Result<u32, QueryError> {
    if len >= ASKED {
        let detail = "more than four billion distinct values".to_owned();
        return Err(QueryError::new("group_by", QueryErrorKind::Unsupported { detail }));
    }
    Ok(len)
}

/// One pattern for NaN and one for zero.
pub(crate) fn float_bits(value: f64) -> u64 {
    match value {
        _ if value.is_nan() => f64::NAN.to_bits(),
        _ if value == 0.0 => 0,
        _ => value.to_bits(),
    }
}
