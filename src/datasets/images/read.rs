//! Data sets of images, decoded one after the other.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ndarray::{Array1, ArrayD, IxDyn};

use super::readers::Broken;
use super::{ImageOptions, LabeledImage, decode_and_resize};
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

/// Decoded images of a part.
struct Decoded {
    values: Vec<u8>,
    broken: Vec<Broken>,
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

    /// Decodes these images, or this process's part of them, and gets the others.
    pub fn read(&mut self, images: &[LabeledImage]) -> Result<LoadedImages> {
        let ImageOptions { size, readers, .. } = self.options;
        let own = self.decode(images, (readers.part)(images.len()))?;
        self.n_done += images.len();
        let values = (readers.gather)(own.values);
        let mut is_broken = vec![false; images.len()];
        for Broken { number, found, help } in readers.gather_broken(&own.broken)? {
            is_broken[number] = true;
            self.broken.push(Error::file(&images[number].path, found, help));
        }
        let mut labels = vec![];
        let mut files = vec![];
        for (image, is_broken) in images.iter().zip(is_broken) {
            if !is_broken {
                labels.push(image.label);
                files.push(image.path.clone());
            }
        }
        if labels.is_empty() {
            let last = self.broken.last().map(Error::to_string).unwrap_or_default();
            let n = images.len();
            return Err(Error::Data(format!("all {n} images are broken; the last: {last}")));
        }
        let ImageShape { height, width, channels } = *size;
        let x = Inputs::bytes(array(&[labels.len(), height, width, channels], values)?);
        let y = Targets::Labels(Array1::from(labels).into_dyn());
        Ok(LoadedImages { data: Dataset { x, y }, files, warnings: vec![] })
    }

    /// Decodes a part of these images, into memory for all.
    fn decode(&mut self, images: &[LabeledImage], part: Range<usize>) -> Result<Decoded> {
        let ImageOptions { size, skip_broken, .. } = *self.options;
        let mut values = reserve(size, images.len())?;
        let mut broken = vec![];
        for number in part.clone() {
            match read_bytes(&images[number].path, size) {
                Ok(bytes) => values.extend_from_slice(&bytes),
                Err(Error::Format { found, help, .. }) if skip_broken => {
                    broken.push(Broken { number, found, help });
                }
                Err(Error::Format { path, found, help }) => {
                    let help = format!("{help}; --skip-broken skips all that are broken");
                    return Err(Error::Format { path, found, help });
                }
                Err(error) => return Err(error),
            }
            // The others are about as far in their parts.
            let n_done = (number + 1 - part.start) * images.len() / part.len();
            (self.progress)(self.n_done + n_done);
        }
        Ok(Decoded { values, broken })
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
            let finding = left_out(found.clone(), "data", "they are left out");
            warnings.push(Warning { text: found, finding });
        }
        if let Some(first) = self.broken.first() {
            let found = format!("{} broken images were skipped", self.broken.len());
            let text = format!("{found}; the first: {first}");
            let place = format!("the first: {}", first.found_and_help().found);
            let reason = "`train` refuses a folder with such images unless --skip-broken is given";
            warnings.push(Warning { text, finding: left_out(found, place, reason) });
        }
        warnings
    }
}

/// Finding of files that are not read.
fn left_out(found: String, place: impl Into<String>, reason: &str) -> Finding {
    let finding = Finding::new(Severity::Odd, "reading", found).at(place);
    finding.because(reason).remedy("correct or remove them")
}

/// Reads and decodes files, each of which becomes bytes of this size.
pub(super) fn read_all(
    paths: &[PathBuf],
    size: ImageShape,
    progress: &mut dyn FnMut(usize),
    decode: impl Fn(&[u8]) -> Result<Vec<u8>>,
) -> Result<Inputs> {
    let ImageShape { height, width, channels } = size;
    let mut values = reserve(size, paths.len())?;
    for (i, path) in paths.iter().enumerate() {
        values.extend_from_slice(&read_with(path, &decode)?);
        progress(i + 1);
    }
    Ok(Inputs::bytes(array(&[paths.len(), height, width, channels], values)?))
}

/// Empty memory for this many images.
fn reserve(size: ImageShape, n: usize) -> Result<Vec<u8>> {
    let ImageShape { height, width, channels } = size;
    let n_values = height * width * channels;
    let mut values = vec![];
    values.try_reserve_exact(n_values.saturating_mul(n)).map_err(|_| {
        let mb = (n_values >> 10).saturating_mul(n) >> 10;
        Error::Memory(format!(
            "{n} images of {height}×{width} pixels take {mb} MB, more than there is\n  \
             take a smaller --image-size"
        ))
    })?;
    Ok(values)
}

pub(super) fn array(shape: &[usize], values: Vec<u8>) -> Result<ArrayD<u8>> {
    ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|error| Error::Data(error.to_string()))
}

pub(super) fn read_bytes(path: &Path, size: ImageShape) -> Result<Vec<u8>> {
    read_with(path, |bytes| decode_and_resize(bytes, size))
}

fn read_with(path: &Path, decode: impl Fn(&[u8]) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    decode(&bytes).map_err(|error| error.in_file(path))
}
