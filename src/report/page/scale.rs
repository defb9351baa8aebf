//! Scales of a chart's axes: the places of values in the drawing, and ticks.

use serde::Serialize;

/// Size of a chart in units of its drawing.
pub const WIDTH: f64 = 640.0;
pub const HEIGHT: f64 = 280.0;
pub const LEFT: f64 = 58.0;
pub const RIGHT: f64 = 16.0;
pub const TOP: f64 = 38.0;
pub const BOTTOM: f64 = 38.0;

/// Label at a place of an axis.
#[derive(Debug, Clone, Serialize)]
pub struct Tick {
    pub at: f64,
    pub label: String,
}

/// Scale of an axis.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    is_logarithmic: bool,
}

/// Largest quotient of values on a linear scale of losses.
const LINEAR_RANGE: f64 = 50.0;

impl Scale {
    /// Horizontal scale of these values.
    pub fn horizontal(values: impl Iterator<Item = f64>) -> Scale {
        Scale::new(values, LEFT, WIDTH - RIGHT, 0.0)
    }

    /// Vertical scale of these values, with some room above and below.
    pub fn vertical(values: impl Iterator<Item = f64>) -> Scale {
        Scale::new(values, HEIGHT - BOTTOM, TOP, 0.05)
    }

    fn new(values: impl Iterator<Item = f64>, start: f64, end: f64, room: f64) -> Scale {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let mut range = high - low;
        if range <= 1e-9 * high.abs().max(1e-9) {
            range = (0.1 * high.abs()).max(1e-6);
            (low, high) = (low - range / 2.0, high + range / 2.0);
        }
        Scale {
            low: low - room * range,
            high: high + room * range,
            start,
            end,
            is_logarithmic: false,
        }
    }

    /// The same for losses: logarithmic if the values are positive and differ much.
    pub fn of_losses(values: impl Iterator<Item = f64> + Clone) -> Scale {
        let finite = values.clone().filter(|value| value.is_finite());
        let low = finite.clone().fold(f64::INFINITY, f64::min);
        let high = finite.fold(f64::NEG_INFINITY, f64::max);
        if low > 0.0 && high / low > LINEAR_RANGE {
            let logarithms = values.map(f64::ln);
            return Scale { is_logarithmic: true, ..Scale::vertical(logarithms) };
        }
        Scale::vertical(values)
    }

    /// True for a logarithmic scale.
    pub fn is_logarithmic(&self) -> bool {
        self.is_logarithmic
    }

    /// Place of a value in the drawing, to a tenth of a unit.
    pub fn place(&self, value: f64) -> f64 {
        let value = if self.is_logarithmic { value.ln() } else { value };
        let share = (value - self.low) / (self.high - self.low);
        let place = self.start + share * (self.end - self.start);
        (10.0 * place).round() / 10.0
    }

    /// Round values along the axis.
    pub fn ticks(&self) -> Vec<Tick> {
        let values = if self.is_logarithmic { self.powers() } else { self.round_values(1e-300) };
        let mut ticks = vec![];
        for value in values {
            let label = short(value);
            ticks.push(Tick { at: self.place(value), label });
        }
        ticks
    }

    /// Whole numbers along the axis.
    pub fn whole_ticks(&self) -> Vec<Tick> {
        let tick = |value: f64| Tick { at: self.place(value), label: format!("{value}") };
        self.round_values(1.0).into_iter().map(tick).collect()
    }

    /// About five multiples of 1, 2 or 5 times a power of ten.
    fn round_values(&self, smallest_step: f64) -> Vec<f64> {
        let rough = (self.high - self.low) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough);
        let step = (factor.unwrap_or(10.0) * power).max(smallest_step);
        let mut values = vec![];
        let mut number = (self.low / step).ceil();
        while number * step <= self.high && values.len() < 12 {
            // Without a negative zero.
            values.push(number * step + 0.0);
            number += 1.0;
        }
        values
    }

    /// 1, 2 and 5 times powers of ten, or only some of the powers if there are many.
    fn powers(&self) -> Vec<f64> {
        let (low, high) = ((self.low / 10_f64.ln()).floor(), (self.high / 10_f64.ln()).ceil());
        let every = ((high - low) / 6.0).ceil().max(1.0);
        let factors: &[f64] = if high - low <= 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut values = vec![];
        let mut power = low;
        while power <= high {
            values.extend(factors.iter().map(|factor| factor * 10_f64.powf(power)));
            power += every;
        }
        values.retain(|value| (self.low..=self.high).contains(&value.ln()));
        values
    }
}

/// A tick's label without needless zeros.
pub fn short(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.5}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
