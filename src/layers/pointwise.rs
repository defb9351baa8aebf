//! What runs for a function of each value whose derivative is told from its input: `dx = dy·f′(x)`.

use ndarray::{ArrayView2, ArrayViewMut2, Zip};

use super::{Backward, Layer, Operation};
use crate::Real;

/// Computes `value(x)`, whose derivative is `derivative(x)`.
pub(super) fn operation<V, D>(value: V, derivative: D) -> Operation
where
    V: Fn(Real) -> Real + Send + Sync + 'static,
    D: Fn(Real) -> Real + Send + Sync + 'static,
{
    Operation::Layer(Box::new(Pointwise { value, derivative }))
}

struct Pointwise<V, D> {
    value: V,
    derivative: D,
}

impl<V: Fn(Real) -> Real + Send + Sync, D: Fn(Real) -> Real + Send + Sync> Layer for Pointwise<V, D> {
    fn forward(&self, _: &[Real], x: ArrayView2<Real>, mut y: ArrayViewMut2<Real>, _: &mut [Real]) {
        Zip::from(&mut y).and(&x).for_each(|y, &x| *y = (self.value)(x));
    }

    fn backward(&self, pass: Backward) {
        if let Some(mut dx) = pass.dx {
            Zip::from(&mut dx).and(&pass.x).and(&pass.dy).for_each(|dx, &x, &dy| *dx = dy * (self.derivative)(x));
        }
    }

    fn work(&self) -> usize {
        0
    }
}
