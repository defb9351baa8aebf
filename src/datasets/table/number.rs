//! Numbers and missing values as tables spell them.

use std::ops::Range;
use std::str;

use crate::Real;

/// Content of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Nothing, or one of the words for it.
    Missing,
    /// Number, as exact as a `Real` needs; infinite if the cell says so or its number is beyond an
    /// `f64`.
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

/// Number of digits that a `u64` holds, whatever they are.
const MAX_DIGITS: usize = 19;

/// An `f64` holds every integer up to here exactly.
const EXACT: u64 = 1 << 53;

/// Reads a cell without blanks around it, with this decimal separator.
pub fn read(cell: &[u8], decimal: u8) -> Cell {
    if let Some(number) = plain_number(cell, decimal) {
        return Cell::Number(number);
    }
    if let Some(number) = any_number(cell, decimal) {
        return Cell::Number(number);
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
        return Some(with_sign(eight_digits(digits) as f64, is_negative));
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
    Some(with_sign(number, is_negative))
}

/// Sets the sign of a number without one. A branch would be mispredicted for every other number.
#[inline]
fn with_sign(number: f64, is_negative: bool) -> f64 {
    f64::from_bits(number.to_bits() | (u64::from(is_negative) << 63))
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

/// Number of at most 19 digits and without an exponent: a quotient. If its numerator is exact, it
/// is rounded as the standard library rounds it, and else only once it is a `Real`.
fn plain_number(cell: &[u8], decimal: u8) -> Option<f64> {
    let (is_negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.len() > MAX_DIGITS {
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
    if integer > EXACT && !is_exact_enough(number) {
        return None;
    }
    Some(with_sign(number, is_negative))
}

/// True if a number above 10⁻⁴ becomes the same `Real` after an error in its last two bits. That is
/// so for single precision, unless the bits that are rounded off are nearly one half.
fn is_exact_enough(number: f64) -> bool {
    const ROUNDED_OFF: u32 = f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS;
    let rest = number.to_bits() & ((1 << ROUNDED_OFF) - 1);
    size_of::<Real>() == size_of::<f32>() && rest.abs_diff(1 << (ROUNDED_OFF - 1)) > 8
}

/// Any decimal number, with or without a sign, a decimal separator and an exponent.
fn any_number(cell: &[u8], decimal: u8) -> Option<f64> {
    // The standard library's parser takes words too, such as `inf`.
    let last = *cell.last()?;
    if !last.is_ascii_digit() && last != decimal {
        return None;
    }
    let text = str::from_utf8(cell).ok()?;
    if decimal == b'.' {
        return text.parse().ok();
    }
    if text.contains('.') {
        return None;
    }
    text.replace(char::from(decimal), ".").parse().ok()
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
    fn many_digits_become_the_nearest_real() {
        let mut state = 1u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let text = format!("{}.{}", (state >> 40) % 1000, state >> 11);
            let Cell::Number(number) = read(text.as_bytes(), b'.') else { panic!("{text}") };
            assert_eq!(number as Real, text.parse::<f64>().unwrap() as Real, "{text}");
        }
        // Halfway between two numbers of single precision, and next to it.
        for text in ["1.000000059604644775", "1.000000059604644776", "16777217.00000000001"] {
            let Cell::Number(number) = read(text.as_bytes(), b'.') else { panic!("{text}") };
            assert_eq!(number as Real, text.parse::<f64>().unwrap() as Real, "{text}");
        }
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
