//! Processes that read a folder together.

use std::ops::Range;

use flate2::Crc;
use serde::{Deserialize, Serialize};

use super::{Folder, ImageShape};
use crate::{Error, Result};

/// Processes that read the same folder together: each opens and decodes a part of the images, and
/// gets the pixels of the rest from the other processes. By default this process is the only one;
/// `training::ranks::readers` has those of a training on MPI.
///
/// ```
/// use tallynet::datasets::ImageShape;
/// use tallynet::datasets::images::ImageOptions;
/// use tallynet::training::ranks;
///
/// let size = ImageShape { height: 64, width: 64, channels: 3 };
/// let options = ImageOptions { readers: ranks::readers(), ..ImageOptions::new(size) };
/// assert_eq!(options.seed, 0);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Readers {
    /// Part of images `0..n` that this process opens. The parts of all follow each other.
    pub(crate) part: fn(n: usize) -> Range<usize>,
    /// Bytes of all processes, one after the other, from the bytes of this one. All call it
    /// together.
    pub(crate) gather: fn(bytes: Vec<u8>) -> Vec<u8>,
}

impl Default for Readers {
    fn default() -> Readers {
        Readers { part: |n| 0..n, gather: |bytes| bytes }
    }
}

/// Image that was skipped.
#[derive(Serialize, Deserialize)]
pub(super) struct Broken {
    /// Position among the images that are read.
    pub number: usize,
    pub found: String,
    pub help: String,
}

impl Readers {
    /// Refuses processes that see different images, or resize them differently: their parts would
    /// not make one whole.
    pub(super) fn check(&self, folder: &Folder, size: ImageShape) -> Result<()> {
        let mut hash = Crc::new();
        hash.update(format!("{size:?}").as_bytes());
        for images in [&folder.train, &folder.validation, &folder.test] {
            hash.update(&images.len().to_le_bytes());
            for image in images {
                hash.update(image.path.as_os_str().as_encoded_bytes());
                hash.update(&image.label.to_le_bytes());
            }
        }
        let own = hash.sum().to_le_bytes();
        let all = (self.gather)(own.to_vec());
        if all.as_chunks().0.iter().any(|other| *other != own) {
            let problem = "the processes that train together see different images\n  put them on \
                           a shared folder, or copy the same ones to the same path everywhere";
            return Err(Error::Data(problem.to_string()));
        }
        Ok(())
    }

    /// Broken images of all processes, by their numbers, from those of this one.
    pub(super) fn gather_broken(&self, own: &[Broken]) -> Result<Vec<Broken>> {
        let to_error = |error: serde_json::Error| Error::Data(error.to_string());
        let all = (self.gather)(serde_json::to_vec(own).map_err(to_error)?);
        let mut broken = vec![];
        for part in serde_json::Deserializer::from_slice(&all).into_iter::<Vec<Broken>>() {
            broken.extend(part.map_err(to_error)?);
        }
        Ok(broken)
    }
}
