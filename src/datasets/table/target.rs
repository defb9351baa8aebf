//! The target columns of a table: classes or numbers.

use std::str::FromStr;

use ndarray::{Array1, ArrayD};

use super::dictionary::{MAX_STRINGS, Vocabulary};
use super::names;
use crate::datasets::Targets;
use crate::{Error, Real, Result};

/// Maximum number of distinct integers that count as classes unless the task is given.
const FEW: usize = 20;

/// Integers below it are exact in single precision.
const EXACT: Real = 16_777_216.0;

/// Kind of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Classes.
    Classification,
    /// Numbers.
    Regression,
}

impl FromStr for Task {
    type Err = Error;

    fn from_str(name: &str) -> Result<Task> {
        match name {
            "classification" => Ok(Task::Classification),
            "regression" => Ok(Task::Regression),
            _ => {
                let problem =
                    format!("{name:?} is not a task; choose classification or regression");
                Err(Error::option("task", problem))
            }
        }
    }
}

/// Target columns as they were read, row by row.
pub struct TargetColumns {
    /// Names.
    pub names: Vec<String>,
    /// Numbers, or the codes of strings.
    pub values: Vec<Real>,
    /// Strings of the target, if it is a single column of strings.
    pub vocabulary: Option<Vocabulary>,
}

/// Targets and the decision about them.
#[derive(Debug)]
pub struct DecidedTargets {
    /// Labels or numbers.
    pub y: Targets,
    /// Name of each class; empty for a regression.
    pub classes: Vec<String>,
    /// Kind.
    pub task: Task,
    /// Kind and its reason, for the user.
    pub reason: String,
}

/// Decides between classes and numbers. Strings are classes; a number is a class if there are few
/// different ones, all integers, and each stands for two rows or more on average.
pub fn decide(target: TargetColumns, wanted: Option<Task>) -> Result<DecidedTargets> {
    let TargetColumns { names, values, vocabulary } = target;
    if let Some(vocabulary) = vocabulary {
        return of_strings(&names[0], &values, vocabulary, wanted);
    }
    if names.len() > 1 {
        return of_several(&names, values, wanted);
    }
    of_numbers(&names[0], values, wanted)
}

/// Targets of a column of numbers.
fn of_numbers(name: &str, values: Vec<Real>, wanted: Option<Task>) -> Result<DecidedTargets> {
    let different = different_numbers(&values);
    let count = different.len();
    let is_integer = |value: &Real| value.fract() == 0.0 && value.abs() < EXACT;
    let are_few = count <= FEW && values.len() >= 2 * count;
    let are_classes = are_few && different.iter().all(is_integer);
    let task = match wanted {
        Some(task) => task,
        None if are_classes => Task::Classification,
        None => Task::Regression,
    };
    if task == Task::Classification && count > MAX_STRINGS {
        return Err(Error::format(
            format!("the target {name:?} has more than {MAX_STRINGS} different numbers"),
            "use it as a number: --task regression",
        ));
    }
    let reason = reason(name, &different, task, wanted.is_some());
    if task == Task::Regression {
        return regression(1, values, reason);
    }
    let classes = different.iter().map(Real::to_string).collect();
    classification(name, labels(&values, &different)?, classes, reason)
}

/// Kind of a column of numbers and its reason.
fn reason(name: &str, different: &[Real], task: Task, is_asked_for: bool) -> String {
    let count = different.len();
    match (task, is_asked_for) {
        (Task::Classification, true) => {
            format!(
                "classification: the target {name:?} has {count} classes, {} to {}",
                different[0],
                different[count - 1]
            )
        }
        (Task::Classification, false) => format!(
            "classification: the target {name:?} holds {count} different integers, {} to {} \
             (--task regression takes it as a number)",
            different[0],
            different[count - 1]
        ),
        (Task::Regression, true) => {
            format!("regression: the target {name:?} is a number")
        }
        (Task::Regression, false) if count > MAX_STRINGS => {
            format!(
                "regression: the target {name:?} holds more than {MAX_STRINGS} different numbers"
            )
        }
        (Task::Regression, false) => format!(
            "regression: the target {name:?} holds {count} different numbers (--task \
             classification takes them as classes)"
        ),
    }
}

