//! How much memory a hostile HDF5 file can make the reader take. Alone in its file, because it
//! counts all allocations.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tallynet::hdf5::{Object, open};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LIMIT: usize = 1000;

fn walk(group: &Object, depth: usize) {
    for name in ["name", "texts", "layer_names", "model_config", "object_texts"] {
        let _ = group.strings(name);
    }
    for name in group.names() {
        if let Ok(Some(dataset)) = group.dataset(name) {
            let _ = dataset.read_numbers(LIMIT, |x| x);
        }
        if let (Ok(Some(child)), true) = (group.group(name), depth < 5) {
            walk(&child, depth + 1);
        }
    }
}

#[test]
fn memory_follows_the_file_and_the_limit() {
    let folder =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hdf5")).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut worst = 0.0_f64;
    for path in folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".h5.gz"))
    {
        let mut good = Vec::new();
        flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())
            .read_to_end(&mut good)
            .unwrap();
        // Zeros are mostly numbers and free space: wrong bytes go where the structures are.
        let places: Vec<usize> = (0..good.len()).filter(|&place| good[place] != 0).collect();
        for round in 0..200 {
            let mut bytes = good.clone();
            for _ in 0..round.min(1 + round % 3) {
                bytes[places[random(places.len())]] = random(256) as u8;
            }
            let before = NOW.load(Relaxed);
            PEAK.store(before, Relaxed);
            let start = std::time::Instant::now();
            if let Ok(root) = open(&bytes) {
                walk(&root, 0);
            }
            let peak = PEAK.load(Relaxed) - before;
            worst = worst.max(peak as f64 / (bytes.len() + 16 * LIMIT) as f64);
            assert!(
                peak <= 8 * (bytes.len() + 16 * LIMIT) + (1 << 20),
                "{} round {round}: {peak} bytes",
                path.display()
            );
            assert!(
                start.elapsed().as_secs() < 5,
                "{} round {round}: {:?}",
                path.display(),
                start.elapsed()
            );
        }
    }
    println!("at worst {worst:.2} times the file and 16 bytes for each expected number");
}
