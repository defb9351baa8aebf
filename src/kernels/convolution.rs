//! The geometry of windows that move over an image.

use serde::{Deserialize, Serialize};

/// How an image is continued past its border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Not at all.
    #[default]
    Valid,
    /// As far as it takes for one output a stride; where that is an odd number of pixels, the odd one is at the end.
    Same,
}

/// The windows along one axis of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of the image.
    pub input: usize,
    /// Pixels in front of it.
    pub before: usize,
    /// Pixels that a window takes up.
    pub kernel: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// How many windows there are.
    pub output: usize,
}

impl Axis {
    /// The windows of so many pixels, `dilation` apart from each other; nothing if there is no such window.
    pub fn new(input: usize, kernel: usize, stride: usize, dilation: usize, padding: Padding) -> Option<Axis> {
        let extent = kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)?;
        let (output, before) = match padding {
            Padding::Valid => (input.checked_sub(extent)?.checked_div(stride)? + 1, 0),
            Padding::Same => {
                let last = input.checked_sub(1)?.checked_div(stride)?;
                (last + 1, (last * stride).checked_add(extent)?.saturating_sub(input) / 2)
            }
        };
        Some(Axis { input, before, kernel, stride, output })
    }
}
