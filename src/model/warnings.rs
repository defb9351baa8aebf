//! Warnings about models that compute something else than was probably meant: Keras's, and more.

use super::{Compiled, Sequential};
use crate::activations::ActivationKind;
use crate::layers::{AnyLayer, Operation};
use crate::losses::AnyLoss;

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
        let mut warnings = vec![];
        for (i, layer) in self.layers().iter().enumerate() {
            let Ok(built) = layer.spec.as_layer().build(&layer.input) else { continue };
            if built.operations.iter().any(is_softmax_of_one) {
                warnings.push(format!(
                    "You are using a softmax over axis -1 of a tensor of shape {}. This axis has \
                     size 1. The softmax operation will always return the value 1, which is likely \
                     not what you intended. Did you mean to use a sigmoid instead?",
                    self.shape_text(i + 1)
                ));
            }
        }
        let Ok(compiled) = self.compiled() else { return warnings };
        let is_categorical = matches!(compiled.loss(), AnyLoss::CategoricalCrossentropy(_));
        if is_categorical && self.output_shape().last() == 1 {
            warnings.push(format!(
                "In loss categorical_crossentropy, expected y_pred.shape to be (batch_size, \
                 num_classes) with num_classes > 1. Received: y_pred.shape={}. Consider using \
                 'binary_crossentropy' if you only have 2 classes.",
                self.shape_text(self.layers().len())
            ));
        }
        warnings.extend(self.activated_logits(compiled.loss()));
        warnings.extend(self.unsuitable_outputs(compiled.loss()));
        warnings.extend(self.unsuitable_classes(compiled.loss()));
        warnings.extend(self.oddities());
        warnings
    }

    /// Those warnings that do not make the model wrong: about surplus outputs and a metric.
    pub(super) fn oddities(&self) -> Vec<String> {
        let Ok(compiled) = self.compiled() else { return vec![] };
        let surplus = match self.unsuitable_classes(compiled.loss()) {
            Some(_) => None,
            None => self.surplus_outputs(),
        };
        surplus.into_iter().chain(self.accuracy_of_numbers(compiled)).collect()
    }

    /// The warning about a loss of probabilities after outputs that are not.
    fn unsuitable_outputs(&self, loss: &AnyLoss) -> Option<String> {
        let activation = self.plan.last_activation().map(|(activation, _)| activation);
        let (is_missing, needed) = match loss {
            AnyLoss::CategoricalCrossentropy(_) | AnyLoss::SparseCategoricalCrossentropy(_) => {
                let is_softmax = activation == Some(ActivationKind::Softmax);
                (!is_softmax && self.output_shape().last() > 1, "softmax")
            }
            AnyLoss::BinaryCrossentropy(_) => {
                let is_bounded =
                    matches!(activation, Some(ActivationKind::Sigmoid | ActivationKind::Softmax));
                (!is_bounded, "sigmoid")
            }
            _ => return None,
        };
        let takes_logits = match loss {
            AnyLoss::CategoricalCrossentropy(loss) => loss.from_logits,
            AnyLoss::SparseCategoricalCrossentropy(loss) => loss.from_logits,
            AnyLoss::BinaryCrossentropy(loss) => loss.from_logits,
            _ => false,
        };
        if !is_missing || takes_logits || self.ends_in_own_class() {
            return None;
        }
        Some(format!(
            "The loss {} takes probabilities, and the model does not end in a {needed}: give the \
             last layer activation='{needed}', or the loss from_logits=True.",
            loss.name()
        ))
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
    fn unsuitable_classes(&self, loss: &AnyLoss) -> Option<String> {
        let n_classes = self.data.as_ref().map_or(0, |data| data.classes.len());
        let n_outputs = self.output_shape().last();
        if is_of_numbers(loss) && n_classes > 0 {
            return Some(format!(
                "The target has {n_classes} classes, and the loss {} is for numbers: use \
                 sparse_categorical_crossentropy after a softmax.",
                loss.name()
            ));
        }
        if n_classes > 2 && n_outputs > 1 && matches!(loss, AnyLoss::BinaryCrossentropy(_)) {
            return Some(format!(
                "The loss binary_crossentropy takes {n_outputs} outputs as separate questions; for \
                 one class of {n_classes} use sparse_categorical_crossentropy after a softmax."
            ));
        }
        None
    }

    /// The warning about more outputs than the data have classes.
    pub(super) fn surplus_outputs(&self) -> Option<String> {
        let n_classes = self.data.as_ref().map_or(0, |data| data.classes.len());
        let n_outputs = self.output_shape().last();
        if n_classes > 0 && n_outputs > n_classes.max(2) {
            return Some(format!(
                "The model has {n_outputs} outputs, and the data have {n_classes} classes: give \
                 its last layer {n_classes} units."
            ));
        }
        None
    }

    /// The warning about the accuracy of numbers, which hardly ever equal their targets.
    fn accuracy_of_numbers(&self, compiled: &Compiled) -> Option<String> {
        let data = self.data.as_ref()?;
        let has_numbers = !data.targets.is_empty() && data.classes.is_empty();
        let counts_hits = compiled.metrics().iter().any(|metric| metric.name.contains("acc"));
        let activation = self.plan.last_activation().map(|(activation, _)| activation);
        let may_be_classes =
            matches!(activation, Some(ActivationKind::Sigmoid | ActivationKind::Softmax));
        if !has_numbers || !is_of_numbers(compiled.loss()) || !counts_hits || may_be_classes {
            return None;
        }
        let warning = "The metric accuracy counts outputs that equal the target, which numbers \
                       hardly do: use mae.";
        Some(warning.to_string())
    }

    /// The warning about a loss of logits after the activation that the loss applies itself.
    fn activated_logits(&self, loss: &AnyLoss) -> Option<String> {
        let (activation, _) = self.plan.last_activation()?;
        let name = match (loss, activation) {
            (AnyLoss::BinaryCrossentropy(loss), ActivationKind::Sigmoid) if loss.from_logits => {
                "Sigmoid"
            }
            (AnyLoss::CategoricalCrossentropy(loss), ActivationKind::Softmax)
                if loss.from_logits =>
            {
                "Softmax"
            }
            (AnyLoss::SparseCategoricalCrossentropy(loss), ActivationKind::Softmax)
                if loss.from_logits =>
            {
                "Softmax"
            }
            _ => return None,
        };
        Some(format!(
            "`{}` received `from_logits=True`, but the `output` argument was produced by a {name} \
             activation and thus does not represent logits. Was this intended?",
            loss.name()
        ))
    }
}

/// True for a loss that measures a distance of numbers.
fn is_of_numbers(loss: &AnyLoss) -> bool {
    matches!(loss, AnyLoss::MeanSquaredError(_) | AnyLoss::MeanAbsoluteError(_) | AnyLoss::Huber(_))
}

fn is_softmax_of_one(operation: &Operation) -> bool {
    let Operation::InPlace { activation, width } = operation else { return false };
    *activation == ActivationKind::Softmax && *width == 1
}
