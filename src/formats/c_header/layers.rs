//! Layers as calls of the functions.

use super::functions::{self, Function};
use super::names::{comment, number};
use super::program::{Call, Program};
use crate::activations::ActivationKind;
use crate::formats::stages::{Affine, Stage};
use crate::kernels::convolution::Convolution;
use crate::kernels::pooling::{Pool, Pooling};
use crate::layers::{FeatureStatistics, Formula, Interpolation};
use crate::shape::{Shape, Tuple};
use crate::{Real, Result};

/// One layer, on its way into the program.
struct Layer<'a> {
    program: &'a mut Program,
    stage: &'a Stage<'a>,
    input: &'a Shape,
    output: &'a Shape,
    comment: Option<String>,
}

/// Adds the calls of a layer.
pub fn add_layer(program: &mut Program, stage: &Stage) -> Result<()> {
    let (input, output) = (&stage.layer.input, &stage.layer.output);
    let (class, shape) = (stage.layer.spec.class_name(), Tuple(output.dims()));
    let title = comment(&format!("{} ({class}): {shape}", stage.name));
    let mut layer = Layer { program, stage, input, output, comment: Some(title) };
    for (number, formula) in stage.formulas.iter().enumerate() {
        if number > 0 {
            // What follows in a layer acts on its output.
            layer.input = output;
        }
        layer.add(formula)?;
    }
    Ok(())
}

/// A null pointer for an array that a layer does not have.
const NONE: &str = "NULL";

