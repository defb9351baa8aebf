//! Rows of answers, written as a readable table, CSV or JSON.

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
}

/// Rows with named columns. Each row has as many cells as there are heads.
pub struct Grid {
    /// Name of each column.
    pub heads: Vec<String>,
    /// Rows, from first to last.
    pub rows: Vec<Vec<Cell>>,
}

/// Row that is written as an object, with the names of its columns.
struct NamedRow<'a> {
    heads: &'a [String],
    cells: &'a [Cell],
}

impl Serialize for NamedRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.heads.iter().zip(self.cells))
    }
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(count) => count.to_string(),
            Cell::Probability(value) => format!("{value:.4}"),
            Cell::Number(value) => {
                let size = value.abs();
                let is_short = size == 0.0 || (1e-3..1e9).contains(&size) || !size.is_finite();
                if is_short { format!("{value:.4}") } else { format!("{value:.4e}") }
            }
        }
    }
}

impl Grid {
    /// Readable table with rounded numbers; columns of numbers are aligned to the right.
    pub fn text(&self) -> String {
        let mut heads = vec![];
        for (i, head) in self.heads.iter().enumerate() {
            let is_text = self.rows.iter().any(|row| matches!(row[i], Cell::Text(_)));
            heads.push(if is_text { head.clone() } else { format!(">{head}") });
        }
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(Cell::text).collect()).collect();
        table::table(&heads, &rows)
    }

    /// CSV with a header; numbers have all their digits.
    pub fn csv(&self) -> Result<Vec<u8>, Failure> {
        let mut writer = csv::Writer::from_writer(vec![]);
        writer.write_record(&self.heads)?;
        for row in &self.rows {
            writer.serialize(row)?;
        }
        Ok(writer.into_inner()?)
    }

    /// JSON: an array with an object for each row, one per line. A number that is not finite is
    /// `null`.
    pub fn json(&self) -> Result<Vec<u8>, Failure> {
        let mut lines = vec![];
        for cells in &self.rows {
            lines.push(serde_json::to_string(&NamedRow { heads: &self.heads, cells })?);
        }
        Ok(format!("[\n{}\n]\n", lines.join(",\n")).into_bytes())
    }
}
