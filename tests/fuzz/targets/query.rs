//! The JSON of a `Query`: read or refused, and what was read can be written and read again.
//! Writing may leave out what says nothing, so from then on it has to stay the same.

#![no_main]

use engine::query::Query;
use libfuzzer_sys::fuzz_target;

fn again(query: &Query) -> Query {
    let written = serde_json::to_string(query).unwrap();
    Query::from_json(&written).unwrap_or_else(|error| panic!("{error}: {written}"))
}

fuzz_target!(|text: &str| {
    if let Ok(query) = Query::from_json(text) {
        let settled = again(&query);
        assert_eq!(settled, again(&settled));
    }
});
