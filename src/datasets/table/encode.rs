//! Tables to evaluate or to predict, encoded as the training's table was.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use ndarray::Array1;

use super::cells::{Cells, Role};
use super::dictionary::{Dictionary, Vocabulary};
use super::features::{self, Feature};
use super::layout::Layout;
use super::sample::Sample;
use super::{copy_columns, names, target};
use crate::datasets::{Column, DataDescription, Inputs, Targets};
use crate::{Error, Real, Result};

/// Inputs of a table, and its targets if it has the target columns.
#[derive(Debug)]
pub struct EncodedTable {
    /// Inputs of shape `(rows, features)`.
    pub x: Inputs,
    /// Labels, or numbers of shape `(rows, targets)`.
    pub y: Option<Targets>,
    /// True if the table has no header and the training's had one, so that its columns are taken in
    /// the training's order.
    pub is_by_position: bool,
}

/// Reads a table whose columns a description names. Columns are found by the names in the header;
/// others are ignored. A table without a header has the training's columns in their order, with or
/// without the targets.
///
/// # Errors
/// Those of [`learn`](super::learn), missing columns, and strings that the training has not seen.
pub fn encode(path: &Path, description: &DataDescription) -> Result<EncodedTable> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    encode_from(file, description).map_err(|error| error.in_file(path))
}

/// Reads only the inputs, to predict: target columns are ignored, whatever they hold.
///
/// # Errors
/// As [`encode`].
pub fn encode_inputs(path: &Path, description: &DataDescription) -> Result<Inputs> {
    let without_targets = DataDescription { targets: vec![], ..description.clone() };
    Ok(encode(path, &without_targets)?.x)
}

/// Reads a table from a file, a pipe or bytes.
///
/// ```
/// use tallynet::datasets::table::{TableOptions, encode_from, learn_from};
///
/// let text = "size,color,kind\n1,red,plum\n2,blue,plum\n9,red,apple\n";
/// let options = TableOptions { targets: vec!["kind".into()], ..TableOptions::default() };
/// let description = learn_from(text.as_bytes(), &options)?.description;
/// let new = encode_from("color,size\nred,4\n".as_bytes(), &description)?;
/// assert_eq!(new.x.shape(), [1, 3]);
/// assert!(new.y.is_none());
/// # Ok::<(), tallynet::Error>(())
/// ```
///
/// # Errors
/// As [`encode`].
pub fn encode_from(reader: impl Read, description: &DataDescription) -> Result<EncodedTable> {
    if description.columns.is_empty() {
        let problem = "the model was not trained on a table, so its columns have no names here";
        return Err(Error::format(problem, "train the model on a table, or give arrays"));
    }
    let known = column_names(description)?;
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let sample = Sample::read(&mut reader)?;
    let layout = Layout::of(&sample, if is_positional(&known) { &[] } else { &known })?;
    let found = FoundColumns::of(&layout, description, &known)?;
    let cells = Cells::read(sample, reader, &layout, found.roles(&layout, description))?;
    let y = match &found.targets {
        Some(targets) => Some(encode_targets(&cells, targets, description)?),
        None => None,
    };
    let x = features_of(cells, &found.inputs, description)?;
    let is_by_position = !layout.has_header && !is_positional(&known);
    Ok(EncodedTable { x, y, is_by_position })
}

/// Names of the input columns. A description with a repeated name is an error: its file is damaged.
fn column_names(description: &DataDescription) -> Result<Vec<String>> {
    let columns = description.columns.iter();
    let names: Vec<String> = columns.map(|column| column.name().to_string()).collect();
    let mut seen = HashSet::new();
    for name in names.iter().chain(&description.targets) {
        if !seen.insert(name) {
            let problem = format!("the model's file describes two columns called {name:?}");
            return Err(Error::format(problem, "train the model again and save it"));
        }
    }
    Ok(names)
}

/// True for the names of a table without a header.
fn is_positional(names: &[String]) -> bool {
    names.iter().all(|name| name.parse::<usize>().is_ok_and(|position| position > 0))
}

