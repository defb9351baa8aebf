//! Any bytes as an image, PNG or JPEG by their beginning.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tallynet::datasets::{ImageShape, images};

fuzz_target!(|bytes: &[u8]| {
    for channels in [1, 3] {
        let size = ImageShape { height: 5, width: 4, channels };
        if let Ok(pixels) = images::decode_and_resize(bytes, size) {
            assert_eq!(pixels.len(), 5 * 4 * channels);
        }
    }
    if let Ok(pixels) = images::prepare_digit(bytes) {
        assert_eq!(pixels.len(), 28 * 28);
    }
});
