//! The layout of a table, found out from its first rows: separator, decimal separator, header,
//! and the columns that hold numbers.

use std::collections::HashSet;

use csv::ByteRecord;

use super::names;
use super::number::{self, Cell, trim};
use super::sample::Sample;
use crate::{Error, Result};

/// Separators in the order of preference: a comma may belong to a number or a text.
const SEPARATORS: [u8; 4] = *b"\t;|,";

/// Layout of a table.
#[derive(Debug, PartialEq)]
pub struct Layout {
    /// Byte between two values.
    pub separator: u8,
    /// Point or comma.
    pub decimal: u8,
    /// True if the first row holds the names of the columns.
    pub has_header: bool,
    /// Name of each column: that of the header, or its position counted from 1.
    pub names: Vec<String>,
    /// Content of each column in the first rows.
    pub contents: Vec<Content>,
}

/// Number of cells of each kind in the first rows of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Content {
    /// Cells with a number.
    pub numbers: usize,
    /// Cells with a text.
    pub strings: usize,
}

impl Content {
    /// True if the column holds numbers. A string among more numbers is an error of the table.
    pub fn is_numeric(self) -> bool {
        self.strings == 0 || self.numbers > self.strings
    }

    fn count(&mut self, cell: Cell) {
        match cell {
            Cell::Number(_) => self.numbers += 1,
            Cell::String => self.strings += 1,
            Cell::Missing => {}
        }
    }
}

impl Layout {
    /// Finds the layout. A first row that holds one of the `known` names is a header.
    ///
    /// # Errors
    /// A table without rows, and two columns of one name.
    pub fn of(sample: &Sample, known: &[String]) -> Result<Layout> {
        let separator = find_separator(sample)?;
        let rows = sample.rows(separator)?;
        let decimal = if separator == b';' { find_decimal(&rows)? } else { b'.' };
        let Some((first, rest)) = rows.split_first() else {
            return Err(Error::format("this table is empty", "give a table with rows"));
        };
        let mut contents = vec![Content::default(); first.len()];
        count_cells(rest, decimal, &mut contents);
        let has_header = is_header(first, rest, decimal, &contents, known);
        let names = if has_header {
            header(first)?
        } else {
            count_cells(&rows[..1], decimal, &mut contents);
            (1..=first.len()).map(|position| position.to_string()).collect()
        };
        Ok(Layout { separator, decimal, has_header, names, contents })
    }
}

/// Counts the kinds of the cells of these rows by column.
fn count_cells(rows: &[ByteRecord], decimal: u8, contents: &mut [Content]) {
    for row in rows {
        for (cell, content) in row.iter().zip(contents.iter_mut()) {
            content.count(number::read(trim(cell), decimal));
        }
    }
}

/// The separator by which most rows have the same number of values, and more than one.
fn find_separator(sample: &Sample) -> Result<u8> {
    // A table of one column is read as well.
    let (mut best, mut best_fraction) = (b',', 0.0);
    for separator in SEPARATORS {
        let mut rows = sample.rows(separator)?;
        rows.truncate(200);
        let width = usual_width(&rows);
        let n_usual = rows.iter().filter(|row| row.len() == width).count();
        let fraction = n_usual as f64 / rows.len().max(1) as f64;
        if width > 1 && fraction > best_fraction {
            (best, best_fraction) = (separator, fraction);
        }
    }
    Ok(best)
}

/// Number of values that most of the rows have.
fn usual_width(rows: &[ByteRecord]) -> usize {
    let mut widths: Vec<usize> = rows.iter().map(ByteRecord::len).collect();
    widths.sort_unstable();
    let (mut best, mut most) = (0, 0);
    for equal in widths.chunk_by(|a, b| a == b) {
        if equal.len() > most {
            (best, most) = (equal[0], equal.len());
        }
    }
    best
}

/// The decimal separator of a table whose values are separated by semicolons: a comma if some
/// number needs it and none has a point.
fn find_decimal(rows: &[ByteRecord]) -> Result<u8> {
    let mut has_point = false;
    let mut has_comma = false;
    let mut unclear = None;
    let width = rows.iter().map(ByteRecord::len).max().unwrap_or(0);
    let mut columns: Vec<Decimals> = vec![Decimals::default(); width];
    for (row, record) in rows.iter().enumerate() {
        for (cell, column) in record.iter().map(trim).zip(&mut columns) {
            let is_number = |decimal| matches!(number::read(cell, decimal), Cell::Number(_));
            if cell.contains(&b'.') && is_number(b'.') {
                has_point = true;
                column.points.push((row, cell));
            }
            if cell.contains(&b',') && is_number(b',') {
                if may_be_thousands(cell) {
                    unclear = unclear.or(Some((row + 1, cell)));
                } else {
                    has_comma = true;
                    column.commas.push((row, cell));
                }
            }
        }
    }
    for column in &columns {
        column.check()?;
    }
    if has_point {
        return Ok(b'.');
    }
    if has_comma {
        return Ok(b',');
    }
    let Some((row, cell)) = unclear else { return Ok(b'.') };
    let cell = String::from_utf8_lossy(cell);
    Err(Error::format(
        format!("row {row}: {cell} is either a decimal number or one of thousands"),
        "write decimal numbers with a point, and thousands without a separator",
    ))
}