/// Indices of the described columns in a table.
struct FoundColumns {
    inputs: Vec<usize>,
    /// `None` if the table lacks a target.
    targets: Option<Vec<usize>>,
}

impl FoundColumns {
    fn of(
        layout: &Layout,
        description: &DataDescription,
        inputs: &[String],
    ) -> Result<FoundColumns> {
        let by_position = is_positional(inputs) && is_positional(&description.targets);
        let has_all_names = inputs.iter().all(|name| layout.names.contains(name));
        if layout.has_header && (has_all_names || !is_positional(inputs)) {
            return FoundColumns::by_name(layout, description, inputs);
        }
        let positions = |names: &[String]| -> Vec<usize> {
            names.iter().filter_map(|name| name.parse().ok()).map(|at: usize| at - 1).collect()
        };
        let width = layout.names.len();
        if by_position {
            let (inputs, targets) = (positions(inputs), positions(&description.targets));
            if inputs.iter().chain(&targets).all(|index| *index < width) {
                return Ok(FoundColumns { inputs, targets: Some(targets) });
            }
        }
        if width == inputs.len() {
            return Ok(FoundColumns { inputs: (0..width).collect(), targets: None });
        }
        let needed = inputs.len();
        let names = names::list(inputs);
        Err(Error::format(
            format!("this table has {width} columns and no header; the model has {needed} inputs"),
            format!("give it a header, or these columns in their order: {names}"),
        ))
    }

    fn by_name(
        layout: &Layout,
        description: &DataDescription,
        inputs: &[String],
    ) -> Result<FoundColumns> {
        let index = |name: &String| layout.names.iter().position(|known| known == name);
        let mut indices = vec![];
        for name in inputs {
            match index(name) {
                Some(index) => indices.push(index),
                None => return Err(names::unknown(&layout.names, name)),
            }
        }
        let targets: Option<Vec<usize>> = description.targets.iter().map(index).collect();
        let targets = targets.filter(|targets| !targets.is_empty());
        Ok(FoundColumns { inputs: indices, targets })
    }

    /// Roles of the table's columns.
    fn roles(&self, layout: &Layout, description: &DataDescription) -> Vec<Role> {
        let mut roles: Vec<Role> = layout.names.iter().map(|_| Role::Ignored).collect();
        for (index, column) in self.inputs.iter().zip(&description.columns) {
            roles[*index] = match column {
                Column::Numeric { .. } => Role::Numbers,
                Column::Categorical { values, .. } => Role::Strings(Dictionary::closed(values)),
            };
        }
        let classes = &description.classes;
        let are_strings = !classes.is_empty() && target::numeric_classes(classes).is_none();
        for index in self.targets.iter().flatten() {
            roles[*index] = if are_strings {
                Role::Strings(Dictionary::closed(classes))
            } else {
                Role::Numbers
            };
        }
        roles
    }
}

fn features_of(cells: Cells, inputs: &[usize], description: &DataDescription) -> Result<Inputs> {
    let mut features = vec![];
    for (index, column) in inputs.iter().zip(&description.columns) {
        let position = cells.position(*index).unwrap_or(0);
        features.push(match column {
            Column::Numeric { name } => Feature { position, name: name.clone(), vocabulary: None },
            Column::Categorical { name, values } => {
                let ranks = (0..values.len()).collect();
                let vocabulary = Some(Vocabulary { values: values.clone(), ranks });
                Feature { position, name: name.clone(), vocabulary }
            }
        });
    }
    features::encode(cells.values, cells.columns.len(), &features)
}

fn encode_targets(
    cells: &Cells,
    targets: &[usize],
    description: &DataDescription,
) -> Result<Targets> {
    let positions: Vec<usize> = targets.iter().filter_map(|index| cells.position(*index)).collect();
    let values: Vec<Real> = copy_columns(cells, &positions);
    if description.classes.is_empty() {
        return target::reals(positions.len(), values);
    }
    let labels = match target::numeric_classes(&description.classes) {
        Some(classes) => target::labels(&values, &classes)?,
        None => values.iter().map(|code| *code as u32).collect(),
    };
    Ok(Targets::Labels(Array1::from(labels).into_dyn()))
}
