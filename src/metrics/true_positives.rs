//! Precision and recall: how many of the values predicted to be positive (over the threshold), or of those that are
//! (not 0), are both. 0 where there is none to divide by.

use serde::{Deserialize, Serialize};

use super::{MAX_COUNTERS, Metric};
use crate::Real;

macro_rules! true_positives {
    ($(#[$doc:meta])* $name:ident: $among:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// What a value must be over to count as positive; ½ where there is none. Keras takes lists as well.
            pub thresholds: Option<f64>,
        }

        impl Metric for $name {
            fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
                let among: fn(bool, bool) -> bool = $among;
                let threshold = self.thresholds.unwrap_or(0.5) as Real;
                for (is, predicted) in y.iter().zip(p).map(|(y, p)| (*y != 0.0, *p > threshold)) {
                    counters[0] += f64::from(u8::from(is && predicted));
                    counters[1] += f64::from(u8::from(among(is, predicted)));
                }
            }

            fn result(&self, counters: &[f64; MAX_COUNTERS]) -> f64 {
                counters[0] / counters[1].max(1.0)
            }
        }
    };
}

true_positives! {
    /// The metric `precision`: true positives among all values predicted to be positive.
    Precision: |_, predicted| predicted
}
true_positives! {
    /// The metric `recall`: true positives among all values that are positive.
    Recall: |is, _| is
}
