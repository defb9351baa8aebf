//! Predictions as rows: the class of each sample with its probability, or its numbers.

use ndarray::ArrayD;
use tallynet::Real;
use tallynet::report::{ClassProbability, Classes, Form, by_sample};

use super::Failure;
use super::output_table::{Cell, OutputTable};

/// Rows of predictions. `files` names the image of each row; it is empty for other inputs.
pub fn predictions(
    form: &Form,
    outputs: ArrayD<Real>,
    files: &[String],
) -> Result<OutputTable, Failure> {
    let mut table = match form {
        Form::Classes(classes) => class_rows(classes, outputs)?,
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

/// Adds a column with the probabilities of all classes, for programs.
pub fn add_probabilities(
    table: &mut OutputTable,
    classes: &Classes,
    outputs: ArrayD<Real>,
) -> Result<(), Failure> {
    let column = if classes.are_probabilities { "probabilities" } else { "outputs" };
    table.columns.push(column.to_string());
    let outputs = classes.probabilities(outputs)?;
    for (row, outputs) in table.rows.iter_mut().zip(outputs.rows()) {
        row.push(Cell::List(outputs.to_vec()));
    }
    Ok(())
}

fn class_rows(classes: &Classes, outputs: ArrayD<Real>) -> Result<OutputTable, Failure> {
    let columns = if classes.are_probabilities {
        ["class", "probability", "runner_up", "runner_up_probability"]
    } else {
        ["class", "output", "runner_up", "runner_up_output"]
    };
    let mut rows = vec![];
    for prediction in classes.predictions(outputs)? {
        let mut row = vec![];
        for class in [prediction.first, prediction.runner_up] {
            row.extend(cells(classes, class));
        }
        rows.push(row);
    }
    Ok(OutputTable { columns: columns.map(str::to_string).to_vec(), rows })
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