impl Layer<'_> {
    fn add(&mut self, formula: &Formula) -> Result<()> {
        match formula {
            Formula::Identity => {}
            Formula::Dense => self.dense()?,
            Formula::Convolution(convolution) => self.convolution(convolution)?,
            Formula::Pooling(pooling) => self.pooling(pooling),
            Formula::BatchNormalization { epsilon } => self.batch_normalization(*epsilon)?,
            Formula::LayerNormalization { axes, epsilon } => {
                self.layer_normalization(*axes, *epsilon);
            }
            Formula::Standardization { given, invert } => {
                self.standardization(given.as_ref(), *invert)?;
            }
            Formula::Embedding => self.embedding()?,
            Formula::Activation(kind) => self.activation(*kind),
            Formula::Relu { max, slope, threshold } => self.relu(*max, *slope, *threshold),
            Formula::Elu { alpha } => self.elu(*alpha),
            Formula::PRelu => self.prelu()?,
            Formula::Rescaling { scale, offset } => {
                let options = [scale, offset].map(|value| number(*value as f32));
                self.map(functions::RESCALING, &options);
            }
            Formula::Repetition { n } => {
                self.call(functions::REPETITION, &[], &[*n, self.input.n_values()]);
            }
            Formula::UpSampling { size, interpolation } => self.up_sampling(*size, *interpolation),
            Formula::ZeroPadding { padding } => {
                let sizes = [self.input.dims(), padding.as_flattened()].concat();
                self.call(functions::ZERO_PADDING, &[], &sizes);
            }
        }
        Ok(())
    }

    /// Calls a function with these arguments, then these sizes.
    fn call(&mut self, function: Function, arguments: &[String], sizes: &[usize]) {
        let sizes = sizes.iter().map(usize::to_string);
        self.program.calls.push(Call {
            function,
            arguments: arguments.iter().cloned().chain(sizes).collect(),
            n_outputs: self.output.n_values(),
            comment: self.comment.take(),
        });
    }

    /// Calls a function of each value.
    fn map(&mut self, function: Function, options: &[String]) {
        self.call(function, options, &[self.input.n_values()]);
    }

    fn array(&mut self, name: &str, values: &[Real]) -> String {
        self.program.array(&self.stage.name, name, values)
    }

    fn needed(&mut self, name: &str) -> Result<String> {
        let weight = self.stage.needed(name)?;
        Ok(self.array(name, weight.values))
    }

    fn weight_or_none(&mut self, name: &str) -> String {
        match self.stage.weight(name) {
            Some(weight) => self.array(name, weight.values),
            None => NONE.to_string(),
        }
    }

    fn dense(&mut self) -> Result<()> {
        let weights = [self.needed("kernel")?, self.weight_or_none("bias")];
        let sizes = [self.input.n_positions(), self.input.last(), self.output.last()];
        self.call(functions::DENSE, &weights, &sizes);
        Ok(())
    }

    fn convolution(&mut self, sizes: &Convolution) -> Result<()> {
        let Convolution { rows, columns, channels, filters } = sizes;
        let (kernel, bias) = (self.needed("kernel")?, self.weight_or_none("bias"));
        let rows = self.program.axis(&self.stage.name, "rows", rows);
        let columns = self.program.axis(&self.stage.name, "columns", columns);
        let arguments = [kernel, bias, rows, columns];
        self.call(functions::CONVOLUTION, &arguments, &[*channels, *filters]);
        Ok(())
    }

    fn pooling(&mut self, pooling: &Pooling) {
        let rows = self.program.axis(&self.stage.name, "rows", &pooling.rows);
        let columns = self.program.axis(&self.stage.name, "columns", &pooling.columns);
        let function = match pooling.pool {
            Pool::Average => functions::AVERAGE_POOL,
            Pool::Max | Pool::SharedMax => functions::MAX_POOL,
        };
        self.call(function, &[rows, columns], &[pooling.channels]);
    }

    /// `factor·x + shift`, with the running statistics in both.
    fn batch_normalization(&mut self, epsilon: f64) -> Result<()> {
        let Affine { factors, shifts } = self.stage.affine(epsilon)?;
        let arrays = [self.array("factor", &factors), self.array("shift", &shifts)];
        self.call(functions::AFFINE, &arrays, &[self.input.n_positions(), self.input.last()]);
        Ok(())
    }

    fn layer_normalization(&mut self, axes: usize, epsilon: f64) {
        let dims = self.input.dims();
        let width: usize = dims[dims.len().saturating_sub(axes)..].iter().product();
        let vectors = self.input.n_values() / width.max(1);
        let (gamma, beta) = (self.weight_or_none("gamma"), self.weight_or_none("beta"));
        let arguments = [gamma, beta, number(epsilon as f32)];
        self.call(functions::LAYER_NORMALIZATION, &arguments, &[vectors, width]);
    }

    fn standardization(&mut self, given: Option<&FeatureStatistics>, invert: bool) -> Result<()> {
        let statistics = self.stage.feature_statistics(given)?;
        let features = statistics.mean.len();
        let mean = self.array("mean", statistics.mean);
        let deviation = self.array("deviation", &statistics.deviations());
        let sizes = [self.input.n_values() / features.max(1), features];
        if invert {
            self.call(functions::AFFINE, &[deviation, mean], &sizes);
        } else {
            self.call(functions::STANDARDIZE, &[mean, deviation], &sizes);
        }
        Ok(())
    }

    fn embedding(&mut self) -> Result<()> {
        let shape = self.stage.needed("embeddings")?.shape;
        let sizes = [&[self.input.n_values()], shape].concat();
        let embeddings = self.needed("embeddings")?;
        self.call(functions::EMBEDDING, &[embeddings], &sizes);
        Ok(())
    }

    fn activation(&mut self, kind: ActivationKind) {
        match kind {
            ActivationKind::Softmax => {
                let sizes = [self.input.n_positions(), self.input.last()];
                self.call(functions::SOFTMAX, &[], &sizes);
            }
            ActivationKind::Elu => self.elu(1.0),
            ActivationKind::LeakyRelu => self.relu(None, -kind.value(-1.0), 0.0),
            _ => {
                if let Some(function) = functions::of_each_value(kind) {
                    self.map(function, &[]);
                }
            }
        }
    }

    fn relu(&mut self, max: Option<Real>, slope: Real, threshold: Real) {
        let most = max.unwrap_or(Real::INFINITY);
        let options = [most, slope, threshold].map(|value| number(value as f32));
        self.map(functions::RE_LU, &options);
    }

    fn elu(&mut self, alpha: Real) {
        self.map(functions::ELU, &[number(alpha as f32)]);
    }

    fn prelu(&mut self) -> Result<()> {
        let shape = self.stage.needed("alpha")?.shape;
        let mut strides = vec![0; shape.len()];
        let mut stride = 1;
        for (axis, length) in shape.iter().enumerate().rev() {
            if *length > 1 {
                strides[axis] = stride;
            }
            stride *= length;
        }
        let alpha = self.needed("alpha")?;
        // An array in C has at least one element.
        let lengths = if shape.is_empty() { &[1] } else { self.input.dims() };
        strides.resize(lengths.len(), 0);
        let (layer, axes) = (&self.stage.name, lengths.len());
        let lengths = self.program.integers(layer, "lengths", lengths);
        let strides = self.program.integers(layer, "strides", &strides);
        let sizes = [axes, self.input.n_values()];
        self.call(functions::P_RE_LU, &[alpha, lengths, strides], &sizes);
        Ok(())
    }

    fn up_sampling(&mut self, size: [usize; 2], interpolation: Interpolation) {
        let function = match interpolation {
            Interpolation::Nearest => functions::NEAREST,
            Interpolation::Bilinear => functions::BILINEAR,
        };
        let sizes = [self.input.dims(), &size].concat();
        self.call(function, &[], &sizes);
    }
}
