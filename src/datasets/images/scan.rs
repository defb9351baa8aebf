//! Search of a folder for classes and images, in the order of Keras's
//! `image_dataset_from_directory`. No image is opened.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use super::{Folder, LabeledImage};
use crate::{Error, Result};

/// Levels of folders below a class. Links to folders are not followed, so only real folders count.
const MAX_DEPTH: usize = 32;

/// Subfolders of a folder that sets parts apart, by Keras's and other usual names.
#[derive(Default)]
struct Parts {
    train: Option<PathBuf>,
    validation: Option<PathBuf>,
    test: Option<PathBuf>,
}

/// Files of a class.
#[derive(Default)]
pub(super) struct ClassFiles {
    pub images: Vec<PathBuf>,
    /// Files of other types.
    others: Vec<PathBuf>,
}

/// Lists the classes and images of a folder, or of its subfolders `train`, `validation`, `test`.
pub(super) fn scan(path: &Path) -> Result<Folder> {
    let Parts { train, validation, test } = Parts::in_folder(path)?;
    let Some(train) = train else { return scan_classes(path) };
    let mut folder = scan_classes(&train)?;
    // Without a test set, the validation set is the one to evaluate on.
    let (validation, test) = if test.is_some() { (validation, test) } else { (None, validation) };
    if let Some(part) = validation {
        folder.validation = folder.scan_part(&part)?;
    }
    if let Some(part) = test {
        folder.test = folder.scan_part(&part)?;
    }
    Ok(folder)
}

/// Lists the test set of a folder, by known classes.
pub(super) fn scan_test(path: &Path, classes: &[String]) -> Result<Folder> {
    let Parts { validation, test, .. } = Parts::in_folder(path)?;
    let mut folder = Folder::of_classes(classes.to_vec());
    match test.or(validation) {
        Some(part) => folder.test = folder.scan_part(&part)?,
        None => folder.train = folder.scan_part(path)?,
    }
    Ok(folder)
}

/// True if the folder holds subfolders that are not hidden.
pub(super) fn has_layout(path: &Path) -> bool {
    subfolders(path).is_ok_and(|folders| !folders.is_empty())
}

impl Parts {
    /// Finds the parts. A folder with only `train` has no parts: `train` is a class then.
    fn in_folder(path: &Path) -> Result<Parts> {
        let mut parts = Parts::default();
        for folder in subfolders(path)? {
            let part = match name(&folder).to_lowercase().as_str() {
                "train" | "training" => &mut parts.train,
                "val" | "valid" | "validation" => &mut parts.validation,
                "test" | "testing" => &mut parts.test,
                _ => continue,
            };
            if let Some(other) = part {
                let (one, other) = (name(other), name(&folder));
                let found = format!("the folders {one} and {other} have the same meaning");
                return Err(Error::file(path, found, "rename or move one of them"));
            }
            *part = Some(folder);
        }
        let is_split = parts.validation.is_some() || parts.test.is_some();
        Ok(if is_split && parts.train.is_some() { parts } else { Parts::default() })
    }
}

/// Lists a folder with one subfolder per class; all images are training samples.
fn scan_classes(path: &Path) -> Result<Folder> {
    let mut folder = Folder::of_classes(vec![]);
    let subfolders = subfolders(path)?;
    if let Some(problem) = no_classes(path, &subfolders)? {
        return Err(problem);
    }
    for (class, label) in subfolders.iter().zip(0..) {
        let files = ClassFiles::scan(class)?;
        if files.images.is_empty() {
            return Err(empty_class(class, &files.others));
        }
        folder.classes.push(name(class));
        folder.train.extend(files.images.into_iter().map(|path| LabeledImage { path, label }));
        folder.ignored.extend(files.others);
    }
    Ok(folder)
}

impl Folder {
    fn of_classes(classes: Vec<String>) -> Folder {
        Folder { classes, train: vec![], validation: vec![], test: vec![], ignored: vec![] }
    }

