//! Numbers and missing values as tables spell them.

use std::ops::Range;
use std::str;

/// Content of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Nothing, or one of the words for it.
    Missing,
    /// Number; infinite if the cell says so or its number is beyond an `f64`.
    Number(f64),
    /// Anything else.
    String,
}

/// Spellings of a missing value, in small letters.
const MISSING: [&[u8]; 6] = [b"", b"na", b"n/a", b"nan", b"null", b"?"];

/// Spellings of an infinite number, in small letters and without a sign.
const INFINITE: [&[u8]; 2] = [b"inf", b"infinity"];

/// Powers of ten that an `f64` holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Number of digits of which an `f64` holds every integer exactly.
const EXACT_DIGITS: usize = 15;

/// Reads a cell without blanks around it, with this decimal separator.
pub fn read(cell: &[u8], decimal: u8) -> Cell {
    if let Some(number) = plain_number(cell, decimal) {
        return Cell::Number(number);
    }
    if is_number(cell, decimal) {
        return Cell::Number(any_number(cell));
    }
    if is_missing(cell) {
        return Cell::Missing;
    }
    let unsigned = cell.strip_prefix(b"-").or(cell.strip_prefix(b"+")).unwrap_or(cell);
    if INFINITE.iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Cell::Number(f64::INFINITY);
    }
    Cell::String
}

