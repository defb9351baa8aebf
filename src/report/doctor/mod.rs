//! Examination of data with the model that they are to train.
//!
//! Rules about the data alone are in `datasets/doctor`.

pub(super) mod first_loss;
mod fit;
mod outputs;

pub use first_loss::FirstLosses;

use crate::Result;
use crate::datasets::doctor::{Effort, Examination, InputUse, Subject, TargetUse, examine};
use crate::layers::AnyLayer;
use crate::losses::TargetForm;
use crate::model::Sequential;

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
            examination.add(self.review().into_iter().map(|warning| warning.finding));
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
        let known = subject.target_use();
        let Ok(compiled) = self.compiled() else { return known };
        let loss = compiled.loss();
        let is_sparse = loss.as_loss().target_form() == TargetForm::Labels;
        if is_sparse || loss.is_of_classes() {
            return TargetUse::Classes;
        }
        let is_unknown = known == TargetUse::Unknown;
        if is_unknown && self.output_shape().n_values() == 1 { TargetUse::Numbers } else { known }
    }
}
