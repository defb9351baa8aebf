//! Rules about the size of the inputs: `unscaled-inputs`, `small-inputs`, `offset-inputs`, and
//! `other-scale` of a set beside the training set.
//!
//! Initial weights (Glorot, He) keep the size of the numbers that pass a layer, so they suit inputs
//! of about 1 around 0: LeCun, Bottou, Orr, Müller: Efficient BackProp (1998), section 4.3.

use super::columns::Columns;
use super::subject::InputUse;
use super::{Finding, Severity, Subject};

/// Largest input above which the loss may diverge for that reason.
const LARGEST: f64 = 10.0;
/// Root mean square of a feature that is odd, and that is a problem.
const LARGE: f64 = 10.0;
const VERY_LARGE: f64 = 30.0;
/// Largest input that is small.
const SMALL: f64 = 0.01;
/// Ratio of mean and deviation that is odd.
const OFF: f64 = 10.0;
/// Ratio of the sizes of two sets that is a problem.
const RATIO: f64 = 5.0;

const REASON: &str = "initial weights suit inputs of about 1: larger ones saturate activations and \
                      make the loss start high, oscillate or become NaN";
const STANDARDIZE: &str = "begin the model with layers.Normalization(), adapted to the training \
                           inputs, or standardize: x = (x - x_train.mean(axis=0)) / \
                           x_train.std(axis=0)";
const DIVIDE: &str = "x = x.astype(\"float32\") / 255, or begin the model with \
                      layers.Rescaling(1/255); bytes that are saved as uint8 are divided by \
                      tallynet (--scale unit)";

/// Explanation of a loss that diverges, if the largest input is the likely cause.
pub(in crate::datasets) fn divergence_cause(largest: f64) -> Option<String> {
    if largest > LARGEST {
        return Some(format!("the inputs reach {largest}; scale them to about 1, images by 1/255"));
    }
    None
}

/// Name of these rules for the user; `None` for indices, which have no scale.
pub(super) fn name(inputs: InputUse) -> Option<&'static str> {
    match inputs {
        InputUse::Numbers { .. } => Some("scale of the inputs"),
        InputUse::Normalized => {
            Some("scale of the inputs (any is right: training normalizes them)")
        }
        InputUse::Indices => None,
    }
}

/// Examines the inputs of the training set.
pub(super) fn of_inputs(columns: &Columns, subject: &Subject) -> Vec<Finding> {
    let InputUse::Numbers { scale, offset } = subject.inputs else { return vec![] };
    let (low, high) = columns.range();
    if !(low.is_finite() && high.is_finite()) {
        return vec![];
    }
    let (a, b) = (low * scale + offset, high * scale + offset);
    let range = Range { minimum: a.min(b), maximum: a.max(b) };
    let size = |feature: usize| {
        let mean = columns.mean[feature] * scale + offset;
        mean.hypot(columns.deviation[feature] * scale)
    };
    let large: Vec<usize> = (0..columns.width()).filter(|each| size(*each) > LARGE).collect();
    let largest_size = (0..columns.width()).map(size).fold(0.0, f64::max);
    if !large.is_empty() {
        return vec![unscaled(columns, subject, range, &large, largest_size)];
    }
    let largest = range.minimum.abs().max(range.maximum.abs());
    if largest > 0.0 && largest < SMALL {
        return vec![small(range)];
    }
    offset_features(columns, subject, scale, offset).into_iter().collect()
}

/// Smallest and largest input, as the first layer with weights gets them.
#[derive(Clone, Copy)]
struct Range {
    minimum: f64,
    maximum: f64,
}

fn unscaled(
    columns: &Columns,
    subject: &Subject,
    range: Range,
    large: &[usize],
    size: f64,
) -> Finding {
    let Range { minimum, maximum } = range;
    let are_bytes = minimum >= 0.0 && (100.0..=255.0).contains(&maximum) && columns.width() > 15;
    let are_indices = columns.are_integers && minimum >= 0.0 && !are_bytes;
    let severity =
        if size > VERY_LARGE && !are_indices { Severity::Problem } else { Severity::Odd };
    let mut found =
        format!("inputs are not scaled: they run from {} to {}", short(minimum), short(maximum));
    if are_bytes {
        found += ", like the bytes of images";
    }
    let mut remedy = if are_bytes { DIVIDE } else { STANDARDIZE }.to_string();
    if are_indices {
        remedy += "; indices of words or categories are right as they are before an Embedding";
    }
    let place = if large.len() == columns.width() || !subject.is_table() {
        "training set".to_string()
    } else {
        let n = columns.width();
        format!("training set, {} of {n} features: {}", large.len(), subject.features(large))
    };
    let finding = Finding::new(severity, "unscaled-inputs", found);
    finding.at(place).because(REASON).remedy(remedy)
}

fn small(range: Range) -> Finding {
    let Range { minimum, maximum } = range;
    let found =
        format!("inputs are very small: they run from {} to {}", short(minimum), short(maximum));
    Finding::new(Severity::Odd, "small-inputs", found)
        .at("training set")
        .because(
            "outputs then hardly depend on the inputs, and training begins slowly; images that are \
             divided by 255 twice look like this",
        )
        .remedy(format!(
            "divide bytes by 255 once only: by --scale unit, by layers.Rescaling(1/255) with \
             --scale none, or in the script; for other data, {STANDARDIZE}"
        ))
}

/// Features that vary little around a large mean.
fn offset_features(
    columns: &Columns,
    subject: &Subject,
    scale: f64,
    offset: f64,
) -> Option<Finding> {
    let is_off = |feature: &usize| {
        let mean = (columns.mean[*feature] * scale + offset).abs();
        let deviation = (columns.deviation[*feature] * scale).abs();
        mean > 1.0 && mean > OFF * deviation && !columns.is_constant(*feature)
    };
    let off: Vec<usize> = (0..columns.width()).filter(is_off).collect();
    let first = *off.first()?;
    let (mean, deviation) = (columns.mean[first], columns.deviation[first]);
    let found = format!(
        "features vary little around a mean far from 0: {} is {mean:.3} ± {deviation:.2}",
        subject.feature(first)
    );
    let place = format!("training set, {}", subject.features(&off));
    let finding = Finding::new(Severity::Odd, "offset-inputs", found).at(place);
    let reason = "the weights see almost the same number in each sample, and learn slowly from \
                  what differs";
    Some(finding.because(reason).remedy(STANDARDIZE))
}

/// A number with four digits: `-389.9`, `0.0039`.
pub(crate) fn short(value: f64) -> String {
    let digits = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let decimals = (3.0 - digits).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_string();
    }
    text
}

/// Compares the scale of another set with that of the training set.
pub(super) fn compare(train: &Columns, other: &Columns, set: &str) -> Option<Finding> {
    let (size, other_size) = (train.total_size(), other.total_size());
    let ratio = other_size / size;
    if !(ratio.is_finite() && other_size > 0.0) || (1.0 / RATIO..RATIO).contains(&ratio) {
        return None;
    }
    let (minimum, maximum) = train.range();
    let (other_minimum, other_maximum) = other.range();
    let found = format!(
        "its inputs run from {} to {}, and those of the training set from {} to {}",
        short(other_minimum),
        short(other_maximum),
        short(minimum),
        short(maximum)
    );
    let finding = Finding::new(Severity::Problem, "other-scale", found).at(set);
    let reason = "a model judges numbers by their size: its score on this set says nothing";
    let remedy = "prepare both sets alike, with the mean, the deviation or the factor of the \
                  training set";
    Some(finding.because(reason).remedy(remedy))
}