/// Targets of a column of strings.
fn of_strings(
    name: &str,
    codes: &[Real],
    vocabulary: Vocabulary,
    wanted: Option<Task>,
) -> Result<DecidedTargets> {
    if wanted == Some(Task::Regression) {
        let strings = names::list(&vocabulary.values);
        let found = format!("a regression needs numbers, and the target {name:?} holds {strings}");
        return Err(Error::format(found, "choose another target, or use --task classification"));
    }
    let labels = codes.iter().map(|code| vocabulary.ranks[*code as usize] as u32).collect();
    let count = vocabulary.values.len();
    let strings = names::list(&vocabulary.values);
    let reason = format!("classification: the target {name:?} holds {count} strings, {strings}");
    classification(name, labels, vocabulary.values, reason)
}

/// Targets of several columns of numbers.
fn of_several(names: &[String], values: Vec<Real>, wanted: Option<Task>) -> Result<DecidedTargets> {
    let n = names.len();
    if wanted != Some(Task::Classification) {
        return regression(n, values, format!("regression: the {n} targets are numbers"));
    }
    let is_flag = |value: &Real| *value == 0.0 || *value == 1.0;
    if let Some(position) = values.iter().position(|value| !is_flag(value)) {
        let row = position / n + 1;
        let name = &names[position % n];
        let value = values[position];
        return Err(Error::format(
            format!("row {row}: the target {name:?} is {value}"),
            "several targets of a classification must each be 0 or 1; for numbers, use --task \
             regression",
        ));
    }
    let reason = format!("classification: each of the {n} targets is 0 or 1");
    let decided = regression(n, values, reason)?;
    Ok(DecidedTargets { task: Task::Classification, ..decided })
}

fn classification(
    name: &str,
    labels: Vec<u32>,
    classes: Vec<String>,
    reason: String,
) -> Result<DecidedTargets> {
    if let [only] = &classes[..] {
        return Err(Error::format(
            format!("the target {name:?} is {only:?} in every row"),
            "a classification needs two classes or more",
        ));
    }
    let y = Targets::Labels(Array1::from(labels).into_dyn());
    Ok(DecidedTargets { y, classes, task: Task::Classification, reason })
}

fn regression(n_targets: usize, values: Vec<Real>, reason: String) -> Result<DecidedTargets> {
    let y = reals(n_targets, values)?;
    Ok(DecidedTargets { y, classes: vec![], task: Task::Regression, reason })
}

/// Numbers with this many columns.
pub fn reals(n_targets: usize, values: Vec<Real>) -> Result<Targets> {
    let shape = vec![values.len() / n_targets, n_targets];
    let array = ArrayD::from_shape_vec(shape, values);
    Ok(Targets::Reals(array.map_err(|error| Error::Data(error.to_string()))?))
}

/// The different numbers, sorted; at most one more than there may be classes.
fn different_numbers(values: &[Real]) -> Vec<Real> {
    let mut sorted: Vec<Real> = vec![];
    for value in values {
        if let Err(at) = sorted.binary_search_by(|other| order(*other, *value)) {
            sorted.insert(at, *value + 0.0);
            if sorted.len() > MAX_STRINGS {
                break;
            }
        }
    }
    sorted
}

/// Order of numbers; 0 and −0 are equal.
fn order(a: Real, b: Real) -> std::cmp::Ordering {
    (a + 0.0).total_cmp(&(b + 0.0))
}

/// Labels of numbers: their positions among the sorted classes. Another number is an error.
pub fn labels(values: &[Real], classes: &[Real]) -> Result<Vec<u32>> {
    let mut labels = Vec::with_capacity(values.len());
    for (row, value) in values.iter().enumerate() {
        match classes.binary_search_by(|other| order(*other, *value)) {
            Ok(label) => labels.push(label as u32),
            Err(_) => {
                let known: Vec<String> = classes.iter().map(Real::to_string).collect();
                return Err(Error::format(
                    format!("row {}: the target is {value}, not seen in training", row + 1),
                    format!("the classes are {}", names::list(&known)),
                ));
            }
        }
    }
    Ok(labels)
}

/// The classes as numbers, if all of them are.
pub fn numeric_classes(classes: &[String]) -> Option<Vec<Real>> {
    let numbers: Option<Vec<Real>> = classes.iter().map(|name| name.parse().ok()).collect();
    numbers.filter(|numbers| numbers.is_sorted_by(|a, b| a < b))
}
