//! Rules about classes: `one-class`, `labels-from-1`, `missing-classes`, `imbalance`,
//! `rare-class`, `unseen-classes`; and `constant-target` for numbers.

use super::labels::Labels;
use super::subject::{LISTED, listed};
use super::{Effort, Finding, Severity, Subject};
use crate::datasets::Targets;

/// Share of the largest class that is odd.
const MAJORITY: f64 = 0.8;
/// Ratio of the largest and the smallest class that is odd.
const RATIO: usize = 10;
/// Number of samples of a class up to which it is rare, in a set of this many samples or more.
const RARE: usize = 2;
const ENOUGH: usize = 20;

/// Examines the classes of the training set.
pub(super) fn of_train(labels: &Labels, subject: &Subject) -> Vec<Finding> {
    if labels.n_classes() == 1 {
        let only = subject.class(labels.majority());
        let found = format!("all samples have the same class, {only}");
        let finding = Finding::new(Severity::Problem, "one-class", found);
        let reason = "a model learns to always answer this class, with an accuracy of 1";
        let remedy = "add samples of the other classes, or check how the labels were read";
        return vec![finding.at("training set").because(reason).remedy(remedy)];
    }
    let mut findings = vec![];
    findings.extend(missing(labels, subject));
    findings.extend(imbalance(labels, subject));
    findings.extend(rare(labels, subject));
    findings
}

/// Labels below the largest without samples.
fn missing(labels: &Labels, subject: &Subject) -> Option<Finding> {
    let missing = labels.missing();
    if missing.is_empty() {
        return None;
    }
    let largest = labels.counts.len() - 1;
    if missing == [0] {
        let found = format!("labels count from 1: 1 to {largest}, and none is 0");
        let finding = Finding::new(Severity::Odd, "labels-from-1", found);
        let reason = format!(
            "losses count classes from 0: {largest} units are one too few, and with {} units the \
             first is never right",
            largest + 1
        );
        return Some(finding.at("training set").because(reason).remedy("y = y - 1"));
    }
    let found = format!(
        "no sample has the class {}, and there are labels up to {largest}",
        list(&missing, subject)
    );
    let finding = Finding::new(Severity::Odd, "missing-classes", found);
    let reason = "the model needs a unit for each label up to the largest, and never learns these";
    let remedy = format!(
        "add samples, or number the {} classes without gaps: y = np.unique(y, \
         return_inverse=True)[1]",
        labels.n_classes()
    );
    Some(finding.at("training set").because(reason).remedy(remedy))
}

/// Classes of very different size.
fn imbalance(labels: &Labels, subject: &Subject) -> Option<Finding> {
    let n = labels.values.len();
    let majority = labels.majority();
    let largest = labels.counts[majority];
    let share = largest as f64 / n as f64;
    let mut smallest = majority;
    for (label, count) in labels.counts.iter().enumerate() {
        if *count > RARE && *count < labels.counts[smallest] {
            smallest = label;
        }
    }
    let n_smallest = labels.counts[smallest];
    // Many honest data have a few small classes, of which `train` says nothing.
    let has_small_class = largest >= RATIO * n_smallest && subject.effort == Effort::Thorough;
    if n < ENOUGH || share < MAJORITY && !has_small_class {
        return None;
    }
    let mut found = format!(
        "classes are unbalanced: {:.1} % of the samples are of class {}",
        100.0 * share,
        subject.class(majority)
    );
    if smallest != majority {
        found += &format!(", and {n_smallest} of {n} of class {}", subject.class(smallest));
    }
    let reason = format!(
        "a model that always answers {} is right for {:.1} %: the accuracy says little",
        subject.class(majority),
        100.0 * share
    );
    // Each class has the same sum of weights, n / classes.
    let mut weights = vec![];
    for (label, count) in labels.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        if weights.len() == LISTED && labels.n_classes() > LISTED {
            weights.push("...".to_string());
            break;
        }
        weights.push(format!("{label}: {:.2}", n as f64 / (labels.n_classes() * count) as f64));
    }
    let remedy = format!(
        "judge each class: tallynet evaluate --per-class; weights of the classes, in Keras \
         fit(class_weight={{{}}}), here FitOptions::class_weight",
        weights.join(", ")
    );
    let finding = Finding::new(Severity::Odd, "imbalance", found);
    Some(finding.at("training set").because(reason).remedy(remedy))
}

/// Classes with one or two samples.
fn rare(labels: &Labels, subject: &Subject) -> Option<Finding> {
    if subject.effort == Effort::Quick {
        return None;
    }
    let is_rare = |label: &usize| (1..=RARE).contains(&labels.counts[*label]);
    let rare: Vec<usize> = (0..labels.counts.len()).filter(is_rare).collect();
    let first = *rare.first()?;
    if labels.values.len() < ENOUGH {
        return None;
    }
    let n = labels.counts[first];
    let found = if rare.len() > 1 {
        format!("classes {} have 1 or {RARE} samples each", list(&rare, subject))
    } else if n == 1 {
        format!("class {} has 1 sample", subject.class(first))
    } else {
        format!("class {} has {n} samples", subject.class(first))
    };
    let finding = Finding::new(Severity::Odd, "rare-class", found);
    let reason = "too few to learn from, and to divide between training and test";
    let remedy = "add samples, join classes, or drop these";
    Some(finding.at("training set").because(reason).remedy(remedy))
}

/// Classes of another set that the training set does not have.
pub(super) fn unseen(
    train: &Labels,
    other: &Labels,
    set: &str,
    subject: &Subject,
) -> Option<Finding> {
    let is_unseen = |label: &usize| {
        other.counts[*label] > 0 && train.counts.get(*label).is_none_or(|count| *count == 0)
    };
    let unseen: Vec<usize> = (0..other.counts.len()).filter(is_unseen).collect();
    if unseen.is_empty() {
        return None;
    }
    let n: usize = unseen.iter().map(|label| other.counts[*label]).sum();
    let found =
        format!("{n} samples have a class without training samples: {}", list(&unseen, subject));
    let finding = Finding::new(Severity::Problem, "unseen-classes", found);
    let reason = "the model cannot know these classes, and gets all of them wrong";
    let remedy = "split the samples by class (--test-split), or check how labels are numbered";
    Some(finding.at(set).because(reason).remedy(remedy))
}

/// Examines targets that are numbers.
pub(super) fn of_numbers(targets: &Targets) -> Option<Finding> {
    let is_constant = match targets {
        Targets::Labels(values) => is_constant(values.as_slice()?),
        Targets::Reals(values) => is_constant(values.as_slice()?),
    };
    if !is_constant {
        return None;
    }
    let found = "all targets are the same number".to_string();
    let finding = Finding::new(Severity::Problem, "constant-target", found);
    let reason = "there is nothing to learn: a constant output is right for all samples";
    let remedy = "check how the targets were read and converted";
    Some(finding.at("training set").because(reason).remedy(remedy))
}

fn is_constant<T: PartialEq>(values: &[T]) -> bool {
    values.len() > 1 && values.windows(2).all(|pair| pair[0] == pair[1])
}

fn list(classes: &[usize], subject: &Subject) -> String {
    listed(classes, |label| subject.class(*label)).join(", ")
}
