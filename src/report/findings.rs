//! Findings of an examination as a text.

use crate::datasets::doctor::{Examination, Finding, Severity};

/// Width of the text after its indentation, on a terminal of 80 columns.
const WIDTH: usize = 70;

/// Text of an examination: the findings, the worst first, and what was examined.
///
/// ```
/// use tallynet::datasets::doctor::Examination;
/// use tallynet::report::findings;
///
/// let good = Examination { checked: vec!["classes"], step: 1, ..Examination::default() };
/// assert_eq!(findings(&good), "\nNothing found.\nExamined: classes.\n");
/// ```
pub fn findings(examination: &Examination) -> String {
    let mut text = String::new();
    for finding in &examination.findings {
        text += &format!("\n{}", paragraph(finding));
    }
    text += &format!("\n{}\n", totals(examination));
    let checked = examination.checked.join(", ");
    if !checked.is_empty() {
        text += &wrap(&format!("Examined: {checked}."), "");
    }
    if examination.step > 1 {
        let step = examination.step;
        text += &format!("Inputs were examined in one of {step} samples: the data are large.\n");
    }
    text
}

/// A finding in a few lines.
fn paragraph(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Problem => "PROBLEM",
        Severity::Odd => "ODD    ",
        Severity::Note => "NOTE   ",
    };
    let mut text = format!("{severity} {}", wrap(&finding.found, "        ").trim_start());
    for (label, part) in
        [("where", &finding.place), ("why", &finding.reason), ("remedy", &finding.remedy)]
    {
        text += &format!("  {label:<6}{}", wrap(part, "        ").trim_start_matches("      "));
    }
    text
}

/// `2 problems, 1 oddity, 1 note.`
fn totals(examination: &Examination) -> String {
    let kinds = [
        (Severity::Problem, "problem", "problems"),
        (Severity::Odd, "oddity", "oddities"),
        (Severity::Note, "note", "notes"),
    ];
    let mut parts = vec![];
    for (severity, one, several) in kinds {
        match examination.count(severity) {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            n => parts.push(format!("{n} {several}")),
        }
    }
    if parts.is_empty() {
        return "Nothing found.".to_string();
    }
    format!("{}.", parts.join(", "))
}

/// Lines of at most [`WIDTH`] characters, each after this indentation.
fn wrap(text: &str, indentation: &str) -> String {
    let mut lines = String::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
                lines += &format!("{indentation}{line}\n");
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        lines += &format!("{indentation}{line}\n");
    }
    lines
}
