//! `tallynet gradcheck`.

use clap::Args;
use tallynet::table::table;
use tallynet::training::{GradientCheck, TOLERANCE, check_gradients};

use super::{Failure, Outcome, choose, output};

/// Compare a model's gradients with differences of its loss, layer by layer.
///
/// Random data, random parameters and a sample of each array; large images are cut down where the
/// layers allow it.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet gradcheck
  tallynet gradcheck dense-514 --seed 3")]
pub struct Gradcheck {
    /// A name that `tallynet models` lists, or a saved file
    #[arg(default_value = "mnist-softmax")]
    model: String,

    /// What data, parameters and samples are drawn from
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl Gradcheck {
    /// Prints a table; a gradient beyond the tolerance is a failure.
    pub fn run(self) -> Outcome {
        let model = choose(&self.model, None)?.model;
        let (shape, found) = check_gradients(&model, self.seed)?;
        let is_right = |check: &GradientCheck| check.worst <= TOLERANCE;
        let row = |check: &GradientCheck| {
            let verdict = if is_right(check) { "ok" } else { "wrong" };
            vec![
                check.name.clone(),
                check.tried.to_string(),
                format!("{:.1e}", check.worst),
                verdict.to_string(),
            ]
        };
        let rows: Vec<_> = found.iter().map(row).collect();
        let allowed = match size_of::<tallynet::Real>() {
            8 => format!("f64 allows {TOLERANCE:.0e}"),
            _ => format!("f32 allows {TOLERANCE:.0e} (f64, a build with --cfg tallynet_f64, 1e-6)"),
        };
        let heads = ["Parameters", ">tried", ">worst relative error", ""];
        output::result(&format!(
            "{}Checked on samples of {shape}; {allowed}.\n",
            table(&heads, &rows)
        ))?;
        match found.iter().find(|check| !is_right(check)) {
            Some(check) => Err(Failure {
                message: format!("the gradient of {} is wrong", check.name),
                code: 1,
            }),
            None => Ok(()),
        }
    }
}
