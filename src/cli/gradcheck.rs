//! `tallynet gradcheck`.

use clap::Args;
use tallynet::table::table;
use tallynet::training::{ArrayCheck, GradientCheck, TOLERANCE, check_gradients};

use super::{Failure, LoadedModel, Outcome, output};

/// Compare a model's gradients with finite differences of its loss, layer by layer.
///
/// Data and parameters are random; a sample of each array is checked, and large images are made
/// smaller if the layers allow it.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet gradcheck
  tallynet gradcheck dense-514 --seed 3

In double precision, from the source tree:
  RUSTFLAGS=\"--cfg tallynet_f64\" cargo run --release -- gradcheck")]
pub struct Gradcheck {
    /// Preset (see `tallynet models`) or saved file
    #[arg(default_value = "mnist-softmax")]
    model: String,
    /// Random seed of data, parameters and samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl Gradcheck {
    /// Prints a table; a gradient beyond the tolerance is a failure.
    pub fn run(self) -> Outcome {
        let model = LoadedModel::open(&self.model, None)?.model;
        let GradientCheck { input: shape, arrays: checks } = check_gradients(&model, self.seed)?;
        let rows: Vec<_> = checks.iter().map(row).collect();
        let allowed = if size_of::<tallynet::Real>() == 8 {
            format!("f64 allows {TOLERANCE:.0e}")
        } else {
            format!(
                "f32 allows {TOLERANCE:.0e}; f64, which allows 1e-6, is another build:\n  \
                 RUSTFLAGS=\"--cfg tallynet_f64\" cargo run --release -- gradcheck"
            )
        };
        let heads = ["Parameters", ">tried", ">worst relative error", ""];
        let table = table(&heads, &rows);
        output::result(&format!("{table}Checked on samples of {shape}; {allowed}\n"))?;
        if let Some(check) = checks.iter().find(|check| !is_right(check)) {
            let message = format!("the gradient of {} is wrong", check.name);
            return Err(Failure { message, code: 1 });
        }
        Ok(())
    }
}

fn is_right(check: &ArrayCheck) -> bool {
    check.worst <= TOLERANCE
}

fn row(check: &ArrayCheck) -> Vec<String> {
    let verdict = if is_right(check) { "ok" } else { "wrong" };
    vec![
        check.name.clone(),
        check.tried.to_string(),
        format!("{:.1e}", check.worst),
        verdict.to_string(),
    ]
}
