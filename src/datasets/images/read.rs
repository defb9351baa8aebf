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

/// Maximum number of broken files that a warning names.
const MAX_NAMED: usize = 5;

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

/// Images without classes, to predict from.
#[derive(Debug)]
pub struct UnlabeledImages {
    /// Bytes of the shape (images, height, width, channels).
    pub x: Inputs,
    /// File of each image.
    pub files: Vec<PathBuf>,
    /// Errors of the images that were skipped; each names its file.
    pub broken: Vec<Error>,
}

/// A file that was read.
enum Image {
    Decoded(Vec<u8>),
    /// Broken and skipped.
    Skipped {
        found: String,
        help: String,
    },
}

/// Decoder of files, one after the other, which counts them.
struct Decoder<'a> {
    /// Skips broken images instead of ending with their error.
    skip_broken: bool,
    progress: &'a mut dyn FnMut(usize),
    n_done: usize,
}

impl Decoder<'_> {
    /// Decodes one file.
    fn read(&mut self, path: &Path, decode: impl Fn(&[u8]) -> Result<Vec<u8>>) -> Result<Image> {
        let image = match read_with(path, decode) {
            Ok(bytes) => Image::Decoded(bytes),
            Err(Error::Format { found, help, .. }) if self.skip_broken => {
                Image::Skipped { found, help }
            }
            Err(Error::Format { path, found, help }) => {
                let help = format!("{help}; --skip-broken skips all that are broken");
                return Err(Error::Format { path, found, help });
            }
            Err(error) => return Err(error),
        };
        self.n_done += 1;
        (self.progress)(self.n_done);
        Ok(image)
    }
}

/// Error of a set of `n` images in which every image is broken.
fn all_broken(n: usize, errors: &[Error]) -> Error {
    let last = errors.last().map(Error::to_string).unwrap_or_default();
    Error::Data(format!("all {n} images are broken; the last: {last}"))
}

/// Reader of images with classes.
pub(super) struct Reader<'a> {
    options: &'a ImageOptions,
    decoder: Decoder<'a>,
    /// Errors of the images that were skipped.
    broken: Vec<Error>,
}

/// Decoded images of a part.
struct Part {
    values: Vec<u8>,
    broken: Vec<Broken>,
}

impl<'a> Reader<'a> {
    /// Reader with these options.
    pub fn new(options: &'a ImageOptions, progress: &'a mut dyn FnMut(usize)) -> Self {
        let decoder = Decoder { skip_broken: options.skip_broken, progress, n_done: 0 };
        Reader { options, decoder, broken: vec![] }
    }

    /// Decodes these images, or this process's part of them, and gets the others.
    pub fn read(&mut self, images: &[LabeledImage]) -> Result<LoadedImages> {
        let ImageOptions { size, readers, .. } = *self.options;
        let own = self.decode(images, (readers.part)(images.len()))?;
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
            return Err(all_broken(images.len(), &self.broken));
        }
        let x = inputs(size, labels.len(), values)?;
        let y = Targets::Labels(Array1::from(labels).into_dyn());
        Ok(LoadedImages { data: Dataset { x, y }, files, warnings: vec![] })
    }

    /// Decodes a part of these images, into memory for all.
    fn decode(&mut self, images: &[LabeledImage], part: Range<usize>) -> Result<Part> {
        let size = self.options.size;
        let mut values = reserve(size, images.len())?;
        let mut broken = vec![];
        let n_before = self.decoder.n_done;
        for number in part {
            let decode = |bytes: &[u8]| decode_and_resize(bytes, size);
            match self.decoder.read(&images[number].path, decode)? {
                Image::Decoded(bytes) => values.extend_from_slice(&bytes),
                Image::Skipped { found, help } => broken.push(Broken { number, found, help }),
            }
        }
        self.decoder.n_done = n_before + images.len();
        Ok(Part { values, broken })
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
        let broken = &self.broken;
        if let Some(first) = broken.first() {
            let found = match broken.len() {
                1 => "1 broken image was skipped".to_string(),
                n => format!("{n} broken images were skipped"),
            };
            let text = format!("{found}: {}", first_files(broken, &first.to_string()));
            let place = first_files(broken, &first.found_and_help().found);
            let reason = "`train` refuses a folder with such images unless --skip-broken is given";
            warnings.push(Warning { text, finding: left_out(found, place, reason) });
        }
        warnings
    }
}

/// `a.png, b.png and 7 others; the first: a.png: this is a text`, the files of these errors and
/// the first error; a single error alone.
fn first_files(broken: &[Error], first: &str) -> String {
    if broken.len() == 1 {
        return first.to_string();
    }
    let mut names = vec![];
    for error in broken.iter().take(MAX_NAMED) {
        if let Error::Format { path: Some(path), .. } = error {
            names.push(path.display().to_string());
        }
    }
    let others = match broken.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        1 => " and 1 other".to_string(),
        n => format!(" and {n} others"),
    };
    format!("{}{others}; the first: {first}", names.join(", "))
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
    skip_broken: bool,
    progress: &mut dyn FnMut(usize),
    decode: impl Fn(&[u8]) -> Result<Vec<u8>>,
) -> Result<UnlabeledImages> {
    let mut decoder = Decoder { skip_broken, progress, n_done: 0 };
    let mut values = reserve(size, paths.len())?;
    let mut files = vec![];
    let mut broken = vec![];
    for path in paths {
        match decoder.read(path, &decode)? {
            Image::Decoded(bytes) => {
                values.extend_from_slice(&bytes);
                files.push(path.clone());
            }
            Image::Skipped { found, help } => broken.push(Error::file(path, found, help)),
        }
    }
    if files.is_empty() && !paths.is_empty() {
        return Err(all_broken(paths.len(), &broken));
    }
    let x = inputs(size, files.len(), values)?;
    Ok(UnlabeledImages { x, files, broken })
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

/// Images of this size, from their bytes.
fn inputs(size: ImageShape, n: usize, values: Vec<u8>) -> Result<Inputs> {
    Ok(Inputs::bytes(array(&[n, size.height, size.width, size.channels], values)?))
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
