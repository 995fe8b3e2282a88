"""PyTorch's side of compare.py: a worker process for one network in one precision.

`python peers.py about DEVICE` tells versions in a line of JSON. `python peers.py NETWORK PRECISION DEVICE BATCH IMAGES
THREADS` answers requests, a line of JSON each, with a line of JSON: {"mode": …} makes that mode ready, which may take
minutes where it compiles; {"mode": …, "what": "training", "seconds": …} measures it. What fails is answered with
{"error": …}. The precision's switches are the process's, so that no mode finds another one's.
"""

import itertools
import json
import math
import os
import pathlib
import statistics
import sys
import time

NETWORKS = pathlib.Path(__file__).resolve().parents[3] / "harness" / "tests" / "pytorch"

# Precision, channels-last, compiled.
MODES = {
    "eager-f32": ("f32", False, False),
    "compile-f32": ("f32", False, True),
    "eager-tf32": ("tf32", False, False),
    "eager-tf32-channels-last": ("tf32", True, False),
    "compile-tf32": ("tf32", False, True),
    "eager-bf16": ("bf16", True, False),
    "compile-bf16": ("bf16", True, True),
}

WHAT = ("training", "evaluation", "points")

# As `valleys speed measure` has them: different batches, passes to warm up, repetitions.
BATCHES, WARM_UP, REPETITIONS = 4, 4, 5


class Bench:
    """One network in one mode, with images that are on the device already."""

    def __init__(self, name, mode, device, batch, images):
        import torch
        from networks import networks
        from torch.nn import functional

        self.precision, channels_last, self.compiled = MODES[mode]
        self.torch, self.functional, self.device, self.batch = torch, functional, torch.device(device), batch
        torch.manual_seed(0)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.model = networks()[name](10).to(self.device, memory_format=layout)
        self.norms = [module for module in self.model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        fused = self.device.type == "cuda"
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=0.0, momentum=0.9, weight_decay=3e-4, fused=fused)
        self.centre = [weight.detach().clone() for weight in self.model.parameters()]
        self.direction = [torch.randn_like(weight) for weight in self.centre]

        def batches(count):
            shown = torch.randn(count, 3, 32, 32, device=self.device).contiguous(memory_format=layout)
            return list(zip(shown.split(batch), torch.randint(0, 10, (count,), device=self.device).split(batch)))

        self.batches = itertools.cycle(batches(BATCHES * batch))
        self.statistics, *self.losses = [batches(images) for _ in range(3)]
        self.offsets = itertools.cycle(1e-3 * offset for offset in range(-2, 3))
        compiling = {"mode": "max-autotune", "dynamic": False}
        self.train = torch.compile(self.loss, **compiling) if self.compiled else self.loss
        self.evaluate = torch.compile(self.judge, **compiling) if self.compiled else self.judge

    def logits(self, images):
        with self.torch.autocast(self.device.type, self.torch.bfloat16, enabled=self.precision == "bf16"):
            return self.model(images)

    def loss(self, images, labels):
        return self.functional.cross_entropy(self.logits(images), labels)

    def judge(self, images, labels):
        """Mean loss and hits."""
        logits = self.logits(images)
        return self.functional.cross_entropy(logits, labels), (logits.argmax(1) == labels).sum()

    def begin(self):
        """Says that the outputs of CUDA graphs are done with."""
        if self.compiled:
            self.torch.compiler.cudagraph_mark_step_begin()

    def training(self):
        """A step of SGD with momentum and weight decay; nobody asks for the loss."""
        self.model.train()
        self.begin()
        self.optimiser.zero_grad(set_to_none=True)
        self.train(*next(self.batches)).backward()
        self.optimiser.step()
        return self.batch

    def evaluation(self):
        """The mean loss and the hits of a batch, which nobody asks for."""
        self.model.eval()
        self.begin()
        with self.torch.no_grad():
            self.evaluate(*next(self.batches))
        return self.batch

    def points(self):
        """A point w + l u as the paper's code takes it: weights, statistics, two losses, batch by batch."""
        offset = next(self.offsets)
        with self.torch.no_grad():
            for weight, centre, direction in zip(self.model.parameters(), self.centre, self.direction):
                weight.copy_(centre + offset * direction)
            self.update_statistics()
            self.model.eval()
            for batches in self.losses:
                total, correct = 0.0, 0
                for images, labels in batches:
                    # A last, smaller batch would be compiled for itself.
                    whole = len(labels) == self.batch
                    self.begin()
                    loss, hits = (self.evaluate if whole else self.judge)(images, labels)
                    total += loss.item() * len(labels)
                    correct += hits.item()
        return 1

    def update_statistics(self):
        """Batch-norm statistics as cumulative means over batches: momentum b/(n + b). It changes with every batch, so
        this is never compiled."""
        self.model.train()
        for norm in self.norms:
            norm.reset_running_stats()
        seen = 0
        for images, labels in self.statistics:
            for norm in self.norms:
                norm.momentum = len(labels) / (seen + len(labels))
            self.logits(images)
            seen += len(labels)
        for norm in self.norms:
            norm.momentum = 0.1

    def passes(self, what, count):
        """Makes so many passes and waits for the device: units of work, and seconds."""
        work = getattr(self, what)
        begin = time.perf_counter()
        units = sum(work() for _ in range(count))
        if self.device.type == "cuda":
            self.torch.cuda.synchronize(self.device)
        return units, time.perf_counter() - begin

    def warm_up(self, images):
        for what in WHAT if images else WHAT[:2]:
            self.passes(what, WARM_UP if what != "points" else 1)
        self.free()

    def measure(self, what, seconds):
        """Units a second, the median over repetitions that take so many seconds together."""
        self.passes(what, 1)
        count = max(1, math.ceil(seconds / REPETITIONS / self.passes(what, 1)[1]))
        rates, spent = [], 0.0
        while len(rates) < REPETITIONS or spent < seconds:
            units, taken = self.passes(what, count)
            rates.append(units / taken)
            spent += taken
        self.free()
        return statistics.median(rates)

    def free(self):
        """Memory that is not in use goes back, for the others that are measured on this device."""
        if self.device.type == "cuda":
            self.torch.cuda.empty_cache()


