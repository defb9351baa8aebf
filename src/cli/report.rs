//! `tallynet report`.
use clap::Args;
use super::Outcome;
/// Write a page.
#[derive(Args)]
pub struct Report {}
impl Report {
    pub fn run(self) -> Outcome {
        Ok(())
    }
}
