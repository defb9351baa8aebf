//! Charts: the geometry of their lines, points and bars. The template draws them as SVG.

use serde::Serialize;

use super::text::number;

/// Size of a chart in units of its drawing.
pub const WIDTH: f64 = 640.0;
pub const HEIGHT: f64 = 280.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 38.0;

/// Label at a place of an axis.
#[derive(Debug, Clone, Serialize)]
pub struct Tick {
    pub at: f64,
    pub label: String,
}

/// Curve, or marks without a curve.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub name: String,
    /// Class of the style sheet, which gives its color and dashes.
    pub style: &'static str,
    /// Points of each stretch without gaps, as in the attribute `points`.
    pub stretches: Vec<String>,
    /// Marks with their text, if there are few.
    pub marks: Vec<Mark>,
}

/// Point with a text.
#[derive(Debug, Clone, Serialize)]
pub struct Mark {
    pub x: f64,
    pub y: f64,
    pub text: String,
}

/// Vertical line with a text.
#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    pub x: f64,
    pub text: String,
    /// End of the text that is at the rule: `start` or `end`.
    pub anchor: &'static str,
    /// Place of the text, above the curves.
    pub height: f64,
}

/// Chart of curves or points.
#[derive(Debug, Clone, Serialize)]
pub struct Chart {
    pub title: String,
    /// Names of the axes.
    pub x_name: String,
    pub y_name: String,
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    pub lines: Vec<Line>,
    pub rules: Vec<Rule>,
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
fn short(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.5}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

impl Chart {
    /// Chart without lines.
    pub fn new(title: impl Into<String>, x_name: &str, y_name: &str) -> Chart {
        Chart {
            title: title.into(),
            x_name: x_name.to_string(),
            y_name: y_name.to_string(),
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            top: TOP,
            bottom: HEIGHT - BOTTOM,
            x_ticks: vec![],
            y_ticks: vec![],
            lines: vec![],
            rules: vec![],
        }
    }

    /// Vertical line with a text, on the side that has room.
    pub fn rule(&mut self, x: f64, text: String) {
        let anchor = if x > (self.left + self.right) / 2.0 { "end" } else { "start" };
        // Further texts would cover each other.
        let text = if self.rules.len() < 2 { text } else { String::new() };
        let height = 10.0 + 13.0 * self.rules.len().min(1) as f64;
        self.rules.push(Rule { x, text, anchor, height });
    }
}

impl Line {
    /// Line through the values that are there; x is their number from 1.
    pub fn through(
        name: &str,
        style: &'static str,
        values: &[Option<f64>],
        x: &Scale,
        y: &Scale,
        has_marks: bool,
    ) -> Line {
        let mut line = Line { name: name.to_string(), style, stretches: vec![], marks: vec![] };
        let mut stretch = String::new();
        for (i, value) in values.iter().enumerate() {
            let Some(value) = value.filter(|value| value.is_finite()) else {
                line.stretches.push(std::mem::take(&mut stretch));
                continue;
            };
            let (at_x, at_y) = (x.place((i + 1) as f64), y.place(value));
            stretch += &format!("{at_x},{at_y} ");
            if has_marks {
                let text = format!("epoch {}: {name} {}", i + 1, number(value));
                line.marks.push(Mark { x: at_x, y: at_y, text });
            }
        }
        line.stretches.push(stretch);
        line.stretches.retain(|stretch| !stretch.is_empty());
        line
    }
}

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
