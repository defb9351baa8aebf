//! Data sets that scripts load by name: their shapes and classes, known without the data.

use super::arrays::{Array, Dim, Scaling, Source};
use super::evaluate::Interpreter;
use super::values::{Arguments, Keyword, Value, last_part};

/// Fraction that `train_test_split` splits off by default.
const SKLEARN_TEST_SIZE: f64 = 0.25;

/// A data set of Keras or scikit-learn.
struct Known {
    name: &'static str,
    train_rows: u64,
    /// 0 for a data set without a test set.
    test_rows: u64,
    sample: &'static [u64],
    /// 0 for a regression.
    classes: u64,
    /// Length of the last axis of the labels; 0 if they have one axis.
    label_width: u64,
    /// True for images of bytes.
    is_bytes: bool,
}

const fn images(
    name: &'static str,
    rows: [u64; 2],
    sample: &'static [u64],
    classes: u64,
    label_width: u64,
) -> Known {
    let [train_rows, test_rows] = rows;
    Known { name, train_rows, test_rows, sample, classes, label_width, is_bytes: true }
}

const fn table(name: &'static str, rows: [u64; 2], sample: &'static [u64], classes: u64) -> Known {
    let [train_rows, test_rows] = rows;
    Known { name, train_rows, test_rows, sample, classes, label_width: 0, is_bytes: false }
}

const KNOWN: &[Known] = &[
    images("mnist", [60_000, 10_000], &[28, 28], 10, 0),
    images("fashion_mnist", [60_000, 10_000], &[28, 28], 10, 0),
    images("cifar10", [50_000, 10_000], &[32, 32, 3], 10, 1),
    images("cifar100", [50_000, 10_000], &[32, 32, 3], 100, 1),
    table("boston_housing", [404, 102], &[13], 0),
    table("california_housing", [16_512, 4128], &[8], 0),
    table("load_iris", [150, 0], &[4], 3),
    table("load_digits", [1797, 0], &[64], 10),
    table("load_wine", [178, 0], &[13], 3),
    table("load_breast_cancer", [569, 0], &[30], 2),
    table("load_diabetes", [442, 0], &[10], 0),
];

fn named(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// True for a data set of images, whose numbers are bytes.
pub fn is_images(dataset: &str) -> bool {
    named(dataset).is_some_and(|known| known.is_bytes)
}

impl Interpreter<'_> {
    /// `dataset.load_data()`: two pairs of arrays.
    pub fn load_data(&mut self, path: &str) -> Value {
        let dataset = path.rsplit('.').nth(1).unwrap_or_default();
        let Some(known) = named(dataset) else {
            let reason = format!("the data set {dataset} is not known here");
            return self.unknown(reason);
        };
        let train = self.pair(known, false);
        let test = self.pair(known, true);
        self.heap.tuple(vec![train, test])
    }

    /// Inputs and targets of a part of a data set, or of the data that the user gives instead.
    fn pair(&mut self, known: &Known, is_test: bool) -> Value {
        let mut rows = Some(if is_test { known.test_rows } else { known.train_rows });
        let mut sample = known.sample.to_vec();
        let mut classes = if known.classes > 0 { Some(known.classes) } else { None };
        let mut replaces = None;
        if let Some(given) = &self.settings.data {
            classes = given.classes;
            if given.sample != sample {
                rows = None;
                replaces = Some(sample.iter().product());
                sample.clone_from(&given.sample);
            }
        }
        let source = Some(Source { dataset: known.name.into(), is_test, replaces });
        let mut shape: Vec<Dim> = vec![rows];
        shape.extend(sample.into_iter().map(Some));
        let raw = Scaling { factor: 1.0, offset: 0.0 };
        let inputs = Array {
            shape: Some(shape),
            scaling: if known.is_bytes { Some(raw) } else { None },
            source: source.clone(),
            ..Array::default()
        };
        let mut labels: Vec<Dim> = vec![rows];
        if known.label_width > 0 {
            labels.push(Some(known.label_width));
        }
        let targets = Array { shape: Some(labels), classes, source, ..Array::default() };
        let inputs = self.heap.array(inputs);
        let targets = self.heap.array(targets);
        self.heap.tuple(vec![inputs, targets])
    }

    /// `load_iris()` and the like: a pair, or an object with `data` and `target`.
    pub fn load_of_sklearn(&mut self, path: &str, arguments: &Arguments) -> Option<Value> {
        let known = named(last_part(path))?;
        let pair = self.pair(known, false);
        if let Some(Value::Bool(true)) = arguments.named("return_X_y") {
            return Some(pair);
        }
        let parts = self.heap.items(&pair)?.to_vec();
        let keywords = ["data", "target"].into_iter().zip(parts);
        let keywords = keywords.map(|(name, value)| Keyword { name: name.into(), value }).collect();
        Some(self.heap.object(path, Arguments { keywords, ..Arguments::default() }))
    }

    /// Notes the fraction that a script splits off, if it is the first one.
    pub fn note_test_fraction(&mut self, fraction: Option<f64>) {
        let fraction = fraction.filter(|fraction| *fraction > 0.0 && *fraction < 1.0);
        self.test_fraction = self.test_fraction.or(fraction);
    }

    /// `train_test_split(a, b, …)`: two parts of each, of unknown length.
    pub fn train_test_split(&mut self, arguments: &Arguments) -> Value {
        let fraction_of = |name: &str| match arguments.named(name) {
            Some(Value::Float(fraction)) => Some(*fraction),
            _ => None,
        };
        let has_size = ["test_size", "train_size"]
            .iter()
            .any(|name| arguments.named(name).is_some_and(|value| !matches!(value, Value::None)));
        let rest = fraction_of("train_size").map(|fraction| 1.0 - fraction);
        let default = if has_size { None } else { Some(SKLEARN_TEST_SIZE) };
        self.note_test_fraction(fraction_of("test_size").or(rest).or(default));
        let mut parts = vec![];
        for value in &arguments.positional {
            for is_test in [false, true] {
                let part = match value {
                    Value::Array(id) => {
                        let mut array = self.heap.arrays[*id].clone();
                        if let Some(rows) = array.shape.as_mut().and_then(|shape| shape.first_mut())
                        {
                            *rows = None;
                        }
                        array.source = array
                            .source
                            .map(|source| Source { is_test: source.is_test || is_test, ..source });
                        self.heap.array(array)
                    }
                    other => self.not_known("train_test_split", &[other]),
                };
                parts.push(part);
            }
        }
        self.heap.tuple(parts)
    }

    /// `to_categorical(labels, classes)`: one-hot vectors.
    pub fn one_hot(&mut self, arguments: &Arguments) -> Value {
        let labels = match arguments.positional.first() {
            Some(Value::Array(id)) => Some(self.heap.arrays[*id].clone()),
            _ => None,
        };
        let given = ["num_classes", "nb_classes", "depth"]
            .iter()
            .find_map(|name| arguments.named(name))
            .or(arguments.positional.get(1));
        let given = given.and_then(|classes| self.dims_of(classes)?.first().copied().flatten());
        let counted = match &labels {
            Some(labels) => labels.classes,
            None => self.settings.data.as_ref().and_then(|data| data.classes),
        };
        let classes = given.or(counted);
        let labels = labels.unwrap_or_default();
        let rows = labels.shape.as_ref().and_then(|shape| shape.first().copied()).flatten();
        self.heap.array(Array {
            shape: Some(vec![rows, classes]),
            classes,
            is_one_hot: true,
            ..labels
        })
    }
}
