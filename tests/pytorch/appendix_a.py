#!/usr/bin/env python3
"""Writes the fixtures of the Appendix A experiment, with PyTorch.

The experiment: one neuron (weight, bias, sigmoid) learns to tell ten points of N(1, 1), class 0, from ten points of
N(-1, 1), class 1, by 30 steps of full-batch gradient descent on the mean binary cross-entropy; the running mean of its
iterates is the averaged solution; the loss is then measured at averaged + l * direction for l = -7.5, -7, ..., 7.5.
Everything is drawn from PyTorch's generator in the order of the authors' public script, in 32-bit arithmetic.

Two files, one row a seed:

    appendix_a_draws.csv    the 20 inputs, the first iterate and the direction of unit length: 24 numbers
    appendix_a_curves.csv   the 31 losses

Numbers are written with the nine digits that hold every 32-bit float exactly.

    python tests/pytorch/appendix_a.py --out tests/fixtures

The draws depend on PyTorch's generator alone. The last digits of the curves may depend on the machine (the exponential
and the order of sums are not fixed by PyTorch): the committed files come from PyTorch 2.15 on an x86-64 CPU with AVX-512.
"""

import argparse
import csv
from pathlib import Path

import torch

PER_CLASS = 10
STEPS = 30
LEARNING_RATE = 0.01
REACH = 15
SPACING = 0.5


def run(seed: int) -> tuple[list[float], list[float]]:
    """The draws and the losses of one seed."""
    torch.manual_seed(seed)
    centre = torch.ones(PER_CLASS, 1)
    inputs = torch.cat([torch.normal(centre, 1), torch.normal(-centre, 1)])
    labels = torch.cat([torch.zeros(PER_CLASS, 1), torch.ones(PER_CLASS, 1)])
    network = torch.nn.Linear(1, 1)
    average = torch.nn.Linear(1, 1)  # Its initial values are never used, but their two draws count.
    start = flat(network)

    cross_entropy = torch.nn.BCELoss()
    optimiser = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    for step in range(STEPS):
        optimiser.zero_grad()
        cross_entropy(torch.sigmoid(network(inputs)), labels).backward()
        optimiser.step()
        newest = 1.0 / (step + 1)
        with torch.no_grad():
            for mean, weight in zip(average.parameters(), network.parameters()):
                mean *= 1.0 - newest
                mean += weight * newest

    direction = torch.rand(2)
    direction = direction / torch.norm(direction)
    averaged = flat(average)
    losses = []
    with torch.no_grad():
        for point in range(-REACH, REACH + 1):
            weight, bias = averaged + point * direction * SPACING
            network.weight.fill_(weight)
            network.bias.fill_(bias)
            losses.append(cross_entropy(torch.sigmoid(network(inputs)), labels).item())
    return inputs.flatten().tolist() + start.tolist() + direction.tolist(), losses


def flat(network: torch.nn.Linear) -> torch.Tensor:
    """(weight, bias), copied."""
    return torch.stack([network.weight.detach()[0, 0], network.bias.detach()[0]])


def write(path: Path, header: list[str], rows: dict[int, list[float]]) -> None:
    """One row a seed, the header first."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["seed", *header])
        writer.writerows([seed, *(f"{number:.9g}" for number in row)] for seed, row in rows.items())


def main() -> None:
    """Runs all seeds and writes both files."""
    parser = argparse.ArgumentParser(description="Write the fixtures of the Appendix A experiment.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the two CSV files; it must exist")
    parser.add_argument("--seeds", type=int, default=50, help="number of seeds, counted from 0 (default 50)")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        parser.error(f"--seeds is {arguments.seeds}; allowed: at least 1")
    if not arguments.out.is_dir():
        parser.error(f"--out is {arguments.out}; allowed: an existing folder")

    torch.set_num_threads(1)
    results = {seed: run(seed) for seed in range(arguments.seeds)}
    names = [f"class{label}_{i}" for label in (0, 1) for i in range(PER_CLASS)]
    names += ["start_weight", "start_bias", "direction_weight", "direction_bias"]
    write(arguments.out / "appendix_a_draws.csv", names, {seed: draws for seed, (draws, _) in results.items()})
    offsets = [f"{point * SPACING:g}" for point in range(-REACH, REACH + 1)]
    write(arguments.out / "appendix_a_curves.csv", offsets, {seed: curve for seed, (_, curve) in results.items()})


if __name__ == "__main__":
    main()
