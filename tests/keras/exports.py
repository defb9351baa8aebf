"""Compares the exports of models with tallynet: python tests/keras/exports.py [--seed N]

For every preset, for models with unusual options and for random models, ONNX Runtime runs
`convert MODEL x.onnx`, and the C compiler's program runs `convert MODEL x.h`. Both must give the
predictions of `tallynet predict` to 1e-5. The ONNX file must also pass the full check of ONNX's own
package, with names kept and any number of rows; the header must compile without warnings, as C99
and as C++.

Needs what requirements.txt lists, `cc` and `c++`, and tallynet built with --release.
"""
import os
import shutil
import subprocess
import sys
import tempfile

from parity import Drawn, close, describe, keras, layers, np, parser, run

import onnx
import onnxruntime

# Reads rows of inputs, and writes rows of outputs.
MAIN = """
#include <stdio.h>
#include "model.h"

int main(void) {
    static float in[PREDICT_INPUTS], out[PREDICT_OUTPUTS];
    while (fread(in, sizeof in, 1, stdin) == 1) {
        predict(in, out);
        fwrite(out, sizeof out, 1, stdout);
    }
    return 0;
}
"""
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic"]


def onnx_predictions(path, model, x):
    """Checks an ONNX file of this Keras model; returns its predictions."""
    onnx.checker.check_model(path, full_check=True)
    message = onnx.load(path)
    onnx.shape_inference.infer_shapes(message, check_type=True, strict_mode=True)
    nodes = {node.name for node in message.graph.node}
    for layer in model.layers:
        assert layer.name in nodes, f"no node is named {layer.name}"
    given = {tensor.name: tensor for tensor in message.graph.initializer}
    for variable in model.weights:
        if variable.path.endswith(("/count", "/seed_generator_state")):
            continue
        name = "/".join(variable.path.split("/")[-2:])
        assert name in given, f"no initializer is named {name}"
        found = np.sort(onnx.numpy_helper.to_array(given[name]), axis=None)
        wanted = np.sort(np.asarray(variable), axis=None)
        assert np.array_equal(found, wanted), f"the initializer {name} has other values"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs()] == ["input"]
    assert [value.name for value in session.get_outputs()] == ["output"]
    first = session.run(None, {"input": x[:1]})[0]
    all_rows = session.run(None, {"input": x})[0]
    close("the first row alone", first, all_rows[:1], 1e-5, 1e-6)
    return all_rows


def c_predictions(folder, x, n_outputs):
    """Compiles the header in this folder; returns its predictions."""
    main = os.path.join(folder, "main.c")
    with open(main, "w") as file:
        file.write(MAIN)
    program = os.path.join(folder, "main")
    for command in (
        ["cc", "-std=c99", "-O1", *WARNINGS, main, "-o", program, "-lm"],
        ["c++", "-std=c++11", "-x", "c++", "-fsyntax-only", *WARNINGS, main],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr[:2000]}"
    done = subprocess.run([program], input=x.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, "f4").reshape(len(x), n_outputs)


def compare(tallynet, model, x):
    """Exports this Keras model in both forms and compares the predictions for x."""
    x = np.ascontiguousarray(x, "f4")
    folder = tempfile.mkdtemp(prefix="exports-")
    path = lambda name: os.path.join(folder, name)
    try:
        model.save(path("model.keras"))
        np.save(path("x.npy"), x)
        run(tallynet, "predict", path("model.keras"), path("x.npy"), "-o", path("p.npy"))
        wanted = np.load(path("p.npy"))
        run(tallynet, "convert", path("model.keras"), path("model.onnx"))
        close("ONNX", onnx_predictions(path("model.onnx"), model, x), wanted, 1e-5, 1e-6)
        run(tallynet, "convert", path("model.keras"), path("model.h"))
        found = c_predictions(folder, x, wanted[0].size).reshape(wanted.shape)
        close("C", found, wanted, 1e-5, 1e-6)
    except Exception as error:
        raise AssertionError(f"{describe(model)}\n{error}\nfiles: {folder}") from error
    shutil.rmtree(folder)


def shaken(model, g):
    """The model with weights that all differ from their defaults."""
    for variable in model.weights:
        if variable.dtype == "float32":
            value = np.asarray(variable)
            noise = g.normal(size=value.shape).astype("f4") * np.float32(0.05)
            variable.assign(np.abs(value + noise) if "variance" in variable.path else value + noise)
    return model


