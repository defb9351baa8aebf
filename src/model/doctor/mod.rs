//! Examination of data with the model that they are to train.
//!
//! Rules about the data alone are in `datasets/doctor`.

mod first_loss;
mod fit;
mod outputs;

pub use first_loss::FirstLosses;
#[cfg(feature = "cli")]
pub(crate) use first_loss::n_classes;

use super::Sequential;
use crate::Result;
use crate::datasets::doctor::{
    Effort, Examination, Finding, InputUse, Severity, Subject, TargetUse, examine,
};
use crate::layers::AnyLayer;
use crate::losses::{AnyLoss, TargetForm};

impl Sequential {
    /// Examines data as this model would use them: their shape, their targets and its loss, beside
    /// all that [`examine`] says about the data alone.
    ///
    /// ```
    /// use ndarray::Array;
    /// use tallynet::Real;
    /// use tallynet::datasets::doctor::Subject;
    /// use tallynet::datasets::{Dataset, Inputs, Targets};
    /// use tallynet::layers::Dense;
    /// use tallynet::model::Sequential;
    ///
    /// let mut model = Sequential::builder([3]).add(Dense::new(1).activation("sigmoid")).build(0)?;
    /// model.compile("adam", "mse", &[])?;
    /// let x = Array::from_shape_fn(vec![50, 3], |i| (i[0] * 7 % 11 * (i[1] + 1)) as Real / 10.0);
    /// let y = Array::from_shape_fn(vec![50, 1], |i| (i[0] * 13 % 17) as Real);
    /// let data = Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) };
    /// let worst = &model.examine(&Subject::new(&data))?.findings[0];
    /// assert_eq!(worst.rule, "target-range");
    /// assert!(worst.found.starts_with("targets run from 0 to 16, and sigmoid gives 0 to 1"));
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Arrays that are not in row-major order, and sets whose inputs and targets differ in number.
    pub fn examine(&self, subject: &Subject) -> Result<Examination> {
        let inputs = match subject.inputs {
            InputUse::Normalized => InputUse::Normalized,
            _ => self.input_use(),
        };
        let subject = Subject { inputs, targets: self.target_use(subject), ..*subject };
        let mut examination = examine(&subject)?;
        // The quick examination is part of `train`, which prints these, and refuses such data.
        if subject.effort == Effort::Thorough {
            examination.checked.extend(["shapes of the model", "loss and last activation"]);
            let oddities = self.oddities();
            // Of surplus outputs, `fit` says more.
            let surplus = self.surplus_outputs();
            for warning in self.warnings().into_iter().filter(|each| Some(each) != surplus.as_ref())
            {
                let is_odd = oddities.contains(&warning);
                let severity = if is_odd { Severity::Odd } else { Severity::Problem };
                examination.add([of_warning(severity, warning)]);
            }
            examination.add(fit::of_shapes(self, &subject));
        }
        examination.add(outputs::examine(self, &subject));
        Ok(examination)
    }

    /// Use of the inputs, by the layers before the first with weights that are trained.
    fn input_use(&self) -> InputUse {
        let (mut scale, mut offset) = (1.0, 0.0);
        for layer in self.layers() {
            match &layer.spec {
                AnyLayer::Rescaling(layer) => {
                    scale *= layer.scale;
                    offset = offset * layer.scale + layer.offset;
                }
                AnyLayer::Normalization(_)
                | AnyLayer::BatchNormalization(_)
                | AnyLayer::LayerNormalization(_)
                | AnyLayer::Custom(_) => return InputUse::Normalized,
                spec if spec.as_layer().vocabulary_size().is_some() => return InputUse::Indices,
                _ if !layer.params.is_empty() => break,
                _ => {}
            }
        }
        InputUse::Numbers { scale, offset }
    }

    /// Use of the targets, by the loss and by what is known of the data.
    fn target_use(&self, subject: &Subject) -> TargetUse {
        let has_names = subject.description.is_some_and(|data| !data.classes.is_empty());
        let Ok(compiled) = self.compiled() else { return subject.targets };
        let loss = compiled.loss();
        let is_sparse = loss.as_loss().target_form() == TargetForm::Labels;
        let is_categorical = matches!(loss, AnyLoss::CategoricalCrossentropy(_));
        let is_binary = matches!(loss, AnyLoss::BinaryCrossentropy(_));
        if is_sparse || is_categorical || is_binary || has_names {
            return TargetUse::Classes;
        }
        if self.output_shape().n_values() == 1 { TargetUse::Numbers } else { TargetUse::Unknown }
    }
}

/// Finding of a warning about the model.
fn of_warning(severity: Severity, warning: String) -> Finding {
    let reason = match severity {
        Severity::Problem => "training runs, but the loss is not that of the outputs and the data",
        Severity::Odd | Severity::Note => "training runs, but its scores say little",
    };
    let (found, remedy) = match warning.rsplit_once(": ") {
        Some((found, remedy)) => (found, remedy.trim_end_matches('.')),
        None => (&warning[..], "change the last layer or the loss"),
    };
    Finding::new(severity, "model", found.to_string()).at("model").because(reason).remedy(remedy)
}
