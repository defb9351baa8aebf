//! The cells of a table as numbers, read in one pass: strings become codes.

use std::io::{BufRead, Cursor, Read};

use super::dictionary::Dictionary;
use super::layout::{Layout, text};
use super::names;
use super::number::{self, Cell, trim};
use super::rows::{Row, Rows};
use super::sample::Sample;
use crate::{Error, Real, Result};

/// Maximum number of columns that a message about missing values names.
const LISTED_COLUMNS: usize = 5;

/// Use of a column.
#[derive(Debug)]
pub enum Role {
    /// Not read.
    Ignored,
    /// Numbers.
    Numbers,
    /// Strings, with the codes that they become.
    Strings(Dictionary),
}

/// Numbers of the columns that are not ignored.
#[derive(Debug)]
pub struct Cells {
    /// Numbers and codes, row by row.
    pub values: Vec<Real>,
    /// Number of rows.
    pub n_rows: usize,
    /// Columns of the values, in the table's order.
    pub columns: Vec<CellColumn>,
}

/// Column that was read.
#[derive(Debug)]
pub struct CellColumn {
    /// Index in the table.
    pub index: usize,
    /// Strings by their codes; `None` for numbers.
    pub strings: Option<Dictionary>,
    missing: Missing,
}

/// Missing values of a column.
#[derive(Debug, Default)]
struct Missing {
    count: usize,
    first: Option<Location>,
}

/// Location of a row.
#[derive(Debug, Clone, Copy)]
struct Location {
    /// Number of the row, counted from 1 and without the header.
    row: usize,
    /// Line in the file, counted from 1.
    line: u64,
}

impl std::fmt::Display for Location {
    fn fmt(&self, to: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(to, "row {} (line {})", self.row, self.line)
    }
}

impl CellColumn {
    /// Number or code of a cell; NaN for a missing value, which is counted.
    fn read_or_count(&mut self, cell: &[u8], location: Location, layout: &Layout) -> Result<Real> {
        let name = &layout.names[self.index];
        let value = self.read(cell, layout.decimal);
        let value = value.map_err(|error| in_column(location, name, error))?;
        if value.is_none() {
            self.missing.count += 1;
            self.missing.first = self.missing.first.or(Some(location));
        }
        Ok(value.unwrap_or(Real::NAN))
    }

    /// Number or code of a cell; `None` for a missing value.
    fn read(&mut self, cell: &[u8], decimal: u8) -> Result<Option<Real>> {
        let Some(dictionary) = &mut self.strings else {
            return match number::read(cell, decimal) {
                Cell::Number(number) if (number as Real).is_finite() => Ok(Some(number as Real)),
                Cell::Missing => Ok(None),
                other => Err(no_number(cell, other, decimal)),
            };
        };
        match dictionary.get(cell) {
            Some(code) => Ok(Some(code as Real)),
            None if number::is_missing(cell) => Ok(None),
            None => Ok(Some(dictionary.add(cell)? as Real)),
        }
    }
}

impl Cells {
    /// No rows yet.
    fn new(roles: Vec<Role>) -> Cells {
        let mut columns = vec![];
        for (index, role) in roles.into_iter().enumerate() {
            let strings = match role {
                Role::Ignored => continue,
                Role::Numbers => None,
                Role::Strings(dictionary) => Some(dictionary),
            };
            columns.push(CellColumn { index, strings, missing: Missing::default() });
        }
        Cells { values: vec![], n_rows: 0, columns }
    }

    /// Reads the whole table: the sample and what follows it.
    ///
    /// # Errors
    /// Rows of another length, missing values, strings among numbers, numbers that are not finite,
    /// and those of [`Dictionary::add`]; each names the row and the column.
    pub fn read(
        sample: Sample,
        rest: impl BufRead,
        layout: &Layout,
        roles: Vec<Role>,
    ) -> Result<Cells> {
        let mut cells = Cells::new(roles);
        let mut rows = Rows::new(Cursor::new(sample.bytes).chain(rest), layout.separator);
        if layout.has_header {
            rows.next()?;
        }
        while let Some(row) = rows.next()? {
            cells.push(row, layout)?;
        }
        if rows.is_unclosed() {
            let found = format!("row {}: a quote opens and never closes", cells.n_rows);
            return Err(Error::format(found, "correct the quotes"));
        }
        cells.check(layout)?;
        cells.values.shrink_to_fit();
        Ok(cells)
    }

