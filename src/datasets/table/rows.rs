//! Rows of a table, divided into cells.
//!
//! Nearly every line is a row without quotes, or with quotes around whole cells. Such a line is
//! divided here, in a loop without branches, several times as fast as a parser of all that CSV
//! allows. Other lines go to that parser, `csv-core`: doubled quotes, lines within quotes, and
//! carriage returns as line ends. Tests compare the two.

use std::io::BufRead;
use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::sample;
use crate::Result;

/// Number of bytes whose positions are found at once.
const BLOCK: usize = 64;

/// Eight bytes of 1, and eight of the lower seven bits.
const ONES: u64 = 0x0101_0101_0101_0101;
const SEVEN_BITS: u64 = ONES * 0x7f;

/// Cells of a row.
#[derive(Debug, Default)]
pub struct Row {
    /// Bytes in which the cells are.
    pub bytes: Vec<u8>,
    /// Range of each cell, without quotes.
    pub cells: Vec<Range<usize>>,
    /// Line in the file, counted from 1.
    pub line: u64,
    /// Ends of the cells, a buffer of [`Row::divide`].
    ends: Vec<usize>,
}

impl Row {
    /// Bytes of each cell.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.cells.iter().map(|cell| &self.bytes[cell.clone()])
    }

    /// True for a blank row.
    fn is_blank(&self) -> bool {
        match &self.cells[..] {
            [only] => self.bytes[only.clone()].trim_ascii().is_empty(),
            cells => cells.is_empty(),
        }
    }

    /// Divides a line into cells; false if it needs the parser.
    fn divide(&mut self, separator: u8) -> bool {
        let line = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.contains(&b'\r') {
            return false;
        }
        let has_quotes = line.contains(&b'"');
        self.cells.clear();
        let (mut start, mut is_quoted) = (0, false);
        let (blocks, rest) = line.as_chunks();
        let mut last = [0; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        for (i, block) in blocks.iter().chain([&last]).enumerate() {
            let mut separators = positions(block, separator);
            if has_quotes {
                let quoted = between_quotes(positions(block, b'"'), is_quoted);
                separators &= !quoted;
                is_quoted = quoted >> (BLOCK - 1) == 1;
            }
            while separators != 0 {
                let end = i * BLOCK + separators.trailing_zeros() as usize;
                self.cells.push(start..end);
                start = end + 1;
                separators &= separators - 1;
            }
        }
        self.cells.push(start..line.len());
        !is_quoted && (!has_quotes || self.remove_quotes())
    }

    /// Removes the quotes around cells; false if there are others.
    fn remove_quotes(&mut self) -> bool {
        for cell in &mut self.cells {
            let bytes = &self.bytes[cell.clone()];
            let content = match bytes {
                [b'"', content @ .., b'"'] => content,
                other => other,
            };
            if content.contains(&b'"') {
                return false;
            }
            if content.len() < bytes.len() {
                *cell = cell.start + 1..cell.end - 1;
            }
        }
        true
    }
}

