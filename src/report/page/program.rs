//! The model as a program for the page: layer by layer, as exports translate it, with its weights.
//! `classify.js` runs it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use super::samples::image_size;
use super::scale::short;
use crate::Real;
use crate::activations::ActivationKind;
use crate::datasets::Inputs;
use crate::formats::stages::{Affine, Stage, Statistics, stage};
use crate::kernels::convolution::{Axis, Convolution};
use crate::kernels::pooling::{Pool, Pooling};
use crate::layers::{Formula, Interpolation};
use crate::model::{BuiltLayer, Sequential};
use crate::report::Classes;
use crate::shape::Shape;

/// Largest number of letters that the weights may take in the page: 2 MiB.
const MAX_LETTERS: usize = 2 << 20;

/// Program with what the canvas needs around it.
#[derive(Debug, Serialize)]
pub struct Program {
    height: usize,
    width: usize,
    /// Longer side of the ink, in pixels.
    inner: usize,
    /// `a digit`, or `an image` if the classes have other names.
    noun: &'static str,
    /// Factor of a pixel from 0 to 255.
    scale: Real,
    /// Name of each class.
    classes: Vec<String>,
    /// Calls of functions, from the input to the output.
    calls: Vec<Value>,
    /// Values of all weights as 32-bit floats, little-endian, in base64.
    weights: String,
}

/// Calls and weights, under construction.
#[derive(Default)]
struct Builder {
    calls: Vec<Value>,
    weights: Vec<f32>,
}

/// Factor of pixels from 0 to 255, with its reason in words.
pub struct PixelScale {
    /// Factor of the bytes of the inputs, if it is known.
    pub of_bytes: Option<Real>,
    pub factor: Real,
    pub words: String,
}

impl PixelScale {
    /// The factor of these inputs, if they are bytes; else that of the model.
    pub fn of(model: &Sequential, inputs: Option<&Inputs>) -> PixelScale {
        let of_bytes = inputs.and_then(Inputs::byte_scale).or(model.byte_scale);
        let factor = of_bytes.or(if model.rescales_inputs() { Some(1.0) } else { None });
        let words = match factor {
            Some(1.0) => "numbers from 0 to 255".to_string(),
            Some(factor) => format!("numbers from 0 to {}", short(255.0 * f64::from(factor))),
            None => "numbers from 0 to 1, which is a guess: the file does not say how the inputs \
                     were scaled"
                .to_string(),
        };
        PixelScale { of_bytes, factor: factor.unwrap_or(1.0 / 255.0), words }
    }
}

/// The program of a model that classifies gray images, for pixels with this factor.
///
/// # Errors
/// The reason, in words for the page, why it cannot run there.
pub fn program(
    model: &Sequential,
    classes: &Classes,
    scale: Real,
) -> std::result::Result<Program, String> {
    let Some(size) = image_size(model).filter(|size| size.channels == 1) else {
        return Err(format!(
            "its input is {}, and not a gray image that could be drawn",
            model.input_shape()
        ));
    };
    let n_letters = model.count_params().saturating_mul(4).div_ceil(3).saturating_mul(4);
    if n_letters > MAX_LETTERS {
        return Err(format!(
            "its weights would take {:.1} MB of this page, and at most {:.1} MB are embedded",
            n_letters as f64 / 1e6,
            MAX_LETTERS as f64 / 1e6
        ));
    }
    let mut builder = Builder::default();
    for (number, layer) in model.layers().iter().enumerate() {
        let Ok(stage) = stage(model, number) else { return Err(no_function(layer)) };
        builder.add_layer(&stage)?;
    }
    if let Some(kind) = classes.activation() {
        builder.activation(kind, model.output_shape());
    }
    let mut bytes = vec![];
    for value in &builder.weights {
        bytes.extend(value.to_le_bytes());
    }
    Ok(Program {
        height: size.height,
        width: size.width,
        inner: (40 * size.width.min(size.height) + 28) / 56,
        noun: noun(classes),
        scale,
        classes: (0..classes.len()).map(|class| classes.name(class)).collect(),
        calls: builder.calls,
        weights: STANDARD.encode(bytes),
    })
}

/// Reason why a layer cannot run in the page.
fn no_function(layer: &BuiltLayer) -> String {
    let (name, class) = (layer.name(), layer.spec.class_name());
    format!("its layer {name} ({class}) has no function in the page")
}

/// Noun for a drawing of one of these classes.
fn noun(classes: &Classes) -> &'static str {
    let mut are_digits = classes.len() == 10;
    for class in 0..classes.len().min(10) {
        are_digits &= classes.name(class).trim() == class.to_string();
    }
    if are_digits { "a digit" } else { "an image" }
}

/// Windows along an axis.
fn axis(axis: &Axis) -> Value {
    let Axis { input, output, kernel, stride, dilation, before, .. } = axis;
    json!({ "input": input, "output": output, "kernel": kernel, "stride": stride,
            "dilation": dilation, "before": before })
}

impl Builder {
    fn add_layer(&mut self, stage: &Stage) -> std::result::Result<(), String> {
        let (mut input, output) = (&stage.layer.input, &stage.layer.output);
        for formula in &stage.formulas {
            self.add(formula, stage, input)?;
            // What follows in a layer acts on its output.
            input = output;
        }
        Ok(())
    }

