//! Rules `duplicate-samples` and `leaked-samples`: exact copies of samples within the training set,
//! and between it and another.

use super::columns::{InputRows, mix};
use super::{Finding, Severity, Subject};
use crate::datasets::{Dataset, Targets};

/// Share of copies in the training set that is odd.
const MANY: f64 = 0.01;
/// Share of copies in the training set from which on copies are in the nature of the data, such as
/// those of a few categories.
const NATURAL: f64 = 0.2;
/// Share of leaked samples that is a problem.
const LEAK: f64 = 0.01;

/// Checksum of a row's inputs, and its index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RowChecksum {
    checksum: u64,
    row: usize,
}

/// Inputs of a data set with the checksum of each row, sorted.
pub(super) struct Checksums<'a> {
    rows: InputRows<'a>,
    sorted: Vec<RowChecksum>,
}

impl<'a> Checksums<'a> {
    /// Reads the rows.
    pub fn of(rows: InputRows<'a>) -> Checksums<'a> {
        let mut row = vec![0.0; rows.width];
        let mut sorted = vec![];
        for index in rows.indices() {
            rows.read(index, &mut row);
            let checksum = row.iter().fold(1, |sum, value| mix(sum, *value));
            sorted.push(RowChecksum { checksum, row: index });
        }
        sorted.sort_unstable();
        Checksums { rows, sorted }
    }

    /// First row with the inputs of a row of another set.
    fn find(&self, wanted: RowChecksum, of: &InputRows) -> Option<usize> {
        let start = self.sorted.partition_point(|each| each.checksum < wanted.checksum);
        let first = self.sorted.get(start).filter(|first| first.checksum == wanted.checksum)?;
        // Checksums of different rows may agree.
        let (mut row, mut other) = (vec![0.0; self.rows.width], vec![0.0; of.width]);
        self.rows.read(first.row, &mut row);
        of.read(wanted.row, &mut other);
        (row == other).then_some(first.row)
    }
}

/// Copy of an earlier row.
struct Copied {
    row: usize,
    of: usize,
}

/// Copies of samples of the training set.
pub(super) struct Duplicates {
    copies: Vec<Copied>,
    n_rows: usize,
}

impl Duplicates {
    /// Finds the copies.
    pub fn of(train: &Checksums) -> Duplicates {
        let mut copies = vec![];
        for pair in train.sorted.windows(2) {
            let [before, each] = pair else { continue };
            if before.checksum == each.checksum
                && let Some(of) = train.find(*each, &train.rows)
            {
                copies.push(Copied { row: each.row, of });
            }
        }
        copies.sort_unstable_by_key(|copied| copied.row);
        Duplicates { copies, n_rows: train.sorted.len() }
    }

    /// Share of the samples that are copies.
    fn share(&self) -> f64 {
        self.copies.len() as f64 / self.n_rows.max(1) as f64
    }

    /// The finding about copies within the training set.
    pub fn finding(&self, subject: &Subject) -> Option<Finding> {
        let first = self.copies.first()?;
        let is_contrary = |copied: &&Copied| {
            !has_same_target(&subject.train.y, copied.of, &subject.train.y, copied.row)
        };
        let n_contrary = self.copies.iter().filter(is_contrary).count();
        let severity = if self.share() > MANY { Severity::Odd } else { Severity::Note };
        let n = self.copies.len();
        let mut found = format!(
            "{n} of {} samples {} of earlier ones",
            self.n_rows,
            if n == 1 { "is a copy" } else { "are exact copies" }
        );
        if n_contrary > 0 {
            found += &format!(", {n_contrary} of them with another target");
        }
        let (row, of) = (subject.row(first.row), subject.row(first.of));
        let place = format!("training set; {row} equals {of}");
        let finding = Finding::new(severity, "duplicate-samples", found).at(place);
        let reason = "copies count twice; if a test or validation set is drawn from these samples, \
                      it holds samples that were trained on";
        let remedy = format!("drop copies before the split, {}", drop_copies(subject));
        Some(finding.because(reason).remedy(remedy))
    }

    /// The finding about samples of another set that are in the training set too.
    pub fn leak(
        &self,
        train: &Checksums,
        other: &Checksums,
        set: &str,
        data: &Dataset,
        subject: &Subject,
    ) -> Option<Finding> {
        let mut first = None;
        let (mut n_leaked, mut n_same_target) = (0, 0);
        for each in &other.sorted {
            let Some(of) = train.find(*each, &other.rows) else { continue };
            n_leaked += 1;
            n_same_target += usize::from(has_same_target(&subject.train.y, of, &data.y, each.row));
            if first.as_ref().is_none_or(|first: &Copied| each.row < first.row) {
                first = Some(Copied { row: each.row, of });
            }
        }
        let first = first?;
        let n = other.sorted.len();
        let share = n_leaked as f64 / n as f64;
        let is_natural = self.share() > NATURAL;
        let severity = if share > LEAK && !is_natural { Severity::Problem } else { Severity::Odd };
        let found = format!(
            "{n_leaked} of {n} samples are in the training set too ({:.2} %), {n_same_target} with \
             the same target",
            100.0 * share
        );
        let (row, of) = (subject.row(first.row), subject.row(first.of));
        let place = format!("{set}; {row} equals {of} of the training set");
        let reason = if is_natural {
            "the samples have few different inputs, so that copies are natural; the score is that \
             of known samples all the same"
        } else {
            "a model is right for samples that it has seen: the score is too good (a leak)"
        };
        let finding = Finding::new(severity, "leaked-samples", found).at(place);
        let drop_copies = drop_copies(subject);
        let remedy = format!("join the sets, drop copies, {drop_copies}; then --test-split 0.2");
        Some(finding.because(reason).remedy(remedy))
    }
}

/// Line of Python that drops copies.
fn drop_copies(subject: &Subject) -> &'static str {
    if subject.has_columns() {
        return "in pandas: df = df.drop_duplicates(subset=FEATURES)";
    }
    "in Python: rows = np.sort(np.unique(x, axis=0, return_index=True)[1]); \
     x, y = x[rows], y[rows]"
}

/// True if two samples have the same target.
fn has_same_target(targets: &Targets, row: usize, others: &Targets, other: usize) -> bool {
    match (targets, others) {
        (Targets::Labels(a), Targets::Labels(b)) => {
            target(a.as_slice(), a.shape(), row) == target(b.as_slice(), b.shape(), other)
        }
        (Targets::Reals(a), Targets::Reals(b)) => {
            target(a.as_slice(), a.shape(), row) == target(b.as_slice(), b.shape(), other)
        }
        _ => false,
    }
}

/// Values of the target of a row.
fn target<'a, T>(values: Option<&'a [T]>, shape: &[usize], row: usize) -> Option<&'a [T]> {
    let width: usize = shape.get(1..)?.iter().product();
    values?.get(row * width..(row + 1) * width)
}
