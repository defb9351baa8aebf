//! Examination of data before a training: what is wrong or odd with them, and the remedies.
//!
//! Each file is a rule, or a few about one thing. Rules that need a model are in `report/doctor`,
//! by [`Sequential::examine`](crate::model::Sequential::examine).

mod classes;
mod columns;
mod duplicates;
mod features;
mod files;
mod finding;
mod finite;
mod labels;
mod leak;
mod order;
pub(crate) mod scale;
mod subject;

pub use files::examine_files;
pub(crate) use finding::FoundAndHelp;
pub use finding::{Finding, Severity, Warning};
pub use subject::{Effort, InputUse, Subject, TargetUse};

use self::columns::{Columns, InputRows};
use self::duplicates::{Checksums, Duplicates};
use self::labels::Labels;
use crate::Result;

/// Number of samples below which a training is odd.
const FEW_SAMPLES: usize = 10;

/// Findings about data.
#[derive(Debug, Clone, Default)]
pub struct Examination {
    /// Findings, the worst first.
    pub findings: Vec<Finding>,
    /// Things that were examined, for the user.
    pub checked: Vec<&'static str>,
    /// Distance of the training samples whose inputs were read: 1 for all of them.
    pub step: usize,
}

impl Examination {
    /// Adds findings and sorts them, the worst first.
    pub fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
        self.findings.sort_by_key(|finding| finding.severity);
    }

    /// Number of findings of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Number of classes of the training samples, by the largest label; `None` for numbers.
    pub(crate) fn n_labels(subject: &Subject) -> Option<usize> {
        Labels::of(&subject.train.y, subject.target_use()).map(|labels| labels.counts.len())
    }
}

/// Examines data.
///
/// ```
/// use ndarray::Array;
/// use tallynet::Real;
/// use tallynet::datasets::doctor::{Severity, Subject, examine};
/// use tallynet::datasets::{Dataset, Inputs, Targets};
///
/// let x = Array::from_shape_fn(vec![60, 2], |i| (i[0] * 37 % 50 * 10 + i[1]) as Real);
/// let y = Array::from_shape_fn(vec![60], |i| (i[0] % 2) as u32);
/// let data = Dataset { x: Inputs::Reals(x), y: Targets::Labels(y) };
/// let examination = examine(&Subject::new(&data))?;
/// let worst = &examination.findings[0];
/// assert_eq!((worst.severity, worst.rule), (Severity::Odd, "unscaled-inputs"));
/// assert_eq!(worst.found, "inputs are not scaled: they run from 0 to 491");
/// assert!(worst.remedy.contains("Normalization"));
/// # Ok::<(), tallynet::Error>(())
/// ```
///
/// # Errors
/// Arrays that are not in row-major order, and sets whose inputs and targets differ in number.
pub fn examine(subject: &Subject) -> Result<Examination> {
    let mut examination = Examination { step: 1, ..Examination::default() };
    for set in subject.all_sets() {
        set.data.check_lengths()?;
    }
    let data = subject.train;
    let rows = InputRows::new(data, subject.max_values())?;
    examination.step = rows.step;
    if rows.len == 0 || rows.width == 0 {
        examination.add([no_samples("training set", "nothing can be learned")]);
        return Ok(examination);
    }
    for set in subject.other_sets().iter().filter(|set| set.data.is_empty()) {
        examination.add([no_samples(set.name, "a model cannot be evaluated on it")]);
    }
    let columns = Columns::of(rows);
    examination.checked.push("NaN and infinite numbers");
    examination.checked.extend(scale::name(subject.inputs));
    examination.add(finite::of_inputs(&columns, "training set", subject));
    examination.add(scale::of_inputs(&columns, subject));
    let labels = Labels::of(&data.y, subject.target_use());
    examine_targets(labels.as_ref(), subject, &mut examination)?;
    if subject.effort == Effort::Thorough {
        examination.add(few_samples(rows.len));
        if columns.are_all_constant() {
            examination.add(features::constant(&columns, subject));
            return Ok(examination);
        }
        examine_features(&columns, rows, labels.as_ref(), subject, &mut examination);
        examine_samples(&columns, rows, subject, &mut examination)?;
    }
    Ok(examination)
}

/// Classes, numbers and their order.
fn examine_targets(
    labels: Option<&Labels>,
    subject: &Subject,
    examination: &mut Examination,
) -> Result<()> {
    if subject.effort == Effort::Thorough {
        for set in subject.all_sets() {
            examination.add(finite::of_targets(&set.data.y, set.name));
        }
    }
    let order = order::name(subject.train.len());
    let Some(labels) = labels else {
        examination.checked.extend(["targets", order]);
        examination.add(classes::of_numbers(&subject.train.y));
        examination.add(order::of_numbers(&subject.train.y, subject));
        return Ok(());
    };
    examination.checked.extend(["classes", order]);
    examination.add(classes::of_train(labels, subject));
    examination.add(order::of_labels(labels, subject));
    for set in subject.other_sets() {
        if let Some(others) = Labels::of(&set.data.y, TargetUse::Classes) {
            examination.add(classes::unseen(labels, &others, set.name, subject));
        }
    }
    Ok(())
}

/// Features, each by itself and against the targets.
fn examine_features(
    columns: &Columns,
    rows: InputRows,
    labels: Option<&Labels>,
    subject: &Subject,
    examination: &mut Examination,
) {
    examination.checked.extend(["constant and repeated features", "targets among the inputs"]);
    examination.add(features::constant(columns, subject));
    examination.add(features::duplicate(columns, rows, subject));
    if columns.first_not_finite.is_some() {
        return;
    }
    examination.add(match labels {
        Some(labels) => leak::of_classes(labels, columns, rows, subject),
        None => leak::of_numbers(&subject.train.y, columns, rows, subject),
    });
}

/// Copies of samples, and the sets beside the training set.
fn examine_samples(
    columns: &Columns,
    rows: InputRows,
    subject: &Subject,
    examination: &mut Examination,
) -> Result<()> {
    examination.checked.push("copies of samples");
    let train = Checksums::of(rows);
    let duplicates = Duplicates::of(&train);
    examination.add(duplicates.finding(subject));
    for set in subject.other_sets() {
        let other_rows = InputRows::new(set.data, subject.max_values())?;
        if other_rows.width != rows.width || other_rows.len == 0 {
            continue;
        }
        examination.checked.push(set.name);
        let other_columns = Columns::of(other_rows);
        examination.add(finite::of_inputs(&other_columns, set.name, subject));
        examination.add(scale::compare(columns, &other_columns, set.name));
        let others = Checksums::of(other_rows);
        examination.add(duplicates.leak(&train, &others, set.name, set.data, subject));
    }
    Ok(())
}

fn no_samples(set: &str, reason: &str) -> Finding {
    Finding::new(Severity::Problem, "few-samples", "there are no samples".to_string())
        .at(set)
        .because(reason)
        .remedy("check the file and how it was written")
}

fn few_samples(n: usize) -> Option<Finding> {
    if n >= FEW_SAMPLES {
        return None;
    }
    let severity = if n == 1 { Severity::Problem } else { Severity::Odd };
    let found =
        if n == 1 { "there is 1 sample".to_string() } else { format!("there are {n} samples") };
    let finding = Finding::new(severity, "few-samples", found).at("training set");
    let reason = "a model learns so few by heart, and knows nothing about others";
    Some(finding.because(reason).remedy("collect more samples; one row of an array is one sample"))
}
