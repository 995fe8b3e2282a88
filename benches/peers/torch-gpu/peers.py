"""PyTorch's side of compare.py: a worker process for one precision, whose switches are the process's.

`python peers.py OPTIONS`, an object in JSON with precision, device, batch, point_batch, images, threads and compile_mode, first
tells versions in a line of JSON, then answers requests, a line of JSON each, with a line of JSON: {"network": …, "mode": …,
"what": "training"} makes that ready, which may take minutes where it compiles; with "seconds" beside it, it is measured. What
fails is answered with {"error": …}; where, standard error says.
"""

import gc
import json
import os
import pathlib
import platform
import sys
import traceback

NETWORKS = pathlib.Path(__file__).resolve().parents[3] / "harness" / "tests" / "pytorch"


class Worker:
    """Answers requests; it keeps what is ready of one network."""

    def __init__(self, precision, device, batch, point_batch, images, threads, compile_mode):
        import torch
        from networks import networks

        self.torch, self.networks, self.device = torch, networks(), device
        self.sizes = (batch, point_batch, images, compile_mode)
        self.network, self.benches = None, {}
        if threads:
            torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        if hasattr(torch.backends.cudnn, "fp32_precision"):
            # The newer switch, which the convolutions that torch.compile writes itself look at.
            torch.backends.cudnn.fp32_precision = "tf32" if precision == "tf32" else "ieee"

    def about(self):
        """Versions, the device's name and the networks that are known, after a first step that loads what any step needs."""
        torch = self.torch
        told = {"python": platform.python_version(), "torch": torch.__version__, "networks": list(self.networks)}
        if self.device == "cpu":
            told["device"] = "the processor"
        else:
            if not torch.cuda.is_available():
                raise RuntimeError(f"PyTorch {torch.__version__} finds no CUDA device")
            # Streams and recordings go to this one.
            torch.cuda.set_device(self.device)
            told |= {"device": torch.cuda.get_device_name(self.device), "cuda": torch.version.cuda}
            told["cudnn"] = torch.backends.cudnn.version()
        layers = torch.nn.Conv2d(3, 8, 3), torch.nn.Flatten(), torch.nn.Linear(7200, 10)
        model = torch.nn.Sequential(*layers).to(self.device)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.0)
        model(torch.zeros(2, 3, 32, 32, device=self.device)).sum().backward()
        optimiser.step()
        if self.device != "cpu":
            torch.cuda.synchronize()
        return told

    def answer(self, request):
        from bench import Bench

        name, mode, what = request["network"], request["mode"], request["what"]
        if name != self.network:
            self.forget()
            self.network = name
        if mode not in self.benches:
            self.benches[mode] = Bench(self.networks[name](10), mode, self.device, *self.sizes)
        bench = self.benches[mode]
        bench.prepare(what)
        return {"rate": bench.measure(what, request["seconds"])} if "seconds" in request else {}

    def forget(self):
        """Makes room for another network."""
        if self.benches:
            self.benches.clear()
            self.torch.compiler.reset()
            gc.collect()
            if self.device != "cpu":
                self.torch.cuda.empty_cache()


def one_line(error):
    """What went wrong, in one line."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {text}"[:300]


def main():
    # Answers alone go to standard output; whatever a library prints goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, str(NETWORKS))

    def tried(ask, *arguments):
        try:
            told = ask(*arguments)
        except Exception as error:  # Whatever fails is told; whether to go on is the asker's business.
            traceback.print_exc()
            told = {"error": one_line(error)}
        print(json.dumps(told), file=answers, flush=True)

    def begun():
        nonlocal worker
        worker = Worker(**json.loads(sys.argv[1]))
        return worker.about()

    worker = None
    tried(begun)
    for line in sys.stdin:
        tried(worker.answer, json.loads(line))


if __name__ == "__main__":
    main()
