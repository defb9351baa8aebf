//! Photos of digits, made from MNIST's test set: ink on paper under a lamp, off-centre, with noise.

// Each test file uses a part.
#![allow(dead_code)]

use jpeg_encoder::{ColorType, Encoder};
use rand::Rng;

/// Height and width of a digit.
pub const SIDE: usize = 28;

/// Photo of a digit: gray bytes, rows from the top.
#[derive(Clone)]
pub struct Photo {
    pub height: usize,
    pub width: usize,
    pub pixels: Vec<u8>,
}

/// Circumstances of a photo.
pub struct Scene {
    pub height: usize,
    pub width: usize,
    /// Pixels of the photo for a pixel of the digit.
    pub scale: f64,
    /// Angle by which the paper is turned, in radians.
    pub angle: f64,
    /// Middle of the digit.
    pub y: f64,
    pub x: f64,
    /// Brightness of the paper and of the ink, from 0 to 255, in the best light.
    pub paper: f64,
    pub ink: f64,
    /// Share of the light that is missing at the dark side.
    pub shade: f64,
    /// Direction of the light, in radians.
    pub light: f64,
    /// Largest error of a pixel.
    pub noise: f64,
    /// Share of full ink at which a stroke ends: half for MNIST's width, more for a thinner pen.
    pub edge: f64,
}

impl Scene {
    /// Scene with circumstances drawn at random.
    pub fn random(rng: &mut impl Rng) -> Scene {
        let (height, width) = (rng.random_range(240..=400), rng.random_range(300..=500));
        let scale = rng.random_range(3.0..7.5);
        // The turned digit is inside the photo.
        let margin = 14.0 * scale;
        Scene {
            height,
            width,
            scale,
            angle: rng.random_range(-0.15..0.15),
            y: rng.random_range(margin..height as f64 - margin),
            x: rng.random_range(margin..width as f64 - margin),
            paper: rng.random_range(200.0..255.0),
            ink: rng.random_range(10.0..90.0),
            shade: rng.random_range(0.0..0.5),
            light: rng.random_range(0.0..6.2),
            noise: rng.random_range(0.0..8.0),
            edge: rng.random_range(0.35..0.75),
        }
    }

    /// Photo of this digit of MNIST.
    pub fn photo(&self, digit: &[u8], rng: &mut impl Rng) -> Photo {
        let (sin, cos) = self.angle.sin_cos();
        let mut pixels = Vec::with_capacity(self.height * self.width);
        for y in 0..self.height {
            for x in 0..self.width {
                let (dy, dx) = ((y as f64 - self.y) / self.scale, (x as f64 - self.x) / self.scale);
                let middle = (SIDE as f64 - 1.0) / 2.0;
                let ink =
                    between(digit, middle + cos * dy - sin * dx, middle + sin * dy + cos * dx);
                // A stroke is dark up to its edge, and the edge a little blurred.
                let ink = ((ink / 255.0 - self.edge) / 0.3 + 0.5).clamp(0.0, 1.0);
                let brightness = self.paper + (self.ink - self.paper) * ink;
                let along = (y as f64 / self.height as f64 - 0.5) * self.light.sin()
                    + (x as f64 / self.width as f64 - 0.5) * self.light.cos();
                let light = 1.0 - self.shade * (along + 0.7) / 1.4;
                let noise = rng.random_range(-1.0..1.0) * self.noise;
                pixels.push((brightness * light + noise).clamp(0.0, 255.0) as u8);
            }
        }
        Photo { height: self.height, width: self.width, pixels }
    }
}

/// Value of a digit between its pixels; 0 outside.
fn between(digit: &[u8], y: f64, x: f64) -> f64 {
    let at = |y: f64, x: f64| {
        let is_inside = (0.0..SIDE as f64).contains(&y) && (0.0..SIDE as f64).contains(&x);
        if is_inside { f64::from(digit[y as usize * SIDE + x as usize]) } else { 0.0 }
    };
    let (top, left) = (y.floor(), x.floor());
    let (down, right) = (y - top, x - left);
    let upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
    let lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
    upper * (1.0 - down) + lower * down
}

impl Photo {
    /// JPEG file of this quality.
    pub fn jpeg(&self, quality: u8) -> Vec<u8> {
        let mut file = vec![];
        let (width, height) = (self.width as u16, self.height as u16);
        Encoder::new(&mut file, quality)
            .encode(&self.pixels, width, height, ColorType::Luma)
            .unwrap();
        file
    }

    /// PNG file.
    pub fn png(&self) -> Vec<u8> {
        let mut file = vec![];
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(&self.pixels).unwrap();
        file
    }

    /// White on black instead of black on white, or the reverse.
    pub fn inverted(mut self) -> Photo {
        self.pixels.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        self
    }
}