    /// Adds a row.
    fn push(&mut self, row: &Row, layout: &Layout) -> Result<()> {
        self.n_rows += 1;
        let location = Location { row: self.n_rows, line: row.line };
        if row.cells.len() != layout.names.len() {
            return Err(ragged(location, row, layout));
        }
        for column in &mut self.columns {
            let cell = row.cells[column.index].clone();
            let usual = match column.strings {
                None => number::short_number(&row.bytes, cell.clone(), layout.decimal),
                Some(_) => None,
            };
            let value = match usual {
                Some(number) => number as Real,
                None => column.read_or_count(trim(&row.bytes[cell]), location, layout)?,
            };
            self.values.push(value);
        }
        Ok(())
    }

    /// Refuses a table without rows, and missing values.
    fn check(&self, layout: &Layout) -> Result<()> {
        if self.n_rows == 0 {
            let problem = format!(
                "this table has a header and no rows; its columns are {}",
                names::list(&layout.names)
            );
            return Err(Error::format(problem, "give a table with rows"));
        }
        if self.n_rows > u32::MAX as usize {
            let problem = format!("{} rows are more than can be numbered", self.n_rows);
            return Err(Error::format(problem, "divide the table"));
        }
        let mut found = vec![];
        for column in &self.columns {
            if let Some(first) = column.missing.first {
                let name = &layout.names[column.index];
                let count = column.missing.count;
                found.push(format!("column {name:?}, {first}, {count} in all"));
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        let n_columns = found.len();
        found.truncate(LISTED_COLUMNS);
        let mut problem = format!("values are missing:\n    {}", found.join("\n    "));
        if n_columns > LISTED_COLUMNS {
            problem += &format!("\n    and in {} more columns", n_columns - LISTED_COLUMNS);
        }
        let help = "fill them in or delete their rows; `train` ignores columns with --ignore";
        Err(Error::format(problem, help))
    }

    /// Position of a column of the table among the columns of the values.
    pub fn position(&self, index: usize) -> Option<usize> {
        self.columns.iter().position(|column| column.index == index)
    }
}

/// Adds the location to an error in a cell.
fn in_column(location: Location, name: &str, error: Error) -> Error {
    match error {
        Error::Format { path, found, help } => {
            Error::Format { path, found: format!("{location}: column {name:?} {found}"), help }
        }
        other => other,
    }
}

/// Error of a row with too few or too many values.
fn ragged(location: Location, row: &Row, layout: &Layout) -> Error {
    let (found, expected) = (row.cells.len(), layout.names.len());
    let separator = char::from(layout.separator);
    let has_newline = row.iter().any(|cell| cell.contains(&b'\n'));
    let help = if has_newline {
        "a quote that opens in this row closes in a later line, or not at all: correct the quotes"
            .to_string()
    } else {
        format!("separate values by {separator:?}, and put a value that contains it into quotes")
    };
    let values = if found == 1 { "value" } else { "values" };
    let first = if layout.has_header { "the header" } else { "the first row" };
    Error::format(format!("{location}: {found} {values}; {first} has {expected}"), help)
}

/// Error of a cell that holds no finite number; the location is added to it.
fn no_number(cell: &[u8], content: Cell, decimal: u8) -> Error {
    let shown: String = text(cell).chars().take(60).collect();
    if let Cell::Number(_) = content {
        let help = format!("give a number up to {:e}", Real::MAX);
        return Error::format(format!("holds {shown}, which is not finite"), help);
    }
    let problem = format!("is a column of numbers, but this cell is {shown:?}");
    let other = if decimal == b',' { b'.' } else { b',' };
    if cell.contains(&other) && matches!(number::read(cell, other), Cell::Number(_)) {
        let decimal = char::from(decimal);
        return Error::format(problem, format!("write all decimal numbers with {decimal:?}"));
    }
    let help = "correct it or delete the row; `train` ignores the column with --ignore";
    Error::format(problem, help)
}
