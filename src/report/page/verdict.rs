//! Verdict on a training: its best epoch, in words.

use super::curve::Curve;
use super::text::number;

/// Sentences that say which epoch was best, and when training should have stopped.
pub fn verdict(watched: &Curve, best: Option<usize>) -> Vec<String> {
    let Curve { name, epochs, .. } = watched;
    let n_epochs = epochs.len();
    let Some(best) = best else {
        return vec![format!("No epoch has a finite {name}.")];
    };
    let value = |i: usize| watched.values.get(i).copied().flatten().unwrap_or(f64::NAN);
    let (lowest, last) = (number(value(best)), value(n_epochs - 1));
    let (epoch, last_epoch) = (epochs[best], epochs[n_epochs - 1]);
    let what = if name == "loss" { "training loss" } else { "validation loss" };
    let mut verdict = vec![];
    if n_epochs == 1 {
        verdict.push(format!(
            "There was one epoch, with a {what} of {lowest}: too few to say when training should \
             stop."
        ));
    } else if best + 1 == n_epochs {
        let (before, previous) = (number(value(best - 1)), epochs[best - 1]);
        verdict.push(format!(
            "The {what} ({name}) was still falling at the end: {before} after epoch {previous}, \
             {lowest} after epoch {epoch}, the last and best one. Training did not run too long; \
             more epochs may help."
        ));
    } else {
        let more = n_epochs - best - 1;
        let epochs = if more == 1 { "epoch".to_string() } else { format!("{more} epochs") };
        let last = if last.is_finite() { number(last) } else { "not a number".to_string() };
        verdict.push(format!(
            "The {what} ({name}) was lowest after epoch {epoch} of {last_epoch}: {lowest}. The \
             {epochs} after it brought no improvement (the last: {last}): training should have \
             stopped after epoch {epoch}."
        ));
    }
    if name == "loss" {
        let remark = "There was no validation: the loss on the training samples themselves falls \
                      even when the model gets worse on new ones.";
        verdict.push(remark.to_string());
    }
    verdict
}
