"""Writes ../fixtures/resnet.json: what PyTorch makes of the pre-activation residual networks.

Run with PyTorch and NumPy installed: python3 resnet.py
Weights and images come from a fixed integer recurrence, so that the Rust test rebuilds them exactly.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional

MODULUS = 2**32


class Block(nn.Module):
    """x + F(x): batch norm, ReLU and convolution in turn; a 1x1 convolution of x where the shape changes."""

    def __init__(self, inputs, convolutions, stride):
        super().__init__()
        self.count = len(convolutions)
        channels = inputs
        for index, (outputs, size, step) in enumerate(convolutions, 1):
            setattr(self, f"bn{index}", nn.BatchNorm2d(channels))
            convolution = nn.Conv2d(channels, outputs, size, step, size // 2, bias=False)
            setattr(self, f"conv{index}", convolution)
            channels = outputs
        changes = stride != 1 or channels != inputs
        self.downsample = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias=False)) if changes else None

    def forward(self, x):
        branch = x
        for index in range(1, self.count + 1):
            normalised = functional.relu(getattr(self, f"bn{index}")(branch))
            branch = getattr(self, f"conv{index}")(normalised)
        return branch + (x if self.downsample is None else self.downsample(x))


class PreResNet(nn.Module):
    """Depth 6n + 2 with basic blocks below 44, 9n + 2 with bottlenecks from there on."""

    def __init__(self, depth, classes=10):
        super().__init__()
        basic = depth < 44
        blocks = (depth - 2) // (6 if basic else 9)
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
                layer.append(Block(channels, convolutions, stride))
                channels = convolutions[-1][0]
            setattr(self, f"layer{stage}", layer)
        self.bn = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(functional.avg_pool2d(functional.relu(self.bn(x)), 8).flatten(1))


def sequence(start, count):
    """Numbers in [-1/2, 1/2): s <- 1664525 s + 1013904223 modulo 2^32 from `start`, over 2^32, less 1/2."""
    state, numbers = start, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % MODULUS
        numbers.append(state / MODULUS - 0.5)
    return torch.tensor(numbers, dtype=torch.float64)


def fill(network):
    for index, (name, parameter) in enumerate(network.named_parameters()):
        numbers = sequence(index + 1, parameter.numel()).reshape(parameter.shape)
        if parameter.dim() > 1:
            numbers *= (24.0 / parameter[0].numel()) ** 0.5
        elif name.endswith("weight"):
            numbers += 1.0
        parameter.data.copy_(numbers)


def summary(tensor):
    """Euclidean norm, sum, and the first, a middle and the last number."""
    flat = tensor.detach().flatten()
    return [flat.norm().item(), flat.sum().item(), flat[0].item(), flat[len(flat) // 2].item(), flat[-1].item()]


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    counts = {}
    for depth in (8, 20, 32, 56, 110, 164):
        counts[f"resnet{depth}"] = sum(parameter.numel() for parameter in PreResNet(depth).parameters())
    network = PreResNet(8)
    fill(network)
    images = 4.0 * sequence(1000, 4 * 3 * 32 * 32).reshape(4, 3, 32, 32)
    labels = torch.tensor([3, 0, 9, 3])
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=0.01)
    steps = []
    for _ in range(3):
        optimiser.zero_grad()
        logits = network(images)
        losses = functional.cross_entropy(logits, labels, reduction="none")
        losses.mean().backward()
        gradients = {name: summary(parameter.grad) for name, parameter in network.named_parameters()}
        optimiser.step()
        steps.append({"logits": logits.flatten().tolist(), "losses": losses.tolist(), "gradient": gradients})
    final = {name: summary(tensor) for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
    network.eval()
    with torch.no_grad():
        evaluated = functional.cross_entropy(network(images), labels, reduction="none").tolist()
    fixture = {
        "parameter_counts": counts,
        "names": {f"resnet{depth}": list(PreResNet(depth).state_dict()) for depth in (8, 56)},
        "first": {key: steps[0][key] for key in ("logits", "gradient")},
        "losses": [step["losses"] for step in steps],
        "final": final,
        "evaluated": evaluated,
        "torch": torch.__version__,
    }
    path = pathlib.Path(__file__).parent.parent / "fixtures" / "resnet.json"
    path.write_text(json.dumps(fixture, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
