//! Tables in text (CSV): numbers, categories and targets of a model.
//!
//! The layout is found out from the first rows: separator (`,` `;` tab `|`), quotes, header, and
//! the columns of numbers. Then the table is read once, and is in memory only as the numbers that
//! it becomes. A comma is a decimal separator where values are separated by `;`, and then in all
//! numbers of the table. Strings are UTF-8 or Latin-1, cell by cell.
//!
//! - A column of numbers becomes one feature, unchanged: [`Statistics`] are for a Normalization
//!   layer, which keeps the scaling in the model.
//! - A column of strings becomes one feature for each of its strings, 1 for the row's string and 0
//!   for the others. A string that the training has not seen is an error, as in scikit-learn's
//!   `OneHotEncoder`: an all-zero vector would stand for none of the categories.
//! - Missing values (nothing, `NA`, `N/A`, `NaN`, `null`, `?`) are errors that name row and column.
//! - Columns without a name in a header, such as the row numbers that pandas writes, are ignored.

mod cells;
mod dictionary;
mod encode;
mod features;
mod layout;
mod names;
mod number;
mod rows;
mod sample;
mod statistics;
mod target;
mod warnings;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

pub use encode::{EncodedTable, encode, encode_from, encode_inputs};
pub use statistics::Statistics;
pub use target::Task;

use self::cells::{Cells, Role};
use self::dictionary::{Dictionary, Vocabulary};
use self::features::Feature;
use self::layout::Layout;
use self::sample::Sample;
use self::target::{DecidedTargets, TargetColumns};
use super::doctor::Warning;
use super::{Column, DataDescription, Dataset};
use crate::{Error, Real, Result};

/// Roles of a table's columns in a training. A number in place of a name is a position, counted
/// from 1.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    /// Target columns: one, or several with numbers.
    pub targets: Vec<String>,
    /// Columns that are ignored: identifiers, for example.
    pub ignored: Vec<String>,
    /// Kind of target; by default it is decided by the target's values.
    pub task: Option<Task>,
}

/// Data set from a table, and what must be known to encode another table alike.
#[derive(Debug)]
pub struct LearnedTable {
    /// Inputs of shape `(rows, features)`; labels, or numbers of shape `(rows, targets)`.
    pub data: Dataset,
    /// Names, categories and classes.
    pub description: DataDescription,
    /// Kind of target.
    pub task: Task,
    /// Columns that are probably of no use.
    pub warnings: Vec<Warning>,
    /// One line for the user: rows, columns and the task, with its reason unless it was given.
    pub summary: String,
}

/// Reads a table to train on.
///
/// # Errors
/// Files that are not tables, rows of another length, missing values, numbers that are not finite,
/// strings among numbers, columns with more than 1,000 strings, unknown or repeated names, and a
/// classification of one class. Each names the row and the column.
pub fn learn(path: &Path, options: &TableOptions) -> Result<LearnedTable> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    learn_from(file, options).map_err(|error| error.in_file(path))
}

/// Reads a table to train on from a file, a pipe or bytes.
///
/// ```
/// use tallynet::datasets::table::{TableOptions, Task, learn_from};
///
/// let text = "size;color;kind\n1,5;red;plum\n2,5;blue;plum\n9,0;red;apple\n";
/// let options = TableOptions { targets: vec!["kind".into()], ..TableOptions::default() };
/// let table = learn_from(text.as_bytes(), &options)?;
/// assert_eq!(table.task, Task::Classification);
/// assert_eq!(table.description.classes, ["apple", "plum"]);
/// assert_eq!(table.data.x.shape(), [3, 3]); // size, color = blue, color = red
/// # Ok::<(), tallynet::Error>(())
/// ```
///
/// # Errors
/// As [`learn`].
pub fn learn_from(reader: impl Read, options: &TableOptions) -> Result<LearnedTable> {
    let known: Vec<String> = options.targets.iter().chain(&options.ignored).cloned().collect();
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let sample = Sample::read(&mut reader)?;
    let layout = Layout::of(&sample, &known)?;
    let columns = ColumnRoles::choose(&layout, options)?;
    let cells = Cells::read(sample, reader, &layout, columns.roles)?;
    learn_cells(cells, &layout, &columns.targets, options.task)
}

/// Roles of the columns.
struct ColumnRoles {
    roles: Vec<Role>,
    /// Indices of the target columns.
    targets: Vec<usize>,
}

impl ColumnRoles {
    /// Finds the roles by the options and by the contents of the first rows.
    fn choose(layout: &Layout, options: &TableOptions) -> Result<ColumnRoles> {
        if options.targets.is_empty() {
            let columns = names::list(&layout.names);
            let problem =
                format!("a table needs a target column (--target NAME); its columns are {columns}");
            return Err(Error::option("target", problem));
        }
        let mut roles = vec![];
        for (name, content) in layout.names.iter().zip(&layout.contents) {
            roles.push(if name.is_empty() {
                Role::Ignored
            } else if content.is_numeric() {
                Role::Numbers
            } else {
                Role::Strings(Dictionary::default())
            });
        }
        let mut targets = vec![];
        for name in &options.targets {
            let target = names::find(&layout.names, name)?;
            if layout.names[target].is_empty() {
                return Err(Error::format(
                    format!("the target is column {}, which has no name", target + 1),
                    "give it a name in the header; columns without one are ignored",
                ));
            }
            if targets.contains(&target) {
                let problem = format!("the target {name:?} is named twice");
                return Err(Error::option("target", problem));
            }
            targets.push(target);
        }
        for name in &options.ignored {
            let index = names::find(&layout.names, name)?;
            if targets.contains(&index) {
                let problem = format!("column {name:?} is both a target and ignored");
                return Err(Error::option("ignored", problem));
            }
            roles[index] = Role::Ignored;
        }
        check_roles(&roles, &targets, layout)?;
        Ok(ColumnRoles { roles, targets })
    }
}

