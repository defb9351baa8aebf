//! The first rows of a table, from which its layout is found out.

use std::io::{BufRead, Read};

use csv::{ByteRecord, ReaderBuilder, Terminator};

use crate::datasets::identify::identify;
use crate::{Error, Result};

/// Number of lines in a sample.
const LINES: usize = 1001;

/// Number of bytes after which a sample ends, once it has two lines.
const BYTES: usize = 1 << 20;

/// Number of bytes in which a line must end.
const MAX_LINE: usize = 1 << 26;

/// First lines of a table.
pub struct Sample {
    /// Bytes up to the end of a line, without a byte order mark.
    pub bytes: Vec<u8>,
    /// True if this is the whole table.
    pub is_whole: bool,
}

impl Sample {
    /// Reads the first lines.
    ///
    /// # Errors
    /// A reader that fails, and bytes that are not text.
    pub fn read(reader: &mut impl BufRead) -> Result<Sample> {
        let mut bytes = vec![];
        let mut lines = 0;
        let mut is_whole = false;
        while !is_whole && lines < LINES && (bytes.len() < BYTES || lines < 2) {
            let mut line = reader.by_ref().take((MAX_LINE - bytes.len()) as u64);
            let length = line.read_until(b'\n', &mut bytes).map_err(failed)?;
            if bytes.len() >= MAX_LINE {
                return Err(Error::format(
                    format!("its first {lines} lines are longer than {MAX_LINE} bytes"),
                    "give a table with one line per row",
                ));
            }
            is_whole = length == 0 || bytes.last() != Some(&b'\n');
            lines += 1;
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        refuse_others(&bytes)?;
        Ok(Sample { bytes, is_whole })
    }

    /// Rows, if values are separated by this byte.
    pub fn rows(&self, separator: u8) -> Result<Vec<ByteRecord>> {
        let mut rows = vec![];
        for row in parser(separator).from_reader(&self.bytes[..]).into_byte_records() {
            let row = row.map_err(|error| failed(error.into()))?;
            if !is_blank(&row) {
                rows.push(row);
            }
        }
        // The sample may end within quotes.
        if !self.is_whole && rows.len() > 2 {
            rows.pop();
        }
        Ok(rows)
    }
}

/// Settings of the CSV reader. Rows of any length pass: the caller names the row.
pub fn parser(separator: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(separator).terminator(Terminator::CRLF);
    builder.buffer_capacity(1 << 16);
    builder
}

/// True for a blank line.
pub fn is_blank(row: &ByteRecord) -> bool {
    row.len() <= 1 && row.as_slice().trim_ascii().is_empty()
}

/// Error of a reader.
pub fn failed(error: std::io::Error) -> Error {
    Error::format(format!("reading failed: {error}"), "check the file and its disk")
}

/// Refuses what is not a table: nothing, binary files, and text of another kind. A text holds
/// neither NUL nor many control characters.
fn refuse_others(bytes: &[u8]) -> Result<()> {
    let text = bytes.trim_ascii();
    if text.is_empty() {
        let help = "give a table with a header and at least one row";
        return Err(Error::format("this table is empty", help));
    }
    let is_control = |byte: &&u8| **byte < b' ' && !byte.is_ascii_whitespace();
    let n_control = bytes.iter().filter(is_control).count();
    let is_text = !bytes.contains(&0) && n_control * 50 <= bytes.len();
    let is_another = matches!(text[0], b'<' | b'{') || text.starts_with(b"version https://git-lfs");
    if is_text && !is_another {
        return Ok(());
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Error::format("this text is in UTF-16", "save the table as UTF-8"));
    }
    let export = "export the table as CSV: one line per row, values separated by commas";
    if bytes.starts_with(b"PK") {
        return Err(Error::format("this is an Excel file or another zip archive", export));
    }
    match identify(bytes) {
        Some(identity) => Err(identity.error()),
        None if is_text => Ok(()),
        None => Err(Error::format("this is a binary file, not a table in text", export)),
    }
}
