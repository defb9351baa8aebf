//! Kinds of folders that are data, told apart by what they hold.

use std::fs;
use std::path::{Path, PathBuf};

use super::images::{self, Folder, ImageOptions};
use super::{LoadedData, TrainTest, arrays, cifar, idx, mnist, mnist_files};
use crate::{Error, Result};

/// Kind of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderKind {
    /// MNIST's four files, in their sizes.
    Mnist,
    /// CIFAR-10 or CIFAR-100 in binary form.
    Cifar,
    /// IDX files of any other sizes.
    Idx,
    /// NumPy arrays.
    Arrays,
    /// One subfolder of images per class.
    Images,
}

impl FolderKind {
    /// Kind of this folder, by its files. A folder of none of these kinds counts as one of MNIST,
    /// whose reader says what is missing.
    pub fn of(folder: &Path) -> FolderKind {
        if arrays::is_in(folder) {
            FolderKind::Arrays
        } else if cifar::is_in(folder) {
            FolderKind::Cifar
        } else if idx::is_other_set(folder) {
            FolderKind::Idx
        } else if mnist_files::is_in(folder) {
            FolderKind::Mnist
        } else if idx::is_in(folder) {
            FolderKind::Idx
        } else if Folder::has_layout(folder) {
            FolderKind::Images
        } else {
            FolderKind::Mnist
        }
    }

    /// Reads a folder of this kind; `options` and `progress` are for images.
    ///
    /// # Errors
    /// Those of the format's reader.
    pub fn load(
        self,
        folder: &Path,
        options: Option<&ImageOptions>,
        progress: &mut dyn FnMut(usize),
    ) -> Result<LoadedData> {
        match self {
            FolderKind::Mnist if images::find(folder).is_ok() => {
                let found = "the images lie in this folder itself, and their classes are not known";
                let help = "give the folder above it, in which each class has a folder of its own";
                Err(Error::file(folder, found, help))
            }
            FolderKind::Mnist => {
                let TrainTest { train, test } = mnist::load(folder)?;
                let mut data = LoadedData::from(train);
                data.test = Some(test);
                Ok(data)
            }
            FolderKind::Cifar => cifar::load(folder),
            FolderKind::Idx => idx::load(folder),
            FolderKind::Arrays => arrays::load(folder),
            FolderKind::Images => match options {
                Some(options) => Folder::scan(folder)?.read(options, progress),
                None => {
                    let found = "these are folders of images, whose size must be known";
                    let help = "read them with datasets::images";
                    Err(Error::file(folder, found, help))
                }
            },
        }
    }

    /// Paths of the files that are read from a folder of this kind, and of those that are
    /// decompressed.
    pub fn files(self, folder: &Path) -> Vec<PathBuf> {
        match self {
            FolderKind::Mnist => mnist_files::files(folder),
            FolderKind::Images => match Folder::scan(folder) {
                Ok(Folder { train, validation, test, .. }) => {
                    let all = train.into_iter().chain(validation).chain(test);
                    all.map(|image| image.path).collect()
                }
                Err(_) => vec![],
            },
            FolderKind::Cifar | FolderKind::Idx | FolderKind::Arrays => {
                let entries = fs::read_dir(folder).into_iter().flatten().flatten();
                entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
            }
        }
    }
}