    /// Lists a validation or test set, whose classes are among those of the training set.
    fn scan_part(&mut self, path: &Path) -> Result<Vec<LabeledImage>> {
        let mut images = vec![];
        for class in subfolders(path)? {
            let class_name = name(&class);
            let Some(index) = self.classes.iter().position(|known| *known == class_name) else {
                let known = self.classes.join(", ");
                let found = format!("the training set has no class of this name, but {known}");
                return Err(Error::file(&class, found, "rename, move or delete this folder"));
            };
            let files = ClassFiles::scan(&class)?;
            let label = index as u32;
            images.extend(files.images.into_iter().map(|path| LabeledImage { path, label }));
            self.ignored.extend(files.others);
        }
        if images.is_empty() {
            let help = "put one folder per class with its images there, or delete this folder";
            return Err(Error::file(path, "the subfolders of this folder hold no images", help));
        }
        Ok(images)
    }
}

/// Error for a folder that has fewer than two classes, with the folder that was probably meant.
fn no_classes(path: &Path, subfolders: &[PathBuf]) -> Result<Option<Error>> {
    let layout = "make one folder per class and put its images there: cats/1.jpg, dogs/1.jpg";
    let error = match subfolders {
        [] if ClassFiles::scan(path)?.images.is_empty() => {
            Error::file(path, "there are no images and no folders in here", layout)
        }
        [] => Error::file(path, "the images in here are not in folders of classes", layout),
        [only] if self::subfolders(only)?.len() > 1 => {
            let found = format!("there is only the folder {} in here", name(only));
            Error::file(path, found, format!("pass that folder instead: {}", only.display()))
        }
        [only] => {
            let found = format!("there is only one class in here, {}", name(only));
            Error::file(path, found, format!("training needs two or more; {layout}"))
        }
        _ => return Ok(None),
    };
    Ok(Some(error))
}

fn empty_class(class: &Path, others: &[PathBuf]) -> Error {
    let help = "put the images of this class there, or delete the folder";
    match others.first() {
        None => Error::file(class, "there are no images in this folder of a class", help),
        Some(other) => {
            let n = others.len();
            let example = name(other);
            let found = format!("none of the {n} files in here is PNG or JPEG, such as {example}");
            Error::file(class, found, "convert them to PNG or JPEG, or delete the folder")
        }
    }
}

impl ClassFiles {
    /// Lists all files at any depth, sorted by folder and then by name.
    pub fn scan(class: &Path) -> Result<ClassFiles> {
        let mut files = ClassFiles::default();
        files.scan_folder(class, 0)?;
        // As Keras orders them: by the whole text of the folder's path, so `a-b/` is before `a/c/`.
        let key = |path: &PathBuf| {
            (path.parent().map(|folder| folder.as_os_str().to_owned()), path.clone())
        };
        files.images.sort_by_cached_key(key);
        files.others.sort_by_cached_key(key);
        Ok(files)
    }

    fn scan_folder(&mut self, folder: &Path, depth: usize) -> Result<()> {
        for entry in entries(folder)? {
            let path = entry.path();
            // The type of the entry itself: a link to a folder does not count, as in Keras. So
            // links that form a circle end here.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && depth < MAX_DEPTH {
                self.scan_folder(&path, depth + 1)?;
            } else if is_folder {
                let found = format!("it is more than {MAX_DEPTH} folders deep");
                return Err(Error::file(&path, found, "move its images up"));
            } else if is_image(&path) && may_be_read(&path) {
                self.images.push(path);
            } else if path.is_file() {
                self.others.push(path);
            }
        }
        Ok(())
    }
}

/// True for a file, and for a dangling link, which fails when it is read. Reading a pipe could wait
/// forever.
fn may_be_read(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

/// True for the extensions of PNG and JPEG.
pub fn is_image(path: &Path) -> bool {
    let Some(extension) = path.extension() else { return false };
    ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Folders in a folder, sorted by name. A link to a folder is one of them.
fn subfolders(path: &Path) -> Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = entries(path)?.iter().map(DirEntry::path).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}

/// Entries of a folder except hidden ones, whose names begin with a dot, and macOS's `__MACOSX`.
fn entries(folder: &Path) -> Result<Vec<DirEntry>> {
    let mut entries = vec![];
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?;
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b".") && name != "__MACOSX" {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Last part of a path, as text.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
