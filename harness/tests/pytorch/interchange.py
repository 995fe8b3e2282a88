"""Proves that networks pass between PyTorch and `valleys` unchanged, in both directions.

Run with PyTorch and NumPy installed, after `cargo build --release`: python3 interchange.py
  --valleys PATH   the command to test (default: target/release/valleys of this repository)
  --networks NAME  some of the networks alone, such as resnet20 densenet40
  --cifar10 DIR    measure losses on these images, the folder of CIFAR-10's binary version, instead of random ones
  --fixtures       only write the small files of ../fixtures/checkpoints anew, which the Rust tests read

For every network, trained for a few steps:
  import   PyTorch writes it as a zip archive and in the legacy format, bare and with DataParallel's prefix, from
           torch.optim.swa_utils, inside the dictionary of the paper's code, as parameters, in channels-last strides, in
           bfloat16, in another pickle protocol, and without num_batches_tracked; `valleys checkpoint import` reads
           it; the safetensors file must hold the state dict, bit for bit
  export   `valleys checkpoint export` writes it; torch.load(weights_only=True), also mapped into memory, must give an
           OrderedDict in the module's order, bit for bit, that load_state_dict(strict=True) takes
  info     must give the SHA-256 of the parameters
  loss     of PyTorch and of `valleys checkpoint evaluate` on the same images, by both backends: at most 1e-5 apart

Prints a row a network, and ends with an error at the first thing that is not so.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy
import torch
from torch import nn
from torch.nn import functional

import networks

HERE = pathlib.Path(__file__).resolve().parent
NETWORKS = {
    "resnet8": 10, "resnet20": 10, "resnet56": 100, "resnet110": 10, "resnet164": 100, "resnet8-sigmoid": 10,
    "resnet20-softplus": 10, "resnet20-nobn": 10, "vgg16": 10, "vgg16-bn": 100, "densenet40": 10, "densenet100": 10,
    "mlp": 10,
}  # fmt: skip
CIFAR = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}


def require(holds, *what):
    if not holds:
        sys.exit("NOT SO: " + " ".join(str(part) for part in what))


class Command:
    """`valleys checkpoint`."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *arguments):
        arguments = [str(argument) for argument in arguments]
        done = subprocess.run([self.path, "checkpoint", *arguments], capture_output=True, text=True)
        require(done.returncode == 0, arguments, done.stderr)
        return done.stdout


def load_safetensors(path):
    """The tensors of a safetensors file: the length of a JSON header, the header, the numbers."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:begin]).items():
        if name != "__metadata__":
            first, last = (begin + offset for offset in entry["data_offsets"])
            numbers = torch.frombuffer(bytearray(data[first:last]), dtype=TYPES[entry["dtype"]])
            tensors[name] = numbers.reshape(entry["shape"])
    return tensors


def same(ours, theirs, *what):
    """Names, types, shapes and bits."""
    require(set(ours) == set(theirs), *what, set(ours) ^ set(theirs))
    for name, tensor in theirs.items():
        mine = ours[name]
        require(mine.dtype == tensor.dtype and mine.shape == tensor.shape, *what, name, mine.dtype, mine.shape)
        bits = [one.detach().contiguous().reshape(-1).view(torch.uint8) for one in (mine, tensor)]
        require(torch.equal(*bits), *what, name, "differs")


def random_images(folder):
    """Images of CIFAR-10's binary version, drawn from a fixed seed."""
    place = folder / "cifar-10-batches-bin"
    place.mkdir()
    generator = numpy.random.default_rng(1)
    files = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
    for name in files:
        labels = generator.integers(0, 10, 20).astype(numpy.uint8)
        coarse = generator.integers(0, 256, (20, 3, 8, 8)).astype(numpy.uint8)
        pixels = coarse.repeat(4, axis=2).repeat(4, axis=3).reshape(20, 3072)
        (place / name).write_bytes(numpy.concatenate([labels[:, None], pixels], axis=1).tobytes())
    return place


def hundred(folder, cifar10):
    """The same images as a set of 100 classes."""
    place = folder / "cifar-100-binary"
    place.mkdir()
    for split, rows in (("train", read(cifar10, True)), ("test", read(cifar10, False))):
        coarse = numpy.zeros((len(rows), 1), numpy.uint8)
        (place / f"{split}.bin").write_bytes(numpy.concatenate([coarse, rows], axis=1).tobytes())
    return place


def read(place, train):
    files = [f"data_batch_{number}.bin" for number in range(1, 6)] if train else ["test_batch.bin"]
    return numpy.concatenate([numpy.fromfile(place / name, numpy.uint8).reshape(-1, 3073) for name in files])


def tensors(rows, normalisation):
    """Images as a network reads them, and labels."""
    mean, deviation = (torch.tensor(three).reshape(3, 1, 1) for three in normalisation)
    images = torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32).copy()).float() / 255
    return (images - mean) / deviation, torch.from_numpy(rows[:, 0].astype(numpy.int64))


