//! The state in an address: read as far as it goes, and what was read survives being written.

#![no_main]

use app::state::address::{read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let first = read(text);
    let written = write(&first.chosen, &first.options);
    let again = read(&written);
    assert_eq!(first.chosen, again.chosen, "{written}");
    assert_eq!(first.options, again.options, "{written}");
});
