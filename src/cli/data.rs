//! The flags that name data, and the data as the model takes them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tallynet::datasets::{self, Dataset, Inputs, TrainTest, synthetic};

use super::{Chosen, Failure};

/// Which data, and how their bytes become numbers.
#[derive(Args)]
pub struct Data {
    /// A folder with the four MNIST files (raw or .gz), or a .npz file with x_train, y_train,
    /// x_test, y_test; to evaluate, x_test and y_test are enough [default: $TALLYNET_DATA, or data/
    /// here, or data/ of the source tree]
    #[arg(long, value_name = "DIR|FILE.npz")]
    data: Option<PathBuf>,

    #[command(flatten)]
    scale: Scale,
}

/// How bytes become numbers.
#[derive(Args)]
pub struct Scale {
    /// How bytes become numbers [default: none for a model with a Rescaling in front; as it was
    /// trained for a saved file that says so; else unit]
    #[arg(long, value_enum)]
    scale: Option<How>,
}

#[derive(Clone, Copy, ValueEnum)]
enum How {
    /// Bytes are divided by 255, into [0, 1]
    Unit,
    /// Bytes are taken as numbers from 0 to 255, which is what Keras does with them
    None,
}

/// Where data come from.
pub enum Place {
    /// A folder, or a file.
    Path(PathBuf),
    /// A synthetic task.
    Synthetic(fn(u64) -> TrainTest),
}

impl Data {
    /// Finds the data: those that are named, or else those that the model is made for.
    pub fn place(&self, chosen: &Chosen) -> Result<Place, Failure> {
        let named = self.data.is_some() || datasets::from_environment().is_some();
        match synthetic::matching(chosen.model.input_shape(), chosen.model.output_shape()) {
            Some(task) if !named => Ok(Place::Synthetic(task)),
            _ => Ok(Place::Path(datasets::find(self.data.as_deref())?)),
        }
    }

    /// Loads the data.
    pub fn load(&self, place: &Place, chosen: &Chosen, quiet: bool) -> Result<TrainTest, Failure> {
        let mut data = read(place, chosen, quiet, datasets::load, |data| data)?;
        self.scale.apply(chosen, [&mut data.train.x, &mut data.test.x], quiet);
        Ok(data)
    }

    /// Loads the test set alone.
    pub fn load_test(&self, chosen: &Chosen, quiet: bool) -> Result<Dataset, Failure> {
        let mut test =
            read(&self.place(chosen)?, chosen, quiet, datasets::load_test, |data| data.test)?;
        self.scale.apply(chosen, [&mut test.x], quiet);
        Ok(test)
    }
}

fn read<D>(
    place: &Place,
    chosen: &Chosen,
    quiet: bool,
    load: fn(&Path) -> tallynet::Result<D>,
    part: fn(TrainTest) -> D,
) -> Result<D, Failure> {
    match place {
        Place::Path(path) => Ok(load(path)?),
        Place::Synthetic(task) => {
            let text = "This model has no data of its own: a small synthetic task stands in (--data FILE.npz for yours).";
            chosen.notice(quiet, text);
            Ok(part(task(0)))
        }
    }
}

impl Scale {
    /// Has bytes multiplied as is asked for, and says so.
    pub fn apply<const N: usize>(&self, chosen: &Chosen, inputs: [&mut Inputs; N], quiet: bool) {
        let mut in_front = chosen.model.layers().iter().take_while(|layer| layer.params.is_empty());
        let rescales = in_front.any(|layer| layer.spec.class_name() == "Rescaling");
        let (unit, none) = (1.0 / 255.0, 1.0);
        let scale = match (self.scale, chosen.model.byte_scale) {
            (Some(How::Unit), _) => unit,
            (Some(How::None), _) => none,
            (None, Some(trained)) => trained,
            (None, None) if rescales => none,
            (None, None) => unit,
        };
        if scale != none && inputs.iter().any(|inputs| inputs.byte_scale().is_some()) {
            let how = if scale == unit {
                "divided by 255".to_string()
            } else {
                format!("multiplied by {scale}")
            };
            chosen.notice(
                quiet,
                &format!("Inputs are bytes; they are {how} (--scale none takes them as they are)."),
            );
        }
        inputs.into_iter().for_each(|inputs| inputs.scale_bytes(scale));
    }
}
