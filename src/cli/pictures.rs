//! Folders as data: their flags, and the pictures that a model takes.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use ndarray::IxDyn;
use tallynet::datasets::pictures::{self, Folder, ImageSize, PictureOptions};
use tallynet::datasets::{DataDescription, FolderKind, Inputs, LoadedData, PictureSize, TrainTest};
use tallynet::model::Sequential;

use super::held_out::{self, TestSet};
use super::{Failure, LoadedModel, output};

/// Size of pictures.
#[derive(Args)]
pub struct PictureFlags {
    /// Height and width that pictures are resized to [default: those of the model's input; for a
    /// script that takes them from the data, those of the pictures if all are alike and small, else
    /// 256x256]
    #[arg(long, value_name = "HxW")]
    pub image_size: Option<ImageSize>,
}

/// Flags for folders to train on or to evaluate on.
#[derive(Args)]
pub struct FolderFlags {
    #[command(flatten)]
    pub pictures: PictureFlags,
    /// Leave out pictures that are broken, with a warning
    #[arg(long)]
    skip_broken: bool,
}

/// True if this is a picture or a folder, by its name.
pub fn are_pictures(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    matches!(extension.to_str(), Some("png" | "jpg" | "jpeg")) || path.is_dir()
}

/// Paths of the pictures in a folder, in order, or of the single picture.
pub fn paths(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(if path.is_dir() { pictures::find(path)? } else { vec![path.to_path_buf()] })
}

impl PictureFlags {
    /// Reads a picture, or all in a folder, to predict.
    pub fn load_inputs(&self, path: &Path, model: &Sequential) -> Result<Inputs, Failure> {
        let size = self.size(model)?;
        let mut inputs = pictures::read_pictures(&paths(path)?, size)?;
        flatten(&mut inputs, model)?;
        Ok(inputs)
    }

    /// Size that the model was trained on, or else that it takes.
    fn size(&self, model: &Sequential) -> Result<PictureSize, Failure> {
        let trained = model.data.as_ref().and_then(|data| data.picture);
        let trained = trained.map(|size| ImageSize { height: size.height, width: size.width });
        Ok(PictureSize::for_input(model.input_shape(), self.image_size.or(trained))?)
    }
}

impl FolderFlags {
    /// Reads the training and the test set, and describes the data in the model. If a share is
    /// given, the test set is drawn from the training set.
    pub fn load(
        &self,
        path: &Path,
        loaded: &mut LoadedModel,
        test_split: Option<f64>,
    ) -> Result<TrainTest, Failure> {
        let kind = FolderKind::of(path);
        let mut data = if kind == FolderKind::Pictures {
            let folder = Folder::scan(path)?;
            check_classes(&folder, loaded)?;
            self.notice_of_size(&folder, loaded)?;
            let n = folder.train.len() + folder.validation.len() + folder.test.len();
            self.read(&folder, n, loaded)?
        } else {
            kind.load(path, None, &mut |_| {})?
        };
        notices(&data, loaded);
        if data.validation.is_some() {
            loaded.notice(
                "The pictures in validation/ are not used: validation uses those in test/, or \
                 --validation-split.",
            );
        }
        flatten(&mut data.train.x, &loaded.model)?;
        if let Some(test) = &mut data.test {
            flatten(&mut test.x, &loaded.model)?;
        }
        let mut description = data.description.clone();
        if description != DataDescription::default() {
            description.training = loaded.model.data.take().and_then(|earlier| earlier.training);
            loaded.model.data = Some(description);
        }
        with_test(path, kind, data, loaded, test_split)
    }

    /// Tells the size that pictures of another size or color are changed to, if no flag gives it.
    fn notice_of_size(&self, folder: &Folder, loaded: &LoadedModel) -> Result<(), Failure> {
        let (own, size) = (folder.usual_size()?, self.pictures.size(&loaded.model)?);
        let mut changes = vec![];
        if self.pictures.image_size.is_none()
            && (own.height, own.width) != (size.height, size.width)
        {
            changes.push(format!("resized to {}x{}", size.height, size.width));
        }
        if (own.channels, size.channels) == (3, 1) {
            changes.push("turned gray".to_string());
        }
        if !changes.is_empty() {
            let input = loaded.model.input_shape();
            let changes = changes.join(" and ");
            loaded.notice(&format!("Pictures are {changes}: the model takes {input}."));
        }
        Ok(())
    }

