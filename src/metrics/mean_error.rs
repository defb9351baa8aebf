//! The mean over all values of a function of the truth and the output: `|y − p|` or `(y − p)²`.

use serde::{Deserialize, Serialize};

use super::{MAX_COUNTERS, Metric};
use crate::Real;

macro_rules! mean_error {
    ($(#[$doc:meta])* $name:ident: $of:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {}

        impl Metric for $name {
            fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
                let of: fn(Real) -> Real = $of;
                counters[0] += y.iter().zip(p).map(|(y, p)| f64::from(of(y - p))).sum::<f64>();
                counters[1] += p.len() as f64;
            }

            fn lower_is_better(&self) -> bool {
                true
            }
        }
    };
}

mean_error! {
    /// The metric `mean_absolute_error`.
    MeanAbsoluteError: Real::abs
}
mean_error! {
    /// The metric `mean_squared_error`.
    MeanSquaredError: |error| error * error
}
