//! Counts what the program takes from the heap: every allocation and reallocation, and the bytes asked for.
//!
//! The counters stand in for the system allocator in every run, also under callgrind, where they cost a few instructions
//! per allocation, the same for everybody. They rest until somebody asks for them: a server of several threads that
//! nobody asks would pay for passing them from core to core, and its peer in Node would not.

// Implementing a global allocator is unsafe by definition; every call is handed on unchanged.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[global_allocator]
static COUNTING: Counting = Counting;

static ASKED: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

struct Counting;

/// Allocations and bytes so far, of all threads.
#[derive(Clone, Copy)]
pub(crate) struct Allocations {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

/// The state of the counters now. A call sets them going.
pub(crate) fn so_far() -> Allocations {
    ASKED.store(true, Ordering::Relaxed);
    Allocations { count: COUNT.load(Ordering::Relaxed), bytes: BYTES.load(Ordering::Relaxed) }
}

/// Until somebody asks again: for measuring time.
pub(crate) fn rest() {
    ASKED.store(false, Ordering::Relaxed);
}

impl Allocations {
    /// What was added since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { count: self.count - earlier.count, bytes: self.bytes - earlier.bytes }
    }
}

fn record(bytes: usize) {
    if ASKED.load(Ordering::Relaxed) {
        COUNT.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        record(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        record(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        record(size);
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
}
