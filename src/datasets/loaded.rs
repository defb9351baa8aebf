//! `LoadedData`: the data sets of a source, and the split that makes a test set of a part.

use rand::seq::SliceRandom;

use super::{DataDescription, Dataset, Targets};
use crate::random::{self, Stream};
use crate::{Error, Result};

/// Data sets that a source holds, and what is known about them.
///
/// ```
/// use ndarray::{Array, IxDyn};
/// use tallynet::datasets::{Dataset, Inputs, LoadedData, Targets};
///
/// let x = Inputs::bytes(Array::zeros(IxDyn(&[10, 4])));
/// let y = Targets::Labels(Array::from_shape_fn(IxDyn(&[10]), |i| (i[0] / 5) as u32));
/// let mut data = LoadedData::from(Dataset { x, y });
/// data.split_off_test(0.2, 0)?;
/// let test = data.test.unwrap();
/// assert_eq!((data.train.len(), test.len()), (8, 2));
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LoadedData {
    /// Samples to train on.
    pub train: Dataset,
    /// Samples to validate on, if the source sets some apart.
    pub validation: Option<Dataset>,
    /// Samples to evaluate on, if the source sets some apart.
    pub test: Option<Dataset>,
    /// Names of the classes and size of the pictures.
    pub description: DataDescription,
    /// Remarks for the user: files that were left out.
    pub warnings: Vec<String>,
}

impl From<Dataset> for LoadedData {
    fn from(train: Dataset) -> LoadedData {
        LoadedData {
            train,
            validation: None,
            test: None,
            description: DataDescription::default(),
            warnings: vec![],
        }
    }
}

impl LoadedData {
    /// Makes a random `share` of the training set the test set. Each class gives its share, rounded;
    /// samples without one label each are drawn from all alike. The same seed draws the same samples,
    /// and both parts keep their order. Errors are a test set that exists already, and a share that
    /// leaves one part without samples.
    pub fn split_off_test(&mut self, share: f64, seed: u64) -> Result<()> {
        if self.test.is_some() {
            let problem = "the data have a test set already; leave out the test split";
            return Err(Error::option("test_split", problem));
        }
        let is_test = draw(&groups(&self.train), share, seed);
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..is_test.len()).partition(|&row| is_test[row]);
        if !(0.0..1.0).contains(&share) || test.is_empty() || train.is_empty() {
            let problem = format!(
                "a test split of {share} of {} samples leaves none on one side; take one between 0 \
                 and 1, such as 0.2",
                is_test.len()
            );
            return Err(Error::option("test_split", problem));
        }
        self.test = Some(self.train.select(&test)?);
        self.train = self.train.select(&train)?;
        Ok(())
    }
}

/// Rows of each class; one group of all rows, if they have no labels.
fn groups(data: &Dataset) -> Vec<Vec<usize>> {
    let Some(labels) = one_label_a_row(data) else { return vec![(0..data.len()).collect()] };
    let mut rows: Vec<usize> = (0..labels.len()).collect();
    rows.sort_by_key(|&row| labels[row]);
    let by_label = rows.chunk_by(|&one, &other| labels[one] == labels[other]);
    by_label.map(<[usize]>::to_vec).collect()
}

/// Labels of the rows, if each has just one.
fn one_label_a_row(data: &Dataset) -> Option<&[u32]> {
    let Targets::Labels(labels) = &data.y else { return None };
    if labels.len() == data.len() { labels.as_slice() } else { None }
}

/// Draws `share` of the rows of each group; true for a row that is drawn.
fn draw(groups: &[Vec<usize>], share: f64, seed: u64) -> Vec<bool> {
    let mut is_drawn = vec![false; groups.iter().map(Vec::len).sum()];
    let mut generator = random::generator(seed, Stream::Data);
    for group in groups {
        let mut rows = group.clone();
        rows.shuffle(&mut generator);
        let n_drawn = (group.len() as f64 * share).round() as usize;
        for row in rows.into_iter().take(n_drawn) {
            is_drawn[row] = true;
        }
    }
    is_drawn
}
