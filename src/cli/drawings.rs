//! Drawings of results for a person at a terminal.

use std::cmp::Ordering;

use ndarray::{ArrayD, ArrayView1, Axis};
use tallynet::Real;
use tallynet::datasets::{Dataset, ImageShape, Inputs};
use tallynet::model::Sequential;
use tallynet::report::ConfusionMatrix;
use tallynet::report::drawings::{
    Bar, Curve, Terminal, bars, confusion, curves, half_blocks, image_columns, label, side_by_side,
};
use tallynet::report::{Classes, Form, by_sample};
use tallynet::training::History;

use super::Failure;
use super::output_table::Cell;

/// Maximum width of the name of a file in columns.
const MAX_NAME: usize = 60;

/// Maximum number of classes or numbers beside an image.
const MAX_LINES: usize = 10;

/// Maximum number of classes that are compared with each other.
const MAX_CLASSES: usize = 1000;

/// Images with the outputs for each.
pub struct SeenImages<'a> {
    /// Names of the files.
    pub files: &'a [String],
    /// Bytes of the images, one after the other.
    pub inputs: &'a Inputs,
    /// Size of an image.
    pub size: ImageShape,
    /// Outputs of the model.
    pub outputs: ArrayD<Real>,
}

impl SeenImages<'_> {
    /// Each image as the model sees it, with the probabilities of the classes or the numbers that
    /// are the model's output.
    pub fn draw(self, form: &Form, terminal: Terminal) -> Result<String, Failure> {
        let Inputs::Bytes { values, .. } = self.inputs else { return Ok(String::new()) };
        let outputs = match form {
            Form::Classes(classes) => classes.probabilities(self.outputs)?,
            _ => by_sample(self.outputs)?,
        };
        let mut text = String::new();
        for (i, file) in self.files.iter().enumerate() {
            let image: Vec<u8> = values.index_axis(Axis(0), i).iter().copied().collect();
            let image = half_blocks(&image, self.size, terminal);
            let Answer { title, lines } = match form {
                Form::Classes(classes) => Answer::of_classes(classes, outputs.row(i), terminal),
                Form::Numbers(names) => Answer::of_numbers(names, outputs.row(i)),
                Form::Array => Answer::default(),
            };
            let gap = if text.is_empty() { "" } else { "\n" };
            let file = label(file, MAX_NAME);
            text += &format!("{gap}{file}, as the model sees it{title}\n");
            for line in side_by_side(&image, image_columns(self.size), &lines) {
                text += &format!("{line}\n");
            }
        }
        Ok(text)
    }
}

/// Answer of a model for one image.
#[derive(Default)]
struct Answer {
    /// `: cat`; empty for numbers.
    title: String,
    /// Bars of the most probable classes, or numbers.
    lines: Vec<String>,
}

impl Answer {
    /// Answer with the first of the classes by probability, and bars for the first ten in the order
    /// of their labels.
    fn of_classes(classes: &Classes, outputs: ArrayView1<Real>, terminal: Terminal) -> Answer {
        let shares = match outputs.to_vec()[..] {
            [second] => vec![1.0 - second, second],
            ref all => all.to_vec(),
        };
        let mut order: Vec<usize> = (0..shares.len()).collect();
        // The sort is stable, so that of equals the first label is the answer.
        order.sort_by(|a, b| shares[*b].partial_cmp(&shares[*a]).unwrap_or(Ordering::Equal));
        let title = format!(": {}", label(&classes.name(order[0]), MAX_NAME));
        order.truncate(MAX_LINES);
        order.sort_unstable();
        let mut all = vec![];
        for class in order {
            all.push(Bar { name: classes.name(class), share: f64::from(shares[class]) });
        }
        if classes.are_probabilities {
            return Answer { title, lines: bars(&all, terminal) };
        }
        let lines = all.iter().map(|bar| number_line(&bar.name, bar.share as Real)).collect();
        Answer { title, lines }
    }

    /// The first ten numbers with their names.
    fn of_numbers(names: &[String], outputs: ArrayView1<Real>) -> Answer {
        let numbers = names.iter().zip(outputs).take(MAX_LINES);
        let lines = numbers.map(|(name, value)| number_line(name, *value)).collect();
        Answer { title: String::new(), lines }
    }
}

fn number_line(name: &str, value: Real) -> String {
    format!("{}  {}", label(name, MAX_NAME), Cell::Number(value).text())
}

/// Loss of each epoch, of the training and the validation; nothing for a single epoch.
pub fn losses(history: &History, terminal: Terminal) -> String {
    let first_epoch = history.epochs.first().map_or(1, |epoch| epoch + 1);
    let mut all = vec![];
    for (name, mark) in [("loss", '•'), ("val_loss", '×')] {
        if let Some(values) = history.get(name) {
            all.push(Curve { name, values, mark });
        }
    }
    block(curves(&all, first_epoch, terminal))
}

/// Confusion matrix on a test set; nothing for a model without classes, or with very many, or for
/// targets that are no classes.
pub fn confusion_on(model: &Sequential, test: &Dataset, terminal: Terminal) -> String {
    let Form::Classes(classes) = Form::of(model) else { return String::new() };
    if classes.len() > MAX_CLASSES {
        return String::new();
    }
    match predicted_confusion(&classes, model, test) {
        Ok(matrix) => confusion_matrix(&classes, &matrix, terminal),
        Err(_) => String::new(),
    }
}

fn predicted_confusion(
    classes: &Classes,
    model: &Sequential,
    test: &Dataset,
) -> tallynet::Result<ConfusionMatrix> {
    let true_classes = classes.true_classes(&test.y)?;
    let predictions = classes.predictions(model.predict(&test.x)?)?;
    Ok(classes.confusion(&true_classes, &predictions))
}

/// Confusion matrix of these classes; nothing for very many.
pub fn confusion_matrix(classes: &Classes, matrix: &ConfusionMatrix, terminal: Terminal) -> String {
    if classes.len() > MAX_CLASSES {
        return String::new();
    }
    let names: Vec<String> = (0..classes.len()).map(|class| classes.name(class)).collect();
    block(confusion(matrix, &names, terminal))
}

/// The lines after a blank one; nothing if there are none.
fn block(lines: Vec<String>) -> String {
    if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join("\n")) }
}