/// Positions of a byte in a block: a bit for each. Eight bytes are compared at once.
fn positions(block: &[u8; BLOCK], byte: u8) -> u64 {
    let (words, _) = block.as_chunks();
    let mut positions = 0;
    for (i, word) in words.iter().enumerate() {
        let difference = u64::from_le_bytes(*word) ^ (ONES * u64::from(byte));
        // The highest bit of each byte, 1 for a byte that is zero.
        let equal = !(((difference & SEVEN_BITS) + SEVEN_BITS) | difference | SEVEN_BITS);
        // A product that moves the eight bits side by side.
        positions |= (((equal >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56) << (8 * i);
    }
    positions
}

/// Positions from an opening quote up to the byte before the closing one: the parity of the number
/// of quotes so far.
fn between_quotes(quotes: u64, is_quoted: bool) -> u64 {
    let mut parity = quotes;
    for shift in [1, 2, 4, 8, 16, 32] {
        parity ^= parity << shift;
    }
    if is_quoted { !parity } else { parity }
}

/// Reader of rows. Blank lines are skipped.
pub struct Rows<R> {
    source: R,
    separator: u8,
    parser: Reader,
    row: Row,
    /// Line that the parser reads.
    line: Vec<u8>,
    /// Number of bytes of the line that the parser has read.
    n_parsed: usize,
    n_lines: u64,
    is_unclosed: bool,
}

impl<R: BufRead> Rows<R> {
    /// Reader of this source.
    pub fn new(source: R, separator: u8) -> Rows<R> {
        let parser = ReaderBuilder::new().delimiter(separator).terminator(Terminator::CRLF).build();
        let (row, line) = (Row::default(), vec![]);
        Rows { source, separator, parser, row, line, n_parsed: 0, n_lines: 0, is_unclosed: false }
    }

    /// True if the last row ended with the file, within quotes.
    pub fn is_unclosed(&self) -> bool {
        self.is_unclosed
    }

    /// The next row; `None` at the end. The error is that of the source.
    pub fn next(&mut self) -> Result<Option<&Row>> {
        loop {
            if self.n_parsed < self.line.len() {
                if !self.parse()? {
                    continue;
                }
            } else {
                self.row.bytes.clear();
                if !read_line(&mut self.source, &mut self.row.bytes)? {
                    return Ok(None);
                }
                self.n_lines += 1;
                self.row.line = self.n_lines;
                if !self.row.divide(self.separator) {
                    std::mem::swap(&mut self.line, &mut self.row.bytes);
                    self.n_parsed = 0;
                    continue;
                }
            }
            if !self.row.is_blank() {
                return Ok(Some(&self.row));
            }
        }
    }

    /// Reads a row with the parser; false if the rest of the line holds none.
    fn parse(&mut self) -> Result<bool> {
        let (mut n_bytes, mut n_cells) = (0, 0);
        self.row.line = self.n_lines;
        loop {
            let input = &self.line[self.n_parsed..];
            // Room for all that the input may become.
            self.row.bytes.resize(n_bytes + input.len() + 1, 0);
            self.row.ends.resize(n_cells + input.len() + 1, 0);
            let (bytes, ends) = (&mut self.row.bytes[n_bytes..], &mut self.row.ends[n_cells..]);
            let (result, n_read, n_written, n_ended) = self.parser.read_record(input, bytes, ends);
            self.n_parsed += n_read;
            n_bytes += n_written;
            n_cells += n_ended;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(false),
                ReadRecordResult::InputEmpty if n_bytes == 0 && n_cells == 0 => return Ok(false),
                ReadRecordResult::InputEmpty => {
                    // The row continues in the next line; without one it is complete.
                    let last = self.line.trim_ascii_end().last().copied();
                    self.line.clear();
                    self.n_parsed = 0;
                    if read_line(&mut self.source, &mut self.line)? {
                        self.n_lines += 1;
                    } else {
                        let has_newline = self.row.bytes[..n_bytes].contains(&b'\n');
                        self.is_unclosed = has_newline && last != Some(b'"');
                    }
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
            }
        }
        self.row.cells.clear();
        let mut start = 0;
        for end in &self.row.ends[..n_cells] {
            self.row.cells.push(start..*end);
            start = *end;
        }
        Ok(true)
    }
}

/// Appends a line with its end; false if there is none.
fn read_line(source: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool> {
    Ok(source.read_until(b'\n', line).map_err(sample::failed)? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of all rows and the lines where they begin.
    fn rows(text: &[u8]) -> Vec<(u64, Vec<Vec<u8>>)> {
        let (mut rows, mut all) = (Rows::new(text, b','), vec![]);
        while let Some(row) = rows.next().unwrap() {
            all.push((row.line, row.iter().map(<[u8]>::to_vec).collect()));
        }
        all
    }

    #[test]
    fn divides_as_the_parser_does() {
        let mut state = 3u64;
        for _ in 0..20_000 {
            let mut next = |below: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as usize % below
            };
            let (length, n_letters) = (next(150), [5, 7, 8][next(3)]);
            let letters = [b"abc,\n\r\"\"", b"123,,\n\"\r", b"x\",\"\n\"x\r"][next(3)];
            let text: Vec<u8> = (0..length).map(|_| letters[next(n_letters)]).collect();
            let mut expected = vec![];
            for record in sample::parser(b',').from_reader(&text[..]).into_byte_records() {
                let record = record.unwrap();
                if !sample::is_blank(&record) {
                    expected.push(record.iter().map(<[u8]>::to_vec).collect::<Vec<_>>());
                }
            }
            let found: Vec<_> = rows(&text).into_iter().map(|(_, cells)| cells).collect();
            assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn counts_lines_and_finds_open_quotes() {
        let text = b"a,b\n\n\"1\n2\",3\n4,5";
        let lines: Vec<u64> = rows(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 3, 5]);
        for (text, is_unclosed) in [("a\n\"b\nc", true), ("a\n\"b\nc\"", false), ("\"a\"", false)] {
            let mut rows = Rows::new(text.as_bytes(), b',');
            while rows.next().unwrap().is_some() {}
            assert_eq!(rows.is_unclosed(), is_unclosed, "{text:?}");
        }
    }
}