def measured(network, rows, normalisation):
    """Mean loss and accuracy, the losses summed in double precision."""
    images, labels = tensors(rows, normalisation)
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(part) for part in images.split(200)])
    losses = functional.cross_entropy(logits, labels, reduction="none")
    return losses.double().mean().item(), (logits.argmax(1) == labels).double().mean().item()


def trained(network, rows, normalisation):
    """A few steps, so that every parameter, statistic and momentum buffer is its own."""
    images, labels = tensors(rows[:64], normalisation)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=3e-4)
    network.train()
    for step in range(4):
        optimiser.zero_grad()
        part = slice(16 * step, 16 * step + 16)
        functional.cross_entropy(network(images[part]), labels[part]).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    return optimiser


def files(network, optimiser):
    """(name, object, options of torch.save, options of import, the state dict that must come out)."""
    state = network.state_dict()
    wrapped = nn.DataParallel(network)
    averaged = torch.optim.swa_utils.AveragedModel(network)
    mean = collections.OrderedDict((name, 0.5 * value if value.is_floating_point() else value) for name, value in state.items())
    official = {
        "epoch": 225, "state_dict": state, "swa_state_dict": mean, "swa_n": 100, "optimizer": optimiser.state_dict(),
    }  # fmt: skip
    last = collections.OrderedDict(
        (name, value.to(memory_format=torch.channels_last) if value.dim() == 4 else value) for name, value in state.items()
    )
    half = collections.OrderedDict((name, value.bfloat16() if value.is_floating_point() else value) for name, value in state.items())
    single = collections.OrderedDict((name, value.float() if value.is_floating_point() else value) for name, value in half.items())
    wide = collections.OrderedDict((name, value.double() if value.is_floating_point() else value) for name, value in state.items())
    untracked = collections.OrderedDict((name, value) for name, value in state.items() if "num_batches" not in name)
    zeroed = collections.OrderedDict((name, torch.zeros_like(value) if "num_batches" in name else value) for name, value in state.items())
    parameters = network.state_dict(keep_vars=True)
    old = {"_use_new_zipfile_serialization": False}
    yield "zip", state, {}, [], state
    yield "legacy", state, old, [], state
    yield "zip-parallel", wrapped.state_dict(), {}, [], state
    yield "legacy-parallel", wrapped.state_dict(), old, [], state
    yield "averaged", averaged.state_dict(), {}, [], state
    for which, right in (("state_dict", state), ("swa_state_dict", mean)):
        yield f"official-zip-{which}", official, {}, ["--which", which], right
        yield f"official-legacy-{which}", official, old, ["--which", which], right
    yield "only", {"net": state, "acc": 91.25, "epoch": 7}, {}, [], state
    yield "parameters", parameters, {}, [], state
    yield "parameters-legacy", parameters, old, [], state
    yield "channels-last", last, {}, [], state
    yield "channels-last-legacy", last, old, [], state
    yield "bfloat16", half, {}, [], single
    yield "float64", wide, old, [], state
    yield "untracked", untracked, old, [], zeroed
    for protocol in (3, 4, 5):
        yield f"protocol-{protocol}", official, {"pickle_protocol": protocol}, ["--which", "state_dict"], state
        yield f"protocol-{protocol}-legacy", state, {"pickle_protocol": protocol, **old}, [], state


def imports(valleys, name, network, optimiser, folder):
    """Every form of file; the last safetensors file of the network itself."""
    count = 0
    for form, thing, options, chosen, right in files(network, optimiser):
        path, out = folder / f"{form}.pt", folder / f"{form}.safetensors"
        torch.save(thing, path, **options)
        valleys("import", path, "--out", out, "--network", name, *chosen)
        same(load_safetensors(out), right, name, form)
        count += 1
    return count, folder / "zip.safetensors"


def exports(valleys, name, network, file, folder):
    paths = [folder / "out.pt", folder / "again.pth"]
    for path in paths:
        valleys("export", file, "--network", name, "--out", path)
    require(paths[0].read_bytes() == paths[1].read_bytes(), name, "export is not always the same")
    require(zipfile.ZipFile(paths[0]).testzip() is None, name, "export is no sound zip archive")
    state = network.state_dict()
    for mapped in (False, True):
        loaded = torch.load(paths[0], weights_only=True, mmap=mapped)
        require(type(loaded) is collections.OrderedDict, name, type(loaded))
        require(list(loaded) == list(state), name, "the order is not the module's")
        same(loaded, state, name, "export")
        fresh = networks.networks()[name](next(reversed(state.values())).shape[0])
        answer = fresh.load_state_dict(loaded, strict=True)
        require(not answer.missing_keys and not answer.unexpected_keys, name, answer)
        same(fresh.state_dict(), state, name, "loaded")
    back = folder / "back.safetensors"
    valleys("export", paths[0], "--network", name, "--out", back)
    require(back.read_bytes() == file.read_bytes(), name, "there and back is not the same file")
    return paths[0]


def info(valleys, name, network, file):
    hash = hashlib.sha256(b"".join(one.detach().numpy().astype("<f4").tobytes() for one in network.parameters()))
    said = valleys("info", file, "--network", name)
    require(hash.hexdigest() in said and f"{name}:" in said, name, said)


