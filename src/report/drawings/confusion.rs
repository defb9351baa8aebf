//! The confusion matrix in colors, and the classes that are confused most.

use unicode_width::UnicodeWidthStr;

use super::{Color, Terminal, label, padding};
use crate::report::ConfusionMatrix;

/// Maximum number of classes of a matrix.
const MAX_CLASSES: usize = 20;

/// Maximum width of a name in columns.
const MAX_NAME: usize = 16;

/// Number of pairs that are named.
const PAIRS: usize = 3;

/// Background of samples that were given their true class, if those are all of the class.
const RIGHT: Color = Color { red: 40, green: 120, blue: 70 };

/// Background of mistakes, if those are a tenth of the class or more.
const WRONG: Color = Color { red: 180, green: 60, blue: 50 };

/// Matrix with a row for each true class and a column for each predicted one, and the pairs of
/// classes with the most mistakes. More than 20 classes have only the pairs.
///
/// ```
/// use tallynet::report::ConfusionMatrix;
/// use tallynet::report::drawings::{Colors, Terminal, confusion};
///
/// let mut matrix = ConfusionMatrix::new(2);
/// for (true_class, predicted_class) in [(0, 0), (0, 1), (1, 1)] {
///     matrix.count(true_class, predicted_class);
/// }
/// let names = ["cat".to_string(), "dog".to_string()];
/// let lines = confusion(&matrix, &names, Terminal { colors: Colors::None });
/// assert_eq!(lines[2], "cat    1    1");
/// assert_eq!(lines[5], "  cat and dog: 1 mistake (cat predicted as dog: 1)");
/// ```
pub fn confusion(confusion: &ConfusionMatrix, names: &[String], terminal: Terminal) -> Vec<String> {
    let mut lines = vec![];
    if confusion.n_classes() <= MAX_CLASSES {
        lines = matrix(confusion, names, terminal);
    }
    lines.extend(most_confused(confusion, names));
    lines
}

/// Lines of the matrix with its heads.
fn matrix(confusion: &ConfusionMatrix, names: &[String], terminal: Terminal) -> Vec<String> {
    let n_classes = confusion.n_classes();
    let names: Vec<String> =
        names.iter().take(n_classes).map(|name| label(name, MAX_NAME)).collect();
    let name_width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let cell_width = confusion.n_samples().to_string().len().clamp(4, 6) + 1;
    let mut head = " ".repeat(name_width);
    for name in &names {
        let short = label(name, cell_width - 1);
        head += &format!("{}{short}", padding(&short, cell_width));
    }
    let title = "Confusion matrix: rows are true classes, columns predicted ones".to_string();
    let mut lines = vec![title, head];
    for (true_class, name) in names.iter().enumerate() {
        let cells = cells(confusion, true_class, cell_width, terminal);
        lines.push(format!("{name}{}{cells}", padding(name, name_width)));
    }
    lines
}

/// Counts of the samples of a class, green where they are right and red where they are wrong.
fn cells(
    confusion: &ConfusionMatrix,
    true_class: usize,
    width: usize,
    terminal: Terminal,
) -> String {
    let support = confusion.scores(true_class).support;
    let mut cells = String::new();
    for predicted_class in 0..confusion.n_classes() {
        let count = confusion.get(true_class, predicted_class);
        let text = if count == 0 { "·".to_string() } else { count.to_string() };
        let share = count as f64 / support.max(1) as f64;
        let color = match count {
            0 => None,
            _ if true_class == predicted_class => Some(faded(RIGHT, share)),
            _ => Some(faded(WRONG, 10.0 * share)),
        };
        let front = color.map(|_| Color::gray(255));
        cells += &terminal.paint(&format!("{text:>width$}"), front, color);
    }
    cells
}

/// The color for a share of 1, darker for less.
fn faded(color: Color, share: f64) -> Color {
    let part = |part: u8| (f64::from(part) * share.clamp(0.2, 1.0)) as u8;
    Color { red: part(color.red), green: part(color.green), blue: part(color.blue) }
}

/// A line for each of the pairs: `  4 and 9: 41 mistakes (4 predicted as 9: 25, 9 predicted as 4:
/// 16)`.
fn most_confused(confusion: &ConfusionMatrix, names: &[String]) -> Vec<String> {
    let name = |class: usize| match names.get(class) {
        Some(name) => label(name, MAX_NAME),
        None => class.to_string(),
    };
    let mut lines = vec![];
    for pair in confusion.most_confused(PAIRS) {
        let [first, second] = pair.classes.map(name);
        let mut directions = vec![];
        if pair.first_as_second > 0 {
            directions.push(format!("{first} predicted as {second}: {}", pair.first_as_second));
        }
        if pair.second_as_first > 0 {
            directions.push(format!("{second} predicted as {first}: {}", pair.second_as_first));
        }
        let (n, directions) = (pair.total(), directions.join(", "));
        let mistakes = if n == 1 { "mistake" } else { "mistakes" };
        lines.push(format!("  {first} and {second}: {n} {mistakes} ({directions})"));
    }
    let title = if lines.is_empty() {
        "No class was predicted as another."
    } else {
        "Classes confused most:"
    };
    lines.insert(0, title.to_string());
    lines
}
