"""Folders of images, for tests/mpi.py: each rank opens only its own images."""

import math
import random
import shutil
import struct
import time
import zlib

import crash
from mpi_ranks import SOON, check, mpirun, result, run

SIDE = 8
CLASSES = ["cats", "dogs"]
# Images of each class. No number of ranks divides all of them.
SETS = {"train": 10, "validation": 4, "test": 5}
# Layers for these images.
LAYERS = [
    {"class_name": "Input", "config": {"shape": [SIDE, SIDE, 3]}},
    {"class_name": "Conv2D", "config": {"filters": 4, "kernel_size": [3, 3]}},
    {"class_name": "Flatten", "config": {}},
    {"class_name": "Dense", "config": {"units": len(CLASSES), "activation": "softmax"}},
]
BROKEN = ["train/cats/3.png", "train/cats/4.png", "train/dogs/9.png", "validation/dogs/0.png",
          "test/cats/1.png", "test/dogs/4.png"]


def write(scratch):
    """Writes folders and a model; the models of the trainings, with their data."""
    model = crash.write_model(scratch / "images.json", LAYERS)
    photos, broken = scratch / "photos", scratch / "broken"
    write_folder(photos)
    shutil.copytree(photos, broken)
    for name in BROKEN:
        whole = (broken / name).read_bytes()
        (broken / name).write_bytes(whole[:len(whole) // 2])
    return {"$IMAGES": (model, photos), "$BROKEN": (model, broken),
            "$ONE_SET": (model, photos / "train")}


def write_folder(folder):
    rng = random.Random(1)
    for name, n in SETS.items():
        for kind in CLASSES:
            (folder / name / kind).mkdir(parents=True)
            for number in range(n):
                (folder / name / kind / f"{number}.png").write_bytes(png(rng))


def png(rng):
    """A picture of noise."""
    lines = b"".join(b"\0" + rng.randbytes(3 * SIDE) for _ in range(SIDE))
    header = struct.pack(">2I5B", SIDE, SIDE, 8, 2, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n"
    for kind, data in [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]:
        file += struct.pack(">I", len(data)) + kind + data
        file += struct.pack(">I", zlib.crc32(kind + data))
    return file


def npy(kind, shape, width):
    """An array of zeros."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    return start + bytes(width * math.prod(shape))


def images(folder, name):
    """The images of a set in their order."""
    return sorted((folder / name).rglob("*.png"))


def own(n, rank, ranks):
    """Numbers of the images that belong to a rank."""
    return range(rank * n // ranks, (rank + 1) * n // ranks)


def on_ranks(test, n, folder, *arguments):
    """Runs a command on ranks that each see a folder `rank-0`, `rank-1`, ... as the current one."""
    shell = ["sh", "-c", f'cd "rank-${test.mpi.rank}" && exec "$@"', "sh"]
    return run([*mpirun(n, test.mpi), *shell, test.program, *arguments], folder)


def own_images(test):
    """Gives each rank a folder of its own, to see which images it opens."""
    model, photos = test.models["$IMAGES"]
    saved = test.scratch / "images.keras"
    train = ["train", model, "--epochs", "1", "--data", photos, "--save", saved]
    check(run([test.reference, *train], test.scratch).returncode == 0, "no model is saved")
    evaluate = ["evaluate", saved, "--data", "photos", "--json"]
    expected = result(run([test.reference, *evaluate], photos.parent))
    ranks = 3
    for damaged in range(ranks):
        folder = test.folder("own-images")
        for rank in range(ranks):
            data = folder / f"rank-{rank}" / "photos"
            shutil.copytree(photos, data)
            # Opening an image of another rank fails.
            for name in ["validation", "test"]:
                files = images(data, name)
                for number in set(range(len(files))) - set(own(len(files), rank, ranks)):
                    files[number].unlink()
                    files[number].symlink_to("nowhere")
        # Training images are shuffled first. Of all that one rank could open, it skips its share.
        for path in images(folder / f"rank-{damaged}" / "photos", "train"):
            path.write_bytes(b"")
        command = ["train", model, "--epochs", "1", "--data", "photos", "--skip-broken", "--json"]
        done = on_ranks(test, ranks, folder, *command)
        result(done)
        n = len(own(len(images(photos, "train")), damaged, ranks))
        check(done.stderr.count("broken images were skipped") == 1
              and f"{n} broken images were skipped" in done.stderr,
              f"rank {damaged} does not open {n} training images", done.stderr)
        done = on_ranks(test, ranks, folder, *evaluate)
        check(result(done) == expected, "evaluate: another result", done.stdout)
        shutil.rmtree(folder)
    print(f"  {ranks} ranks open each their own images")


def failures(test):
    """Broken images, and folders that differ."""
    model, photos = test.models["$IMAGES"]
    train = ["train", model, "--epochs", "1", "--data", "photos"]

    # The last image belongs to the last rank.
    def truncate(data):
        (data / "test/dogs/4.png").write_bytes(b"no image")

    def replace_with_arrays(data):
        shutil.rmtree(data)
        data.mkdir()
        for name, n in [("train", 20), ("test", 10)]:
            (data / f"x_{name}.npy").write_bytes(npy("<f4", (n, SIDE, SIDE, 3), 4))
            (data / f"y_{name}.npy").write_bytes(npy("|u1", (n,), 1))

    cases = [
        ("broken image", [0, 1, 2], truncate, "error on rank 2: photos/test/dogs/4.png: "),
        ("image missing on rank 1", [1], lambda data: (data / "test/cats/2.png").unlink(),
         "see different images"),
        ("class renamed on rank 2", [2],
         lambda data: (data / "train/dogs").rename(data / "train/birds"), "birds"),
        ("arrays on rank 1", [1], replace_with_arrays, "differ"),
    ]
    for name, damaged, damage, expected in cases:
        folder = test.folder("failing-images")
        for rank in range(3):
            shutil.copytree(photos, folder / f"rank-{rank}" / "photos")
        for rank in damaged:
            damage(folder / f"rank-{rank}" / "photos")
        start = time.monotonic()
        done = on_ranks(test, 3, folder, *train)
        seconds = time.monotonic() - start
        check(done.returncode != 0, f"{name}: exit code 0", done.stderr)
        check(expected in done.stderr, f"{name}: not the error", done.stderr)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
        check(len(errors) == 1, f"{name}: {len(errors)} errors", done.stderr)
        check(seconds < SOON, f"{name}: {seconds:.1f} s until the end")
        shutil.rmtree(folder)
        print(f"  {name}: ends in {seconds:.1f} s")
