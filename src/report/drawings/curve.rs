//! Curves over the epochs of a training.

use std::ops::RangeInclusive;

use super::{Color, Terminal};

/// Lines of a chart, without its axis.
const HEIGHT: usize = 10;

/// Columns of a chart, without its axis.
const WIDTH: usize = 60;

/// Columns between two epochs, at most.
const MAX_STEP: usize = 6;

/// Curve with one value per epoch. Values that are not finite are left out.
///
/// ```
/// use tallynet::report::drawings::{Colors, Curve, Terminal, curves};
///
/// let loss = Curve { name: "loss", values: &[1.0, 0.5, 0.4], mark: '•' };
/// let lines = curves(&[loss], 1, Terminal { colors: Colors::None });
/// assert!(lines[0].contains("1.0000"));
/// assert!(lines.last().is_some_and(|line| line.contains("• loss")));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Curve<'a> {
    /// Name, for the legend.
    pub name: &'a str,
    /// Value of each epoch.
    pub values: &'a [f64],
    /// Character that draws it.
    pub mark: char,
}

/// Colors of the curves, in turn.
const COLORS: [Color; 2] =
    [Color { red: 70, green: 130, blue: 220 }, Color { red: 220, green: 140, blue: 40 }];

/// Chart of these curves, whose first value is that of this epoch; later curves are drawn over
/// earlier ones. Empty if there are fewer than two epochs, or no finite values.
pub fn curves(curves: &[Curve], first_epoch: usize, terminal: Terminal) -> Vec<String> {
    let n_epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0);
    let finite = curves.iter().flat_map(|curve| curve.values).filter(|value| value.is_finite());
    let lowest = finite.clone().copied().fold(f64::INFINITY, f64::min);
    let highest = finite.copied().fold(f64::NEG_INFINITY, f64::max);
    if n_epochs < 2 || lowest > highest {
        return vec![];
    }
    let width = ((n_epochs - 1) * MAX_STEP + 1).min(WIDTH);
    let mut cells = vec![vec![None; width]; HEIGHT];
    for (number, curve) in curves.iter().enumerate() {
        let mut earlier = None;
        for column in 0..width {
            let value = at_column(curve.values, column, width, n_epochs);
            let row = value.map(|value| row(value, lowest, highest));
            if let Some(row) = row {
                for line in &mut cells[rows_between(earlier, row)] {
                    line[column] = Some(number);
                }
            }
            earlier = row;
        }
    }
    let axis = [number(highest), number((highest + lowest) / 2.0), number(lowest)];
    let mut lines = rows(&cells, &axis, curves, terminal);
    lines.extend(epochs_and_legend(curves, first_epoch, n_epochs, width, &axis, terminal));
    lines
}

/// Row of a value, from the top.
fn row(value: f64, lowest: f64, highest: f64) -> usize {
    let span = (highest - lowest).max(f64::MIN_POSITIVE);
    let row = (highest - value) / span * (HEIGHT - 1) as f64 + 0.5;
    (row as usize).min(HEIGHT - 1)
}

/// Rows that a column gets: that of its value, and those which a steep curve has skipped since the
/// column before.
fn rows_between(earlier: Option<usize>, row: usize) -> RangeInclusive<usize> {
    match earlier {
        Some(earlier) if earlier + 1 < row => earlier + 1..=row,
        Some(earlier) if row + 1 < earlier => row..=earlier - 1,
        _ => row..=row,
    }
}

/// Value at a column, between those of the epochs on both sides.
fn at_column(values: &[f64], column: usize, width: usize, n_epochs: usize) -> Option<f64> {
    let position = column as f64 * (n_epochs - 1) as f64 / (width - 1) as f64;
    let before = *values.get(position.floor() as usize)?;
    let after = *values.get(position.ceil() as usize)?;
    let value = before + (after - before) * position.fract();
    Some(value).filter(|value| value.is_finite())
}

/// Lines of the chart with its axis, whose numbers are at the top, in the middle and at the bottom.
fn rows(
    cells: &[Vec<Option<usize>>],
    axis: &[String; 3],
    curves: &[Curve],
    terminal: Terminal,
) -> Vec<String> {
    let indent = axis_width(axis);
    let mut lines = vec![];
    for (y, row) in cells.iter().enumerate() {
        let (text, tick) = match y {
            0 => (axis[0].as_str(), '┤'),
            _ if y == HEIGHT / 2 => (axis[1].as_str(), '┤'),
            _ if y == HEIGHT - 1 => (axis[2].as_str(), '┤'),
            _ => ("", '│'),
        };
        let mut line = format!("{text:>indent$} {tick}");
        for cell in row {
            match cell {
                Some(number) => line += &mark(curves, *number, terminal),
                None => line.push(' '),
            }
        }
        lines.push(line.trim_end().to_string());
    }
    lines
}

/// The axis of the epochs, and the names of the curves with their marks.
fn epochs_and_legend(
    curves: &[Curve],
    first_epoch: usize,
    n_epochs: usize,
    width: usize,
    axis: &[String; 3],
    terminal: Terminal,
) -> [String; 2] {
    let indent = " ".repeat(axis_width(axis) + 1);
    let (first, last) = (first_epoch.to_string(), (first_epoch + n_epochs - 1).to_string());
    let gap = (width + 1).saturating_sub(first.len() + last.len() + "epoch ".len());
    let epochs = format!("{indent}epoch {first}{}{last}", " ".repeat(gap.max(1)));
    let mut names = vec![];
    for (number, curve) in curves.iter().enumerate() {
        names.push(format!("{} {}", mark(curves, number, terminal), curve.name));
    }
    [epochs, format!("{indent}{}", names.join("   "))]
}

fn mark(curves: &[Curve], number: usize, terminal: Terminal) -> String {
    let color = COLORS[number % COLORS.len()];
    terminal.paint(&curves[number].mark.to_string(), Some(color), None)
}

fn axis_width(axis: &[String; 3]) -> usize {
    axis.iter().map(String::len).max().unwrap_or(0)
}

/// Number with four decimals, or with an exponent if it is very small or large.
fn number(value: f64) -> String {
    let size = value.abs();
    let is_short = size == 0.0 || (1e-3..1e6).contains(&size);
    if is_short { format!("{value:.4}") } else { format!("{value:.2e}") }
}
