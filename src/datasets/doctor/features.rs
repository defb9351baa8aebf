//! Rules `constant-features` and `duplicate-features`.

use std::collections::BTreeMap;

use super::columns::{Columns, InputRows};
use super::{Finding, Severity, Subject};

/// Features that are the same in all samples. Pixels at the borders of images often are, so only
/// columns of tables are odd.
pub(super) fn constant(columns: &Columns, subject: &Subject) -> Option<Finding> {
    let (n, width) = (columns.n_rows, columns.width());
    let constant: Vec<usize> = (0..width).filter(|each| columns.is_constant(*each)).collect();
    if constant.is_empty() || n < 2 || columns.n_not_finite >= n * width {
        return None;
    }
    let reason = "a feature that never changes tells a model nothing";
    if columns.are_all_constant() {
        let found = "all features are the same in all samples".to_string();
        let finding = Finding::new(Severity::Problem, "constant-features", found);
        let remedy = "check how the inputs were read and converted: nothing can be learned here";
        return Some(finding.at("training set").because(reason).remedy(remedy));
    }
    let n_constant = constant.len();
    let verb = if n_constant == 1 { "is" } else { "are" };
    let found = format!("{n_constant} of {width} features {verb} the same in all samples");
    if !subject.is_table() {
        let finding = Finding::new(Severity::Note, "constant-features", found);
        let place = format!("training set, {}", subject.features(&constant));
        let reason = "pixels at the borders of images often are; their weights are never used";
        return Some(finding.at(place).because(reason).remedy("none is needed"));
    }
    let place = format!("training set, {}", subject.features(&constant));
    let finding = Finding::new(Severity::Odd, "constant-features", found).at(place);
    Some(finding.because(reason).remedy("leave them out: --ignore NAMES for columns of a table"))
}

/// Features that equal an earlier one in each row, if they are not constant.
pub(super) fn duplicate(columns: &Columns, rows: InputRows, subject: &Subject) -> Option<Finding> {
    if columns.n_rows < 2 {
        return None;
    }
    let mut pairs = Pair::of_equal_checksums(columns);
    let mut row = vec![0.0; rows.width];
    for index in rows.indices() {
        if pairs.is_empty() {
            return None;
        }
        rows.read(index, &mut row);
        pairs.retain(|pair| {
            let (first, second) = (row[pair.first], row[pair.second]);
            first == second || !(first.is_finite() && second.is_finite())
        });
    }
    let Pair { first, second } = *pairs.first()?;
    let severity = if subject.is_table() { Severity::Odd } else { Severity::Note };
    let found = format!(
        "{} of {} features {} another: {} equals {} in every sample",
        pairs.len(),
        columns.width(),
        if pairs.len() == 1 { "repeats" } else { "repeat" },
        subject.feature(second),
        subject.feature(first)
    );
    let repeated: Vec<usize> = pairs.iter().map(|pair| pair.second).collect();
    let finding = Finding::new(severity, "duplicate-features", found);
    let reason =
        "a repeated feature adds weights and no information, and its importance is divided";
    Some(
        finding
            .at(format!("training set, {}", subject.features(&repeated)))
            .because(reason)
            .remedy("keep one of each: --ignore NAMES for columns of a table"),
    )
}

/// Two features that may be equal.
struct Pair {
    first: usize,
    second: usize,
}

impl Pair {
    /// Each feature that has the checksum of an earlier one, unless it is constant.
    fn of_equal_checksums(columns: &Columns) -> Vec<Pair> {
        let mut by_checksum: BTreeMap<u64, usize> = BTreeMap::new();
        let mut pairs = vec![];
        for (feature, checksum) in columns.checksums.iter().enumerate() {
            if columns.is_constant(feature) {
                continue;
            }
            match by_checksum.get(checksum) {
                Some(first) => pairs.push(Pair { first: *first, second: feature }),
                None => drop(by_checksum.insert(*checksum, feature)),
            }
        }
        pairs
    }
}
