//! Rules about shapes: `input-shape`, `targets-do-not-fit`, `indices`, `units`.

use crate::Error;
use crate::datasets::batches::Rows;
use crate::datasets::doctor::{Examination, Finding, FoundAndHelp, Severity, Subject, TargetUse};
use crate::losses::TargetForm;
use crate::model::Sequential;

/// Examines the shapes of all sets.
pub(super) fn of_shapes(model: &Sequential, subject: &Subject) -> Vec<Finding> {
    let mut findings = vec![];
    for set in subject.all_sets() {
        let rows = match Rows::inputs_only(&set.data.x, model.input_shape()) {
            Ok(rows) => rows,
            Err(error) => {
                let finding = of_error("input-shape", &error).at(set.name);
                findings.push(finding.because("the model cannot take these inputs"));
                continue;
            }
        };
        if let Err(error) = rows.check_indices(model.vocabulary_size()) {
            let finding = of_error("indices", &error).at(set.name);
            findings.push(finding.because("an Embedding has no row for other indices"));
        }
        let Ok(compiled) = model.compiled() else { continue };
        let is_sparse = compiled.loss().as_loss().target_form() == TargetForm::Labels;
        let (input, output) = (model.input_shape(), model.output_shape());
        if let Err(error) = Rows::new(set.data, input, output, is_sparse) {
            let finding = of_error("targets-do-not-fit", &error).at(set.name);
            findings.push(finding.because("the loss cannot compare the outputs with them"));
        }
    }
    if findings.is_empty() {
        findings.extend(units(model, subject));
    }
    findings
}

/// More outputs than classes.
fn units(model: &Sequential, subject: &Subject) -> Option<Finding> {
    let n_outputs = model.output_shape().last();
    if subject.targets != TargetUse::Classes || n_outputs < 3 {
        return None;
    }
    let n_names = model.data.as_ref().map_or(0, |data| data.classes.len());
    let n_labels = if n_names > 0 { n_names } else { Examination::n_labels(subject)? };
    if n_labels >= n_outputs {
        return None;
    }
    let found = if n_names > 0 {
        format!("the model has {n_outputs} outputs, the data {n_names} classes")
    } else {
        format!("the model has {n_outputs} outputs, and the labels are 0 to {}", n_labels - 1)
    };
    let finding = Finding::new(Severity::Odd, "units", found).at("training set");
    let reason = match n_outputs - n_labels {
        1 => "1 output can never be right, and costs weights".to_string(),
        n => format!("{n} outputs can never be right, and cost weights"),
    };
    Some(finding.because(reason).remedy(format!(
        "give the last layer {n_labels} units, or check that the data are complete"
    )))
}

/// Finding of an error.
fn of_error(rule: &'static str, error: &Error) -> Finding {
    let FoundAndHelp { found, help } = error.found_and_help();
    let remedy = help.unwrap_or_else(|| "change the model".to_string());
    Finding::new(Severity::Problem, rule, found).remedy(remedy)
}
