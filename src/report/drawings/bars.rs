//! Bars of shares, as the probabilities of classes.

use super::{Color, Terminal, label, padding};
use unicode_width::UnicodeWidthStr;

/// Longest bar in columns.
const LENGTH: usize = 24;

/// Maximum width of a name in columns.
const MAX_NAME: usize = 16;

/// Ends of bars, by eighths of a column.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Color of the bar that is meant first.
const FIRST: Color = Color { red: 60, green: 160, blue: 90 };

/// Color of the others.
const OTHERS: Color = Color { red: 110, green: 130, blue: 170 };

/// Share with a name.
///
/// ```
/// use tallynet::report::drawings::{Bar, Colors, Terminal, bars};
///
/// let all = [Bar { name: "cat".into(), share: 0.75 }, Bar { name: "dog".into(), share: 0.25 }];
/// let lines = bars(&all, Terminal { colors: Colors::None });
/// assert_eq!(lines[1], "dog   25.0 %  ██████");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Name of the class.
    pub name: String,
    /// Share, from 0 to 1.
    pub share: f64,
}

/// A line for each share: name, percentage and bar. The largest share is green.
pub fn bars(bars: &[Bar], terminal: Terminal) -> Vec<String> {
    let largest = bars.iter().map(|bar| bar.share).fold(f64::NEG_INFINITY, f64::max);
    let names: Vec<String> = bars.iter().map(|bar| label(&bar.name, MAX_NAME)).collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let mut lines = vec![];
    for (bar, name) in bars.iter().zip(&names) {
        // A cast takes NaN and negative numbers to 0.
        let eighths = (bar.share.min(1.0) * (8 * LENGTH) as f64 + 0.5) as usize;
        let text = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
        let color = if bar.share == largest { FIRST } else { OTHERS };
        let text = if text.is_empty() { text } else { terminal.paint(&text, Some(color), None) };
        let percent = 100.0 * bar.share;
        let padding = padding(name, width);
        let line = format!("{name}{padding}  {percent:>5.1} %  {text}");
        lines.push(line.trim_end().to_string());
    }
    lines
}