def losses(valleys, name, network, file, place, rows, normalisation):
    """PyTorch's mean test loss, and the largest difference of a mean loss and of an accuracy for every backend."""
    right = [measured(network, part, normalisation) for part in rows]
    worst = {}
    for backend in ("cpu", "reference"):
        options = ["--network", name, "--data", place, "--backend", backend, "--json"]
        said = json.loads(valleys("evaluate", file, *options))
        said = [said[split] for split in ("train", "test")]
        require([one["images"] for one in said] == [len(part) for part in rows], name, said)
        apart = [[abs(ours["loss"] - loss), abs(ours["accuracy"] - accuracy)] for ours, (loss, accuracy) in zip(said, right)]
        worst[backend] = [max(column) for column in zip(*apart)]
        require(worst[backend][0] <= 1e-5, name, backend, "losses differ by", worst[backend][0])
    return right[1][0], worst


def fixtures():
    """Small files for the Rust tests, and the numbers in them."""
    place = HERE.parent / "fixtures" / "checkpoints"
    place.mkdir(parents=True, exist_ok=True)
    plain = torch.arange(6.0).reshape(2, 3)
    floats = torch.tensor([1.5, -2.0, 0.25])
    state = collections.OrderedDict(
        [
            ("a.plain", plain), ("a.transposed", plain.t()), ("a.strided", torch.arange(10.0)[1::2]),
            ("a.expanded", torch.tensor([1.0, 2.0]).expand(3, 2)), ("a.part", plain[1]),
            ("a.parameter", nn.Parameter(torch.tensor([[7.0]]))), ("a.empty", torch.zeros(0, 3)),
            ("b.double", floats.double()), ("b.half", floats.half()), ("b.bfloat16", floats.bfloat16()),
            ("b.long", torch.tensor(2**40 + 1)), ("b.int", torch.tensor([-5, 6], dtype=torch.int32)),
            ("b.short", torch.tensor([-7, 8], dtype=torch.int16)), ("b.char", torch.tensor([-9, 10], dtype=torch.int8)),
            ("b.byte", torch.tensor([11, 255], dtype=torch.uint8)), ("b.bool", torch.tensor([True, False])),
        ]
    )  # fmt: skip
    torch.save(state, place / "tensors.pt")
    torch.save(state, place / "tensors-legacy.pt", _use_new_zipfile_serialization=False)
    linear = nn.Linear(2, 2)
    for parameter in linear.parameters():
        parameter.data.copy_(torch.arange(1.0, parameter.numel() + 1).reshape(parameter.shape))
    optimiser = torch.optim.SGD(linear.parameters(), lr=0.05, momentum=0.9, weight_decay=3e-4)
    linear(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    one = {f"module.fc.{name}": value for name, value in linear.state_dict().items()}
    two = collections.OrderedDict((name, value + 1) for name, value in one.items())
    checkpoint = {
        "epoch": 225, "state_dict": collections.OrderedDict(one), "swa_state_dict": two, "swa_n": 100,
        "optimizer": optimiser.state_dict(), "arch": "tiny", "best": torch.tensor(0.5),
    }  # fmt: skip
    torch.save(checkpoint, place / "official.pt")
    torch.save(checkpoint, place / "official-legacy.pt", _use_new_zipfile_serialization=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--valleys", type=pathlib.Path, default=HERE.parents[2] / "target" / "release" / "valleys")
    parser.add_argument("--networks", nargs="+", choices=sorted(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--cifar10", type=pathlib.Path)
    parser.add_argument("--fixtures", action="store_true")
    options = parser.parse_args()
    if options.fixtures:
        return fixtures()
    valleys = Command(options.valleys.resolve())
    torch.manual_seed(1)
    print(f"PyTorch {torch.__version__}")
    columns = ("network", "classes", "imported", "exported", "test loss", "cpu by", "reference by", "accuracy by")
    row = "{:<18} {:>7} {:>8} {:>8} {:>10} {:>8} {:>12} {:>11}"
    print(row.format(*columns))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        ten = options.cifar10 or random_images(folder)
        places = {10: ten, 100: hundred(folder, ten)}
        rows = [read(ten, True), read(ten, False)]
        for name in options.networks:
            classes = NETWORKS[name]
            work = folder / name
            work.mkdir()
            normalisation = IMAGENET if name.startswith("vgg") else CIFAR
            network = networks.networks()[name](classes)
            optimiser = trained(network, rows[0], normalisation)
            count, file = imports(valleys, name, network, optimiser, work)
            exported = exports(valleys, name, network, file, work)
            info(valleys, name, network, exported)
            loss, worst = losses(valleys, name, network, exported, places[classes], rows, normalisation)
            apart = [f"{worst[backend][0]:.1e}" for backend in ("cpu", "reference")]
            accuracy = max(accuracy for _, accuracy in worst.values())
            print(row.format(name, classes, count, "yes", f"{loss:.6f}", *apart, f"{accuracy:.1e}"), flush=True)
    print("every tensor bit for bit, every loss to 1e-5")


if __name__ == "__main__":
    main()
