"""Writes ../fixtures/parity.json: what PyTorch makes of every network of this crate.

Run with PyTorch and NumPy installed: python3 networks.py
Weights and images come from a fixed integer recurrence, so that the Rust test rebuilds them exactly. The modules bear
the names of the public code of the paper (ResNets, DenseNets) and of timgaripov/swa (VGG).
"""

import hashlib
import json
import pathlib

import numpy
import torch
from torch import nn
from torch.nn import functional

IMAGES = 4
LABELS = [3, 0, 9, 3]


class Block(nn.Module):
    """x + F(x): batch norm, activation and convolution in turn; a 1x1 convolution of x where the shape changes."""

    def __init__(self, inputs, convolutions, stride, activation, norm):
        super().__init__()
        self.count, self.activation = len(convolutions), activation
        channels = inputs
        for index, (outputs, size, step) in enumerate(convolutions, 1):
            setattr(self, f"bn{index}", norm(channels))
            convolution = nn.Conv2d(channels, outputs, size, step, size // 2, bias=False)
            setattr(self, f"conv{index}", convolution)
            channels = outputs
        changes = stride != 1 or channels != inputs
        self.downsample = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias=False)) if changes else None

    def forward(self, x):
        branch = x
        for index in range(1, self.count + 1):
            normalised = self.activation(getattr(self, f"bn{index}")(branch))
            branch = getattr(self, f"conv{index}")(normalised)
        return branch + (x if self.downsample is None else self.downsample(x))


class PreResNet(nn.Module):
    """Depth 6n + 2 with basic blocks below 44, 9n + 2 with bottlenecks from there on."""

    def __init__(self, depth, classes, activation=functional.relu, norm=nn.BatchNorm2d):
        super().__init__()
        basic = depth < 44
        blocks = (depth - 2) // (6 if basic else 9)
        self.activation = activation
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        channels = 16
        for stage, width in enumerate((16, 32, 64), 1):
            layer = nn.Sequential()
            for index in range(blocks):
                stride = 2 if stage > 1 and index == 0 else 1
                if basic:
                    convolutions = [(width, 3, stride), (width, 3, 1)]
                else:
                    convolutions = [(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)]
                layer.append(Block(channels, convolutions, stride, activation, norm))
                channels = convolutions[-1][0]
            setattr(self, f"layer{stage}", layer)
        self.bn = norm(channels)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(functional.avg_pool2d(self.activation(self.bn(x)), 8).flatten(1))


class Vgg16(nn.Module):
    """Convolutions with bias, perhaps batch norm, ReLU and 2x2 maxima; a classifier with dropout."""

    def __init__(self, classes, batch_norm):
        super().__init__()
        self.features = nn.Sequential()
        channels = 3
        for width, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(convolutions):
                self.features.append(nn.Conv2d(channels, width, 3, padding=1))
                if batch_norm:
                    self.features.append(nn.BatchNorm2d(width))
                self.features.append(nn.ReLU())
                channels = width
            self.features.append(nn.MaxPool2d(2))
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, classes)
        )

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class DenseLayer(nn.Module):
    """x, and 12 new channels behind it."""

    def __init__(self, channels):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, 48, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(48)
        self.conv2 = nn.Conv2d(48, 12, 3, padding=1, bias=False)

    def forward(self, x):
        bottleneck = self.conv1(functional.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(functional.relu(self.norm2(bottleneck)))], 1)


