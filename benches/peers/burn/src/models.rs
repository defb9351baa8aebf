//! The jobs' networks.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Initializer, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

const CLASSES: usize = 10;
const PIXELS: usize = 28 * 28;
const GLOROT_UNIFORM: Initializer = Initializer::XavierUniform { gain: 1.0 };

/// A network from flat images to logits.
pub trait Classifier: Module {
    fn logits(&self, x: Tensor<2>) -> Tensor<2>;
}

/// Dense(10).
#[derive(Module, Debug)]
pub struct SoftmaxRegression {
    dense: Linear,
}

impl SoftmaxRegression {
    pub fn new(device: &Device) -> Self {
        Self { dense: dense(PIXELS, device) }
    }
}

impl Classifier for SoftmaxRegression {
    fn logits(&self, x: Tensor<2>) -> Tensor<2> {
        self.dense.forward(x)
    }
}

/// Conv2D(32, 3×3, relu), Conv2D(64, 3×3, relu), Flatten, Dense(10), with or
/// without a pool after each convolution and a dropout before the Dense.
#[derive(Module, Debug)]
pub struct ConvolutionalNetwork {
    first: Conv2d,
    second: Conv2d,
    pool: Option<MaxPool2d>,
    dropout: Option<Dropout>,
    dense: Linear,
}

impl ConvolutionalNetwork {
    pub fn plain(device: &Device) -> Self {
        Self::new(None, None, 24 * 24, device)
    }

    pub fn pooled(device: &Device) -> Self {
        let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        Self::new(Some(pool), Some(DropoutConfig::new(0.5).init()), 5 * 5, device)
    }

    fn new(pool: Option<MaxPool2d>, dropout: Option<Dropout>, positions: usize, device: &Device) -> Self {
        Self {
            first: Conv2dConfig::new([1, 32], [3, 3]).init(device),
            second: Conv2dConfig::new([32, 64], [3, 3]).init(device),
            pool,
            dropout,
            dense: dense(64 * positions, device),
        }
    }

    fn pooled_if_any(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.pool {
            Some(pool) => pool.forward(x),
            None => x,
        }
    }
}

impl Classifier for ConvolutionalNetwork {
    fn logits(&self, x: Tensor<2>) -> Tensor<2> {
        let [rows, _] = x.dims();
        let x = x.reshape([rows, 1, 28, 28]);
        let x = self.pooled_if_any(relu(self.first.forward(x)));
        let x = self.pooled_if_any(relu(self.second.forward(x)));
        let x = x.flatten::<2>(1, 3);
        let x = match &self.dropout {
            Some(dropout) => dropout.forward(x),
            None => x,
        };
        self.dense.forward(x)
    }
}

fn dense(inputs: usize, device: &Device) -> Linear {
    LinearConfig::new(inputs, CLASSES).with_initializer(GLOROT_UNIFORM).init(device)
}
