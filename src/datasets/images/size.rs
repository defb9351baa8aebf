//! Size of images: from the shape of a model, or as the user gives it.

use std::fmt;
use std::str::FromStr;

use super::super::ImageShape;
use crate::shape::Shape;
use crate::{Error, Result};

/// Largest height and width that images are resized to.
const MAX_SIDE: usize = 16_384;

/// Height and width in pixels, written `HxW`: `64x96`. One number is both.
///
/// ```
/// use tallynet::datasets::images::ImageSize;
///
/// let size: ImageSize = "64x96".parse()?;
/// assert_eq!(size, ImageSize { height: 64, width: 96 });
/// assert!("64xlarge".parse::<ImageSize>().is_err());
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

impl FromStr for ImageSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<ImageSize> {
        let lower = text.to_ascii_lowercase();
        let (height, width) = lower.split_once('x').unwrap_or((&lower, &lower));
        match (height.trim().parse(), width.trim().parse()) {
            (Ok(height), Ok(width)) => {
                ImageShape { height, width, channels: 1 }.check()?;
                Ok(ImageSize { height, width })
            }
            _ => {
                let problem =
                    format!("{text} is not an image size; write HEIGHTxWIDTH, such as 64x96");
                Err(Error::option("image_size", problem))
            }
        }
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}x{}", self.height, self.width)
    }
}

impl ImageShape {
    /// Size of the images that a model takes, from its input shape: (height, width, channels), or
    /// (height, width) or (1, height, width) for gray. A shape of one axis needs `image_size`; its
    /// length then tells the channels.
    ///
    /// ```
    /// use tallynet::datasets::ImageShape;
    /// use tallynet::shape::Shape;
    ///
    /// let size = ImageShape::for_input(&Shape::from([64, 64, 3]), None)?;
    /// assert_eq!(size, ImageShape { height: 64, width: 64, channels: 3 });
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A shape that images do not have, and an `image_size` that differs.
    pub fn for_input(input: &Shape, image_size: Option<ImageSize>) -> Result<ImageShape> {
        let size = match (input.dims(), image_size) {
            (&[1, height, width], _) if width > 3 => ImageShape { height, width, channels: 1 },
            (&[height, width, channels], _) => ImageShape { height, width, channels },
            (&[height, width], _) => ImageShape { height, width, channels: 1 },
            (&[values], Some(ImageSize { height, width })) => {
                let channels = values / (height * width).max(1);
                ImageShape { height, width, channels }
            }
            (_, None) => {
                return Err(Error::option(
                    "image_size",
                    format!(
                        "the image size cannot be inferred from the model's input {input}\n  pass \
                         --image-size HEIGHTxWIDTH, or begin the model with Input((height, width, \
                         3))"
                    ),
                ));
            }
            (_, Some(_)) => {
                let problem = format!(
                    "the model's input {input} is not an image shape\n  begin it with \
                     Input((height, width, channels))"
                );
                return Err(Error::option("image_size", problem));
            }
        };
        let ImageShape { height, width, channels } = size;
        if let Some(asked) = image_size
            && asked != (ImageSize { height, width })
        {
            let problem = format!(
                "the model takes images of {height}x{width}, and --image-size \
                says {asked}\n  omit --image-size, or change the model's input shape"
            );
            return Err(Error::option("image_size", problem));
        }
        if height * width * channels != input.n_values() {
            let problem = format!(
                "the model takes {input}, which no images of {height}x{width} \
                have: gray ones are {} values, RGB ones {}",
                height * width,
                3 * height * width
            );
            return Err(Error::option("image_size", problem));
        }
        size.check()?;
        Ok(size)
    }

    /// Checks that images can have this size.
    pub(super) fn check(self) -> Result<()> {
        let ImageShape { height, width, channels } = self;
        let is_side = |side: usize| (1..=MAX_SIDE).contains(&side);
        if !is_side(height) || !is_side(width) {
            let problem = format!(
                "images of {height}x{width} pixels; each side is between 1 and \
                {MAX_SIDE}"
            );
            return Err(Error::option("image_size", problem));
        }
        if channels != 1 && channels != 3 {
            let problem = format!(
                "the model takes {channels} channels, and images have 1 (gray) \
                or 3 (RGB)\n  change the last number of the model's input shape"
            );
            return Err(Error::option("image_size", problem));
        }
        Ok(())
    }
}
