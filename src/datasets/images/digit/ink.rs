//! Ink and paper, told apart under uneven light.
//!
//! The paper's brightness at a pixel is a mean over the window around it: first of all pixels, then
//! of those that are at least as bright as that first mean, which are paper. Ink is the share of
//! light that is missing: 255·(paper − pixel)/paper, where paper counts as 128 if it is darker, as
//! in shadow, so that noise is not multiplied. The threshold is Otsu's (A threshold selection
//! method from gray-level histograms, 1979): it maximizes the variance between both classes. It is
//! raised to two fifths of the darkest ink, where that is more: a shadow with a sharp edge is wide,
//! and less dark than ink.

use super::Gray;

/// Window's half side, as a fraction of the longer side of the image.
const WINDOW: usize = 4;

/// Fraction of that half side to which a window shrinks at the border of the image.
const AT_BORDER: usize = 4;

/// Difference between the mean ink values of ink and paper, of 255, below which an image is blank.
const MIN_CONTRAST: f64 = 25.0;

/// Brightness of paper below which light is not divided out further.
const MIN_PAPER: f64 = 128.0;

/// Ink of an image.
pub(super) struct Ink {
    pub height: usize,
    pub width: usize,
    /// Share of missing light for each pixel, of 255.
    pub values: Vec<u8>,
    /// Largest value that counts as paper.
    pub threshold: u8,
    /// Mean value of the pixels above.
    pub level: f64,
}

/// Sums over rectangles, from one pass over the image.
struct SumTable {
    /// One more than the width of the image.
    stride: usize,
    sums: Vec<u64>,
}

/// Classes of Otsu's threshold.
struct Split {
    threshold: u8,
    paper: f64,
    ink: f64,
}

/// Ink of a photo; `None` if it is blank.
pub(super) fn of(photo: &Gray) -> Option<Ink> {
    let mut photo = Gray { pixels: photo.pixels.clone(), ..*photo };
    let all = vec![true; photo.pixels.len()];
    let mut means = local_means(&photo, &all);
    if is_light_on_dark(&photo, &means) {
        photo.pixels.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        means = local_means(&photo, &all);
    }
    let paper = paper(&photo, &means);
    let mut values = Vec::with_capacity(paper.len());
    for (&pixel, paper) in photo.pixels.iter().zip(paper) {
        let missing = (paper - f64::from(pixel)).max(0.0);
        let ink = 255.0 * missing / paper.max(MIN_PAPER);
        values.push((ink + 0.5).floor() as u8);
    }
    let histogram = histogram(&values);
    let Split { threshold, paper, ink } = otsu(&histogram);
    if ink - paper < MIN_CONTRAST {
        return None;
    }
    let threshold = threshold.max(darkest(&histogram) / 5 * 2);
    let level = mean_above(&histogram, threshold);
    Some(Ink { height: photo.height, width: photo.width, values, threshold, level })
}

/// Number of pixels with each value.
fn histogram(values: &[u8]) -> [u64; 256] {
    let mut histogram = [0; 256];
    for &value in values {
        histogram[usize::from(value)] += 1;
    }
    histogram
}

/// Value that one pixel in a thousand reaches, or the largest one.
fn darkest(histogram: &[u64; 256]) -> u8 {
    let enough = (histogram.iter().sum::<u64>() / 1000).max(1);
    let mut n = 0;
    for value in (0..=255).rev() {
        n += histogram[usize::from(value)];
        if n >= enough {
            return value;
        }
    }
    0
}

/// Mean of the values above the threshold.
fn mean_above(histogram: &[u64; 256], threshold: u8) -> f64 {
    let mut n = 0;
    let mut sum = 0;
    for (value, &count) in (0..).zip(histogram) {
        if value > u64::from(threshold) {
            n += count;
            sum += value * count;
        }
    }
    sum as f64 / n.max(1) as f64
}

