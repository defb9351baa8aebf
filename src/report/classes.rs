//! Outputs of a model as classes with probabilities, or as numbers with names.

use ndarray::{Array2, ArrayD};

use crate::activations::ActivationKind;
use crate::datasets::Targets;
use crate::kernels::rows::argmax;
use crate::layers::AnyLayer;
use crate::losses::{AnyLoss, TargetKind};
use crate::model::Sequential;
use crate::report::ConfusionMatrix;
use crate::{Error, Real, Result};

/// Form of the output for a sample.
///
/// ```
/// use tallynet::model::presets;
/// use tallynet::report::Form;
///
/// let model = presets::named("mnist-softmax")?.build(0)?;
/// let Form::Classes(classes) = Form::of(&model) else { panic!("it has a softmax") };
/// assert_eq!((classes.len(), classes.name(3)), (10, "3".to_string()));
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub enum Form {
    /// One of several classes.
    Classes(Classes),
    /// Numbers with these names, as of a regression.
    Numbers(Vec<String>),
    /// Array of several axes, as a sequence or an image.
    Array,
}

/// Classes of a model with one output for each, or a single output for the second of two.
#[derive(Debug, Clone)]
pub struct Classes {
    /// Names of the first classes; the others have none.
    names: Vec<String>,
    n_outputs: usize,
    /// Activation that makes probabilities of the outputs, if these are logits.
    activation: Option<ActivationKind>,
    /// True if the outputs are probabilities, after that activation.
    pub are_probabilities: bool,
}

/// Class and its probability.
#[derive(Debug, Clone, Copy)]
pub struct ClassProbability {
    /// Integer label.
    pub class: usize,
    /// Probability, from 0 to 1 for a model with a softmax or a sigmoid at its end.
    pub probability: Real,
}

/// Two most probable classes of a sample.
#[derive(Debug, Clone, Copy)]
pub struct Prediction {
    /// Class of the highest probability.
    pub first: ClassProbability,
    /// Class of the second highest probability.
    pub runner_up: ClassProbability,
}

impl Form {
    /// Form that follows from the loss, the last activation, and the data of the training.
    pub fn of(model: &Sequential) -> Form {
        let output = model.output_shape();
        if output.dims().len() > 1 {
            return Form::Array;
        }
        let n_outputs = output.n_values();
        let (classes, targets) = match &model.data {
            Some(data) => (&data.classes[..], &data.targets[..]),
            None => Default::default(),
        };
        let loss = model.compiled().ok().map(|compiled| compiled.loss());
        let last = last_activation(model);
        // A model may have more outputs than the data have classes.
        let has_names = !classes.is_empty() && classes.len() <= n_outputs.max(2);
        let ends_in_softmax = n_outputs > 1 && last == Some(ActivationKind::Softmax);
        if has_names || ends_in_softmax || takes_classes(loss, n_outputs) {
            let is_activated =
                matches!(last, Some(ActivationKind::Softmax | ActivationKind::Sigmoid));
            let activation = logit_activation(loss).filter(|_| !is_activated);
            let names = if has_names { classes.to_vec() } else { vec![] };
            let are_probabilities = match activation.or(last) {
                Some(ActivationKind::Softmax) => true,
                Some(ActivationKind::Sigmoid) => n_outputs == 1,
                // Of an own class, or of a layer that ends in no activation.
                other => other.is_none() && loss.is_none(),
            };
            let classes = Classes { names, n_outputs, activation, are_probabilities };
            return Form::Classes(classes);
        }
        Form::Numbers(if targets.len() == n_outputs {
            targets.to_vec()
        } else if n_outputs == 1 {
            vec!["output".to_string()]
        } else {
            (0..n_outputs).map(|i| format!("output_{i}")).collect()
        })
    }
}

/// Built-in activation at the end of a model.
fn last_activation(model: &Sequential) -> Option<ActivationKind> {
    match &model.layers().last()?.spec {
        AnyLayer::Dense(layer) => layer.activation.kind(),
        AnyLayer::Activation(layer) => layer.activation.kind(),
        AnyLayer::Softmax(_) => Some(ActivationKind::Softmax),
        _ => None,
    }
}

/// True if a model with this loss and number of outputs chooses among classes.
fn takes_classes(loss: Option<&AnyLoss>, n_outputs: usize) -> bool {
    match loss.and_then(|loss| loss.as_loss().target_kind()) {
        Some(TargetKind::Class) => n_outputs > 1,
        Some(TargetKind::Binary) => n_outputs == 1,
        Some(TargetKind::Numbers) | None => false,
    }
}

/// Activation that the loss applies to the outputs, if it takes logits.
fn logit_activation(loss: Option<&AnyLoss>) -> Option<ActivationKind> {
    let loss = loss?.as_loss();
    if loss.takes_logits() { loss.target_kind()?.activation() } else { None }
}

