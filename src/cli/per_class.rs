//! Scores of each class, the confusion matrix, and the samples that were given a wrong class.

use serde_json::{Value, json};
use tallynet::report::{ClassScores, ConfusionMatrix};
use tallynet::report::{Classes, Prediction};
use tallynet::{Real, table};

use super::held_out::TestData;
use super::output_table::{Cell, OutputTable};
use super::predictions::class_cell;

/// Maximum number of classes of a confusion matrix as text.
const MAX_CLASSES: usize = 30;

/// Scores of the classes of a model on a test set, with the names of the classes.
pub struct PerClass<'a> {
    pub classes: &'a Classes,
    pub confusion: ConfusionMatrix,
}

impl<'a> PerClass<'a> {
    /// Counts the predicted classes for samples of these true classes.
    pub fn new(
        classes: &'a Classes,
        true_classes: &[usize],
        predictions: &[Prediction],
    ) -> PerClass<'a> {
        PerClass { classes, confusion: classes.confusion(true_classes, predictions) }
    }

    fn score_table(&self) -> OutputTable {
        let columns = ["class", "precision", "recall", "F1", "support"];
        let mut rows = vec![];
        for class in self.classes.listed(&self.confusion) {
            let scores = self.confusion.scores(class);
            rows.push(vec![
                Cell::Text(self.classes.name(class)),
                Cell::Probability(scores.precision as Real),
                Cell::Probability(scores.recall as Real),
                Cell::Probability(scores.f1 as Real),
                Cell::Count(scores.support),
            ]);
        }
        OutputTable { columns: columns.map(str::to_string).to_vec(), rows }
    }

    /// Scores of each class, and the confusion matrix unless it would be too wide.
    pub fn text(&self) -> String {
        let n_classes = self.classes.len();
        let scores = self.score_table().text();
        if n_classes > MAX_CLASSES {
            return format!(
                "{scores}\nConfusion matrix: only in --json, for more than {MAX_CLASSES} classes\n"
            );
        }
        let listed = self.classes.listed(&self.confusion);
        let names: Vec<String> = listed.iter().map(|class| self.classes.name(*class)).collect();
        let mut columns = vec!["true".to_string()];
        columns.extend(names.iter().map(|name| format!(">{name}")));
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut rows = vec![];
        for (name, class) in names.iter().zip(&listed) {
            let mut row = vec![name.clone()];
            row.extend(
                listed.iter().map(|predicted| self.confusion.get(*class, *predicted).to_string()),
            );
            rows.push(row);
        }
        let matrix = table::table(&columns, &rows);
        format!(
            "{scores}\nConfusion matrix: a row for each true class, a column for each predicted \
             class\n{matrix}"
        )
    }

    /// The scores and the matrix in JSON.
    pub fn json(&self) -> Value {
        let mut classes = vec![];
        for class in 0..self.classes.len() {
            let ClassScores { precision, recall, f1, support } = self.confusion.scores(class);
            classes.push(json!({
                "class": class_cell(self.classes, class),
                "precision": precision,
                "recall": recall,
                "f1": f1,
                "support": support,
            }));
        }
        json!({ "classes": classes, "confusion_matrix": self.confusion.rows() })
    }
}

/// Samples that were given a wrong class, the most confident first, by their files, or else by
/// their rows in the data, which count from 1.
pub fn mistakes(
    classes: &Classes,
    true_classes: &[usize],
    predictions: &[Prediction],
    test: &TestData,
) -> OutputTable {
    let mut wrong = vec![];
    for (i, (true_class, prediction)) in true_classes.iter().zip(predictions).enumerate() {
        if prediction.first.class != *true_class {
            wrong.push(i);
        }
    }
    // The sort is stable: equals stay in the order of the files, or else of the rows.
    wrong.sort_by_key(|i| test.names.file(*i));
    wrong.sort_by(|a, b| {
        predictions[*b].first.probability.total_cmp(&predictions[*a].first.probability)
    });
    let mut rows = vec![];
    for i in wrong {
        let sample = match test.names.file(i) {
            Some(file) => Cell::Text(file.clone()),
            None => Cell::Count(test.names.row(i) + 1),
        };
        rows.push(vec![
            sample,
            class_cell(classes, true_classes[i]),
            class_cell(classes, predictions[i].first.class),
            Cell::Probability(predictions[i].first.probability),
        ]);
    }
    let sample = if test.names.files.is_empty() { "row" } else { "file" };
    let columns = [sample, "true_class", "predicted_class", "probability"];
    OutputTable { columns: columns.map(str::to_string).to_vec(), rows }
}