/// True if few pixels are much lighter than their surroundings, rather than darker: the third
/// moment of the differences from the local mean is positive.
fn is_light_on_dark(photo: &Gray, means: &[f64]) -> bool {
    let mut moment = 0.0;
    for (&pixel, mean) in photo.pixels.iter().zip(means) {
        let difference = f64::from(pixel) - mean;
        moment += difference * difference * difference;
    }
    moment > 0.0
}

/// Brightness of the paper at each pixel, if ink is dark.
fn paper(photo: &Gray, means: &[f64]) -> Vec<f64> {
    let is_paper: Vec<bool> =
        photo.pixels.iter().zip(means).map(|(&pixel, mean)| f64::from(pixel) >= *mean).collect();
    local_means(photo, &is_paper)
}

/// Mean of the chosen pixels in the window around each pixel; 255 if none is chosen.
fn local_means(photo: &Gray, is_chosen: &[bool]) -> Vec<f64> {
    let sums = SumTable::new(photo, |i| if is_chosen[i] { u64::from(photo.pixels[i]) } else { 0 });
    let counts = SumTable::new(photo, |i| u64::from(is_chosen[i]));
    let radius = (photo.height.max(photo.width) / WINDOW).max(1);
    let mut means = Vec::with_capacity(photo.pixels.len());
    for y in 0..photo.height {
        let rows = window(y, photo.height, radius);
        for x in 0..photo.width {
            let columns = window(x, photo.width, radius);
            let n = counts.sum(&rows, &columns);
            let sum = sums.sum(&rows, &columns);
            means.push(if n == 0 { 255.0 } else { sum as f64 / n as f64 });
        }
    }
    means
}

/// Window around a position on an axis of this length. Near the ends it stays symmetric as far as
/// possible: under a gradient of light a symmetric window has no bias.
fn window(position: usize, length: usize, radius: usize) -> std::ops::Range<usize> {
    let to_border = position.min(length - 1 - position);
    let radius = to_border.clamp((radius / AT_BORDER).max(1), radius);
    position.saturating_sub(radius)..(position + radius + 1).min(length)
}

impl SumTable {
    /// Table of the values of all pixels.
    fn new(photo: &Gray, value: impl Fn(usize) -> u64) -> SumTable {
        let stride = photo.width + 1;
        let mut sums = vec![0; stride * (photo.height + 1)];
        for y in 0..photo.height {
            let mut row_sum = 0;
            for x in 0..photo.width {
                row_sum += value(y * photo.width + x);
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row_sum;
            }
        }
        SumTable { stride, sums }
    }

    fn sum(&self, rows: &std::ops::Range<usize>, columns: &std::ops::Range<usize>) -> u64 {
        let at = |y: usize, x: usize| self.sums[y * self.stride + x];
        at(rows.end, columns.end) + at(rows.start, columns.start)
            - at(rows.start, columns.end)
            - at(rows.end, columns.start)
    }
}

/// Otsu's threshold; the first, if several are best.
fn otsu(histogram: &[u64; 256]) -> Split {
    let n_pixels: u64 = histogram.iter().sum();
    let total: u64 = (0..).zip(histogram).map(|(value, count)| value * count).sum();
    let mut best = Split { threshold: 255, paper: 0.0, ink: 0.0 };
    let mut best_variance = 0.0;
    let mut n_paper = 0;
    let mut sum_paper = 0;
    for threshold in 0..255u8 {
        let count = histogram[usize::from(threshold)];
        n_paper += count;
        sum_paper += count * u64::from(threshold);
        let n_ink = n_pixels - n_paper;
        if n_paper == 0 || n_ink == 0 {
            continue;
        }
        let paper = sum_paper as f64 / n_paper as f64;
        let ink = (total - sum_paper) as f64 / n_ink as f64;
        let variance = n_paper as f64 * n_ink as f64 * (ink - paper) * (ink - paper);
        if variance > best_variance {
            best_variance = variance;
            best = Split { threshold, paper, ink };
        }
    }
    best
}
