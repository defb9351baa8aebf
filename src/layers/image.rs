//! What layers over images have in common.

use serde::{Deserialize, Serialize};

use super::Misfit;
use crate::shape::Shape;

/// Where the channels of an image lie. There is one way; files may leave it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "Option<String>")]
pub enum DataFormat {
    /// An image is `(height, width, channels)`.
    #[default]
    ChannelsLast,
}

impl TryFrom<Option<String>> for DataFormat {
    type Error = String;

    fn try_from(name: Option<String>) -> Result<Self, String> {
        match name.as_deref() {
            None | Some("channels_last") => Ok(DataFormat::ChannelsLast),
            Some(other) => Err(format!("data_format is {other:?}, and only \"channels_last\" is supported")),
        }
    }
}

/// The height, the width and the channels of an input that must be images.
pub(super) fn image(input: &Shape) -> Result<[usize; 3], Misfit> {
    match *input.dims() {
        [height, width, channels] if input.n_values() > 0 => Ok([height, width, channels]),
        _ => {
            let problem = format!("it expects images, (None, height, width, channels), and gets {input}");
            Err(Misfit::new(problem, "put a layer in front of it that makes images, such as Reshape to three axes"))
        }
    }
}
