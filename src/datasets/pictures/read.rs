//! Data sets of pictures, decoded one after the other.

use std::path::PathBuf;

use ndarray::Array1;

use super::{Picture, PictureOptions, array, read_bytes, reserve};
use crate::datasets::{Dataset, Inputs, PictureSize, Targets};
use crate::{Error, Result};

/// Data set of pictures.
#[derive(Debug, Clone)]
pub struct LoadedPictures {
    /// Bytes of the shape (samples, height, width, channels), and integer labels.
    pub data: Dataset,
    /// File of each sample.
    pub files: Vec<PathBuf>,
    /// Remarks for the user, such as files that were left out.
    pub warnings: Vec<String>,
}

/// Decoder of pictures, one after the other.
pub struct Reader<'a> {
    options: &'a PictureOptions,
    progress: &'a mut dyn FnMut(usize),
    n_done: usize,
    /// Reasons why pictures were left out.
    broken: Vec<Error>,
}

impl<'a> Reader<'a> {
    /// Reader with these options.
    pub fn new(options: &'a PictureOptions, progress: &'a mut dyn FnMut(usize)) -> Self {
        Reader { options, progress, n_done: 0, broken: vec![] }
    }

    /// Decodes these pictures.
    pub fn read(&mut self, pictures: &[Picture]) -> Result<LoadedPictures> {
        let PictureSize { height, width, channels } = self.options.size;
        let mut values = reserve(self.options.size, pictures.len())?;
        let mut labels = vec![];
        let mut files = vec![];
        for picture in pictures {
            match read_bytes(&picture.path, self.options.size) {
                Ok(bytes) => {
                    values.extend_from_slice(&bytes);
                    labels.push(picture.label);
                    files.push(picture.path.clone());
                }
                Err(error @ Error::Format { .. }) if self.options.skip_broken => {
                    self.broken.push(error);
                }
                Err(Error::Format { path, found, help }) => {
                    let help = format!("{help}; --skip-broken leaves out all that are broken");
                    return Err(Error::Format { path, found, help });
                }
                Err(error) => return Err(error),
            }
            self.n_done += 1;
            (self.progress)(self.n_done);
        }
        if labels.is_empty() {
            let last = self.broken.last().map(Error::to_string).unwrap_or_default();
            let n = pictures.len();
            return Err(Error::Data(format!("all {n} pictures are broken; the last: {last}")));
        }
        let x = Inputs::bytes(array(&[labels.len(), height, width, channels], values)?);
        let y = Targets::Labels(Array1::from(labels).into_dyn());
        Ok(LoadedPictures { data: Dataset { x, y }, files, warnings: vec![] })
    }

    /// Remarks about the files that were left out: these, and broken ones.
    pub fn warnings(&self, ignored: &[PathBuf]) -> Vec<String> {
        let mut warnings = vec![];
        if let Some(path) = ignored.first() {
            warnings.push(format!(
                "{} files are neither PNG nor JPEG by their names and were left out, such as {}",
                ignored.len(),
                path.display()
            ));
        }
        if let Some(first) = self.broken.first() {
            let n = self.broken.len();
            warnings.push(format!("{n} broken pictures were left out; the first: {first}"));
        }
        warnings
    }
}
