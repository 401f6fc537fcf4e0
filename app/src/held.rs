//! How many bytes of its memory a program of the browser uses: a memory of WebAssembly never
//! shrinks, so its size tells what was once held, and not what still is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use wasm_bindgen::prelude::wasm_bindgen;

struct Counted;

#[global_allocator]
static HEAP: Counted = Counted;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// Bytes that are allocated now. For those who look for leaks: `tests/browser/scales.mjs`.
#[wasm_bindgen]
pub fn held_bytes() -> usize {
    HELD.load(Ordering::Relaxed)
}

// Never inline: each place that allocates would grow by it. A counting allocator that was
// inlined took 14 kB (gzip) of the first load, this one less than 4.
// SAFETY: everything is the system's allocator's, and is given on as it came.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counted {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(address, layout) }
    }

    #[inline(never)]
    unsafe fn realloc(&self, address: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_add(size.wrapping_sub(layout.size()), Ordering::Relaxed);
        unsafe { System.realloc(address, layout, size) }
    }
}