/// True for nothing, and for a word that means it.
pub fn is_missing(cell: &[u8]) -> bool {
    MISSING.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// Cell without blanks around it.
pub fn trim(cell: &[u8]) -> &[u8] {
    match cell {
        [first, .., last] if *first > b' ' && *last > b' ' => cell,
        _ => cell.trim_ascii(),
    }
}

/// Number in the cell at this range of a row, if it is an integer or a decimal number without an
/// exponent; `None` for all that [`read`] must decide.
///
/// A cell of at most 8 bytes is loaded as one `u64`, its first byte lowest and its last byte
/// highest. Nearly all cells are such numbers. Eight bytes at a time they cost about as much as the
/// division of the row into cells; a loop over the digits costs half as much again.
#[inline]
pub fn short_number(row: &[u8], cell: Range<usize>, decimal: u8) -> Option<f64> {
    let length = cell.len();
    let bytes = match cell.end.checked_sub(8).and_then(|start| row.get(start..cell.end)) {
        Some(bytes) if (1..=8).contains(&length) => u64::from_le_bytes(bytes.try_into().ok()?),
        _ => return plain_number(row.get(cell)?, decimal),
    };
    // Bytes before the cell, and a sign, become zeros in front.
    let is_negative = row[cell.start] == b'-';
    let n_bits_before = 64 - 8 * length as u32;
    let mut cell_mask = u64::MAX << n_bits_before;
    if is_negative {
        cell_mask &= !(0xff << n_bits_before);
    }
    let mut digits = (bytes & cell_mask) | (ZEROS & !cell_mask);
    let n_digits = length - usize::from(is_negative);
    if are_eight_digits(digits) && n_digits > 0 {
        let number = eight_digits(digits) as f64;
        return Some(if is_negative { -number } else { number });
    }
    // The lowest byte that is the separator; the digits before it move up to close the gap.
    let difference = digits ^ (u64::from(decimal) * ONES);
    let equal = difference.wrapping_sub(ONES) & !difference & (ONES << 7);
    let position = equal.trailing_zeros() / 8;
    if position > 7 || n_digits < 2 {
        return None;
    }
    let whole_mask = (1 << (8 * position)) - 1;
    let fraction_mask = !(u64::MAX >> (56 - 8 * position));
    digits = (digits & fraction_mask) | ((digits & whole_mask) << 8) | u64::from(b'0');
    if !are_eight_digits(digits) {
        return None;
    }
    let number = eight_digits(digits) as f64 / EXACT_POWERS[7 - position as usize];
    Some(if is_negative { -number } else { number })
}

/// Eight bytes of 1, and eight digits 0.
const ONES: u64 = 0x0101_0101_0101_0101;
const ZEROS: u64 = ONES * b'0' as u64;

/// True if all bytes are digits.
#[inline]
fn are_eight_digits(bytes: u64) -> bool {
    let high = ONES * 0xf0;
    bytes & high == ZEROS && bytes.wrapping_add(ONES * 6) & high == ZEROS
}

/// Number of eight digits, the first in the lowest byte: pairs, then fours, then all are joined.
#[inline]
fn eight_digits(bytes: u64) -> u64 {
    let digits = bytes - ZEROS;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    low.wrapping_add(high) >> 32
}

/// Number of at most 15 digits and without an exponent: a quotient of two exact numbers, and so
/// rounded as the standard library rounds it.
fn plain_number(cell: &[u8], decimal: u8) -> Option<f64> {
    let (is_negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.len() > EXACT_DIGITS {
        return None;
    }
    let mut integer = 0;
    let mut point = None;
    for (i, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            integer = integer * 10 + u64::from(digit);
        } else if byte == decimal && point.is_none() {
            point = Some(i);
        } else {
            return None;
        }
    }
    let n_decimals = point.map_or(0, |point| digits.len() - point - 1);
    if digits.len() == usize::from(point.is_some()) {
        return None;
    }
    let number = integer as f64 / EXACT_POWERS[n_decimals];
    Some(if is_negative { -number } else { number })
}

/// True for a decimal number, with or without a sign, a decimal separator and an exponent.
fn is_number(cell: &[u8], decimal: u8) -> bool {
    let unsigned = match cell {
        [b'-' | b'+', rest @ ..] => rest,
        rest => rest,
    };
    let (mantissa, exponent) = match unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.iter().position(|byte| *byte == decimal) {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let is_exponent = match exponent {
        None => true,
        Some([b'-' | b'+', digits @ ..] | digits) => !digits.is_empty() && are_digits(digits),
    };
    has_digits && are_digits(whole) && are_digits(fraction) && is_exponent
}

fn are_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

/// Value of what [`is_number`] accepts.
fn any_number(cell: &[u8]) -> f64 {
    let with_point: Vec<u8> =
        cell.iter().map(|byte| if *byte == b',' { b'.' } else { *byte }).collect();
    let text = str::from_utf8(&with_point).unwrap_or_default();
    text.parse().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_tables_hold() {
        for (cell, number) in [
            ("0", 0.0),
            ("-12.5", -12.5),
            ("+3", 3.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("-2.5E-3", -0.0025),
            ("123456789012345678", 123_456_789_012_345_680.0),
            ("1e400", f64::INFINITY),
            ("-Inf", f64::INFINITY),
        ] {
            assert_eq!(read(cell.as_bytes(), b'.'), Cell::Number(number), "{cell}");
        }
        for cell in ["", "NA", "nan", "N/A", "NULL", "?"] {
            assert_eq!(read(cell.as_bytes(), b'.'), Cell::Missing, "{cell:?}");
        }
        for cell in ["-", ".", "e5", "1e", "1,5", "1.2.3", "0x10", "12 %", "1_000", "--1", "\u{b2}"]
        {
            assert_eq!(read(cell.as_bytes(), b'.'), Cell::String, "{cell}");
        }
        assert_eq!(read(b"-1,25", b','), Cell::Number(-1.25));
        assert_eq!(read(b"1,5e2", b','), Cell::Number(150.0));
        assert_eq!(read(b"1.5", b','), Cell::String);
    }

    #[test]
    fn short_numbers_are_read_as_others() {
        let alphabet = b"0123456789.-+e, /:";
        let mut state = 7u64;
        let mut n_usual = 0;
        for _ in 0..200_000 {
            let mut next = |below: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as usize % below
            };
            let (start, length, n_letters) = (next(12), next(11), [10, 12, 18][next(3)]);
            let row: Vec<u8> = (0..start + length).map(|_| alphabet[next(n_letters)]).collect();
            let number = short_number(&row, start..start + length, b'.');
            let expected = plain_number(&row[start..], b'.');
            assert_eq!(number, expected, "{:?}", str::from_utf8(&row[start..]));
            n_usual += usize::from(number.is_some());
        }
        assert!(n_usual > 50_000, "{n_usual}");
    }

    #[test]
    fn rounds_as_the_standard_library() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let text = format!("{}.{:0width$}", state >> 50, state % 1000, width = 3);
            assert_eq!(read(text.as_bytes(), b'.'), Cell::Number(text.parse().unwrap()), "{text}");
        }
    }
}
