//! Data sets of images, decoded one after the other.

use std::path::PathBuf;

use ndarray::Array1;

use super::{ImageOptions, LabeledImage, array, read_bytes, reserve};
use crate::datasets::doctor::{Finding, Severity, Warning};
use crate::datasets::{Dataset, ImageShape, Inputs, Targets};
use crate::{Error, Result};

/// Data set of images.
#[derive(Debug, Clone)]
pub struct LoadedImages {
    /// Bytes of the shape (samples, height, width, channels), and integer labels.
    pub data: Dataset,
    /// File of each sample.
    pub files: Vec<PathBuf>,
    /// Remarks for the user, such as files that were ignored.
    pub warnings: Vec<Warning>,
}

/// Decoder of images, one after the other.
pub struct Reader<'a> {
    options: &'a ImageOptions,
    progress: &'a mut dyn FnMut(usize),
    n_done: usize,
    /// Errors of the images that were skipped.
    broken: Vec<Error>,
}

impl<'a> Reader<'a> {
    /// Reader with these options.
    pub fn new(options: &'a ImageOptions, progress: &'a mut dyn FnMut(usize)) -> Self {
        Reader { options, progress, n_done: 0, broken: vec![] }
    }

    /// Decodes these images.
    pub fn read(&mut self, images: &[LabeledImage]) -> Result<LoadedImages> {
        let ImageShape { height, width, channels } = self.options.size;
        let mut values = reserve(self.options.size, images.len())?;
        let mut labels = vec![];
        let mut files = vec![];
        for image in images {
            match read_bytes(&image.path, self.options.size) {
                Ok(bytes) => {
                    values.extend_from_slice(&bytes);
                    labels.push(image.label);
                    files.push(image.path.clone());
                }
                Err(error @ Error::Format { .. }) if self.options.skip_broken => {
                    self.broken.push(error);
                }
                Err(Error::Format { path, found, help }) => {
                    let help = format!("{help}; --skip-broken skips all that are broken");
                    return Err(Error::Format { path, found, help });
                }
                Err(error) => return Err(error),
            }
            self.n_done += 1;
            (self.progress)(self.n_done);
        }
        if labels.is_empty() {
            let last = self.broken.last().map(Error::to_string).unwrap_or_default();
            let n = images.len();
            return Err(Error::Data(format!("all {n} images are broken; the last: {last}")));
        }
        let x = Inputs::bytes(array(&[labels.len(), height, width, channels], values)?);
        let y = Targets::Labels(Array1::from(labels).into_dyn());
        Ok(LoadedImages { data: Dataset { x, y }, files, warnings: vec![] })
    }

    /// Remarks about the files that were not read: these, and broken ones.
    pub fn warnings(&self, ignored: &[PathBuf]) -> Vec<Warning> {
        let mut warnings = vec![];
        if let Some(path) = ignored.first() {
            let found = format!(
                "{} files are neither PNG nor JPEG by their names and were ignored, such as {}",
                ignored.len(),
                path.display()
            );
            warnings.push(Warning { text: found.clone(), finding: left_out(found, "data") });
        }
        if let Some(first) = self.broken.first() {
            let found = format!("{} broken images were skipped", self.broken.len());
            let text = format!("{found}; the first: {first}");
            let place = format!("the first: {}", first.found_and_help().found);
            warnings.push(Warning { text, finding: left_out(found, place) });
        }
        warnings
    }
}

/// Finding of files that are not read.
fn left_out(found: String, place: impl Into<String>) -> Finding {
    let finding = Finding::new(Severity::Odd, "reading", found).at(place);
    finding.because("they are left out").remedy("correct or remove them")
}
