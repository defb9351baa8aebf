#!/usr/bin/env python3
"""Writes a small Keras model in TensorFlow.js's layers format, by hand: the package tensorflowjs
needs an old TensorFlow. Makes tests/fixtures/tfjs: `plain` in float32 and two files of weights,
`quantized` in uint8 and uint16, and `reference.json` with inputs and Keras's predictions.

    KERAS_BACKEND=jax python tests/keras/tfjs.py
"""
import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np
from keras import layers

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "tfjs")


def plain(value):
    """The form of Keras 2, which the converter writes: no modules."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    keys = ("module", "registered_name", "build_config", "quantization_config", "optional")
    value = {key: plain(item) for key, item in value.items() if key not in keys}
    if value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    if "batch_shape" in value:
        value["batch_input_shape"] = value.pop("batch_shape")
    return value


def quantize(array, dtype):
    """As the converter does: the range of the values on all numbers of the type."""
    low, high = float(array.min()), float(array.max())
    scale = (high - low) / np.iinfo(dtype).max or 1.0
    numbers = np.round((array - low) / scale).astype(dtype)
    return numbers, {"min": low, "scale": scale, "dtype": dtype, "original_dtype": "float32"}


def write(model, folder, dtypes, n_files):
    folder = os.path.join(root, folder)
    os.makedirs(folder, exist_ok=True)
    weights, data = [], b""
    # The converter goes through the layers in alphabetical order.
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        for variable in layer.weights:
            array = np.asarray(variable)
            entry = {
                "name": f"{layer.name}/{variable.name}", "shape": list(array.shape),
                "dtype": "float32"}
            dtype = dtypes[len(weights) % len(dtypes)]
            if dtype == "float16":
                array, entry["quantization"] = array.astype(dtype), {"dtype": dtype}
            elif dtype != "float32":
                array, entry["quantization"] = quantize(array, dtype)
            if dtype != "float32":
                exact = array.astype("f4")
                scales = entry["quantization"]
                exact = exact * scales.get("scale", 1) + scales.get("min", 0)
                variable.assign(exact)
            weights.append(entry)
            data += array.tobytes()
    size = -(-len(data) // n_files)
    paths = [f"group1-shard{i + 1}of{n_files}.bin" for i in range(n_files)]
    for i, path in enumerate(paths):
        with open(os.path.join(folder, path), "wb") as file:
            file.write(data[i * size:(i + 1) * size])
    config = plain(model.get_config())
    document = {
        "format": "layers-model", "generatedBy": "keras v2.4.0",
        "convertedBy": "TensorFlow.js Converter v2.4.0",
        "modelTopology": {
            "keras_version": "2.4.0", "backend": "tensorflow",
            "model_config": {"class_name": "Sequential", "config": config},
            "training_config": {
                "loss": "mse", "metrics": ["mae"], "optimizer_config": {
                    "class_name": "SGD", "config": {"learning_rate": 0.05, "momentum": 0.0}}},
        },
        "weightsManifest": [{"paths": paths, "weights": weights}],
    }
    with open(os.path.join(folder, "model.json"), "w") as file:
        json.dump(document, file)


def main():
    keras.utils.set_random_seed(3)
    generator = np.random.default_rng(3)
    model = keras.Sequential([
        keras.Input((6, 6, 1)), layers.Conv2D(2, 3, name="conv2d"),
        layers.BatchNormalization(name="batch_normalization"), layers.ReLU(max_value=6.0),
        layers.Flatten(), layers.Dense(4, "tanh", name="dense"), layers.Dense(2, name="dense_1")])
    for variable in model.weights:
        variable.assign(generator.uniform(0.1, 1.0, variable.shape))
    x = generator.normal(size=(3, 6, 6, 1)).astype("f4")
    reference = {"x": [float(value) for value in x.ravel()]}
    for folder, dtypes, n_files in [
            ("plain", ["float32"], 2), ("quantized", ["uint8", "uint16", "float16"], 1)]:
        write(model, folder, dtypes, n_files)
        y = model.predict(x, verbose=0)
        reference[folder] = [float(f"{value:.7g}") for value in y.ravel()]
    with open(os.path.join(root, "reference.json"), "w") as file:
        json.dump(reference, file)


main()
