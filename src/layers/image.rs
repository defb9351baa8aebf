//! What layers over images have in common, and the simplest of them, ZeroPadding2D: zeros around an
//! image.

use ndarray::{ArrayBase, Ix2, Ix4, RawData, s};
use serde::{Deserialize, Serialize};

use super::{Backward, Built, Forward, Layer, LayerSpec, Misfit, Operation, misfit};
use crate::classes::class;
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
            Some(other) => {
                Err(format!("data_format is {other:?}, and only \"channels_last\" is supported"))
            }
        }
    }
}

/// The height, the width and the channels of an input that must be images.
pub(super) fn image(input: &Shape) -> Result<[usize; 3], Misfit> {
    match *input.dims() {
        [height, width, channels] if input.n_values() > 0 => Ok([height, width, channels]),
        _ => misfit(
            format!("it expects images, (None, height, width, channels), and gets {input}"),
            "put a layer in front of it that makes images, such as Reshape to three axes",
        ),
    }
}

class! {
    /// `(None, h, w, c)` becomes `(None, top + h + bottom, left + w + right, c)`.
    ZeroPadding2D {
        /// Rows at the top and at the bottom, columns on the left and on the right.
        padding: [[usize; 2]; 2] = [[1, 1], [1, 1]],
        /// Where the channels lie.
        data_format: DataFormat = DataFormat::ChannelsLast,
    }
}

impl LayerSpec for ZeroPadding2D {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let image = image(input)?;
        let [[top, bottom], [left, right]] = self.padding;
        let padded = |n: usize, before, after| n.saturating_add(before).saturating_add(after);
        let frame = [padded(image[0], top, bottom), padded(image[1], left, right), image[2]];
        let output = Shape::from(frame);
        if output.n_values() > isize::MAX as usize / 8 {
            let problem =
                format!("{input} padded by {:?} has more values than memory holds", self.padding);
            return misfit(problem, "give padding small numbers, such as [[1, 1], [1, 1]]");
        }
        let layer = Operation::layer(Frame { image, frame, top, left });
        Built::weightless(output, Some(layer), "it only puts zeros around the image")
    }
}

struct Frame {
    image: [usize; 3],
    frame: [usize; 3],
    top: usize,
    left: usize,
}

impl Frame {
    /// What lies inside the frames.
    fn inside<S: RawData>(&self, framed: ArrayBase<S, Ix2>) -> ArrayBase<S, Ix4> {
        let (rows, columns) =
            (self.top..self.top + self.image[0], self.left..self.left + self.image[1]);
        images(framed, self.frame).slice_move(s![.., rows, columns, ..])
    }
}

fn images<S: RawData>(
    rows: ArrayBase<S, Ix2>,
    [height, width, channels]: [usize; 3],
) -> ArrayBase<S, Ix4> {
    let shape = (rows.nrows(), height, width, channels);
    rows.into_shape_with_order(shape).expect("sized at build")
}

impl Layer for Frame {
    fn forward(&self, mut pass: Forward) {
        pass.y.fill(0.0);
        self.inside(pass.y).assign(&images(pass.x, self.image));
    }

    fn backward(&self, pass: Backward) {
        if let Some(dx) = pass.dx {
            images(dx, self.image).assign(&self.inside(pass.dy));
        }
    }
}