    fn call(&mut self, function: &str, mut arguments: Value) {
        arguments["function"] = json!(function);
        self.calls.push(arguments);
    }

    /// Adds an array; returns its place among the weights.
    fn array(&mut self, values: &[Real]) -> Value {
        let start = self.weights.len();
        self.weights.extend(values.iter().map(|value| *value as f32));
        json!([start, values.len()])
    }

    /// Adds the array of this name; `null` if the layer has none.
    fn weight(&mut self, stage: &Stage, name: &str) -> Value {
        stage.weight(name).map_or(Value::Null, |weight| self.array(weight.values))
    }

    fn add(
        &mut self,
        formula: &Formula,
        stage: &Stage,
        input: &Shape,
    ) -> std::result::Result<(), String> {
        match formula {
            Formula::Identity => {}
            Formula::Dense => self.dense(stage, input),
            Formula::Convolution(windows) => self.convolution(stage, windows),
            Formula::Pooling(windows) => self.pooling(windows),
            Formula::BatchNormalization { epsilon } => {
                let Ok(Affine { factors, shifts }) = stage.affine(*epsilon) else {
                    return Err(no_function(stage.layer));
                };
                self.affine(&factors, &shifts);
            }
            Formula::LayerNormalization { axes, epsilon } => {
                self.layer_normalization(stage, input, *axes, *epsilon);
            }
            Formula::Standardization { given, invert } => {
                let Ok(statistics) = stage.feature_statistics(given.as_ref()) else {
                    return Err(no_function(stage.layer));
                };
                self.standardization(&statistics, *invert);
            }
            Formula::Activation(kind) => self.activation(*kind, input),
            Formula::Relu { max, slope, threshold } => {
                let options = json!({ "max": max, "slope": slope, "threshold": threshold });
                self.call("rectify", options);
            }
            Formula::Elu { alpha } => self.call("exponentialUnit", json!({ "alpha": alpha })),
            Formula::Rescaling { scale, offset } => self.affine(&[*scale], &[*offset]),
            Formula::ZeroPadding { padding } => {
                self.call("zeroPadding", json!({ "dims": input.dims(), "padding": padding }));
            }
            Formula::UpSampling { size, interpolation: Interpolation::Nearest } => {
                self.call("nearest", json!({ "dims": input.dims(), "size": size }));
            }
            Formula::UpSampling { .. }
            | Formula::PRelu
            | Formula::Embedding
            | Formula::Repetition { .. } => {
                return Err(no_function(stage.layer));
            }
        }
        Ok(())
    }

    fn dense(&mut self, stage: &Stage, input: &Shape) {
        let arguments = json!({
            "inputs": input.last(),
            "units": stage.layer.output.last(),
            "kernel": self.weight(stage, "kernel"),
            "bias": self.weight(stage, "bias"),
        });
        self.call("dense", arguments);
    }

    fn convolution(&mut self, stage: &Stage, windows: &Convolution) {
        let arguments = json!({
            "rows": axis(&windows.rows),
            "columns": axis(&windows.columns),
            "channels": windows.channels,
            "filters": windows.filters,
            "kernel": self.weight(stage, "kernel"),
            "bias": self.weight(stage, "bias"),
        });
        self.call("convolution", arguments);
    }

    fn pooling(&mut self, windows: &Pooling) {
        let function = if windows.pool == Pool::Average { "averagePool" } else { "maxPool" };
        let arguments = json!({
            "rows": axis(&windows.rows),
            "columns": axis(&windows.columns),
            "channels": windows.channels,
        });
        self.call(function, arguments);
    }

    fn layer_normalization(&mut self, stage: &Stage, input: &Shape, axes: usize, epsilon: f64) {
        let dims = input.dims();
        let width: usize = dims[dims.len().saturating_sub(axes)..].iter().product();
        let arguments = json!({
            "width": width,
            "gamma": self.weight(stage, "gamma"),
            "beta": self.weight(stage, "beta"),
            "epsilon": epsilon,
        });
        self.call("layerNormalization", arguments);
    }

    /// Adds `y = x·factor + shift` along the last axis.
    fn affine(&mut self, factors: &[Real], shifts: &[Real]) {
        let (factor, shift) = (self.array(factors), self.array(shifts));
        self.call("affine", json!({ "factor": factor, "shift": shift }));
    }

    fn activation(&mut self, kind: ActivationKind, input: &Shape) {
        if kind != ActivationKind::Linear {
            let width = input.last();
            self.call("activation", json!({ "kind": kind.to_string(), "width": width }));
        }
    }

    fn standardization(&mut self, statistics: &Statistics, invert: bool) {
        let (mut factors, mut shifts) = (vec![], vec![]);
        for (mean, deviation) in statistics.mean.iter().zip(statistics.deviations()) {
            factors.push(if invert { deviation } else { 1.0 / deviation });
            shifts.push(if invert { *mean } else { -mean / deviation });
        }
        self.affine(&factors, &shifts);
    }
}
