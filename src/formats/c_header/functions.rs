//! C functions that a header can hold, one for each formula. A header has those that its layers
//! use.

use crate::activations::ActivationKind::{self, *};

/// A function `tallynet_…`. All take `x`, `y` and then the arguments that a call adds.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Name without the prefix.
    pub name: &'static str,
    source: Source,
    /// True if `y` may be `x`.
    pub in_place: bool,
}

/// Source of a function.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// Definition in C.
    Definition(&'static str),
    /// Expression of `v`, for a function of each value.
    Expression(&'static str),
}

const fn function(name: &'static str, definition: &'static str) -> Function {
    Function { name, source: Source::Definition(definition), in_place: false }
}

const fn in_place(name: &'static str, definition: &'static str) -> Function {
    Function { name, source: Source::Definition(definition), in_place: true }
}

const fn each_value(name: &'static str, expression: &'static str) -> Function {
    Function { name, source: Source::Expression(expression), in_place: true }
}

/// Type of a window's axis, which the functions over windows need.
pub const AXIS: &str = include_str!("functions/axis.c");

pub const DENSE: Function = function("dense", include_str!("functions/dense.c"));
pub const CONVOLUTION: Function = function("convolution", include_str!("functions/convolution.c"));
pub const MAX_POOL: Function = function("max_pool", include_str!("functions/max_pool.c"));
pub const AVERAGE_POOL: Function =
    function("average_pool", include_str!("functions/average_pool.c"));
pub const EMBEDDING: Function = function("embedding", include_str!("functions/embedding.c"));
pub const REPETITION: Function = function("repetition", include_str!("functions/repetition.c"));
pub const NEAREST: Function = function("nearest", include_str!("functions/nearest.c"));
pub const BILINEAR: Function = function("bilinear", include_str!("functions/bilinear.c"));
pub const ZERO_PADDING: Function =
    function("zero_padding", include_str!("functions/zero_padding.c"));
pub const AFFINE: Function = in_place("affine", include_str!("functions/affine.c"));
pub const STANDARDIZE: Function = in_place("standardize", include_str!("functions/standardize.c"));
pub const LAYER_NORMALIZATION: Function =
    in_place("layer_normalization", include_str!("functions/layer_normalization.c"));
pub const SOFTMAX: Function = in_place("softmax", include_str!("functions/softmax.c"));
pub const RE_LU: Function = in_place("re_lu", include_str!("functions/re_lu.c"));
pub const ELU: Function = in_place("elu", include_str!("functions/elu.c"));
pub const P_RE_LU: Function = in_place("p_re_lu", include_str!("functions/p_re_lu.c"));
pub const RESCALING: Function = in_place("rescaling", include_str!("functions/rescaling.c"));
pub const COPY: Function = in_place("copy", include_str!("functions/copy.c"));

/// The function of an activation that maps each value by itself. `None` for linear, and for
/// softmax, elu and leaky_relu, which call the functions of the Softmax, ELU and ReLU layers.
pub fn of_each_value(kind: ActivationKind) -> Option<Function> {
    Some(match kind {
        Linear | Softmax | Elu | LeakyRelu => return None,
        Relu => each_value("relu", "v < 0.0f ? 0.0f : v"),
        Sigmoid => each_value("sigmoid", "1.0f / (1.0f + expf(-v))"),
        Tanh => each_value("tanh", "tanhf(v)"),
        Selu => each_value("selu", "1.05070099f * (v > 0.0f ? v : 1.67326324f * expm1f(v))"),
        Gelu => each_value("gelu", "0.5f * v * erfcf(v * -0.707106781f)"),
        Silu => each_value("silu", "v / (1.0f + expf(-v))"),
        Softplus => each_value("softplus", "fmaxf(v, 0.0f) + log1pf(expf(-fabsf(v)))"),
        Softsign => each_value("softsign", "v / (1.0f + fabsf(v))"),
        HardSigmoid => each_value("hard_sigmoid", "fminf(fmaxf(v / 6.0f + 0.5f, 0.0f), 1.0f)"),
        Exponential => each_value("exponential", "expf(v)"),
    })
}

impl Function {
    /// Definition in C.
    pub fn definition(&self) -> String {
        let name = self.name;
        match self.source {
            Source::Definition(definition) => definition.to_string(),
            Source::Expression(expression) => format!(
                "/* The activation {name}. */\n\
                 static void tallynet_{name}(const float *x, float *y, long n) {{\n    \
                     for (long i = 0; i < n; i++) {{\n        \
                         const float v = x[i];\n        \
                         y[i] = {expression};\n    \
                     }}\n\
                 }}\n",
            ),
        }
    }
}
