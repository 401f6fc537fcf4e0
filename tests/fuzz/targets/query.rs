//! The JSON of a `Query`: read or refused, and what was read says the same when written.

#![no_main]

use engine::query::Query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(query) = Query::from_json(text) {
        let written = serde_json::to_string(&query).unwrap();
        let again = Query::from_json(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert_eq!(query, again);
    }
});
