//! A model as one C99 header, for programs and microcontrollers without any library but C's own.
//! It is written and not read.
//!
//! The header has the weights as constants and a function `predict`, which allocates nothing. Its
//! first comment states the bytes of the weights and of the buffers, and the multiplications of a
//! prediction.
//!
//! **Decision.** Before a file is written, its numbers are read from the text and compared, bit by
//! bit, with those that it was made from. The predictions of the compiled header are compared with
//! those of `tallynet predict` by `tests/keras/exports.py`: running it here would take a C
//! compiler.

mod functions;
mod layers;
mod names;
mod program;

use std::path::Path;

use self::functions::Function;
use self::names::{comment, identifier, string, value};
use self::program::{Array, Call, Place, Program};
use super::stages::stages;
use super::{check_memory, invalid};
use crate::Result;
use crate::model::Sequential;
use crate::shape::Tuple;

/// Copies of a model's numbers that a header takes at most: a number is up to 17 bytes of text,
/// which doubles as it grows.
const COPIES: usize = 14;

/// Encodes the inference of a model as a header of this file name.
///
/// # Errors
/// Layers that cannot be exported, and too little memory.
pub fn write(model: &Sequential, path: &Path) -> Result<Vec<u8>> {
    check_memory(model, COPIES)?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut program = Program::default();
    let mut multiplications = 0usize;
    for stage in stages(model)? {
        layers::add_layer(&mut program, &stage)?;
        multiplications = multiplications.saturating_add(stage.multiplications);
    }
    if program.calls.is_empty() {
        let n_outputs = model.output_shape().n_values();
        let arguments = vec![n_outputs.to_string()];
        program.calls.push(Call { function: functions::COPY, arguments, n_outputs, comment: None });
    }
    let text = text(model, &program, &file, multiplications);
    check(&text, &program.arrays)?;
    Ok(text.into_bytes())
}

fn text(model: &Sequential, program: &Program, file: &str, multiplications: usize) -> String {
    let guard = format!("TALLYNET_{}", identifier(file).to_uppercase());
    let mut text = head(model, program, file, multiplications);
    text += &format!("#ifndef {guard}\n#define {guard}\n\n");
    text += "#include <math.h>\n#include <stddef.h>\n\n";
    text += &format!("#define PREDICT_INPUTS {}\n", model.input_shape().n_values());
    text += &format!("#define PREDICT_OUTPUTS {}\n\n", model.output_shape().n_values());
    text += &class_names(model);
    for array in &program.arrays {
        array.define(&mut text);
        text.push('\n');
    }
    if program.has_axes {
        text = text + functions::AXIS + "\n";
    }
    if !program.constants.is_empty() {
        text = text + &program.constants + "\n";
    }
    for function in used_functions(&program.calls) {
        text += &function.definition();
        text.push('\n');
    }
    text += &predict(program);
    text + &format!("\n#endif /* {guard} */\n")
}

/// The comment at the head: shapes, sizes and an example.
fn head(model: &Sequential, program: &Program, file: &str, multiplications: usize) -> String {
    let file = comment(file);
    let (input, output) = (model.input_shape(), model.output_shape());
    let n_buffered: usize = program.places().buffers.iter().sum();
    let mut input_note = String::new();
    if let Some(scale) = model.byte_scale {
        input_note = format!(" *         (the model was trained on bytes times {scale})\n");
    }
    format!(
        "/* {file}: the model \"{name}\", in C99. Written by tallynet {version}.
 *
 * predict(in, out) computes the outputs of one sample. The two arrays do not overlap.
 *   in    {n_inputs} numbers: {inputs}, channels last
{input_note} *   out   {n_outputs} numbers: {outputs}
 *
 * Weights           {weight_bytes} bytes of constants
 * Buffers           {buffer_bytes} bytes of static memory, besides in and out
 * Multiplications   about {multiplications} for a sample
{example}",
        example = example(&file),
        name = comment(&model.name),
        version = env!("CARGO_PKG_VERSION"),
        n_inputs = input.n_values(),
        inputs = Tuple(input.dims()),
        n_outputs = output.n_values(),
        outputs = Tuple(output.dims()),
        weight_bytes = 4 * program.n_weights(),
        buffer_bytes = 4 * n_buffered,
    )
}

/// The rest of the comment at the head: how the header is used.
fn example(file: &str) -> String {
    format!(
        " *
 * It allocates nothing and needs no library but libm. It is not reentrant: its buffers are static.
 * Include it in one source file.
 *
 *     #include <stdio.h>
 *     #include \"{file}\"
 *
 *     int main(void) {{
 *         static float in[PREDICT_INPUTS], out[PREDICT_OUTPUTS];
 *         predict(in, out);
 *         for (int i = 0; i < PREDICT_OUTPUTS; i++) {{
 *             printf(\"%g\\n\", out[i]);
 *         }}
 *         return 0;
 *     }}
 *
 * Compile it with: cc -std=c99 -O2 main.c -lm
 */
"
    )
}

/// Names of the classes by label, if they are known.
fn class_names(model: &Sequential) -> String {
    let classes = model.data.iter().flat_map(|data| &data.classes);
    let names: Vec<String> = classes.map(|name| format!("    {},\n", string(name))).collect();
    if names.is_empty() {
        return String::new();
    }
    let (length, names) = (names.len(), names.concat());
    format!("static const char *const class_names[{length}] = {{\n{names}}};\n\n")
}

/// The functions that the calls need, in the order of their first call.
fn used_functions(calls: &[Call]) -> Vec<Function> {
    let mut used: Vec<Function> = vec![];
    for call in calls {
        if used.iter().all(|function| function.name != call.function.name) {
            used.push(call.function);
        }
    }
    used
}

/// The function `predict`.
fn predict(program: &Program) -> String {
    let places = program.places();
    let mut text = String::from("/* Computes the outputs of one sample. */\n");
    text += "static inline void predict(const float *in, float *out) {\n";
    for (index, length) in places.buffers.into_iter().enumerate() {
        if length > 0 {
            text += &format!("    static float {}[{length}];\n", Place::Buffer(index).name());
        }
    }
    let mut from = Place::In;
    for (call, to) in program.calls.iter().zip(places.outputs) {
        if let Some(comment) = &call.comment {
            text += &format!("    /* {comment} */\n");
        }
        let (name, arguments) = (call.function.name, call.arguments.join(", "));
        let (x, y) = (from.name(), to.name());
        text += &format!("    tallynet_{name}({x}, {y}, {arguments});\n");
        from = to;
    }
    text + "}\n"
}

/// Reads the arrays from the text and compares them with the numbers that they were made from.
fn check(text: &str, arrays: &[Array]) -> Result<()> {
    let mut rest = text;
    for Array { name, values } in arrays {
        let start = format!("static const float {name}[{}] = {{\n", values.len());
        let found = rest.split_once(&start).and_then(|(_, behind)| behind.split_once("};"));
        let Some((literals, behind)) = found else {
            return Err(invalid(format!("the header lacks the array {name}")));
        };
        let mut read = literals.trim_end().split_terminator(',');
        for wanted in values {
            let found = read.next().and_then(|literal| value(literal.trim()));
            // A NaN has many bit patterns, and C has one name for them.
            let is_same = found.is_some_and(|found| {
                found.to_bits() == wanted.to_bits() || (found.is_nan() && wanted.is_nan())
            });
            if !is_same {
                return Err(invalid(format!("the header has other numbers in the array {name}")));
            }
        }
        if read.next().is_some() {
            return Err(invalid(format!("the header has more numbers in the array {name}")));
        }
        rest = behind;
    }
    Ok(())
}
