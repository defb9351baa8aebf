//! Charts: the geometry of their lines and points. The template draws them as SVG.

use serde::Serialize;

use super::curve::Curve;
use super::scale::{BOTTOM, HEIGHT, LEFT, RIGHT, Scale, Tick, WIDTH};
use super::text::number;

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
    /// Name of the horizontal axis; the title says the vertical one.
    pub x_name: String,
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub bottom: f64,
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    pub lines: Vec<Line>,
    pub rules: Vec<Rule>,
}

impl Chart {
    /// Chart without lines.
    pub fn new(title: impl Into<String>, x_name: &str) -> Chart {
        Chart {
            title: title.into(),
            x_name: x_name.to_string(),
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
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
        let height = 15.0 + 16.0 * self.rules.len().min(1) as f64;
        self.rules.push(Rule { x, text, anchor, height });
    }
}

impl Line {
    /// Line through the values that are there, at the numbers of their epochs.
    pub fn through(
        name: &str,
        style: &'static str,
        curve: &Curve,
        x: &Scale,
        y: &Scale,
        has_marks: bool,
    ) -> Line {
        let mut line = Line { name: name.to_string(), style, stretches: vec![], marks: vec![] };
        let mut stretch = String::new();
        for (epoch, value) in curve.epochs.iter().zip(&curve.values) {
            let Some(value) = value.filter(|value| value.is_finite()) else {
                line.stretches.push(std::mem::take(&mut stretch));
                continue;
            };
            let (at_x, at_y) = (x.place(*epoch as f64), y.place(value));
            stretch += &format!("{at_x},{at_y} ");
            if has_marks {
                let text = format!("epoch {epoch}: {name} {}", number(value));
                line.marks.push(Mark { x: at_x, y: at_y, text });
            }
        }
        line.stretches.push(stretch);
        line.stretches.retain(|stretch| !stretch.is_empty());
        line
    }
}
