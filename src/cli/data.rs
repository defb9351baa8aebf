//! The flags that name data, and the data as the model takes them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tallynet::datasets::{self, Inputs, TrainTest, made_up};

use super::{Chosen, Failure, output};

/// Which data, and how their bytes become numbers.
#[derive(Args)]
pub struct Data {
    /// A folder with the four MNIST files (raw or .gz), or a .npz file with x_train, y_train, x_test, y_test
    /// [default: $TALLYNET_DATA, or data/ here, or data/ of the source tree]
    #[arg(long, value_name = "DIR|FILE.npz")]
    pub data: Option<PathBuf>,

    /// How bytes become numbers: divided by 255, or as they are
    #[arg(long, value_enum, default_value_t = Scale::Unit, hide_default_value = true)]
    scale: Scale,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// Bytes are divided by 255, into [0, 1] (the default)
    Unit,
    /// Bytes are taken as numbers from 0 to 255, which is what Keras does with them
    None,
}

impl Data {
    /// Finds and loads the data.
    pub fn load(&self, chosen: &Chosen, quiet: bool) -> Result<TrainTest, Failure> {
        let without = self.data.is_none() && datasets::from_environment().is_none();
        let made_up = made_up::fitting(chosen.model.input_shape(), chosen.model.output_shape()).filter(|_| without);
        let mut data = match made_up {
            Some(task) => task(0),
            None => datasets::load(&datasets::find(self.data.as_deref())?)?,
        };
        // Never left out for somebody's own model: a score on these says nothing of their data.
        if made_up.is_some() && (chosen.has_weights || !quiet) {
            output::notice(
                "This model has no data of its own: a small made-up task stands in (--data FILE.npz for yours).",
            );
        }
        self.scale.apply(chosen, [&mut data.train.x, &mut data.test.x], quiet);
        Ok(data)
    }
}

impl Scale {
    /// Has bytes divided by 255 where that is asked for, and says so. A model that rescales its own input is given them
    /// as they are.
    pub fn apply<const N: usize>(self, chosen: &Chosen, inputs: [&mut Inputs; N], quiet: bool) {
        let rescales = chosen.model.layers().first().is_some_and(|layer| layer.spec.class_name() == "Rescaling");
        if self == Scale::None || rescales || !inputs.iter().any(|inputs| matches!(inputs, Inputs::Bytes { .. })) {
            return;
        }
        inputs.into_iter().for_each(|inputs| inputs.scale_bytes(1.0 / 255.0));
        if !quiet {
            output::notice("Inputs are bytes; they are divided by 255 (--scale none takes them as they are).");
        }
    }
}
