//! The text of a script: a Python file, or the code cells of a notebook.

use std::path::Path;

use serde_json::Value as Json;

use crate::{Error, Result};

/// Largest size of a script in bytes, which the parser reads in less than a second whatever they
/// are. It is many times that of any script that describes a model.
const MAX_BYTES: usize = 1 << 18;

/// Text of a script, and the cells that its lines come from.
#[derive(Debug, Default)]
pub struct Source {
    pub text: String,
    cells: Vec<Cell>,
}

/// A cell of a notebook: its number, counted from 1, and its first line in the text.
#[derive(Debug)]
struct Cell {
    number: usize,
    first_line: u32,
}

impl Source {
    /// Decodes the bytes of a file: a notebook if its name says so.
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Source> {
        let is_notebook = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("ipynb"));
        let source = if is_notebook {
            Source::notebook(path, bytes)?
        } else {
            Source { text: text(bytes), cells: vec![] }
        };
        if source.text.len() > MAX_BYTES {
            let lines = source.text.lines().count();
            let found = format!(
                "the script has {lines} lines with {} bytes; at most {MAX_BYTES} bytes are read",
                source.text.len()
            );
            return Err(Error::file(path, found, super::error::HELP));
        }
        Ok(source)
    }

    fn notebook(path: &Path, bytes: &[u8]) -> Result<Source> {
        let damaged = |problem: String| Error::file(path, problem, super::error::HELP);
        let json: Json = serde_json::from_slice(bytes)
            .map_err(|error| damaged(format!("the notebook is not JSON: {error}")))?;
        // Notebooks of version 3 kept their cells in a worksheet.
        let cells = json["cells"].as_array().or(json["worksheets"][0]["cells"].as_array());
        let cells = cells.ok_or_else(|| damaged("the notebook has no cells".to_string()))?;
        let mut source = Source::default();
        let mut lines = 0;
        for (i, cell) in cells.iter().enumerate().filter(|(_, cell)| cell["cell_type"] == "code") {
            let code =
                code_of(if cell["source"].is_null() { &cell["input"] } else { &cell["source"] });
            source.cells.push(Cell { number: i + 1, first_line: lines + 1 });
            for line in without_magics(&code) {
                source.text += &line;
                source.text.push('\n');
                lines += 1;
            }
        }
        Ok(source)
    }

    /// A line in words: `line 12`, or `cell 3, line 2`.
    pub fn location(&self, line: u32) -> String {
        match self.cells.iter().rev().find(|cell| cell.first_line <= line) {
            Some(cell) => format!("cell {}, line {}", cell.number, line - cell.first_line + 1),
            None => format!("line {line}"),
        }
    }
}

/// Code of a cell: one text, or a list of lines.
fn code_of(source: &Json) -> String {
    match source {
        Json::String(text) => text.clone(),
        Json::Array(lines) => lines.iter().filter_map(Json::as_str).collect(),
        _ => String::new(),
    }
}

/// Lines of a cell. `pass` replaces those for IPython only, and all of a cell for another language.
fn without_magics(code: &str) -> Vec<String> {
    let start = code.trim_start();
    let is_foreign = start.starts_with("%%")
        && !["%%time", "%%timeit", "%%capture"].iter().any(|magic| start.starts_with(magic));
    let mut lines = vec![];
    let mut goes_on = false;
    for line in code.lines() {
        let plain = line.trim();
        let is_shell = goes_on || plain.starts_with(['%', '!', '?']);
        goes_on = is_shell && plain.ends_with('\\');
        let asks = plain.ends_with('?') && !plain.contains(['#', '\'', '"']);
        if is_foreign || asks || is_shell {
            let indentation = &line[..line.len() - line.trim_start().len()];
            lines.push(format!("{indentation}pass"));
        } else {
            lines.push(line.to_string());
        }
    }
    lines
}

/// Text in UTF-8, else in Latin-1.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_string(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
