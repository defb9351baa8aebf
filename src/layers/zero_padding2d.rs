//! ZeroPadding2D: a border of zeros around an image.

use ndarray::{ArrayBase, Ix2, Ix4, RawData, s};

use super::windows::SpatialSize;
use super::{Backward, Built, Formula, Forward, Layer, Op, Operation};
use crate::classes::class;
use crate::shape::Shape;
use crate::{Error, Result};

class! {
    /// Zeros around an image: `(None, h, w, c)` becomes
    /// `(None, top + h + bottom, left + w + right, c)`.
    ///
    /// ```
    /// use tallynet::layers::{Layer, ZeroPadding2D};
    ///
    /// let built = ZeroPadding2D { padding: [[1, 0], [2, 2]] }.build(&[5, 6, 3].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 6, 10, 3)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    ZeroPadding2D {
        /// Rows at the top and at the bottom, columns on the left and on the right.
        padding: [[usize; 2]; 2] = [[1, 1], [1, 1]],
    }
}

impl Layer for ZeroPadding2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let SpatialSize { lengths: [height, width], channels } = SpatialSize::<2>::of(input)?;
        let [[top, bottom], [left, right]] = self.padding;
        let image = [height, width, channels];
        let height = height.saturating_add(top).saturating_add(bottom);
        let width = width.saturating_add(left).saturating_add(right);
        let padded_shape = [height, width, channels];
        let output = Shape::from(padded_shape);
        if !output.is_addressable() {
            return Err(Error::shape(
                format!("{input} padded by {:?} has more values than memory holds", self.padding),
                "give padding small numbers, such as [[1, 1], [1, 1]]",
            ));
        }
        let op = Operation::op(PaddingOp { image, padded_shape, top, left });
        Ok(Built::weightless(output, Some(op)))
    }
}

struct PaddingOp {
    image: [usize; 3],
    padded_shape: [usize; 3],
    top: usize,
    left: usize,
}

impl PaddingOp {
    /// View of the images inside their padding.
    fn inside<S: RawData>(&self, padded: ArrayBase<S, Ix2>) -> ArrayBase<S, Ix4> {
        let rows = self.top..self.top + self.image[0];
        let columns = self.left..self.left + self.image[1];
        images(padded, self.padded_shape).slice_move(s![.., rows, columns, ..])
    }
}

fn images<S: RawData>(
    rows: ArrayBase<S, Ix2>,
    [height, width, channels]: [usize; 3],
) -> ArrayBase<S, Ix4> {
    let shape = (rows.nrows(), height, width, channels);
    rows.into_shape_with_order(shape).expect("sized at build")
}

impl Op for PaddingOp {
    fn forward(&self, mut pass: Forward) {
        pass.y.fill(0.0);
        self.inside(pass.y).assign(&images(pass.x, self.image));
    }

    fn backward(&self, pass: Backward) {
        if let Some(dx) = pass.dx {
            images(dx, self.image).assign(&self.inside(pass.dy));
        }
    }

    fn formula(&self) -> Option<Formula> {
        let bottom = self.padded_shape[0] - self.image[0] - self.top;
        let right = self.padded_shape[1] - self.image[1] - self.left;
        Some(Formula::ZeroPadding { padding: [[self.top, bottom], [self.left, right]] })
    }
}
