//! Regular expressions: a program of its own (package `matcher`) that is fetched with the
//! first of them and called from here, since few use any and all would load it.

use std::cell::RefCell;
use std::collections::HashMap;

use engine::bind::pattern::{Matcher, bring_patterns};
use js_sys::Function;
use wasm_bindgen::prelude::*;

use crate::protocol::Clause;
use crate::texts;
use crate::worker::net::text_of;

#[wasm_bindgen]
extern "C" {
    /// Set by the worker's start script.
    #[wasm_bindgen(js_name = limnMatcher, catch)]
    async fn load_matcher() -> Result<JsValue, JsValue>;

    /// A compiled pattern of that program.
    type Compiled;
    #[wasm_bindgen(method, structural)]
    fn words(this: &Compiled, bytes: &[u8], ends: &[u32]) -> Vec<u64>;
    #[wasm_bindgen(method, structural)]
    fn free(this: &Compiled);
}

#[derive(Default)]
struct Program {
    compile: Option<Function>,
    /// Why it could not be fetched.
    failure: String,
    compiled: HashMap<u32, Compiled>,
    n_compiled: u32,
}

thread_local! {
    static PROGRAM: RefCell<Program> = RefCell::default();
}

/// To be awaited before clauses are bound: fetches the program if one of them is a regular
/// expression. What fails is tried again the next time.
pub async fn fetch_for(clauses: &[Clause]) {
    if !clauses.iter().any(|clause| clause.predicate.has_pattern()) {
        return;
    }
    bring_patterns(compile);
    if PROGRAM.with_borrow(|program| program.compile.is_some()) {
        return;
    }
    let loaded = load_matcher().await;
    PROGRAM.with_borrow_mut(|program| match loaded.map(JsCast::dyn_into::<Function>) {
        Ok(Ok(compile)) => program.compile = Some(compile),
        Ok(Err(other)) | Err(other) => program.failure = text_of(&other),
    });
}

fn compile(text: &str, case_sensitive: bool) -> Result<Box<dyn Matcher>, String> {
    PROGRAM.with_borrow_mut(|program| {
        let Some(compile) = &program.compile else {
            return Err(texts::refusals::no_matcher(&program.failure));
        };
        let pattern = compile
            .call2(&JsValue::UNDEFINED, &text.into(), &case_sensitive.into())
            .map_err(|error| text_of(&error))?;
        program.n_compiled = program.n_compiled.wrapping_add(1);
        program.compiled.insert(program.n_compiled, pattern.unchecked_into());
        Ok(Box::new(Handle(program.n_compiled)) as Box<dyn Matcher>)
    })
}

/// Stands for a pattern of the program, which stays on this thread.
struct Handle(u32);

impl Matcher for Handle {
    fn words(&self, bytes: &[u8], ends: &[u32]) -> Vec<u64> {
        PROGRAM
            .with_borrow(|program| {
                program.compiled.get(&self.0).map(|pattern| pattern.words(bytes, ends))
            })
            .unwrap_or_default()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let gone = PROGRAM.with_borrow_mut(|program| program.compiled.remove(&self.0));
        if let Some(pattern) = gone {
            pattern.free();
        }
    }
}