/// Checks that there is an input, and that several targets are numbers.
fn check_roles(roles: &[Role], targets: &[usize], layout: &Layout) -> Result<()> {
    let is_input =
        |index: &usize| !matches!(roles[*index], Role::Ignored) && !targets.contains(index);
    if !(0..roles.len()).any(|index| is_input(&index)) {
        let separator = char::from(layout.separator);
        let columns = names::list(&layout.names);
        return Err(Error::format(
            format!("no column is left for the inputs; the columns are {columns}"),
            format!("give a table with more columns, separated by {separator:?}"),
        ));
    }
    let is_string = |index: &&usize| matches!(roles[**index], Role::Strings(_));
    if targets.len() > 1
        && let Some(index) = targets.iter().find(is_string)
    {
        let name = &layout.names[*index];
        let found = format!("the target {name:?} holds strings, and there are several targets");
        return Err(Error::format(found, "take one target with strings, or several with numbers"));
    }
    Ok(())
}

/// Divides the cells into inputs and targets.
fn learn_cells(
    mut cells: Cells,
    layout: &Layout,
    targets: &[usize],
    task: Option<Task>,
) -> Result<LearnedTable> {
    let target = take_targets(&mut cells, layout, targets);
    let DecidedTargets { y, classes, task, reason } = target::decide(target, task)?;
    let width = cells.columns.len();
    let mut features = vec![];
    for (position, column) in cells.columns.into_iter().enumerate() {
        if !targets.contains(&column.index) {
            let name = layout.names[column.index].clone();
            let vocabulary = column.strings.map(Dictionary::vocabulary);
            refuse_identifier(&name, vocabulary.as_ref(), cells.n_rows)?;
            features.push(Feature { position, name, vocabulary });
        }
    }
    let warnings = warnings::of_columns(&cells.values, width, &features);
    let x = features::encode(cells.values, width, &features)?;
    let description = DataDescription {
        classes,
        targets: targets.iter().map(|index| layout.names[*index].clone()).collect(),
        columns: features.into_iter().map(Feature::into_column).collect(),
        ..DataDescription::default()
    };
    let inputs = describe_inputs(&description, layout);
    let summary = format!("{} rows; {inputs}; {reason}", cells.n_rows);
    Ok(LearnedTable { data: Dataset { x, y }, description, task, warnings, summary })
}

/// Refuses a column in which each row has a string of its own, from which nothing can be learned.
fn refuse_identifier(name: &str, strings: Option<&Vocabulary>, n_rows: usize) -> Result<()> {
    let is_identifier =
        strings.is_some_and(|strings| n_rows > 20 && strings.values.len() == n_rows);
    if !is_identifier {
        return Ok(());
    }
    Err(Error::format(
        format!("column {name:?} holds another string in each of the {n_rows} rows"),
        format!("it is probably an identifier or free text; ignore it: --ignore {name:?}"),
    ))
}

/// Copies the target columns, and takes the strings of a single one.
fn take_targets(cells: &mut Cells, layout: &Layout, targets: &[usize]) -> TargetColumns {
    let positions: Vec<usize> = targets.iter().filter_map(|index| cells.position(*index)).collect();
    let mut vocabulary = None;
    for position in &positions {
        vocabulary = cells.columns[*position].strings.take().map(Dictionary::vocabulary);
    }
    let names = targets.iter().map(|index| layout.names[*index].clone()).collect();
    TargetColumns { names, values: copy_columns(cells, &positions), vocabulary }
}

/// Values of the columns at these positions, row by row.
fn copy_columns(cells: &Cells, positions: &[usize]) -> Vec<Real> {
    let mut values = Vec::with_capacity(cells.n_rows * positions.len());
    for row in cells.values.chunks_exact(cells.columns.len().max(1)) {
        for position in positions {
            values.push(row[*position]);
        }
    }
    values
}

/// `inputs: 4 columns of numbers, 2 of strings ("island" 3, "sex" 2), 9 features`.
fn describe_inputs(description: &DataDescription, layout: &Layout) -> String {
    let mut n_numeric = 0;
    let mut categories = vec![];
    for column in &description.columns {
        match column {
            Column::Numeric { .. } => n_numeric += 1,
            Column::Categorical { name, values } => {
                categories.push(format!("{name:?} {}", values.len()));
            }
        }
    }
    let mut text = format!("inputs: {n_numeric} columns of numbers");
    if !categories.is_empty() {
        let count = categories.len();
        categories.truncate(6);
        let more = if count > 6 { ", …" } else { "" };
        text += &format!(" and {count} of strings ({}{more})", categories.join(", "));
    }
    text += &format!(", {} features", description.n_features());
    if !layout.has_header {
        text += ", no header";
    }
    let unnamed = layout.names.iter().filter(|name| name.is_empty()).count();
    if unnamed > 0 {
        text += &format!(", {unnamed} without a name ignored");
    }
    text
}
