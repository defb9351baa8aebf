//! Classification: the confusion matrix, the scores of each class, and the worst mistakes.

use ndarray::{Array2, ArrayD};
use serde::Serialize;

use super::bars::{ProbabilityBar, bars};
use super::picture::Picture;
use super::samples::Samples;
use super::text::{counted, percent};
use crate::report::ConfusionMatrix;
use crate::report::{Classes, Prediction};
use crate::table::{shortened, with_commas};
use crate::{Real, Result};

/// Largest number of classes whose matrix is shown.
const MAX_MATRIX: usize = 30;
/// Largest number of classes whose scores are shown.
const MAX_SCORES: usize = 100;
/// Number of pairs of classes that are named.
const N_PAIRS: usize = 5;
/// Number of mistakes that are shown.
const N_MISTAKES: usize = 12;

/// Section of a model that chooses among classes.
#[derive(Debug, Serialize)]
pub struct ClassSection {
    pub accuracy: String,
    pub n_samples: String,
    pub n_right: String,
    pub n_wrong: String,
    /// The two classes that are confused most.
    pub worst_pair: Option<PairSentence>,
    /// Further pairs.
    pub pairs: Vec<PairSentence>,
    pub matrix: Option<Matrix>,
    pub n_classes: String,
    pub scores: Vec<ScoreRow>,
    /// True if `scores` are only the classes with the lowest F1.
    pub scores_are_some: bool,
    pub mistakes: Vec<Mistake>,
    /// True if `mistakes` are only those that the model was most sure of.
    pub mistakes_are_some: bool,
    pub are_probabilities: bool,
    /// True if the samples are named by their rows.
    pub names_are_rows: bool,
}

/// Two classes and their mistakes, in words.
#[derive(Debug, Serialize)]
pub struct PairSentence {
    pub text: String,
    pub detail: String,
}

/// Confusion matrix.
#[derive(Debug, Serialize)]
pub struct Matrix {
    pub names: Vec<String>,
    pub rows: Vec<MatrixRow>,
}

/// Row of the matrix: samples of one true class.
#[derive(Debug, Serialize)]
pub struct MatrixRow {
    pub name: String,
    pub cells: Vec<Cell>,
}

/// Number of samples with a true and a predicted class.
#[derive(Debug, Serialize)]
pub struct Cell {
    /// True if the count is 0.
    pub is_none: bool,
    pub count: String,
    pub is_right: bool,
    /// Strength of its color, from 0 to 1.
    pub share: String,
    pub text: String,
}

/// Scores of a class.
#[derive(Debug, Serialize)]
pub struct ScoreRow {
    pub name: String,
    pub precision: String,
    pub recall: String,
    pub f1: String,
    pub support: String,
}

/// Sample that was given a wrong class.
#[derive(Debug, Serialize)]
pub struct Mistake {
    pub sample: String,
    pub true_class: String,
    pub predicted: String,
    /// The true class and the most probable ones, with their probabilities.
    pub bars: Vec<ProbabilityBar>,
    pub picture: Option<Picture>,
    /// Values of the inputs of a table.
    pub values: Vec<String>,
}

/// The section for the outputs of a model on these samples.
pub fn section(
    classes: &Classes,
    samples: &Samples,
    outputs: ArrayD<Real>,
) -> Result<ClassSection> {
    let true_classes = classes.true_classes(&samples.data.y)?;
    let probabilities = classes.probabilities(outputs)?;
    let predictions = classes.predictions_of(&probabilities);
    let confusion = classes.confusion(&true_classes, &predictions);
    let (n_samples, n_right) = (confusion.n_samples(), confusion.n_right());
    let mut sentences = pair_sentences(classes, &confusion);
    let worst_pair = if sentences.is_empty() { None } else { Some(sentences.remove(0)) };
    let listed = classes.listed(&confusion);
    Ok(ClassSection {
        accuracy: percent(n_right as f64 / n_samples.max(1) as f64),
        n_samples: with_commas(n_samples),
        n_right: with_commas(n_right),
        n_wrong: counted(n_samples - n_right, "mistake"),
        worst_pair,
        pairs: sentences,
        matrix: matrix(classes, &confusion, &listed),
        n_classes: with_commas(classes.len()),
        scores_are_some: listed.len() > MAX_SCORES,
        scores: scores(classes, &confusion, listed),
        mistakes: mistakes(classes, samples, &probabilities, &true_classes, &predictions)?,
        mistakes_are_some: n_samples - n_right > N_MISTAKES,
        are_probabilities: classes.are_probabilities,
        names_are_rows: samples.names.files.is_empty(),
    })
}