def presets(tallynet, g):
    """Every preset, with random weights."""
    for line in run(tallynet, "models").splitlines():
        if line and not line[0].isspace():
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "preset.keras")
                run(tallynet, "convert", line, path)
                yield line, shaken(keras.models.load_model(path, compile=False), g)


def unusual():
    """Layers with options that the random models leave out."""
    every = "linear relu sigmoid tanh softmax elu selu gelu silu softplus softsign leaky_relu " \
            "hard_sigmoid exponential"
    for name in every.split():
        yield (6,), [layers.Activation(name)]
        yield (5, 4, 3), [layers.Conv2D(4, 2, activation=name)]
    yield (6,), [layers.ReLU(max_value=0.7)]
    yield (6,), [layers.ReLU(max_value=2.0, negative_slope=0.3, threshold=0.5)]
    yield (6,), [layers.ReLU(threshold=0.5)]
    yield (6,), [layers.ELU(alpha=0.5)]
    yield (6,), [layers.Dropout(0.5)]
    yield (6,), [layers.Dense(3, use_bias=False), layers.Dropout(0.0)]
    yield (6,), [layers.RepeatVector(4)]
    yield (6,), [layers.Normalization(mean=[1.0] * 6, variance=[0.0] * 6, invert=True)]
    yield (4, 3), [layers.Normalization(mean=0.5, variance=3.0)]
    yield (4, 3), [layers.Embedding(9, 2), layers.Flatten(), layers.Dense(2)]
    yield (12, 3), [layers.Conv1D(4, 3, padding="causal", dilation_rate=3, activation="gelu")]
    yield (11, 3), [layers.Conv1D(4, 2, padding="same", strides=3), layers.LayerNormalization()]
    yield (9, 10, 2), [layers.Conv2D(3, (2, 3), padding="same", dilation_rate=(2, 3))]
    yield (9, 10, 2), [layers.Conv2D(3, 2, padding="same", strides=3),
                       layers.AveragePooling2D(2, strides=1, padding="same"),
                       layers.BatchNormalization(scale=False, center=False), layers.PReLU()]
    yield (3, 5, 2), [layers.UpSampling2D((3, 2), interpolation="bilinear"),
                      layers.ZeroPadding2D(((1, 0), (2, 3))), layers.MaxPooling2D((2, 3))]
    yield (3, 5, 2), [layers.GlobalMaxPooling2D(keepdims=True), layers.Reshape((2, 1)),
                      layers.GlobalAveragePooling1D()]
    yield (3, 5, 2), [layers.LayerNormalization(axis=[2, 3], scale=False), layers.Reshape((10, 3)),
                      layers.MaxPooling1D(2, padding="same")]
    # A large mean, where a variance in one pass would be lost.
    yield (64,), [layers.Rescaling(0.5, offset=100.0), layers.LayerNormalization()]
    yield (8,), [layers.Dense(4, name="in"), layers.Dense(4, name="out"),
                 layers.Dense(4, name="9.dense"), layers.Dense(4, name="9_dense"),
                 layers.Dense(4, name="input"), layers.Dense(4, name="output")]


def all_models(tallynet, seed, count):
    """Each model with a name and inputs."""
    g = np.random.default_rng(seed)
    for name, model in presets(tallynet, g):
        yield name, model, g.normal(size=(3, *model.input_shape[1:]))
    for number, (shape, chain) in enumerate(unusual()):
        model = shaken(keras.Sequential([keras.Input(shape), *chain]), g)
        x = g.normal(size=(7, *shape))
        if isinstance(chain[0], layers.Embedding):
            x = g.integers(0, chain[0].input_dim, x.shape)
        yield f"unusual {number}", model, x
    for number in range(count):
        drawn = Drawn(seed, number)
        drawn.maybe_fit()
        yield f"random {number}", drawn.model, drawn.x[drawn.n_train:]


def main():
    given = parser(__doc__).parse_args()
    n_models = failed = 0
    for name, model, x in all_models(given.tallynet, given.seed, given.count):
        n_models += 1
        try:
            compare(given.tallynet, model, x)
            print(f"{name}: {describe(model)}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"{name}: FAILED: {error}", flush=True)
    print(f"seed {given.seed}: {failed} of {n_models} models failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
