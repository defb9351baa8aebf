//! Warnings about models that compute something else than was probably meant: Keras's, and more.

use crate::activations::ActivationKind;
use crate::datasets::doctor::{Finding, Severity, Warning};
use crate::layers::{AnyLayer, Operation};
use crate::losses::{AnyLoss, TargetKind};
use crate::metrics::AnyMetric;
use crate::model::{Compiled, Sequential};

impl Sequential {
    /// Warnings of Keras 3 about this model: a softmax over one value, which is always 1; a
    /// categorical cross-entropy of one class; logits that went through an activation. Others are
    /// about a cross-entropy of outputs that are not probabilities, and about a loss, a metric or a
    /// number of outputs that does not fit the targets.
    ///
    /// ```
    /// use tallynet::activations::ActivationKind;
    /// use tallynet::layers::{Activation, Dense};
    /// use tallynet::model::Sequential;
    ///
    /// let softmax = Activation::new(ActivationKind::Softmax);
    /// let model = Sequential::builder([4]).add(Dense::new(1)).add(softmax).build(0)?;
    /// assert!(model.warnings()[0].contains("Did you mean to use a sigmoid instead?"));
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.review();
        warnings.extend(self.surplus_outputs());
        warnings.into_iter().map(|warning| warning.text).collect()
    }

    /// The warnings, but for that of surplus outputs, which an examination finds by the labels.
    pub(super) fn review(&self) -> Vec<Warning> {
        let mut warnings = self.softmaxes_of_one();
        let Ok(compiled) = self.compiled() else { return warnings };
        let loss = compiled.loss();
        warnings.extend(self.one_category(loss));
        warnings.extend(self.activated_logits(loss));
        warnings.extend(self.unsuitable_outputs(loss));
        warnings.extend(self.unsuitable_classes(loss));
        warnings.extend(self.accuracy_of_numbers(compiled));
        warnings
    }

    /// The warnings about softmaxes over one value.
    fn softmaxes_of_one(&self) -> Vec<Warning> {
        let mut warnings = vec![];
        for (i, layer) in self.layers().iter().enumerate() {
            let Ok(built) = layer.spec.as_layer().build(&layer.input) else { continue };
            if built.operations.iter().any(is_softmax_of_one) {
                let text = format!(
                    "You are using a softmax over axis -1 of a tensor of shape {}. This axis has \
                     size 1. The softmax operation will always return the value 1, which is likely \
                     not what you intended. Did you mean to use a sigmoid instead?",
                    self.shape_text(i + 1)
                );
                warnings.push(of_keras(text, "take a sigmoid in place of the softmax"));
            }
        }
        warnings
    }

    /// The warning about a cross-entropy of one class.
    fn one_category(&self, loss: &AnyLoss) -> Option<Warning> {
        let is_categorical = matches!(loss, AnyLoss::CategoricalCrossentropy(_));
        if !is_categorical || self.output_shape().last() > 1 {
            return None;
        }
        let text = format!(
            "In loss categorical_crossentropy, expected y_pred.shape to be (batch_size, \
             num_classes) with num_classes > 1. Received: y_pred.shape={}. Consider using \
             'binary_crossentropy' if you only have 2 classes.",
            self.shape_text(self.layers().len())
        );
        Some(of_keras(text, "take the loss binary_crossentropy after a sigmoid"))
    }

    /// The warning about a loss of probabilities after outputs that are not.
    fn unsuitable_outputs(&self, loss: &AnyLoss) -> Option<Warning> {
        let activation = self.plan.last_activation().map(|(activation, _)| activation);
        let (is_missing, needed) = match loss.as_loss().target_kind()? {
            TargetKind::Class => {
                let is_softmax = activation == Some(ActivationKind::Softmax);
                (!is_softmax && self.output_shape().last() > 1, "softmax")
            }
            TargetKind::Binary => {
                let is_bounded =
                    matches!(activation, Some(ActivationKind::Sigmoid | ActivationKind::Softmax));
                (!is_bounded, "sigmoid")
            }
            TargetKind::Numbers => return None,
        };
        if !is_missing || loss.as_loss().takes_logits() || self.ends_in_own_class() {
            return None;
        }
        let found = format!(
            "The loss {} takes probabilities, and the model does not end in a {needed}",
            loss.name()
        );
        let mut remedy = format!("give the last layer activation='{needed}'");
        if !matches!(loss, AnyLoss::Custom(_)) {
            remedy += ", or the loss from_logits=True";
        }
        Some(warning(Severity::Problem, found, remedy))
    }

    /// True if a layer or an activation of the user's own computes the outputs.
    fn ends_in_own_class(&self) -> bool {
        match self.layers().last().map(|layer| &layer.spec) {
            Some(AnyLayer::Dense(layer)) => layer.activation.kind().is_none(),
            Some(AnyLayer::Activation(layer)) => layer.activation.kind().is_none(),
            Some(AnyLayer::Custom(_)) => true,
            _ => false,
        }
    }

    /// The warning about a loss or a number of outputs that the classes of the data do not have.
    fn unsuitable_classes(&self, loss: &AnyLoss) -> Option<Warning> {
        let n_classes = self.data.as_ref().map_or(0, |data| data.classes.len());
        let n_outputs = self.output_shape().last();
        if loss.is_of_numbers() && n_classes > 0 {
            let name = loss.name();
            let found =
                format!("The target has {n_classes} classes, and the loss {name} is for numbers");
            let remedy = "use sparse_categorical_crossentropy after a softmax";
            return Some(warning(Severity::Problem, found, remedy));
        }
        let asks_for_each = loss.as_loss().target_kind() == Some(TargetKind::Binary);
        if n_classes > 2 && n_outputs > 1 && asks_for_each {
            let name = loss.name();
            let found = format!("The loss {name} takes {n_outputs} outputs as separate questions");
            let remedy = format!(
                "for one class of {n_classes} use sparse_categorical_crossentropy after a softmax"
            );
            let text = format!("{found}; {remedy}.");
            return Some(Warning { text, ..warning(Severity::Problem, found, remedy) });
        }
        None
    }

    /// The warning about more outputs than the data have classes.
    fn surplus_outputs(&self) -> Option<Warning> {
        let loss = self.compiled().ok()?.loss();
        let n_classes = self.data.as_ref().map_or(0, |data| data.classes.len());
        let n_outputs = self.output_shape().last();
        let is_surplus = n_classes > 0 && n_outputs > n_classes.max(2);
        if !is_surplus || self.unsuitable_classes(loss).is_some() {
            return None;
        }
        let found =
            format!("The model has {n_outputs} outputs, and the data have {n_classes} classes");
        Some(warning(Severity::Odd, found, format!("give its last layer {n_classes} units")))
    }

    /// The warning about the accuracy of numbers, which hardly ever equal their targets.
    fn accuracy_of_numbers(&self, compiled: &Compiled) -> Option<Warning> {
        let data = self.data.as_ref()?;
        let has_numbers = !data.targets.is_empty() && data.classes.is_empty();
        let mut names = compiled.metrics().iter().map(|metric| &metric.name);
        let counts_hits = names.any(|name| self.logged_metric(name).is_some_and(is_accuracy));
        let activation = self.plan.last_activation().map(|(activation, _)| activation);
        let may_be_classes =
            matches!(activation, Some(ActivationKind::Sigmoid | ActivationKind::Softmax));
        if !has_numbers || !compiled.loss().is_of_numbers() || !counts_hits || may_be_classes {
            return None;
        }
        let found =
            "The metric accuracy counts outputs that equal the target, which numbers hardly do";
        Some(warning(Severity::Odd, found.to_string(), "use mae"))
    }

    /// The warning about a loss of logits after the activation that the loss applies itself.
    fn activated_logits(&self, loss: &AnyLoss) -> Option<Warning> {
        let (activation, _) = self.plan.last_activation()?;
        let own = loss.as_loss().target_kind()?.activation();
        if !loss.as_loss().takes_logits() || own != Some(activation) {
            return None;
        }
        let name = if activation == ActivationKind::Sigmoid { "Sigmoid" } else { "Softmax" };
        let text = format!(
            "`{}` received `from_logits=True`, but the `output` argument was produced by a {name} \
             activation and thus does not represent logits. Was this intended?",
            loss.name()
        );
        Some(of_keras(text, "leave out the last activation, or from_logits=True"))
    }
}

