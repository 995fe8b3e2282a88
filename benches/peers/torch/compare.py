"""Training and evaluation of the same networks here and in PyTorch, on the CPU, as a Markdown table.

Run from anywhere, with PyTorch installed, after `cargo build --release -p valleys-harness --example throughput`:

    python3 benches/peers/torch/compare.py [--threads 2] [--rounds 5] [--repetitions 3] [--without-compile] [NETWORK:BATCH ...]

Every round measures this crate's CPU backend and each PyTorch mode in turn, so that whatever else the machine does
falls on all of them; the table gives medians over rounds, their spread, and the median over rounds of the ratio to
PyTorch's best mode of the round. One training step is forward, loss, backward; PyTorch's also updates nothing, like
ours. Modes: eager, eager in channels-last, and for evaluation torch.compile of both. Random images, f32. Peak memory is
of a process of its own that does two training steps.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
OURS = pathlib.Path(os.environ.get('CARGO_TARGET_DIR', ROOT / 'target')) / 'release' / 'examples' / 'throughput'
sys.path.insert(0, str(ROOT / "harness" / "tests" / "pytorch"))

DEFAULT = ["resnet20:128", "resnet56:128", "resnet110:128", "vgg16-bn:64", "densenet100:32"]


def torch_step(name, batch, channels_last, training, compiled):
    """A function that does one step, and the images in it."""
    import torch
    from networks import networks

    torch.manual_seed(0)
    network = networks()[name](10).train(training)
    images, labels = torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,))
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    run = torch.compile(network) if compiled else network

    def train():
        network.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(run(images), labels).backward()

    def evaluate():
        with torch.no_grad():
            torch.nn.functional.cross_entropy(run(images), labels)

    return train if training else evaluate


def rate(step, batch, repetitions):
    """Images a second, the median of some repetitions."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return batch / statistics.median(times)


def ours(name, batch, threads, repetitions):
    """Images a second of training and of evaluation."""
    command = [OURS, name, batch, threads, repetitions, "cpu"]
    text = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
    return [float(re.search(rf"{kind}: median (\d+)", text)[1]) for kind in ("training", "evaluation")]


def peak(command):
    """The largest resident memory of a command, in MiB."""
    program = "import os, resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)"
    program += "; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    seen = subprocess.run([sys.executable, "-c", program, *command], check=True, capture_output=True, text=True).stdout
    return int(seen.split()[-1]) / 1024


def compare(name, batch, options):
    modes = {
        "training": {"eager": (False, False), "channels-last": (True, False)},
        "evaluation": {
            "eager": (False, False),
            "channels-last": (True, False),
            "compiled": (False, True),
            "compiled, channels-last": (True, True),
        },
    }
    if options.without_compile:
        modes["evaluation"] = {mode: flags for mode, flags in modes["evaluation"].items() if not flags[1]}
    steps = {}
    for kind, choices in modes.items():
        for mode, (channels_last, compiled) in choices.items():
            steps[kind, mode] = torch_step(name, batch, channels_last, kind == "training", compiled)
            steps[kind, mode]()
            steps[kind, mode]()
    rounds = {"training": [], "evaluation": []}
    for _ in range(options.rounds):
        mine = dict(zip(rounds, ours(name, batch, options.threads, options.repetitions)))
        for kind, choices in modes.items():
            theirs = {mode: rate(steps[kind, mode], batch, options.repetitions) for mode in choices}
            rounds[kind].append((mine[kind], theirs))
    script = [sys.executable, __file__, "--peak", f"{name}:{batch}", "--threads", str(options.threads)]
    memory = [peak([str(OURS), name, str(batch), str(options.threads), "1", "cpu"]), min(peak(script), peak([*script, "--channels-last"]))]
    for kind, seen in rounds.items():
        mine = [mine for mine, _ in seen]
        best = max(seen[0][1], key=lambda mode: statistics.median(theirs[mode] for _, theirs in seen))
        theirs = [theirs[best] for _, theirs in seen]
        ratios = [mine / max(theirs.values()) for mine, theirs in seen]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        peaks = f"{memory[0]:.0f} / {memory[1]:.0f}" if kind == "training" else ""
        row = [f"{name}, {batch}", kind, f"{statistics.median(mine):.0f}", f"{statistics.median(theirs):.0f}", best, spread, peaks]
        print(f"| {' | '.join(row)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=DEFAULT)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--without-compile", action="store_true", help="leave torch.compile out, which takes minutes")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    parser.add_argument("--channels-last", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()

    import torch

    torch.set_num_threads(options.threads)
    if options.peak:
        name, batch = options.peak.split(":")
        step = torch_step(name, int(batch), options.channels_last, True, False)
        step()
        step()
        return
    print(f"PyTorch {torch.__version__}, {options.threads} threads, {options.rounds} rounds of {options.repetitions}\n")
    print("| network, batch | | ours, images/s | PyTorch, images/s | best mode | ratio (least to most) | peak MiB, ours / PyTorch |")
    print("|---|---|---|---|---|---|---|")
    for network in options.networks:
        name, batch = network.split(":")
        compare(name, int(batch), options)


if __name__ == "__main__":
    main()
