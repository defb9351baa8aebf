//! Options that Keras gives to every optimizer: learning rate, weight decay and clipping.

use super::LearningRate;
use crate::params::Parameters;
use crate::{Error, Real, Result};

/// Defines the struct of an optimizer: the common options, then its own, under Keras's names, each
/// with its default and the range of its valid values.
macro_rules! optimizer_class {
    (
        $(#[$doc:meta])*
        $name:ident: learning_rate $rate:expr, weight_decay $decay:expr;
        $($(#[$option_doc:meta])* $option:ident: $type:ty = $default:expr $(, $range:expr)?;)*
    ) => {
        class! {
            $(#[$doc])*
            $name {
                /// Learning rate η: a number, or a schedule.
                learning_rate: LearningRate = LearningRate::Constant($rate),
                /// Weight decay λ before each step: `w ← w − w·λ·η`.
                weight_decay: Option<f64> = $decay,
                /// Maximum norm of the gradient of each array. Only one clipping can be set.
                clipnorm: Option<f64> = None,
                /// Maximum norm of the gradient of all arrays together.
                global_clipnorm: Option<f64> = None,
                /// Maximum absolute value of the gradient of each parameter.
                clipvalue: Option<f64> = None,
                $($(#[$option_doc])* $option: $type = $default,)*
            }
        }

        impl $name {
            /// The optimizer with this learning rate or schedule, and Keras's defaults.
            pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
                $name { learning_rate: learning_rate.into(), ..$name::default() }
            }
        }

        impl Options for $name {
            fn learning_rate(&self) -> &LearningRate {
                &self.learning_rate
            }
            fn learning_rate_mut(&mut self) -> &mut LearningRate {
                &mut self.learning_rate
            }
            fn common(&self) -> Common {
                let &Self { weight_decay, clipnorm, global_clipnorm, clipvalue, .. } = self;
                Common { weight_decay, clipnorm, global_clipnorm, clipvalue }
            }
            fn validate(&self) -> Result<()> {
                $($(if !($range).contains(&self.$option) {
                    let (name, value, usual) = (stringify!($option), self.$option, $default);
                    let range = $range;
                    let problem =
                        format!("{name} is {value}, which is outside {range:?}; {usual} is usual");
                    return Err(Error::option(name, problem));
                })?)*
                self.learning_rate.validate()?;
                self.common().validate()
            }
        }
    };
}
pub(super) use optimizer_class;

/// Options that every optimizer has.
pub trait Options {
    /// Learning rate at the start of training.
    fn learning_rate(&self) -> &LearningRate;

    /// Mutable learning rate, to set before compiling.
    fn learning_rate_mut(&mut self) -> &mut LearningRate;

    /// Weight decay and clipping, applied before the rule; none by default.
    fn common(&self) -> Common {
        Common::default()
    }

    /// Checks all options; the error names the one that is out of range.
    fn validate(&self) -> Result<()> {
        self.learning_rate().validate()?;
        self.common().validate()
    }
}

/// Clipping and weight decay, applied in this order before the rule.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs)] // Each is documented on every optimizer.
pub struct Common {
    pub weight_decay: Option<f64>,
    pub clipnorm: Option<f64>,
    pub global_clipnorm: Option<f64>,
    pub clipvalue: Option<f64>,
}

impl Common {
    /// Checks the options; the error names the one that is out of range.
    pub fn validate(&self) -> Result<()> {
        let clippings = [
            ("clipnorm", self.clipnorm),
            ("global_clipnorm", self.global_clipnorm),
            ("clipvalue", self.clipvalue),
        ];
        if clippings.iter().filter(|(_, limit)| limit.is_some()).count() > 1 {
            let problem = "only one of clipnorm, global_clipnorm and clipvalue can be set";
            return Err(Error::option("clipnorm", problem));
        }
        for (name, limit) in clippings {
            let limit = limit.unwrap_or(1.0);
            if !(f64::MIN_POSITIVE..f64::INFINITY).contains(&limit) {
                let problem = format!(
                    "gradients are clipped to something above 0, such as 1, and not to {limit}"
                );
                return Err(Error::option(name, problem));
            }
        }
        let decay = self.weight_decay.unwrap_or(0.0);
        if !(0.0..f64::INFINITY).contains(&decay) {
            let problem = format!("weight_decay is 0 or more, such as 0.004, and not {decay}");
            return Err(Error::option("weight_decay", problem));
        }
        Ok(())
    }

    /// True if the gradient is clipped by a norm, which takes all of it.
    pub fn clips_norm(&self) -> bool {
        self.clipnorm.is_some() || self.global_clipnorm.is_some()
    }

    /// Clips the gradient by norm: `g ← g·c / max(‖g‖₂, c)`. Norms are taken over the trainable
    /// arrays, in `f64` and in a fixed order, so that the bits do not depend on the number of
    /// threads.
    pub fn clip_norm(&self, gradients: &mut [Real], params: &Parameters) {
        let trainable = params.entries.iter().filter(|entry| entry.spec.trainable);
        let arrays = trainable.map(|entry| entry.range.clone());
        if let Some(limit) = self.clipnorm {
            for array in arrays {
                let gradient = &mut gradients[array];
                scale_to(limit, sum_of_squares(gradient), gradient);
            }
        } else if let Some(limit) = self.global_clipnorm {
            let square = arrays.clone().map(|array| sum_of_squares(&gradients[array])).sum();
            for array in arrays {
                scale_to(limit, square, &mut gradients[array]);
            }
        }
    }

    /// Clips a range of the gradient by value, to ±c.
    pub fn clip_values(&self, gradient: &mut [Real]) {
        if let Some(limit) = self.clipvalue {
            let limit = limit as Real;
            for g in gradient {
                *g = if g.abs() > limit { limit.copysign(*g) } else { *g };
            }
        }
    }

    /// Applies the weight decay to a range of the parameters.
    pub fn decay(&self, learning_rate: f64, params: &mut [Real]) {
        if let Some(decay) = self.weight_decay {
            let share = (decay * learning_rate) as Real;
            params.iter_mut().for_each(|w| *w -= *w * share);
        }
    }
}

/// Scales a gradient down to the limit, given the squared norm that is compared with it.
fn scale_to(limit: f64, squared_norm: f64, gradient: &mut [Real]) {
    let factor = (limit / squared_norm.sqrt().max(limit)) as Real;
    gradient.iter_mut().for_each(|g| *g *= factor);
}

/// Σ x², in eight interleaved sums.
fn sum_of_squares(values: &[Real]) -> f64 {
    let mut sums = [0.0; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        sums.iter_mut().zip(eight).for_each(|(sum, x)| *sum += f64::from(*x) * f64::from(*x));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, x)| *sum += f64::from(*x) * f64::from(*x));
    sums.iter().sum()
}