    /// Reads the test set alone, by the classes that the model was trained on.
    pub fn load_test(&self, path: &Path, loaded: &LoadedModel) -> Result<TestSet, Failure> {
        let kind = FolderKind::of(path);
        let data = if kind == FolderKind::Pictures {
            let trained = loaded.model.data.as_ref().map(|data| data.classes.clone());
            let folder = match trained {
                Some(classes) if !classes.is_empty() => Folder::scan_test(path, &classes)?,
                _ => Folder::scan(path)?,
            };
            let mut folder = Folder { validation: vec![], ..folder };
            if folder.test.is_empty() {
                folder.test = std::mem::take(&mut folder.train);
            }
            // The pictures to evaluate on are read as the only part.
            folder.train = std::mem::take(&mut folder.test);
            let n = folder.train.len();
            self.read(&folder, n, loaded)?
        } else {
            kind.load(path, None, &mut |_| {})?
        };
        notices(&data, loaded);
        let mut test = match data.test {
            Some(test) => TestSet::whole(test),
            None => held_out::of_training(data.train, loaded)?,
        };
        flatten(&mut test.data.x, &loaded.model)?;
        Ok(test)
    }

    fn read(&self, folder: &Folder, n: usize, loaded: &LoadedModel) -> Result<LoadedData, Failure> {
        let options = PictureOptions {
            size: self.pictures.size(&loaded.model)?,
            skip_broken: self.skip_broken,
            seed: order_seed(&loaded.model),
        };
        let bar = bar(n, loaded);
        let data = folder.read(&options, &mut |n_done| bar.set_position(n_done as u64));
        bar.finish_and_clear();
        Ok(data?)
    }
}

/// Seed of the order of the pictures: that of the earlier training, so that the same samples are
/// held out.
fn order_seed(model: &Sequential) -> u64 {
    let training = model.data.as_ref().and_then(|data| data.training.as_ref());
    training.map_or(model.seed, |training| training.seed)
}

/// The training and the test set, which is split off if there is none.
fn with_test(
    path: &Path,
    kind: FolderKind,
    data: LoadedData,
    loaded: &mut LoadedModel,
    test_split: Option<f64>,
) -> Result<TrainTest, Failure> {
    match (data.test, test_split) {
        (Some(test), None) => {
            if kind == FolderKind::Pictures {
                held_out::note_all(&data.train, &mut loaded.model);
            }
            Ok(TrainTest { train: data.train, test })
        }
        (Some(_), Some(_)) => {
            let message = "--test-split: the data have a test set already";
            Err(Failure::usage(message))
        }
        (None, share) if share.is_some() || kind == FolderKind::Pictures => {
            held_out::draw(data.train, share, loaded)
        }
        (None, _) => {
            let message = format!(
                "{}: there is no test set in here\n  add one, or split one off: --test-split 0.2",
                path.display()
            );
            Err(Failure { message, code: 1 })
        }
    }
}

/// Refuses other classes than the model was trained on.
fn check_classes(folder: &Folder, loaded: &LoadedModel) -> Result<(), Failure> {
    let model = &loaded.model;
    let trained = model.data.as_ref().map(|data| &data.classes[..]).unwrap_or_default();
    let (n_classes, n_outputs) = (folder.classes.len(), model.output_shape().last());
    let message = if !trained.is_empty() && trained != folder.classes {
        format!(
            "the folder has the classes {}, and the model was trained on {}\n  name the folders \
             alike",
            folder.classes.join(", "),
            trained.join(", ")
        )
    } else if n_classes > n_outputs.max(2) {
        format!(
            "the folder has {n_classes} classes, and the model has {n_outputs} outputs\n  give its \
             last layer {n_classes} units"
        )
    } else {
        return Ok(());
    };
    Err(Failure { message, code: 1 })
}

/// Prints what was read and what was left out.
fn notices(data: &LoadedData, loaded: &LoadedModel) {
    let classes = &data.description.classes;
    if !classes.is_empty() {
        let (n, n_train) = (classes.len(), data.train.len());
        let test = match &data.test {
            Some(test) => format!(" and {} to evaluate on", test.len()),
            None => String::new(),
        };
        let mut names = classes[..n.min(10)].join(", ");
        if n > 10 {
            names += ", …";
        }
        loaded.notice(&format!("Read {n_train} pictures{test}, of {n} classes: {names}"));
    }
    for warning in &data.warnings {
        output::notice(&format!("warning: {warning}"));
    }
}

/// Makes rows of pictures for a model whose input has one axis.
fn flatten(inputs: &mut Inputs, model: &Sequential) -> Result<(), Failure> {
    let &[n_values] = model.input_shape().dims() else { return Ok(()) };
    let Inputs::Bytes { values, .. } = inputs else { return Ok(()) };
    let n_samples = values.shape()[0];
    if values.ndim() > 1 && values.len() == n_samples * n_values {
        *values = std::mem::take(values).into_shape_with_order(IxDyn(&[n_samples, n_values]))?;
    }
    Ok(())
}

/// Bar on a terminal.
fn bar(n: usize, loaded: &LoadedModel) -> ProgressBar {
    if loaded.is_quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(n as u64);
    if let Ok(style) = ProgressStyle::with_template("Pictures {pos}/{len} {bar:20} {eta} left") {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}
