//! Rules about targets, the loss and the last activation: `separate-questions`, `target-range`,
//! `no-probabilities`, `large-targets`.

use crate::activations::ActivationKind;
use crate::datasets::Targets;
use crate::datasets::doctor::scale::short;
use crate::datasets::doctor::{Effort, Examination, Finding, Severity, Subject};
use crate::layers::AnyLayer;
use crate::losses::{AnyLoss, TargetForm, TargetKind};
use crate::model::Sequential;

/// Mean size of targets from which on a new model takes long to learn them.
const LARGE: f64 = 1000.0;

/// Examines the targets of the training set.
pub(super) fn examine(model: &Sequential, subject: &Subject) -> Option<Finding> {
    let loss = model.compiled().ok()?.loss();
    if let Some(finding) = separate_questions(model, loss, subject) {
        return Some(finding);
    }
    let is_sparse = loss.as_loss().target_form() == TargetForm::Labels;
    // Other shapes have a finding of their own, and integer labels become one-hot vectors.
    let sample: usize = subject.train.y.shape().get(1..)?.iter().product();
    if is_sparse || sample != model.output_shape().n_values() {
        return None;
    }
    let targets = TargetRange::of(subject)?;
    out_of_range(model, loss, &targets)
        .or_else(|| no_probabilities(model, loss, subject))
        .or_else(|| large(model, loss, &targets, subject))
}

/// One class of several, by a loss that asks for each class by itself.
fn separate_questions(model: &Sequential, loss: &AnyLoss, subject: &Subject) -> Option<Finding> {
    let n_outputs = model.output_shape().last();
    // Names of classes have a warning of their own.
    let has_names = model.data.as_ref().is_some_and(|data| !data.classes.is_empty());
    let asks_for_each = loss.as_loss().target_kind() == Some(TargetKind::Binary);
    if !asks_for_each || n_outputs < 3 || has_names || Examination::n_labels(subject)? < 3 {
        return None;
    }
    let found = format!(
        "each sample has one class, and {} takes the {n_outputs} outputs as separate questions",
        loss.name()
    );
    let finding = Finding::new(Severity::Odd, "separate-questions", found).at("training set");
    let reason = "most answers are no: the loss and a binary accuracy look good from the start";
    let remedy = "end the model with a softmax, and take the loss categorical_crossentropy \
                  (one-hot) or sparse_categorical_crossentropy (labels)";
    Some(finding.because(reason).remedy(remedy))
}

/// Range of the targets.
struct TargetRange {
    minimum: f64,
    maximum: f64,
    /// Mean of the absolute values.
    size: f64,
}

impl TargetRange {
    fn of(subject: &Subject) -> Option<TargetRange> {
        let len: usize = subject.train.y.shape().iter().product();
        let step = len.div_ceil(subject.max_values()).max(1);
        match &subject.train.y {
            Targets::Labels(values) => {
                TargetRange::over(values.iter().step_by(step).map(|y| f64::from(*y)))
            }
            Targets::Reals(values) => {
                TargetRange::over(values.iter().step_by(step).map(|y| f64::from(*y)))
            }
        }
    }

    fn over(values: impl Iterator<Item = f64>) -> Option<TargetRange> {
        let (mut minimum, mut maximum) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut sum, mut n) = (0.0, 0.0);
        for value in values.filter(|value| value.is_finite()) {
            minimum = minimum.min(value);
            maximum = maximum.max(value);
            sum += value.abs();
            n += 1.0;
        }
        (n > 0.0).then(|| TargetRange { minimum, maximum, size: sum / n })
    }
}

/// Interval of the values of an activation; `None` if it has no bound.
fn interval(activation: ActivationKind) -> Option<(f64, f64)> {
    use ActivationKind::*;
    match activation {
        Sigmoid | HardSigmoid | Softmax => Some((0.0, 1.0)),
        Tanh | Softsign => Some((-1.0, 1.0)),
        Relu | Softplus | Exponential => Some((0.0, f64::INFINITY)),
        Elu | Selu | Gelu | Silu | LeakyRelu | Linear => None,
    }
}

