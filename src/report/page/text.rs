//! Numbers as a person reads them.

use crate::table::with_commas;

/// Four significant digits: `0.3674`, `12.35`, `1.235e-5`, `NaN`.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    if !(1e-4..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    let digits_before = size.log10().floor() as i32 + 1;
    let decimals = (4 - digits_before).max(0) as usize;
    format!("{value:.decimals$}")
}

/// `0.9014` as `90.14 %`.
pub fn percent(fraction: f64) -> String {
    format!("{:.2} %", 100.0 * fraction)
}

/// A count with its noun: `1 mistake`, `986 mistakes`.
pub fn counted(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", with_commas(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        let texts = [0.36743, 12.3456, 0.00123456, 1.23456e-5, 1234567.0, 0.0, -0.5].map(number);
        let expected = ["0.3674", "12.35", "0.001235", "1.235e-5", "1234567", "0", "-0.5000"];
        assert_eq!(texts, expected);
        assert_eq!([number(f64::NAN), number(1e9)], ["NaN", "1.000e9"]);
        assert_eq!(
            [counted(1, "mistake"), counted(1986, "mistake")],
            ["1 mistake", "1,986 mistakes"]
        );
    }
}
