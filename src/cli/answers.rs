//! Predictions as rows: the class of each sample with its probability, or its numbers.

use ndarray::ArrayD;
use tallynet::Real;

use super::Failure;
use super::classes::{Choice, Classes, Form, by_sample};
use super::grid::{Cell, Grid};

/// Rows of predictions. `files` names the picture of each row; it is empty for other inputs.
pub fn predictions(form: &Form, outputs: ArrayD<Real>, files: &[String]) -> Result<Grid, Failure> {
    let mut grid = match form {
        Form::Classes(classes) => guesses(classes, outputs)?,
        Form::Numbers(names) => numbers(names.clone(), outputs)?,
        Form::Array => return Err(Failure::usage("arrays have no rows of text")),
    };
    let places: Vec<&str> = if files.is_empty() { vec!["row"] } else { vec!["row", "file"] };
    grid.heads.splice(0..0, places.into_iter().map(str::to_string));
    for (i, row) in grid.rows.iter_mut().enumerate() {
        let file = files.get(i).map(|file| Cell::Text(file.clone()));
        row.splice(0..0, [Cell::Count(i + 1)].into_iter().chain(file));
    }
    Ok(grid)
}

fn guesses(classes: &Classes, outputs: ArrayD<Real>) -> Result<Grid, Failure> {
    let heads = if classes.are_probabilities {
        ["class", "probability", "runner_up", "runner_up_probability"]
    } else {
        ["class", "output", "runner_up", "runner_up_output"]
    };
    let mut rows = vec![];
    for guess in classes.guesses(outputs)? {
        let mut row = vec![];
        for choice in [guess.first, guess.runner_up] {
            row.extend(cells(classes, choice));
        }
        rows.push(row);
    }
    Ok(Grid { heads: heads.map(str::to_string).to_vec(), rows })
}

/// Name and probability of a choice.
fn cells(classes: &Classes, choice: Choice) -> Vec<Cell> {
    vec![class_cell(classes, choice.class), Cell::Probability(choice.probability)]
}

/// Name of a class, or its label as a number.
pub fn class_cell(classes: &Classes, class: usize) -> Cell {
    match classes.known_name(class) {
        Some(name) => Cell::Text(name.clone()),
        None => Cell::Count(class),
    }
}

fn numbers(heads: Vec<String>, outputs: ArrayD<Real>) -> Result<Grid, Failure> {
    let outputs = by_sample(outputs)?;
    let rows = outputs.rows().into_iter();
    let rows = rows.map(|row| row.iter().map(|value| Cell::Number(*value)).collect()).collect();
    Ok(Grid { heads, rows })
}