/// Numbers of a column with a decimal point and with a decimal comma: row and cell.
#[derive(Default, Clone)]
struct Decimals<'a> {
    points: Vec<(usize, &'a [u8])>,
    commas: Vec<(usize, &'a [u8])>,
}

impl Decimals<'_> {
    /// Refuses points among more commas. A comma among more points is an error of its cell.
    fn check(&self) -> Result<()> {
        let (Some((row, cell)), Some((_, other))) = (self.points.first(), self.commas.first())
        else {
            return Ok(());
        };
        if self.points.len() >= self.commas.len() {
            return Ok(());
        }
        Err(Error::format(
            format!(
                "line {} holds {}, and others of its column are written as {}",
                row + 1,
                text(cell),
                text(other)
            ),
            "write all decimal numbers with a point, or all with a comma",
        ))
    }
}

/// True for `1,234`, but neither for `0,123` nor for `12,5`.
fn may_be_thousands(cell: &[u8]) -> bool {
    let unsigned = cell.strip_prefix(b"-").unwrap_or(cell);
    let Some(at) = unsigned.iter().position(|byte| *byte == b',') else { return false };
    (1..=3).contains(&at) && unsigned[0] != b'0' && unsigned.len() == at + 4
}

/// True if the first row holds names. The first of these rules that applies decides:
///
/// 1. A cell is one of the `known` names, of which positions do not count: names.
/// 2. All cells are numbers: names if they are 0, 1, 2, … of at least four columns, as pandas
///    writes them.
/// 3. At least three cells are numbers that count up, such as years: names.
/// 4. Any other cell is a number: no names.
/// 5. Some columns hold numbers: names if one of them has a string in the first row.
/// 6. All columns hold strings: names if they differ and none occurs again in its column.
fn is_header(
    first: &ByteRecord,
    rest: &[ByteRecord],
    decimal: u8,
    contents: &[Content],
    known: &[String],
) -> bool {
    let cells: Vec<&[u8]> = first.iter().map(trim).collect();
    let is_position = |name: &String| name.parse().is_ok_and(|at| (1..=cells.len()).contains(&at));
    let names: Vec<&[u8]> =
        known.iter().filter(|name| !is_position(name)).map(String::as_bytes).collect();
    if cells.iter().any(|cell| names.contains(cell)) {
        return true;
    }
    let numbers: Vec<f64> = cells.iter().filter_map(|cell| finite(cell, decimal)).collect();
    let counts_up = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    if numbers.len() == cells.len() {
        return numbers.len() >= 4 && counts_up && numbers[0] == 0.0;
    }
    if !numbers.is_empty() {
        return numbers.len() >= 3 && counts_up;
    }
    let mut has_numeric_column = false;
    for (cell, content) in cells.iter().zip(contents) {
        if content.numbers > 0 && content.is_numeric() {
            has_numeric_column = true;
            if number::read(cell, decimal) == Cell::String {
                return true;
            }
        }
    }
    !has_numeric_column && is_different(&cells, rest)
}

/// True if the first row of a table of strings has a value in each column, and none of them again.
fn is_different(cells: &[&[u8]], rest: &[ByteRecord]) -> bool {
    let distinct: HashSet<&[u8]> = cells.iter().copied().collect();
    if distinct.len() < cells.len() || distinct.contains(&b""[..]) {
        return false;
    }
    let again = |row: &ByteRecord| row.iter().zip(cells).any(|(cell, first)| trim(cell) == *first);
    !rest.iter().any(again)
}

fn finite(cell: &[u8], decimal: u8) -> Option<f64> {
    match number::read(cell, decimal) {
        Cell::Number(number) if number.is_finite() => Some(number),
        _ => None,
    }
}

/// Names in a header. A column without a name is allowed; two of one name are an error.
fn header(first: &ByteRecord) -> Result<Vec<String>> {
    let names: Vec<String> = first.iter().map(|cell| text(trim(cell))).collect();
    let mut seen = HashSet::new();
    for (i, name) in names.iter().enumerate() {
        if !name.is_empty() && !seen.insert(name) {
            let before = names.iter().position(|other| other == name).unwrap_or(0) + 1;
            return Err(Error::format(
                format!("columns {before} and {} are both called {name:?}", i + 1),
                format!("rename one of them; the columns are {}", names::list(&names)),
            ));
        }
    }
    Ok(names)
}

/// Text of a cell: UTF-8, or else Latin-1.
pub fn text(cell: &[u8]) -> String {
    match str::from_utf8(cell) {
        Ok(text) => text.to_string(),
        Err(_) => cell.iter().map(|byte| char::from(*byte)).collect(),
    }
}
