//! tallynet's benchmark jobs in burn, on its CPU backend, flex.
//!
//! `burn-peer JOB` trains and prints one JSON line with the keys of the Python
//! peers beside this folder; the settings of the jobs are those of `jobs.py`.

// burn's nested types are deeper than the compiler's default limit.
#![recursion_limit = "512"]

mod data;
mod models;

use std::time::Instant;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Int, Tensor};

use data::{Mnist, Rows, Shuffle};
use models::{Classifier, ConvolutionalNetwork, SoftmaxRegression};

const VERSION: &str = "0.22.1";
const BATCH_SIZE: usize = 128;
const EPOCHS: usize = 12;
const SGD_LEARNING_RATE: f64 = 0.01;
const ADAM_LEARNING_RATE: f64 = 0.001;

fn main() {
    let started = Instant::now();
    let job = std::env::args().nth(1).unwrap_or_default();
    let device = Device::flex();
    device.seed(0);
    let result = match job.as_str() {
        "mnist-softmax" => mnist_softmax(&device),
        "mnist-cnn" => {
            let model = ConvolutionalNetwork::plain(&device.clone().autodiff());
            time_steps(model, Rule::sgd(), &device, 20, 4)
        }
        "mnist-convnet" => {
            let model = ConvolutionalNetwork::pooled(&device.clone().autodiff());
            time_steps(model, Rule::adam(), &device, 40, 4)
        }
        _ => {
            eprintln!("usage: burn-peer mnist-softmax|mnist-cnn|mnist-convnet");
            std::process::exit(1);
        }
    };
    println!(r#"{{"peer": "burn", "version": "{VERSION}", {result}, "seconds": {}}}"#, started.elapsed().as_secs_f64());
}

/// Optimizer and learning rate.
struct Rule {
    optimizer: ModuleOptimizer,
    learning_rate: f64,
}

impl Rule {
    fn sgd() -> Self {
        Self { optimizer: SgdConfig::new().init(), learning_rate: SGD_LEARNING_RATE }
    }

    fn adam() -> Self {
        Self { optimizer: AdamConfig::new().init(), learning_rate: ADAM_LEARNING_RATE }
    }

    /// One training step. Returns the updated model and the batch's loss.
    fn step<M: Classifier>(&mut self, model: M, (x, y): (Tensor<2>, Tensor<1, Int>)) -> (M, Tensor<1>) {
        let loss = cross_entropy(model.logits(x), y);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        (self.optimizer.step(self.learning_rate, model, gradients), loss)
    }
}

/// Trains softmax regression for twelve epochs, evaluated after each. Returns
/// the JSON members.
fn mnist_softmax(device: &Device) -> String {
    let mnist = Mnist::read();
    let training_device = device.clone().autodiff();
    let mut model = SoftmaxRegression::new(&training_device);
    let mut rule = Rule::sgd();
    let mut shuffle = Shuffle::new(mnist.train.len());
    let mut seconds = Vec::new();
    let mut score = (0.0, 0.0);
    for _ in 0..EPOCHS {
        let began = Instant::now();
        for rows in shuffle.next_order().chunks(BATCH_SIZE) {
            (model, _) = rule.step(model, mnist.train.batch(rows, &training_device));
        }
        device.sync().expect("the epoch's work ends without an error");
        seconds.push(began.elapsed().as_secs_f64());
        score = evaluate(&model, &mnist.test, device);
    }
    let (loss, accuracy) = score;
    format!(r#""seconds_per_epoch": {}, "loss": {loss}, "accuracy": {accuracy}"#, median(seconds))
}

/// Times passes of `batches` training steps: one to warm up, then `passes`
/// timed ones. Returns the JSON members.
fn time_steps<M: Classifier>(mut model: M, mut rule: Rule, device: &Device, batches: usize, passes: usize) -> String {
    let train = Rows::first(batches * BATCH_SIZE);
    let training_device = device.clone().autodiff();
    let order: Vec<usize> = (0..train.len()).collect();
    let mut milliseconds = Vec::new();
    let mut last_loss = f32::NAN;
    for _ in 0..1 + passes {
        let began = Instant::now();
        let mut loss = None;
        for rows in order.chunks(BATCH_SIZE) {
            let (updated, batch_loss) = rule.step(model, train.batch(rows, &training_device));
            (model, loss) = (updated, Some(batch_loss));
        }
        last_loss = loss.expect("a pass has batches").into_scalar::<f32>();
        device.sync().expect("the pass's work ends without an error");
        milliseconds.push(began.elapsed().as_secs_f64() * 1000.0 / batches as f64);
    }
    format!(r#""milliseconds_per_step": {}, "loss": {last_loss}, "accuracy": null"#, median(milliseconds.split_off(1)))
}

/// Loss and accuracy on `rows`, without autodiff.
fn evaluate<M: Classifier>(model: &M, rows: &Rows, device: &Device) -> (f32, f64) {
    let every_row: Vec<usize> = (0..rows.len()).collect();
    let (x, y) = rows.batch(&every_row, device);
    let logits = model.valid().logits(x);
    let predicted = logits.clone().argmax(1).flatten::<1>(0, 1);
    let correct = predicted.equal(y.clone()).int().sum().into_scalar::<i64>();
    let loss = cross_entropy(logits, y).into_scalar::<f32>();
    (loss, correct as f64 / rows.len() as f64)
}

fn cross_entropy(logits: Tensor<2>, y: Tensor<1, Int>) -> Tensor<1> {
    CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, y)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
