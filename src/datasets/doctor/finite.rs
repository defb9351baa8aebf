//! Rule `not-finite`: numbers that are NaN or infinite, and where.

use super::columns::Columns;
use super::{Finding, Severity, Subject};
use crate::datasets::Targets;
use crate::datasets::values::not_finite;

const REASON: &str = "no loss can be computed from them: it becomes NaN in the first epoch";
const REMEDY: &str = "correct or drop those rows; in Python: \
                      keep = np.isfinite(np.float32(x)).all(axis=1); x, y = x[keep], y[keep]";
/// The same for targets, of one axis or two.
const REMEDY_OF_TARGETS: &str = "correct or drop those rows; in Python: keep = \
                                 np.isfinite(np.float32(y).reshape(len(y), -1)).all(axis=1); \
                                 x, y = x[keep], y[keep]";

/// Examines the inputs.
pub(super) fn of_inputs(columns: &Columns, set: &str, subject: &Subject) -> Option<Finding> {
    let first = columns.first_not_finite?;
    let n_values = columns.n_rows * columns.width();
    let found = format!(
        "{} of {n_values} input numbers are NaN, infinite or too large for float32",
        if columns.n_not_finite == n_values {
            "all".to_string()
        } else {
            columns.n_not_finite.to_string()
        }
    );
    let place = format!(
        "{set}; the first is {} in {}, {}",
        first.value,
        subject.row(first.row),
        subject.feature(first.feature)
    );
    let finding = Finding::new(Severity::Problem, "not-finite", found);
    Some(finding.at(place).because(REASON).remedy(REMEDY))
}

/// Examines the targets.
pub(super) fn of_targets(targets: &Targets, set: &str) -> Option<Finding> {
    let Targets::Reals(array) = targets else { return None };
    let values = array.as_slice()?;
    let first = not_finite(values, array.shape().get(1..).unwrap_or_default())?;
    let found = format!("targets are NaN or infinite: {first}");
    let finding = Finding::new(Severity::Problem, "not-finite", found);
    Some(finding.at(set).because(REASON).remedy(REMEDY_OF_TARGETS))
}