/// Targets that the last activation cannot give, or that a loss of probabilities does not take.
fn out_of_range(model: &Sequential, loss: &AnyLoss, targets: &TargetRange) -> Option<Finding> {
    let TargetRange { minimum, maximum, .. } = targets;
    // Losses of integer labels returned earlier.
    let of_probabilities = loss.is_of_classes();
    let last = last_activation(model);
    let (name, low, high) = if of_probabilities {
        (loss.name(), 0.0, 1.0)
    } else {
        let activation = last?;
        let (low, high) = interval(activation)?;
        (activation.to_string(), low, high)
    };
    if *minimum >= low && *maximum <= high {
        return None;
    }
    let verb = if of_probabilities { "takes" } else { "gives" };
    let bounds =
        if high.is_finite() { format!("{low} to {high}") } else { format!("{low} or more") };
    let found = format!(
        "targets run from {} to {}, and {name} {verb} {bounds}",
        short(*minimum),
        short(*maximum)
    );
    let finding = Finding::new(Severity::Problem, "target-range", found).at("training set");
    if of_probabilities {
        let reason = "the loss then has no minimum at the targets, or becomes negative";
        let remedy = "numbers: the loss mse and no last activation; labels −1 and 1: \
                      y = (y + 1) / 2; labels above 1: sparse_categorical_crossentropy";
        return Some(finding.because(reason).remedy(remedy));
    }
    let reason = "no output can reach these targets, however long the training";
    let remedy = "end the model with Dense(units) without an activation, or scale the targets into \
                  that range";
    Some(finding.because(reason).remedy(remedy))
}

/// Targets of a softmax that are no probabilities: they do not sum to 1.
fn no_probabilities(model: &Sequential, loss: &AnyLoss, subject: &Subject) -> Option<Finding> {
    let Targets::Reals(array) = &subject.train.y else { return None };
    let is_softmax = last_activation(model) == Some(ActivationKind::Softmax)
        || loss.as_loss().target_kind() == Some(TargetKind::Class);
    let width = model.output_shape().last();
    if !is_softmax || width < 2 {
        return None;
    }
    let step = array.len().div_ceil(subject.max_values()).max(1);
    for (row, target) in array.as_slice()?.chunks_exact(width).enumerate().step_by(step) {
        let sum: f64 = target.iter().map(|value| f64::from(*value)).sum();
        if !sum.is_finite() || (sum - 1.0).abs() < 0.01 {
            continue;
        }
        let found = format!("targets sum to {sum} and not to 1, as the outputs of a softmax do");
        let finding = Finding::new(Severity::Problem, "no-probabilities", found);
        let reason = "a softmax divides 1 among its outputs: it cannot reach these targets";
        let remedy = "several classes at once: a sigmoid and binary_crossentropy; numbers: no last \
                      activation and mse";
        let place = format!("training set; the first is vector {row} (from 0)");
        return Some(finding.at(place).because(reason).remedy(remedy));
    }
    None
}

/// Large targets of a model whose outputs are about 1 at first.
fn large(
    model: &Sequential,
    loss: &AnyLoss,
    targets: &TargetRange,
    subject: &Subject,
) -> Option<Finding> {
    if subject.has_columns() && subject.effort == Effort::Quick {
        // Reading a table warns of it.
        return None;
    }
    let is_scaled =
        model.layers().last().is_some_and(|layer| matches!(layer.spec, AnyLayer::Rescaling(_)));
    if targets.size < LARGE || is_scaled || !loss.is_of_numbers() {
        return None;
    }
    let scale = 10f64.powf(targets.size.log10().floor());
    let found = format!("targets are about {:.0}", targets.size);
    Some(
        Finding::new(Severity::Odd, "large-targets", found)
            .at("training set")
            .because(
                "outputs of a new model are about 1: training takes long, or diverges with mse",
            )
            .remedy(format!(
                "end the model with Rescaling({scale}), as `tallynet new regression` does, or \
                 divide the targets"
            )),
    )
}

fn last_activation(model: &Sequential) -> Option<ActivationKind> {
    Some(model.plan.last_activation()?.0)
}
