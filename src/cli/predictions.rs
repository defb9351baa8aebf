//! Predictions as rows: the class of each sample with its probability, or its numbers.

use ndarray::ArrayD;
use tallynet::Real;
use tallynet::report::{ClassProbability, Classes, Form, by_sample};

use super::Failure;
use super::output_table::{Cell, OutputTable};

/// Columns of predicted classes.
#[derive(Clone, Copy, PartialEq)]
pub enum ClassColumns {
    /// The class and the runner-up with their probabilities.
    Best,
    /// Those, and a list of the probabilities of all classes, for programs.
    All,
}

/// Rows of predictions. `files` names the image of each row; it is empty for other inputs.
pub fn predictions(
    form: &Form,
    outputs: ArrayD<Real>,
    files: &[String],
    columns: ClassColumns,
) -> Result<OutputTable, Failure> {
    let mut table = match form {
        Form::Classes(classes) => class_rows(classes, outputs, columns)?,
        Form::Numbers(names) => numbers(names.clone(), outputs)?,
        Form::Array => return Err(Failure::usage("arrays have no rows of text")),
    };
    let first_columns: Vec<&str> = if files.is_empty() { vec!["row"] } else { vec!["row", "file"] };
    table.columns.splice(0..0, first_columns.into_iter().map(str::to_string));
    for (i, row) in table.rows.iter_mut().enumerate() {
        let file = files.get(i).map(|file| Cell::Text(file.clone()));
        row.splice(0..0, [Cell::Count(i + 1)].into_iter().chain(file));
    }
    Ok(table)
}

fn class_rows(
    classes: &Classes,
    outputs: ArrayD<Real>,
    columns: ClassColumns,
) -> Result<OutputTable, Failure> {
    let names = if classes.are_probabilities {
        ["class", "probability", "runner_up", "runner_up_probability", "probabilities"]
    } else {
        ["class", "output", "runner_up", "runner_up_output", "outputs"]
    };
    let n_columns = if columns == ClassColumns::All { names.len() } else { names.len() - 1 };
    let probabilities = classes.probabilities(outputs)?;
    let mut rows = vec![];
    for (i, prediction) in classes.predictions_of(&probabilities).iter().enumerate() {
        let mut row = vec![];
        for class in [prediction.first, prediction.runner_up] {
            row.extend(cells(classes, class));
        }
        if columns == ClassColumns::All {
            row.push(Cell::List(probabilities.row(i).to_vec()));
        }
        rows.push(row);
    }
    Ok(OutputTable {
        columns: names[..n_columns].iter().map(|name| name.to_string()).collect(),
        rows,
    })
}

/// Name and probability of a class.
fn cells(classes: &Classes, class: ClassProbability) -> Vec<Cell> {
    vec![class_cell(classes, class.class), Cell::Probability(class.probability)]
}

/// Name of a class, or its label as a number.
pub fn class_cell(classes: &Classes, class: usize) -> Cell {
    match classes.known_name(class) {
        Some(name) => Cell::Text(name.clone()),
        None => Cell::Count(class),
    }
}

fn numbers(columns: Vec<String>, outputs: ArrayD<Real>) -> Result<OutputTable, Failure> {
    let outputs = by_sample(outputs)?;
    let rows = outputs.rows().into_iter();
    let rows = rows.map(|row| row.iter().map(|value| Cell::Number(*value)).collect()).collect();
    Ok(OutputTable { columns, rows })
}
