//! `Chain`: the layers of a model built one after the other, each from the output shape of the one
//! before it, and errors that show all of them.

use super::builder::LayerDescription;
use super::layer::LayerName;
use super::plan::PlannedLayer;
use super::{BuiltLayer, Plan, Style};
use crate::layers::{Built, Operation};
use crate::shape::Shape;
use crate::{Error, Result};

/// Layers built so far, and their operations.
pub(super) struct Chain {
    pub input: Shape,
    pub layers: Vec<BuiltLayer>,
    pub plan: Plan,
}

impl Chain {
    /// Builds the next layer; `names` are its own and those of the layers after it.
    pub fn push(&mut self, description: LayerDescription, names: &[LayerName]) -> Result<()> {
        let LayerDescription { layer: spec, trainable, .. } = description;
        let input = self.layers.last().map_or(&self.input, |below| &below.output).clone();
        let built = spec.as_layer().build(&input).and_then(|built| checked(&input, built));
        let built = built.map_err(|error| self.chain_error(spec.class_name(), names, error))?;
        let explanation = spec.explain(&input, &built);
        let Built { output, mut params, operations } = built;
        let name = names[0].in_style(Style::Keras2);
        for param in &mut params {
            param.trainable &= trainable;
            param.validate().map_err(|error| in_layer(&name, error))?;
        }
        let output_width = output.n_values();
        self.plan.push(operations, &PlannedLayer { params: &params, trainable, output_width });
        self.layers.push(BuiltLayer {
            layer_name: names[0].clone(),
            trainable,
            spec,
            input,
            output,
            params,
            explanation,
        });
        Ok(())
    }

    /// Adds the chain of layers and output shapes to a shape error, the failing layer marked;
    /// `rest` are the names of the failing layer and of those after it.
    fn chain_error(&self, class: &str, rest: &[LayerName], error: Error) -> Error {
        let Error::Shape { chain: None, found, help } = error else {
            return in_layer(&rest[0].in_style(Style::Keras2), error);
        };
        let mut chain = format!("{class} cannot follow the layers before it:\n");
        chain += &format!("    {:<36} {}\n", "input", self.input);
        for layer in &self.layers {
            chain += &format!("    {:<36} {}\n", layer.title(Style::Keras2), layer.output);
        }
        for (i, name) in rest.iter().map(|name| name.in_style(Style::Keras2)).enumerate() {
            if i == 0 {
                chain += &format!("  > {:<36} {found}\n", format!("{name} ({class})"));
            } else {
                chain += &format!("    {name:<36} ?\n");
            }
        }
        Error::Shape { chain: Some(chain), found, help }
    }
}

/// Rejects what a custom layer must not build: empty outputs, operations of another width than the
/// output, and arrays without a name of their own.
fn checked(input: &Shape, built: Built) -> Result<Built> {
    let n = built.output.n_values();
    let help = "mend the layer's `build`";
    let width = input.n_values();
    let fits = |operation: &Operation| match operation {
        Operation::Op(_) => true,
        Operation::InPlace { width, .. } => *width > 0 && n.is_multiple_of(*width),
    };
    let in_place = built.operations.iter().all(|op| matches!(op, Operation::InPlace { .. }));
    if n == 0 || !built.operations.iter().all(fits) || (in_place && n != width) {
        let output = &built.output;
        let found = format!("its operations do not turn {input} into {output}");
        return Err(Error::shape(found, help));
    }
    for (i, param) in built.params.iter().enumerate() {
        let is_taken = built.params[..i].iter().any(|other| other.name == param.name);
        if is_taken || param.name.is_empty() || param.name.contains('/') {
            let found = format!("an array cannot be called {:?} here", param.name);
            return Err(Error::shape(found, help));
        }
    }
    Ok(built)
}

/// Adds the layer's name to an option error.
fn in_layer(layer: &str, error: Error) -> Error {
    match error {
        Error::Option { name, problem } => Error::option(name, format!("{layer}: {problem}")),
        other => other,
    }
}