def about(device):
    """Versions, the device's name and the networks that are known."""
    import platform

    import torch
    from networks import networks

    told = {"python": platform.python_version(), "torch": torch.__version__, "networks": list(networks())}
    if device.startswith("cuda"):
        if not torch.cuda.is_available():
            raise RuntimeError(f"PyTorch {torch.__version__} finds no CUDA device")
        told |= {"device": torch.cuda.get_device_name(torch.device(device)), "cuda": torch.version.cuda}
        told["cudnn"] = torch.backends.cudnn.version()
    else:
        told["device"] = "the processor"
    return told


def answerer(name, precision, device, batch, images, threads):
    """What answers requests about one network in one precision."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    if hasattr(torch.backends.cudnn, "fp32_precision"):
        # The newer switch, which the convolutions that torch.compile writes itself look at.
        torch.backends.cudnn.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    benches = {}

    def answer(request):
        mode = request["mode"]
        if mode not in benches:
            bench = Bench(name, mode, device, batch, images)
            bench.warm_up(images)
            benches[mode] = bench
        return {"rate": benches[mode].measure(request["what"], request["seconds"])} if "what" in request else {}

    return answer


def one_line(error):
    """What went wrong, in one line."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {text}"[:300]


def main():
    # Answers alone go to standard output; whatever a library prints goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, str(NETWORKS))

    def say(told):
        print(json.dumps(told), file=answers, flush=True)

    def tried(ask, *arguments):
        try:
            say(ask(*arguments))
        except Exception as error:  # A mode that fails is told, and the others go on.
            say({"error": one_line(error)})

    if sys.argv[1] == "about":
        tried(about, sys.argv[2])
        return
    answer = answerer(*sys.argv[1:4], *map(int, sys.argv[4:7]))
    for line in sys.stdin:
        tried(answer, json.loads(line))


if __name__ == "__main__":
    main()
