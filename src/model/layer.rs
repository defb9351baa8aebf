//! A layer of a built model: its name, its shapes and its parameters.
//!
//! Keras numbers automatic names per process and class, so a model's names depend on earlier
//! models. Here they are numbered per model, stored as class and ordinal, and spelled in the style
//! that prints them.

use crate::classes::snake_case;
use crate::layers::{AnyLayer, ParamExplanation};
use crate::params::ParamSpec;
use crate::shape::Shape;

/// Major version of Keras whose names and summaries are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Keras 1: `dense_1`, `maxpooling2d_1`.
    Keras1,
    /// Keras 2: `dense_1`, `max_pooling2d_1`.
    Keras2,
    /// Keras 3: `dense`, `dense_1`, `max_pooling2d`.
    Keras3,
}

/// Name of a layer, independent of style.
#[derive(Debug, Clone)]
pub(super) enum LayerName {
    /// Set by the user or read from a file; printed unchanged.
    Given(String),
    /// A class, and the layer's 1-based index among the unnamed layers of that class.
    Automatic { class: &'static str, ordinal: usize },
}

impl LayerName {
    pub fn in_style(&self, style: Style) -> String {
        let (class, n) = match self {
            LayerName::Given(name) => return name.clone(),
            LayerName::Automatic { class, ordinal } => (class, ordinal),
        };
        match style {
            Style::Keras1 => format!("{}_{n}", class.to_lowercase()),
            Style::Keras2 => format!("{}_{n}", snake_case(class)),
            Style::Keras3 if *n == 1 => snake_case(class),
            Style::Keras3 => format!("{}_{}", snake_case(class), n - 1),
        }
    }
}

/// A layer of a built model. Its operations are in the plan.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BuiltLayer {
    pub(super) layer_name: LayerName,
    /// True if training updates its parameters.
    pub trainable: bool,
    /// Options that it was built from.
    pub spec: AnyLayer,
    /// Shape of an input sample.
    pub input: Shape,
    /// Shape of an output sample.
    pub output: Shape,
    /// Parameter arrays, in order.
    pub params: Vec<ParamSpec>,
    /// Arithmetic of its parameter count.
    pub explanation: ParamExplanation,
}

/// Number of parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParamCount {
    /// All parameters.
    pub total: usize,
    /// Trainable parameters.
    pub trainable: usize,
}

impl BuiltLayer {
    /// Name as Keras 1 and 2 spell it: `dense_1`.
    pub fn name(&self) -> String {
        self.layer_name.in_style(Style::Keras2)
    }

    /// The name as this style spells it: `dense_1` or `dense`.
    pub(crate) fn name_in(&self, style: Style) -> String {
        self.layer_name.in_style(style)
    }

    /// `dense_1 (Dense)`, in one line whatever the name.
    pub(crate) fn title(&self, style: Style) -> String {
        let name = self.name_in(style).replace(char::is_control, "?");
        format!("{name} ({})", self.spec.class_name())
    }

    /// Number of parameters from the shapes of the arrays, as in the summary.
    pub fn count_params(&self) -> ParamCount {
        let mut count = ParamCount::default();
        for param in &self.params {
            count.total += param.count();
            count.trainable += if param.trainable { param.count() } else { 0 };
        }
        count
    }
}