impl Classes {
    /// Number of classes: at least two.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.n_outputs.max(2)
    }

    /// True if each output stands for a class with a name.
    pub fn name_outputs(&self) -> bool {
        self.names.len() == self.n_outputs
    }

    /// Names of the first classes.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Name of a class, if it has one.
    pub fn known_name(&self, class: usize) -> Option<&String> {
        self.names.get(class)
    }

    /// Name of a class, else its label.
    pub fn name(&self, class: usize) -> String {
        self.known_name(class).cloned().unwrap_or_else(|| class.to_string())
    }

    /// The two most probable classes of every sample. A single output decides for the second class
    /// above 0.5, as Keras's accuracy does.
    ///
    /// # Errors
    /// Those of [`Classes::probabilities`].
    pub fn predictions(&self, outputs: ArrayD<Real>) -> Result<Vec<Prediction>> {
        Ok(self.predictions_of(&self.probabilities(outputs)?))
    }

    /// As [`Classes::predictions`], from the [probabilities](Classes::probabilities).
    pub fn predictions_of(&self, probabilities: &Array2<Real>) -> Vec<Prediction> {
        let rows = probabilities.rows().into_iter();
        rows.map(|row| self.prediction(row.to_vec())).collect()
    }

    /// Confusion matrix of these predictions for samples of these true classes.
    pub fn confusion(&self, true_classes: &[usize], predictions: &[Prediction]) -> ConfusionMatrix {
        let mut confusion = ConfusionMatrix::new(self.len());
        for (true_class, prediction) in true_classes.iter().zip(predictions) {
            confusion.count(*true_class, prediction.first.class);
        }
        confusion
    }

    /// Classes to show: those with a name, and others that occur; all if none has a name.
    pub fn listed(&self, confusion: &ConfusionMatrix) -> Vec<usize> {
        let n_names = self.names.len();
        let mut listed = vec![];
        for class in 0..self.len() {
            if n_names == 0 || class < n_names || confusion.has_class(class) {
                listed.push(class);
            }
        }
        listed
    }

    /// Outputs of every sample, a row each, after the activation that the loss applies to logits.
    ///
    /// # Errors
    /// Outputs of another model, and outputs that are NaN, which name no class.
    pub fn probabilities(&self, outputs: ArrayD<Real>) -> Result<Array2<Real>> {
        let mut outputs = by_sample(outputs)?;
        if let Some(activation) = self.activation {
            activation.forward(self.n_outputs, outputs.view_mut());
        }
        let mut rows = outputs.rows().into_iter();
        if let Some(sample) = rows.position(|row| row.iter().any(|output| output.is_nan())) {
            return Err(Error::Data(format!(
                "the outputs for sample {} (from 1) are NaN, so they name no class: weights are \
                 NaN or infinite, or an input is too large",
                sample + 1
            )));
        }
        Ok(outputs)
    }

    /// Activation that makes probabilities of the outputs, if these are logits.
    pub fn activation(&self) -> Option<ActivationKind> {
        self.activation
    }

    fn prediction(&self, mut outputs: Vec<Real>) -> Prediction {
        if let [probability] = outputs[..] {
            let second = ClassProbability { class: 1, probability };
            let first = ClassProbability { class: 0, probability: 1.0 - probability };
            if probability > 0.5 {
                return Prediction { first: second, runner_up: first };
            }
            return Prediction { first, runner_up: second };
        }
        let class = argmax(&outputs);
        let first = ClassProbability { class, probability: outputs[class] };
        outputs[class] = Real::NEG_INFINITY;
        let class = argmax(&outputs);
        Prediction { first, runner_up: ClassProbability { class, probability: outputs[class] } }
    }

    /// True class of every sample: its label, or the argmax of its one-hot vector.
    ///
    /// # Errors
    /// Targets that are not classes of the model.
    pub fn true_classes(&self, targets: &Targets) -> Result<Vec<usize>> {
        let targets = by_sample(match targets {
            Targets::Labels(labels) => labels.mapv(|label| label as Real),
            Targets::Reals(values) => values.clone(),
        })?;
        let mut true_classes = vec![];
        for (i, row) in targets.rows().into_iter().enumerate() {
            let row = row.to_vec();
            let true_class = match row[..] {
                [value] if self.n_outputs == 1 => usize::from(value > 0.5),
                [label] => label as usize,
                _ => argmax(&row),
            };
            if true_class >= self.len() {
                let row = i + 1;
                let n = self.len();
                return Err(Error::Data(format!(
                    "row {row} of the test set has the class {true_class}, and the model has {n} \
                     classes"
                )));
            }
            true_classes.push(true_class);
        }
        Ok(true_classes)
    }
}

/// The values as a matrix with one row per sample.
///
/// # Errors
/// An array that is not contiguous.
pub fn by_sample(values: ArrayD<Real>) -> Result<Array2<Real>> {
    let n_samples = values.shape().first().copied().unwrap_or(0);
    let n_values = values.len() / n_samples.max(1);
    let rows = values.into_shape_with_order((n_samples, n_values));
    rows.map_err(|error| Error::Data(format!("the outputs are not rows of numbers: {error}")))
}
