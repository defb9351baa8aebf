//! The program of a header: constants, and calls of functions from the input to the output.
//!
//! A call reads the value of the one before it. Values are in `in`, in two buffers by turns, and in
//! `out`; a function that may overwrite its input does so, unless that is `in`.

use std::fmt::Write;

use super::functions::Function;
use super::names::{Names, number};
use crate::Real;
use crate::kernels::convolution::Axis;

/// Constants and calls, under construction.
#[derive(Default)]
pub struct Program {
    pub names: Names,
    /// Arrays of weights.
    pub arrays: Vec<Array>,
    /// Definitions of other constants.
    pub constants: String,
    /// True if a constant is a `tallynet_axis`.
    pub has_axes: bool,
    pub calls: Vec<Call>,
}

/// Constant array of numbers.
pub struct Array {
    pub name: String,
    pub values: Vec<f32>,
}

/// Call of a function.
pub struct Call {
    pub function: Function,
    /// Arguments behind `x` and `y`.
    pub arguments: Vec<String>,
    pub n_outputs: usize,
    /// Description of the layer, for its first call.
    pub comment: Option<String>,
}

/// Place of a value.
#[derive(Clone, Copy, PartialEq)]
pub enum Place {
    In,
    Buffer(usize),
    Out,
}

/// Places of the values of all calls, and the lengths of the buffers.
pub struct Places {
    /// Output of each call.
    pub outputs: Vec<Place>,
    pub buffers: [usize; 2],
}

impl Program {
    /// Adds an array; returns its identifier.
    pub fn array(&mut self, layer: &str, name: &str, values: &[Real]) -> String {
        let name = self.names.identifier(&format!("{layer}_{name}"));
        let values = values.iter().map(|value| *value as f32).collect();
        self.arrays.push(Array { name: name.clone(), values });
        name
    }

    /// Adds windows along one axis; returns a pointer to them.
    pub fn axis(&mut self, layer: &str, name: &str, axis: &Axis) -> String {
        let name = self.names.identifier(&format!("{layer}_{name}"));
        let Axis { input, output, kernel, stride, dilation, before, .. } = axis;
        self.has_axes = true;
        self.constants += &format!(
            "static const tallynet_axis {name} = \
             {{{input}, {output}, {kernel}, {stride}, {dilation}, {before}}};\n"
        );
        format!("&{name}")
    }

    /// Adds a list of integers; returns its identifier.
    pub fn integers(&mut self, layer: &str, name: &str, values: &[usize]) -> String {
        let name = self.names.identifier(&format!("{layer}_{name}"));
        let list: Vec<String> = values.iter().map(usize::to_string).collect();
        let (length, list) = (values.len(), list.join(", "));
        self.constants += &format!("static const long {name}[{length}] = {{{list}}};\n");
        name
    }

    /// Number of values in all arrays.
    pub fn n_weights(&self) -> usize {
        self.arrays.iter().map(|array| array.values.len()).sum()
    }

    /// Distributes the values. From the last call that cannot work in place, all write to `out`.
    pub fn places(&self) -> Places {
        let moving = |call: &Call| !call.function.in_place;
        let to_out = self.calls.iter().rposition(moving).unwrap_or(0);
        let mut places = Places { outputs: vec![], buffers: [0; 2] };
        let mut place = Place::In;
        for (number, call) in self.calls.iter().enumerate() {
            place = match place {
                _ if number >= to_out => Place::Out,
                Place::Buffer(_) if call.function.in_place => place,
                Place::Buffer(0) => Place::Buffer(1),
                _ => Place::Buffer(0),
            };
            if let Place::Buffer(index) = place {
                places.buffers[index] = places.buffers[index].max(call.n_outputs);
            }
            places.outputs.push(place);
        }
        places
    }
}

impl Place {
    /// Name in C.
    pub fn name(self) -> &'static str {
        match self {
            Place::In => "in",
            Place::Buffer(0) => "a",
            Place::Buffer(_) => "b",
            Place::Out => "out",
        }
    }
}

impl Array {
    /// Writes the definition in C, six numbers per line.
    pub fn define(&self, text: &mut String) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "static const float {}[{}] = {{", self.name, self.values.len());
        for line in self.values.chunks(6) {
            *text += "    ";
            for value in line {
                let _ = write!(text, "{}, ", number(*value));
            }
            text.pop();
            text.push('\n');
        }
        *text += "};\n";
    }
}
