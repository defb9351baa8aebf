//! Confusion matrix: how often samples of each true class were given each class.

use std::collections::BTreeMap;

/// Number of samples of each true class that were given each class. Only pairs that occur take
/// memory, so that there may be thousands of classes.
///
/// ```
/// use tallynet::report::ConfusionMatrix;
///
/// let mut confusion = ConfusionMatrix::new(3);
/// for (true_class, predicted) in [(0, 0), (1, 2), (2, 1), (1, 2), (2, 2)] {
///     confusion.count(true_class, predicted);
/// }
/// assert_eq!(confusion.get(1, 2), 2);
/// assert_eq!(confusion.scores(2).recall, 0.5);
/// let worst = confusion.most_confused(1)[0];
/// assert_eq!((worst.classes, worst.total()), ([1, 2], 3));
/// ```
#[derive(Debug, Clone)]
pub struct ConfusionMatrix {
    /// Number of samples by true and predicted class.
    cells: BTreeMap<[usize; 2], usize>,
    /// Number of samples of each true class.
    support: Vec<usize>,
    /// Number of samples that were given each class.
    predicted: Vec<usize>,
}

/// Scores of a class; 0 where they would divide by 0, as Keras's metrics are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// Fraction of the samples that were given the class that are of it.
    pub precision: f64,
    /// Fraction of the samples of the class that were given it.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Number of samples of the class.
    pub support: usize,
}

/// Two classes of which samples of one were given the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfusedPair {
    /// The classes, in ascending order.
    pub classes: [usize; 2],
    /// Number of samples of the first class that were given the second.
    pub first_as_second: usize,
    /// Number of samples of the second class that were given the first.
    pub second_as_first: usize,
}

impl ConfusedPair {
    /// Number of mistakes in both directions.
    pub fn total(&self) -> usize {
        self.first_as_second + self.second_as_first
    }
}

impl ConfusionMatrix {
    /// Matrix of this many classes, without samples.
    pub fn new(n_classes: usize) -> ConfusionMatrix {
        ConfusionMatrix {
            cells: BTreeMap::new(),
            support: vec![0; n_classes],
            predicted: vec![0; n_classes],
        }
    }

    /// Counts a sample. Labels that are no class are ignored.
    pub fn count(&mut self, true_class: usize, predicted_class: usize) {
        if true_class >= self.n_classes() || predicted_class >= self.n_classes() {
            return;
        }
        *self.cells.entry([true_class, predicted_class]).or_default() += 1;
        self.support[true_class] += 1;
        self.predicted[predicted_class] += 1;
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.support.len()
    }

    /// Number of samples of a true class that were given a class.
    pub fn get(&self, true_class: usize, predicted_class: usize) -> usize {
        self.cells.get(&[true_class, predicted_class]).copied().unwrap_or(0)
    }

    /// True if a sample is of this class, or was given it.
    pub fn has_class(&self, class: usize) -> bool {
        self.support[class] > 0 || self.predicted[class] > 0
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.support.iter().sum()
    }

    /// Number of samples that were given their true class.
    pub fn n_right(&self) -> usize {
        (0..self.n_classes()).map(|class| self.get(class, class)).sum()
    }

    /// Precision, recall, F1 and support of a class.
    pub fn scores(&self, class: usize) -> ClassScores {
        let n_right = self.get(class, class);
        let (support, predicted) = (self.support[class], self.predicted[class]);
        ClassScores {
            precision: ratio(n_right, predicted),
            recall: ratio(n_right, support),
            f1: ratio(2 * n_right, predicted + support),
            support,
        }
    }

    /// The pairs of classes with the most mistakes between them, at most `n`; equals in the order
    /// of their labels.
    pub fn most_confused(&self, n: usize) -> Vec<ConfusedPair> {
        let mut pairs: BTreeMap<[usize; 2], ConfusedPair> = BTreeMap::new();
        for (&[true_class, predicted_class], &count) in &self.cells {
            let first = true_class.min(predicted_class);
            let second = true_class.max(predicted_class);
            if first == second {
                continue;
            }
            let classes = [first, second];
            let none = ConfusedPair { classes, first_as_second: 0, second_as_first: 0 };
            let pair = pairs.entry(classes).or_insert(none);
            if true_class == first {
                pair.first_as_second = count;
            } else {
                pair.second_as_first = count;
            }
        }
        let mut pairs: Vec<ConfusedPair> = pairs.into_values().collect();
        // The sort is stable.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.total()));
        pairs.truncate(n);
        pairs
    }

    /// The whole matrix: a row for each true class, a column for each predicted class.
    pub fn rows(&self) -> Vec<Vec<usize>> {
        let n = self.n_classes();
        let mut rows = vec![vec![0; n]; n];
        for (&[true_class, predicted_class], &count) in &self.cells {
            rows[true_class][predicted_class] = count;
        }
        rows
    }
}

fn ratio(count: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}
