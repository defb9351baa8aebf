//! Keras's warnings about models that compute something else than was probably meant.

use super::Sequential;
use crate::activations::ActivationKind;
use crate::layers::Operation;
use crate::losses::AnyLoss;

impl Sequential {
    /// Warnings of Keras 3 about this model: a softmax over one value, which is always 1; a
    /// categorical cross-entropy of one class; logits that went through an activation.
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
        warnings
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

fn is_softmax_of_one(operation: &Operation) -> bool {
    let Operation::InPlace { activation, width } = operation else { return false };
    *activation == ActivationKind::Softmax && *width == 1
}
