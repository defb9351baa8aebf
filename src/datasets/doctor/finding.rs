//! `Finding`: one thing that is wrong or odd with data, and its remedy; `Warning`: a finding, with
//! the line that `train` prints for it.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, file_prefix};

/// Weight of a finding; the worst is the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A model trained on these data is wrong, or training fails.
    Problem,
    /// Possibly meant, and possibly a mistake.
    Odd,
    /// Harmless, and good to know.
    Note,
}

/// Something that is wrong or odd with data, or with data and a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Weight.
    pub severity: Severity,
    /// Name of the rule, for programs: `unscaled-inputs`.
    pub rule: &'static str,
    /// Observation, in numbers.
    pub found: String,
    /// Location: a data set, with rows, columns or files.
    pub place: String,
    /// Consequence for a training.
    pub reason: String,
    /// Next step: an option of tallynet, or a line of Python.
    pub remedy: String,
}

impl Finding {
    /// Finding of this rule; the other fields are set by the methods below.
    pub(crate) fn new(severity: Severity, rule: &'static str, found: String) -> Finding {
        Finding {
            severity,
            rule,
            found,
            place: String::new(),
            reason: String::new(),
            remedy: String::new(),
        }
    }

    pub(crate) fn at(self, place: impl Into<String>) -> Finding {
        Finding { place: place.into(), ..self }
    }

    pub(crate) fn because(self, reason: impl Into<String>) -> Finding {
        Finding { reason: reason.into(), ..self }
    }

    pub(crate) fn remedy(self, remedy: impl Into<String>) -> Finding {
        Finding { remedy: remedy.into(), ..self }
    }
}

/// Finding, with the line that `train` prints for it.
///
/// ```
/// use tallynet::datasets::table::{TableOptions, learn_from};
///
/// let rows: String = (0..30).map(|row| format!("{row},{}\n", row % 2)).collect();
/// let options = TableOptions { targets: vec!["y".to_string()], ..TableOptions::default() };
/// let table = learn_from(format!("id,y\n{rows}").as_bytes(), &options)?;
/// let warning = &table.warnings[0];
/// assert_eq!(warning.finding.remedy, "--ignore \"id\" ignores it");
/// assert!(warning.to_string().starts_with(&warning.finding.found));
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// Line that a training prints.
    pub text: String,
    /// Finding of an examination.
    pub finding: Finding,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Parts of a message.
pub(crate) struct FoundAndHelp {
    /// Problem found, and the file.
    pub found: String,
    /// Suggested fix, if the error has one.
    pub help: Option<String>,
}

impl Error {
    /// The message in two parts.
    pub(crate) fn found_and_help(&self) -> FoundAndHelp {
        match self {
            Error::Format { path, found, help } => {
                let found = file_prefix(path.as_deref()) + found;
                FoundAndHelp { found, help: Some(help.clone()) }
            }
            Error::Shape { found, help, .. } => {
                FoundAndHelp { found: found.clone(), help: Some(help.clone()) }
            }
            other => {
                let message = other.to_string();
                match message.split_once("\n  ") {
                    Some((found, help)) => {
                        FoundAndHelp { found: found.to_string(), help: Some(help.to_string()) }
                    }
                    None => FoundAndHelp { found: message, help: None },
                }
            }
        }
    }
}
