//! Numbers and missing values as tables spell them.

use std::str;

/// Content of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Nothing, or one of the words for it.
    Missing,
    /// Number; infinite if the cell says so or its number is beyond an `f64`.
    Number(f64),
    /// Anything else.
    Text,
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

/// Largest number of digits whose integer an `f64` holds exactly.
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
    Cell::Text
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

/// Number of at most 15 digits and without an exponent: a quotient of two exact numbers, and so
/// rounded as the standard library rounds it, in a fraction of its time.
fn plain_number(cell: &[u8], decimal: u8) -> Option<f64> {
    let (is_negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut integer, mut n_digits, mut point) = (0u64, 0, None);
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            if n_digits == EXACT_DIGITS {
                return None;
            }
            integer = integer * 10 + u64::from(digit);
            n_digits += 1;
        } else if byte == decimal && point.is_none() {
            point = Some(n_digits);
        } else {
            return None;
        }
    }
    if n_digits == 0 {
        return None;
    }
    let n_decimals = point.map_or(0, |before| n_digits - before);
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
            assert_eq!(read(cell.as_bytes(), b'.'), Cell::Text, "{cell}");
        }
        assert_eq!(read(b"-1,25", b','), Cell::Number(-1.25));
        assert_eq!(read(b"1,5e2", b','), Cell::Number(150.0));
        assert_eq!(read(b"1.5", b','), Cell::Text);
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
