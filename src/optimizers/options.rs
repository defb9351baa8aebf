//! The options that Keras gives to every optimizer, written once: learning rate, weight decay and
//! clipping.

use super::LearningRate;
use crate::Real;
use crate::params::Parameters;

/// Makes an optimizer's struct: the options of all, then its own, under Keras's names and with the
/// defaults given. Behind a default stands the range of values that make sense.
macro_rules! optimizer {
    (
        $(#[$doc:meta])*
        $name:ident: learning_rate $rate:expr, weight_decay $decay:expr;
        $($(#[$option_doc:meta])* $option:ident: $type:ty = $default:expr $(, $range:expr)?;)*
    ) => {
        class! {
            $(#[$doc])*
            $name {
                /// How far a step goes, η: a number, or a schedule.
                learning_rate: LearningRate = LearningRate::Constant($rate),
                /// The share λ of every parameter that is taken from it before a step, for η = 1:
                /// `w ← w − w·λ·η`.
                weight_decay: Option<f64> = $decay,
                /// The norm that the gradient at one array is shortened to where it is longer. One
                /// clipping at most.
                clipnorm: Option<f64> = None,
                /// The norm that the gradient at all arrays together is shortened to where it is
                /// longer.
                global_clipnorm: Option<f64> = None,
                /// How far each number of the gradient may be from 0; those beyond are put there.
                clipvalue: Option<f64> = None,
                $($(#[$option_doc])* $option: $type = $default,)*
            }
        }

        impl $name {
            /// The rule with this learning rate, or this schedule, and Keras's defaults.
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
            fn problem(&self) -> Option<String> {
                $($(if !($range).contains(&self.$option) {
                    let (name, value, usual) = (stringify!($option), self.$option, $default);
                    return Some(format!("{name} is {value}, which is outside {:?}; {usual} is usual", $range));
                })?)*
                self.learning_rate.problem().or_else(|| self.common().problem())
            }
        }
    };
}
pub(super) use optimizer;

/// The options that every optimizer has.
pub trait Options {
    /// The learning rate that training starts with.
    fn learning_rate(&self) -> &LearningRate;

    /// The same, to change before compiling.
    fn learning_rate_mut(&mut self) -> &mut LearningRate;

    /// What is done in front of the rule itself.
    fn common(&self) -> Common;

    /// What is wrong with any option, its own included.
    fn problem(&self) -> Option<String>;
}
/// What is done in front of any rule's own update, in this order: the gradient is clipped, the
/// weights decay.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs)] // Each is documented on every optimizer.
pub struct Common {
    pub weight_decay: Option<f64>,
    pub clipnorm: Option<f64>,
    pub global_clipnorm: Option<f64>,
    pub clipvalue: Option<f64>,
}

impl Common {
    /// What is wrong with these options, if anything.
    pub fn problem(&self) -> Option<String> {
        let clippings = [self.clipnorm, self.global_clipnorm, self.clipvalue].into_iter().flatten();
        match (clippings.clone().count(), clippings.sum::<f64>(), self.weight_decay.unwrap_or(0.0))
        {
            (2.., ..) => {
                Some("only one of clipnorm, global_clipnorm and clipvalue can be set".to_string())
            }
            (1, limit, _) if !(f64::MIN_POSITIVE..f64::INFINITY).contains(&limit) => Some(format!(
                "gradients are clipped to something above 0, such as 1, and not to {limit}"
            )),
            (_, _, decay) if !(0.0..f64::INFINITY).contains(&decay) => {
                Some(format!("weight_decay is 0 or more, such as 0.004, and not {decay}"))
            }
            _ => None,
        }
    }

    /// Shortens the gradient, `g ← g·c / max(‖g‖₂, c)`, or cuts off what is beyond ±c. Norms are
    /// taken over what is trained, in `f64` and in one order, so that any number of threads comes
    /// to the same bits.
    pub fn clip(&self, gradients: &mut [Real], params: &Parameters) {
        let arrays = || {
            params
                .entries
                .iter()
                .filter(|entry| entry.spec.trainable)
                .map(|entry| entry.range.clone())
        };
        let of_all = self
            .global_clipnorm
            .map(|_| arrays().map(|array| sum_of_squares(&gradients[array])).sum());
        for array in arrays() {
            let gradient = &mut gradients[array];
            if let Some(limit) = self.clipnorm.or(self.global_clipnorm) {
                let norm = of_all.unwrap_or_else(|| sum_of_squares(gradient)).sqrt();
                let factor = (limit / norm.max(limit)) as Real;
                gradient.iter_mut().for_each(|g| *g *= factor);
            } else if let Some(limit) = self.clipvalue.map(|limit| limit as Real) {
                gradient
                    .iter_mut()
                    .for_each(|g| *g = if g.abs() > limit { limit.copysign(*g) } else { *g });
            }
        }
    }

    /// Takes their share from a stretch of the parameters.
    pub fn decay(&self, learning_rate: f64, params: &mut [Real]) {
        if let Some(share) = self.weight_decay.map(|decay| (decay * learning_rate) as Real) {
            params.iter_mut().for_each(|w| *w -= *w * share);
        }
    }
}

/// Σ x², in eight sums side by side.
fn sum_of_squares(values: &[Real]) -> f64 {
    let mut sums = [0.0; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        sums.iter_mut().zip(eight).for_each(|(sum, x)| *sum += f64::from(*x) * f64::from(*x));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, x)| *sum += f64::from(*x) * f64::from(*x));
    sums.iter().sum()
}
