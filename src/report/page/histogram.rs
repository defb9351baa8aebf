//! Histograms: the distribution of values.

use serde::Serialize;

use super::text::number;

/// Histogram: bars as shares of the highest one.
#[derive(Debug, Clone, Serialize)]
pub struct Histogram {
    pub bars: Vec<Bar>,
    pub low: String,
    pub high: String,
    /// Place of 0 from 0 to 100, if it is inside.
    pub zero: Option<f64>,
}

/// Bar of a histogram, in percent of its width and height.
#[derive(Debug, Clone, Serialize)]
pub struct Bar {
    pub x: f64,
    pub width: f64,
    pub height: f64,
    pub text: String,
}

/// Number of bars of a histogram.
const BARS: usize = 40;

impl Histogram {
    /// Histogram of the finite ones of these values; `None` without any.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Histogram> {
        let finite = values.filter(|value| value.is_finite());
        let low = finite.clone().fold(f64::INFINITY, f64::min);
        let high = finite.clone().fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return None;
        }
        let n_bars = if low == high { 1 } else { BARS };
        let step = (high - low) / n_bars as f64;
        let mut counts = vec![0usize; n_bars];
        for value in finite {
            let bar = if step > 0.0 { ((value - low) / step) as usize } else { 0 };
            counts[bar.min(n_bars - 1)] += 1;
        }
        let highest = counts.iter().copied().max().unwrap_or(1).max(1);
        let width = 100.0 / n_bars as f64;
        let mut bars = vec![];
        for (i, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            let from = low + i as f64 * step;
            bars.push(Bar {
                x: rounded(i as f64 * width),
                width: rounded(width),
                height: rounded(100.0 * count as f64 / highest as f64),
                text: format!("{count} from {} to {}", number(from), number(from + step)),
            });
        }
        let is_inside = low < 0.0 && high > 0.0;
        let zero = if is_inside { Some(rounded(-100.0 * low / (high - low))) } else { None };
        Some(Histogram { bars, low: number(low), high: number(high), zero })
    }
}

/// To a hundredth.
fn rounded(value: f64) -> f64 {
    (100.0 * value).round() / 100.0
}