/// The pairs of classes with the most mistakes, in words.
fn pair_sentences(classes: &Classes, confusion: &ConfusionMatrix) -> Vec<PairSentence> {
    let mut sentences = vec![];
    for pair in confusion.most_confused(N_PAIRS) {
        let [first, second] = pair.classes.map(|class| quoted(&classes.name(class)));
        let total = counted(pair.total(), "mistake");
        let mut detail = vec![];
        for (n, truth, predicted) in
            [(pair.first_as_second, &first, &second), (pair.second_as_first, &second, &first)]
        {
            if n > 0 {
                let times = counted(n, "time");
                detail.push(format!("{times} a true {truth} was predicted as {predicted}"));
            }
        }
        sentences.push(PairSentence {
            text: format!("{first} and {second} ({total})"),
            detail: detail.join(", and "),
        });
    }
    sentences
}

/// Name in quotes, so that a class called `and` is not read as a word of the sentence.
fn quoted(name: &str) -> String {
    let is_number = name.chars().all(|letter| letter.is_ascii_digit());
    let name = shortened(name, 40);
    if is_number { name } else { format!("“{name}”") }
}

fn matrix(classes: &Classes, confusion: &ConfusionMatrix, listed: &[usize]) -> Option<Matrix> {
    if listed.len() > MAX_MATRIX {
        return None;
    }
    let mut most_wrong = 1;
    for true_class in listed {
        for predicted in listed.iter().filter(|predicted| *predicted != true_class) {
            most_wrong = most_wrong.max(confusion.get(*true_class, *predicted));
        }
    }
    let names: Vec<String> =
        listed.iter().map(|class| shortened(&classes.name(*class), 24)).collect();
    let mut rows = vec![];
    for (true_name, true_class) in names.iter().zip(listed) {
        let support = confusion.scores(*true_class).support.max(1);
        let mut cells = vec![];
        for (name, predicted) in names.iter().zip(listed) {
            let n = confusion.get(*true_class, *predicted);
            let is_right = true_class == predicted;
            let of = if is_right { support } else { most_wrong };
            let number = with_commas(n);
            let text = if is_right {
                let support = with_commas(support);
                format!("{number} of {support} samples of {true_name} were predicted right")
            } else {
                format!("{number} samples of {true_name} were predicted as {name}")
            };
            let share = format!("{:.2}", n as f64 / of as f64);
            cells.push(Cell { is_none: n == 0, count: number, is_right, share, text });
        }
        rows.push(MatrixRow { name: true_name.clone(), cells });
    }
    Some(Matrix { names, rows })
}

/// Scores of these classes; of very many only those with the lowest F1.
fn scores(classes: &Classes, confusion: &ConfusionMatrix, mut listed: Vec<usize>) -> Vec<ScoreRow> {
    if listed.len() > MAX_SCORES {
        listed.retain(|class| confusion.has_class(*class));
        listed.sort_by(|a, b| confusion.scores(*a).f1.total_cmp(&confusion.scores(*b).f1));
        listed.truncate(MAX_SCORES);
    }
    let mut rows = vec![];
    for class in listed {
        let scores = confusion.scores(class);
        rows.push(ScoreRow {
            name: shortened(&classes.name(class), 60),
            precision: format!("{:.4}", scores.precision),
            recall: format!("{:.4}", scores.recall),
            f1: format!("{:.4}", scores.f1),
            support: with_commas(scores.support),
        });
    }
    rows
}

/// The mistakes that the model was most sure of.
fn mistakes(
    classes: &Classes,
    samples: &Samples,
    probabilities: &Array2<Real>,
    true_classes: &[usize],
    predictions: &[Prediction],
) -> Result<Vec<Mistake>> {
    let mut wrong: Vec<usize> = vec![];
    for (i, true_class) in true_classes.iter().enumerate() {
        if predictions[i].first.class != *true_class {
            wrong.push(i);
        }
    }
    let sureness = |i: &usize| predictions[*i].first.probability;
    wrong.sort_by(|a, b| sureness(b).total_cmp(&sureness(a)));
    wrong.truncate(N_MISTAKES);
    let mut mistakes = vec![];
    for i in wrong {
        let (true_class, prediction) = (true_classes[i], predictions[i]);
        let row = probabilities.row(i).to_vec();
        let name = |class: usize| quoted(&classes.name(class));
        let (truth, predicted) = (name(true_class), name(prediction.first.class));
        let alt = format!("sample of {truth} that was predicted as {predicted}");
        mistakes.push(Mistake {
            sample: samples.name(i),
            bars: bars(classes, &row, &prediction, true_class),
            picture: samples.picture(i, alt)?,
            values: samples.values(i),
            true_class: truth,
            predicted,
        });
    }
    Ok(mistakes)
}
