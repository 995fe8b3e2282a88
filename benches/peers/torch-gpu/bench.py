"""One network in one of PyTorch's modes: a step of training, a batch of evaluation, a point of a landscape's line."""

import copy
import itertools
import math
import statistics
import time

import torch
from torch.nn import functional

from modes import MODES

# As `valleys speed measure` has them: different batches, repetitions.
BATCHES, REPETITIONS = 4, 5

# Passes before anything is measured. Eager: cuDNN chooses its algorithms in the first. Compiled: compilation, a run that warms
# up, one that is recorded, one that is replayed. A graph is recorded by what is asked for first.
WARM_UP = {"eager": 2, "compile": 4, "graph": 1}


class Recorded:
    """A function of tensors as CUDA graphs: recorded once for every shape of what it is given, then started with one call.

    What it gives is overwritten the next time."""

    def __init__(self, function, stream):
        self.function, self.stream, self.graphs = function, stream, {}

    def __call__(self, *inputs):
        shapes = tuple(tensor.shape for tensor in inputs)
        if shapes not in self.graphs:
            self.graphs[shapes] = self.record(inputs)
        graph, places, outputs = self.graphs[shapes]
        for place, tensor in zip(places, inputs):
            place.copy_(tensor)
        graph.replay()
        return outputs

    def record(self, inputs):
        places = [tensor.clone() for tensor in inputs]
        # Warmed up on a side stream as PyTorch's documentation asks for, and recorded on the same one: what autograd remembers
        # of the stream it ran on then is right. Algorithms are chosen here, since nothing can be measured in a recording.
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for _ in range(3):
                self.function(*places)
        torch.cuda.current_stream().wait_stream(self.stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            outputs = self.function(*places)
        return graph, places, outputs


class Bench:
    """Images are on the device already. What is tested, in evaluation and along a line, is a copy of the network: in bfloat16
    with the weights of convolutions and linear layers rounded once, not anew for every batch."""

    def __init__(self, network, mode, device, batch, point_batch, images, compile_mode):
        self.precision, channels_last, self.start = MODES[mode]
        self.device, self.batch, self.point_batch = torch.device(device), batch, point_batch
        torch.manual_seed(0)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.model = network.to(self.device, memory_format=layout).train()
        fused = self.device.type == "cuda"
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=0.0, momentum=0.9, weight_decay=3e-4, fused=fused)
        self.tested, kept = copy.deepcopy(self.model).requires_grad_(False), torch.float32
        if self.precision == "bf16":
            kept = torch.bfloat16
            for module in self.tested.modules():
                if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
                    module.to(kept)
        norms = [module for module in self.tested.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        for norm in norms:
            # Its running statistics are then those of the last batch.
            norm.momentum = 1.0
        self.running = [values for norm in norms for values in (norm.running_mean, norm.running_var)]
        self.means = [torch.zeros_like(values) for values in self.running]
        self.weights = list(self.tested.parameters())
        self.centre = [weight.detach().clone() for weight in self.model.parameters()]
        self.direction = [torch.randn_like(weight) for weight in self.centre]

        def batches(count, size, kind):
            shown = torch.randn(count, 3, 32, 32, device=self.device).to(kind).contiguous(memory_format=layout)
            return list(zip(shown.split(size), torch.randint(0, 10, (count,), device=self.device).split(size)))

        self.trained_on = itertools.cycle(batches(BATCHES * batch, batch, torch.float32))
        self.tested_on = itertools.cycle(batches(BATCHES * batch, batch, kept))
        self.learnt_from, *self.judged_on = [batches(images, point_batch, kept) for _ in range(3)]
        self.offsets = itertools.cycle(1e-3 * offset for offset in range(-2, 3))
        self.prepared = set()

        self.step_by, self.judge_by, self.learn_by = self.step, self.judge, self.learn
        if self.start == "compile":
            # Without CUDA there is nothing to tune.
            chosen = {"mode": compile_mode} if self.device.type == "cuda" else {}
            self.loss, self.judge_by, self.learn_by = (
                torch.compile(function, dynamic=False, fullgraph=True, **chosen)
                for function in (self.loss, self.judge, self.learn)
            )
        elif self.start == "graph":
            stream = torch.cuda.Stream()
            self.step_by, self.judge_by, self.learn_by = (
                Recorded(function, stream) for function in (self.step, self.judge, self.learn)
            )

    def loss(self, images, labels):
        # Every weight is rounded once a step anyhow, and a graph must not keep what an earlier one rounded.
        rounded = self.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=rounded, cache_enabled=False):
            logits = self.model(images)
        return functional.cross_entropy(logits.float(), labels)

    def step(self, images, labels):
        """A step of SGD with momentum and weight decay; nobody asks for the loss."""
        self.loss(images, labels).backward()
        self.optimiser.step()
        # At the end, so that a recorded step, too, finds none and puts its own where it wants.
        self.optimiser.zero_grad(set_to_none=True)

    def judge(self, images, labels):
        """Mean loss and hits."""
        with torch.no_grad():
            logits = self.tested(images).float()
            return functional.cross_entropy(logits, labels), (logits.argmax(1) == labels).sum()

    def learn(self, images):
        """Makes the running statistics those of a batch."""
        with torch.no_grad():
            self.tested(images)

    def begin(self):
        """Says that the outputs of torch.compile's CUDA graphs are done with."""
        if self.start == "compile":
            torch.compiler.cudagraph_mark_step_begin()

    def training(self):
        self.begin()
        self.step_by(*next(self.trained_on))
        return self.batch

    def evaluation(self):
        """The mean loss and the hits of a batch, which nobody asks for."""
        self.begin()
        self.judge_by(*next(self.tested_on))
        return self.batch

    def points(self):
        """A point w + l u: weights, batch-norm statistics, two losses and hits, which are read at the end."""
        with torch.no_grad():
            moved = torch._foreach_add(self.centre, self.direction, alpha=next(self.offsets))
            torch._foreach_copy_(self.weights, moved)
            self.tested.train()
            self.update_statistics()
            self.tested.eval()
            torch.stack([value for batches in self.judged_on for value in self.judged(batches)]).tolist()
        return 1

    def update_statistics(self):
        """Batch-norm statistics as means over all batches, weighted by size: what momentum b/(n + b) gives."""
        seen = 0
        for images, _ in self.learnt_from:
            self.begin()
            (self.learn_by if self.whole(images) else self.learn)(images)
            seen += len(images)
            torch._foreach_lerp_(self.means, self.running, len(images) / seen)
        torch._foreach_copy_(self.running, self.means)

    def judged(self, batches):
        """Sum of losses and hits."""
        total, hits = (torch.zeros((), device=self.device) for _ in range(2))
        for images, labels in batches:
            self.begin()
            loss, correct = (self.judge_by if self.whole(images) else self.judge)(images, labels)
            total.add_(loss * len(labels))
            hits.add_(correct)
        return total, hits

    def whole(self, images):
        """A last, smaller batch would be compiled for itself, which it is not; recorded it is."""
        return self.start != "compile" or len(images) == self.point_batch

    def passes(self, what, count):
        """Makes so many passes and waits for the device: units of work, and seconds."""
        work = getattr(self, what)
        begin = time.perf_counter()
        units = sum(work() for _ in range(count))
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return units, time.perf_counter() - begin

    def prepare(self, what):
        """Everything that the first passes alone have to do."""
        if what not in self.prepared:
            self.tested.eval()
            count = WARM_UP[self.start]
            self.passes(what, math.ceil(count / 2) if what == "points" else count)
            self.free()
            self.prepared.add(what)

    def measure(self, what, seconds):
        """Units a second, the median over repetitions that take so many seconds together; a repetition has so many passes that
        it takes its share of them, as those of `valleys speed measure` have."""
        self.tested.eval()
        self.passes(what, 1)
        share, count = seconds / REPETITIONS, 1
        while (taken := self.passes(what, count)[1]) < share:
            count = min(max(math.ceil(1.1 * count * share / taken), count + 1), 8 * count)
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
            torch.cuda.empty_cache()