/// Warning of tallynet's own: `found: remedy.`
fn warning(severity: Severity, found: String, remedy: impl Into<String>) -> Warning {
    let remedy = remedy.into();
    let text = format!("{found}: {remedy}.");
    Warning { text, finding: finding(severity, found, remedy) }
}

/// Warning in Keras's words.
fn of_keras(text: String, remedy: &str) -> Warning {
    let finding = finding(Severity::Problem, text.clone(), remedy.to_string());
    Warning { text, finding }
}

fn finding(severity: Severity, found: String, remedy: String) -> Finding {
    let reason = match severity {
        Severity::Problem => "training runs, but the loss is not that of the outputs and the data",
        Severity::Odd | Severity::Note => "training runs, but its scores say little",
    };
    Finding::new(severity, "model", found).at("model").because(reason).remedy(remedy)
}

/// True for a metric that counts the outputs that equal the target.
fn is_accuracy(metric: AnyMetric) -> bool {
    matches!(
        metric,
        AnyMetric::BinaryAccuracy(_)
            | AnyMetric::CategoricalAccuracy(_)
            | AnyMetric::SparseCategoricalAccuracy(_)
            | AnyMetric::TopKCategoricalAccuracy(_)
            | AnyMetric::SparseTopKCategoricalAccuracy(_)
    )
}

fn is_softmax_of_one(operation: &Operation) -> bool {
    let Operation::InPlace { activation, width } = operation else { return false };
    *activation == ActivationKind::Softmax && *width == 1
}
