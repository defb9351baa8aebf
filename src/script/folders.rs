//! Folders of images that a script reads: the size of the images is known without them.

use super::evaluate::Interpreter;
use super::values::{Arguments, Value};
use crate::datasets::ImageShape;

impl Interpreter<'_> {
    /// `image_dataset_from_directory(…)`: data that are not known. The size of the images and the
    /// fraction to validate on are noted.
    pub fn images_of_directory(&mut self, arguments: &Arguments) -> Value {
        if let Some(Value::Float(fraction)) = arguments.named("validation_split") {
            self.note_test_fraction(Some(*fraction));
        }
        if self.image_shape.is_none() {
            self.image_shape = self.image_shape_of(arguments);
        }
        let folder = match arguments.get(0, "directory") {
            Some(Value::String(folder)) => folder,
            _ => "FOLDER",
        };
        self.unknown(format!(
            "image_dataset_from_directory reads a folder, as --data {folder} does"
        ))
    }

    /// Shape that the images are resized to; `None` without an `image_size` that is known.
    fn image_shape_of(&self, arguments: &Arguments) -> Option<ImageShape> {
        let size = self.dims_of(arguments.get(6, "image_size")?)?;
        let [Some(height), Some(width)] = size[..] else { return None };
        let channels = match arguments.get(4, "color_mode") {
            None => 3,
            Some(Value::String(mode)) if **mode == *"rgb" => 3,
            Some(Value::String(mode)) if **mode == *"grayscale" => 1,
            Some(_) => return None,
        };
        let height = usize::try_from(height).ok()?;
        let width = usize::try_from(width).ok()?;
        Some(ImageShape { height, width, channels })
    }
}