class DenseNet(nn.Module):
    """DenseNet-BC: three blocks of (depth - 4)/6 layers, halved by transitions."""

    def __init__(self, depth, classes):
        super().__init__()
        channels = 24
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(3, channels, 3, padding=1, bias=False))
        for block in (1, 2, 3):
            layers = nn.Sequential()
            for layer in range(1, (depth - 4) // 6 + 1):
                layers.add_module(f"denselayer{layer}", DenseLayer(channels))
                channels += 12
            self.features.add_module(f"denseblock{block}", layers)
            if block < 3:
                transition = nn.Sequential()
                transition.add_module("norm", nn.BatchNorm2d(channels))
                transition.add_module("relu", nn.ReLU())
                transition.add_module("conv", nn.Conv2d(channels, channels // 2, 1, bias=False))
                transition.add_module("pool", nn.AvgPool2d(2))
                self.features.add_module(f"transition{block}", transition)
                channels //= 2
        self.features.add_module("norm_final", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        return self.classifier(functional.avg_pool2d(functional.relu(self.features(x)), 8).flatten(1))


class Mlp(nn.Module):
    """Two hidden layers of 64 units."""

    def __init__(self, classes):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(3072, 64), nn.Linear(64, 64), nn.Linear(64, classes)

    def forward(self, x):
        return self.fc3(functional.relu(self.fc2(functional.relu(self.fc1(x.flatten(1))))))


class NoNorm(nn.Identity):
    """In place of a batch norm."""

    def __init__(self, channels):
        super().__init__()


def networks():
    """Every network of this crate by its name, as a function of the number of classes."""
    known = {}
    for depth in (8, 20, 32, 56, 110, 164):
        for suffix, options in (
            ("", {}),
            ("-sigmoid", {"activation": torch.sigmoid}),
            ("-softplus", {"activation": functional.softplus}),
            ("-nobn", {"norm": NoNorm}),
        ):
            known[f"resnet{depth}{suffix}"] = lambda classes, depth=depth, options=options: PreResNet(depth, classes, **options)
    known["vgg16"] = lambda classes: Vgg16(classes, False)
    known["vgg16-bn"] = lambda classes: Vgg16(classes, True)
    for depth in (40, 100):
        known[f"densenet{depth}"] = lambda classes, depth=depth: DenseNet(depth, classes)
    known["mlp"] = Mlp
    return known


def sequence(start, count):
    """Numbers in [-1/2, 1/2): s <- 1664525 s + 1013904223 modulo 2^32 from `start`, over 2^32, less 1/2.

    The state after k rounds is a^k start + c (1 + a + ... + a^(k-1)), all modulo 2^32.
    """
    factors = numpy.full(count, 1664525, dtype=numpy.uint32)
    powers = numpy.cumprod(factors, dtype=numpy.uint32)
    sums = numpy.cumsum(numpy.concatenate([numpy.ones(1, numpy.uint32), powers[:-1]]), dtype=numpy.uint32)
    states = powers * numpy.uint32(start) + sums * numpy.uint32(1013904223)
    return torch.from_numpy(states.astype(numpy.float64) / 2**32 - 0.5)


def fill(network, steady=False):
    """Weights that single precision holds exactly.

    Steady ones keep what goes into every ReLU after a batch norm far from 0, so that rounding turns none on or off.
    """
    previous = None
    for index, (name, parameter) in enumerate(network.named_parameters()):
        numbers = sequence(index + 1, parameter.numel()).reshape(parameter.shape)
        if parameter.dim() > 1:
            numbers *= (24.0 / parameter[0].numel()) ** 0.5
        elif name.endswith("weight"):
            numbers += 1.0
            numbers *= 0.4 if steady else 1.0
        elif steady and previous.dim() == 1:
            numbers = 1.5 - 3.0 * (torch.arange(len(numbers)) % 2)
        parameter.data.copy_(numbers.float())
        previous = parameter


def projections(tensor, count):
    """Scalar products with `count` vectors of random numbers of variance 1."""
    flat = tensor.detach().flatten()
    vectors = (sequence(70000 + 1000 * index, len(flat)) * 12**0.5 for index in range(count))
    return [short(flat @ vector) for vector in vectors]


def short(number):
    """A number to 13 digits."""
    return float(f"{number.item():.12e}")


def run(network, rate, steady=False, number=torch.float64):
    """Three steps of SGD, with what must be the same on the way."""
    fill(network, steady)
    network.to(number)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    images = (4.0 * sequence(1000, IMAGES * 3072)).float().to(number).reshape(IMAGES, 3, 32, 32)
    labels = torch.tensor(LABELS)
    optimiser = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, weight_decay=0.01)
    seen = {"losses": []}
    for step in range(3):
        optimiser.zero_grad()
        logits = network(images)
        losses = functional.cross_entropy(logits, labels, reduction="none")
        losses.mean().backward()
        if step == 0:
            seen["logits"] = logits.detach()
            seen["gradient"] = [parameter.grad.clone() for parameter in network.parameters()]
        seen["losses"].append(losses.detach())
        optimiser.step()
    seen["weights"] = [parameter.detach().clone() for parameter in network.parameters()]
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for kind in ("running_mean", "running_var"):
        seen[kind] = [getattr(norm, kind).clone() for norm in norms]
    # Cumulative statistics, equally weighted, from two batches; evaluation is with these.
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        network(images[:3]), network(images[1:])
    for kind in ("running_mean", "running_var"):
        seen[f"cumulative_{kind}"] = torch.cat([getattr(norm, kind) for norm in norms]) if norms else None
    network.eval()
    optimiser.zero_grad()
    logits = network(images)
    functional.cross_entropy(logits, labels).backward()
    seen["evaluated"] = logits.detach()
    seen["evaluated_gradient"] = torch.cat([parameter.grad.flatten() for parameter in network.parameters()])
    return seen


def summary(seen):
    """What the fixture holds of a run: short lists in full, projections of tensors."""
    result = {key: [short(number) for number in seen[key].flatten()] for key in ("logits", "evaluated")}
    result["losses"] = [[short(loss) for loss in losses] for losses in seen["losses"]]
    for key, count in (("gradient", 2), ("weights", 1), ("running_mean", 1), ("running_var", 1)):
        result[key] = [number for tensor in seen[key] for number in projections(tensor, count)]
    result["evaluated_gradient"] = projections(seen["evaluated_gradient"], 2)
    for key in ("cumulative_running_mean", "cumulative_running_var"):
        result[key] = [] if seen[key] is None else projections(seen[key], 1)
    return result


def apart(ours, theirs, scale=None):
    return ((ours.double() - theirs).norm() / (theirs if scale is None else scale).norm()).item()


def single(seen, right, names):
    """The largest relative differences of a run in single precision from the one in double: the table's columns."""

    def worst(key):
        return max([apart(a, b) for a, b in zip(seen[key], right[key])], default=0.0)

    def gradient(index):
        ours, theirs = seen["gradient"][index], right["gradient"][index]
        scale = theirs.norm()
        if names[index].endswith("bias"):
            weight = right["gradient"][index - 1]
            scale = max(scale, weight.norm() * (theirs.numel() / weight.numel()) ** 0.5)
        return apart(ours, theirs, scale)

    row = [
        apart(seen["logits"], right["logits"]),
        worst("losses"),
        max(gradient(index) for index in range(len(names))),
        worst("weights"),
        max(worst("running_mean"), worst("running_var")),
        max(apart(seen[key], right[key]) for key in ("evaluated", "evaluated_gradient")),
    ]
    return [float(f"{number:.1e}") for number in row]


def dropout():
    """A network with dropout in it, under a mask that the Rust test draws."""
    mask = torch.tensor([[float(bit) for bit in row] for row in MASK])
    first, last = nn.Linear(3072, 16), nn.Linear(16, 10)
    network = nn.ModuleList([first, last])
    fill(network)
    images = (4.0 * sequence(1000, IMAGES * 3072)).float().double().reshape(IMAGES, -1)
    logits = last(functional.relu(first(images)) * mask / (1.0 - 0.25))
    losses = functional.cross_entropy(logits, torch.tensor(LABELS), reduction="none")
    losses.mean().backward()
    gradients = [number for parameter in network.parameters() for number in projections(parameter.grad, 2)]
    return {"mask": MASK, "losses": [short(loss) for loss in losses.detach()], "gradient": gradients}


# 1 for every unit kept of every image: what the crate draws from Seed(3), step 5, images 40, 2, 7 and 9, dropout "drop"
# of rate 0.25.
MASK = ["1111100111110111", "1111111111111001", "0111111011111111", "0100010000111001"]

# The networks that are run, and the learning rate.
RATES = {
    "resnet8": 0.05, "resnet20": 0.05, "resnet32": 0.05, "resnet56": 0.05, "resnet110": 0.02, "resnet164": 0.02,
    "resnet8-sigmoid": 0.05, "resnet8-softplus": 0.05, "resnet8-nobn": 0.01,
    "resnet56-sigmoid": 0.05, "resnet56-softplus": 0.05,
    "vgg16": 0.01, "vgg16-bn": 0.02, "densenet40": 0.05, "densenet100": 0.05, "mlp": 0.01,
}  # fmt: skip

# Those in which rounding turns ReLUs on and off, so that single precision parts from double: run with steady weights too.
STEADY = ("resnet20", "resnet56", "resnet110", "resnet164", "vgg16-bn", "densenet40", "densenet100")
STEADY_RATE = 0.002


def description(network):
    """Number of trainable parameters, and a digest of the names and shapes in the state dict."""
    lines = sorted(f"{name} {list(tensor.shape)}" for name, tensor in network.state_dict().items())
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return [sum(parameter.numel() for parameter in network.parameters()), digest]


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    known = networks()
    runs = {}
    for name, rate in RATES.items():
        right = run(known[name](10), rate)
        names = [name for name, _ in known[name](10).named_parameters()]
        in_single = single(run(known[name](10), rate, number=torch.float32), right, names)
        runs[name] = {"rate": rate, "single": in_single, **summary(right)}
    fixture = {
        "torch": torch.__version__,
        "described": {str(classes): {name: description(build(classes)) for name, build in known.items()} for classes in (10, 100)},
        "runs": runs,
        "steady": {name: summary(run(known[name](10), STEADY_RATE, steady=True)) for name in STEADY},
        "dropout": dropout(),
    }
    path = pathlib.Path(__file__).parent.parent / "fixtures" / "parity.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
