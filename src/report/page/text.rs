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

/// A probability as `97.3 %`; one that would be 100.0 % has more digits, `99.998 %`, by which the
/// surest mistakes of a model are told apart.
pub fn percent_of_class(probability: f64) -> String {
    let percent = 100.0 * probability;
    if percent > 0.0 && percent < 0.05 {
        return "< 0.1 %".to_string();
    }
    if percent < 99.95 {
        return format!("{percent:.1} %");
    }
    // Single precision rounds a softmax to 1: not more than this is known.
    if percent >= 99.9995 {
        return "> 99.999 %".to_string();
    }
    format!("{percent:.3} %")
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
    fn sure_classes_have_more_digits() {
        let cases = [
            (0.0, "0.0 %"),
            (0.0004, "< 0.1 %"),
            (0.5, "50.0 %"),
            (0.9994, "99.9 %"),
            (0.99961, "99.961 %"),
            (0.99998, "99.998 %"),
            (0.999_999, "> 99.999 %"),
            (1.0, "> 99.999 %"),
        ];
        for (probability, text) in cases {
            assert_eq!(percent_of_class(probability), text);
        }
    }

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
