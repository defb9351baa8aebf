//! Rows of predictions, written as a readable table, CSV or JSON.

use serde::{Serialize, Serializer};
use tallynet::{Real, table};

use super::Failure;

/// Value in a row.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Name.
    Text(String),
    /// Row number, label or count.
    Count(usize),
    /// Number from 0 to 1, shown with four decimals.
    Probability(Real),
    /// Number of any size.
    Number(Real),
    /// Numbers of a row of outputs.
    List(Vec<Real>),
}

/// Rows with named columns. Each row has as many cells as there are columns.
pub struct OutputTable {
    /// Name of each column.
    pub columns: Vec<String>,
    /// Rows, from first to last.
    pub rows: Vec<Vec<Cell>>,
}

/// Row that is written as an object, with the names of its columns.
struct NamedRow<'a> {
    columns: &'a [String],
    cells: &'a [Cell],
}

impl Serialize for NamedRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().zip(self.cells))
    }
}

impl Cell {
    /// Readable text.
    pub fn text(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(count) => count.to_string(),
            Cell::Probability(value) => format!("{value:.4}"),
            Cell::Number(value) => {
                let size = value.abs();
                let is_short = size == 0.0 || (1e-3..1e9).contains(&size) || !size.is_finite();
                if is_short { format!("{value:.4}") } else { format!("{value:.4e}") }
            }
            Cell::List(values) => {
                let texts: Vec<String> =
                    values.iter().map(|value| Cell::Number(*value).text()).collect();
                texts.join(" ")
            }
        }
    }
}

impl OutputTable {
    /// Readable table with rounded numbers; columns of numbers are aligned to the right.
    pub fn text(&self) -> String {
        let mut columns = vec![];
        for (i, column) in self.columns.iter().enumerate() {
            let is_text = self.rows.iter().any(|row| matches!(row[i], Cell::Text(_)));
            columns.push(if is_text { column.clone() } else { format!(">{column}") });
        }
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(Cell::text).collect()).collect();
        table::table(&columns, &rows)
    }

    /// CSV with a header; numbers have all their digits.
    pub fn csv(&self) -> Result<Vec<u8>, Failure> {
        let mut writer = csv::Writer::from_writer(vec![]);
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.serialize(row)?;
        }
        Ok(writer.into_inner()?)
    }

    /// JSON: an array with an object for each row, one per line. A number that is not finite is
    /// `null`.
    pub fn json(&self) -> Result<Vec<u8>, Failure> {
        Ok(format!("[\n{}\n]\n", self.objects()?.join(",\n")).into_bytes())
    }

    /// The same array in one line.
    pub fn json_line(&self) -> Result<String, Failure> {
        Ok(format!("[{}]\n", self.objects()?.join(", ")))
    }

    /// JSON of each row.
    fn objects(&self) -> Result<Vec<String>, Failure> {
        let mut objects = vec![];
        for cells in &self.rows {
            objects.push(serde_json::to_string(&NamedRow { columns: &self.columns, cells })?);
        }
        Ok(objects)
    }
}
