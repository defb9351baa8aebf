//! `SampleNames`: names of samples for people.

/// Names of the samples of a data set: their files, or else their rows in the data.
///
/// ```
/// use tallynet::datasets::SampleNames;
///
/// let mut names = SampleNames { rows: Some(vec![4, 7]), ..SampleNames::default() };
/// assert_eq!(names.name(1), "row 8");
/// names.files = (0..9).map(|i| format!("cats/{i}.png")).collect();
/// assert_eq!(names.name(1), "cats/7.png");
/// ```
#[derive(Debug, Clone, Default)]
pub struct SampleNames {
    /// Row in the data of each sample, counted from 0, if the samples are a part of the data.
    pub rows: Option<Vec<usize>>,
    /// File of each row of the data, for a folder of images; else empty.
    pub files: Vec<String>,
}

impl SampleNames {
    /// Row in the data of a sample, counted from 0.
    pub fn row(&self, sample: usize) -> usize {
        let rows = self.rows.as_ref();
        rows.and_then(|rows| rows.get(sample)).copied().unwrap_or(sample)
    }

    /// File of a sample, if it has one.
    pub fn file(&self, sample: usize) -> Option<&String> {
        self.files.get(self.row(sample))
    }

    /// File of a sample, or else its row, counted from 1: `row 8`.
    pub fn name(&self, sample: usize) -> String {
        match self.file(sample) {
            Some(file) => file.clone(),
            None => format!("row {}", self.row(sample) + 1),
        }
    }
}
