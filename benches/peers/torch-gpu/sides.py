"""The two sides of a comparison, each in processes of its own, and the time that both have."""

import importlib.util
import json
import os
import pathlib
import select
import subprocess
import sys
import time

from modes import WHAT
from record import PRECISIONS

WORKER = str(pathlib.Path(__file__).resolve().parent / "peers.py")


class OutOfTime(Exception):
    """--minutes are over."""


class Failed(Exception):
    """A measurement that could not be made, in one line."""


class Clock:
    """What is left of the minutes that the whole may take."""

    def __init__(self, minutes):
        self.end = time.monotonic() + 60 * minutes if minutes else None
        self.took = {}

    def left(self):
        return None if self.end is None else max(0.0, self.end - time.monotonic())

    def timed(self, what, work):
        """Does something, unless it took longer the last time than is left."""
        if self.end is not None and self.left() <= self.took.get(what, 0.0):
            raise OutOfTime
        begin = time.monotonic()
        result = work()
        self.took[what] = time.monotonic() - begin
        return result


class Ours:
    """Our backends: the program, begun anew for every turn."""

    def __init__(self, program, device, clock):
        self.program, self.device, self.clock = str(program), device, clock
        self.environment = {**os.environ, "LD_LIBRARY_PATH": libraries()}

    def run(self, *arguments):
        """What the program writes to standard output."""
        command = [self.program, *map(str, arguments)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, env=self.environment, timeout=self.clock.left(), check=False
            )
        except subprocess.TimeoutExpired as error:
            raise OutOfTime from error
        except OSError as error:
            raise Failed(f"{self.program}: {error.strerror}") from error
        if done.returncode:
            said = (done.stderr.strip() or f"code {done.returncode}").splitlines()[0]
            raise Failed(f"{self.program} {arguments[0]}: {said}")
        return done.stdout

    def backends(self):
        """Those that work on the device, and a line about each of the others that would."""
        try:
            known = [json.loads(line) for line in self.run("speed", "backends").splitlines()]
        except ValueError as error:
            raise Failed(f"{self.program} speed backends: no lines of JSON") from error
        kind = self.device.split(":")[0]
        known = [it for it in known if it["backend"] in PRECISIONS and it["backend"].split("-")[0] == kind]
        return [it["backend"] for it in known if it["works"]], [it["about"] for it in known if not it["works"]]

    def measure(self, backend, network, options):
        """Pairs of what was done and its rate."""
        arguments = ["--backend", backend, "--networks", network, "--batch", options.batch, "--images", options.images]
        arguments += ["--device", self.device, "--seconds", options.seconds, "--points-in-flight", options.points_in_flight]
        arguments += ["--threads", options.threads] if options.threads else []
        said = self.clock.timed((network, backend), lambda: self.run("speed", "measure", *arguments))
        try:
            (told,) = [json.loads(line) for line in said.splitlines()]
        except ValueError as error:
            raise Failed(f"{self.program} speed measure: not one line of JSON") from error
        return [(what, told[what]["median"]) for what in WHAT if what in told]


class Peer:
    """A worker process of PyTorch for one precision."""

    def __init__(self, precision, options, clock):
        self.clock = clock
        told = {"precision": precision, "compile_mode": options.compile_mode}
        told |= {key: getattr(options, key) for key in ("device", "batch", "point_batch", "images", "threads")}
        environment, pipe = dict(os.environ), subprocess.PIPE
        log = subprocess.DEVNULL
        if options.kept:
            # Beside the numbers, so that what was compiled is found by whoever goes on with them.
            environment.setdefault("TORCHINDUCTOR_CACHE_DIR", str(options.kept.absolute().with_suffix(".inductor")))
            log = open(options.kept.with_suffix(".log"), "a", encoding="utf-8")
        try:
            command = [sys.executable, WORKER, json.dumps(told)]
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, env=environment)
        finally:
            if options.kept:
                log.close()
        self.told = None

    def about(self):
        """What it tells of itself when it is ready."""
        self.told = self.told or self.answer()
        return self.told

    def measure(self, network, mode, what, seconds):
        """A rate; what has to be made ready for it is not timed."""
        self.about()
        request = {"network": network, "mode": mode, "what": what}
        self.ask(request)
        return self.clock.timed((network, mode, what), lambda: self.ask({**request, "seconds": seconds}))["rate"]

    def ask(self, request):
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
        except OSError:
            pass  # It has ended, which its missing answer tells.
        return self.answer()

    def answer(self):
        if not select.select([self.process.stdout], [], [], self.clock.left())[0]:
            raise OutOfTime
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"PyTorch's process ended with code {self.process.wait()}")
        told = json.loads(line)
        if "error" in told:
            raise Failed(told["error"])
        return told

    def close(self):
        self.process.kill()
        self.process.wait()


class Peers:
    """Workers by precision; all begin at once, and one that failed begins anew when it is needed again."""

    def __init__(self, precisions, options, clock):
        self.options, self.clock = options, clock
        self.running = {precision: Peer(precision, options, clock) for precision in precisions}

    def about(self):
        """What they tell of themselves, when all are ready."""
        return [peer.about() for peer in self.running.values()][0]

    def measure(self, precision, network, mode, kinds):
        """Pairs of what was done and its rate, each as soon as it is known."""
        if precision not in self.running:
            self.running[precision] = Peer(precision, self.options, self.clock)
        try:
            for what in kinds:
                yield what, self.running[precision].measure(network, mode, what, self.options.seconds)
        except Failed:
            # A GPU's failure may stay with its process.
            self.running.pop(precision).close()
            raise

    def close(self):
        for peer in self.running.values():
            peer.close()


def libraries():
    """LD_LIBRARY_PATH with the folders where PyTorch's packages bring cuDNN and CUDA's own libraries."""
    found = importlib.util.find_spec("nvidia")
    places = list(found.submodule_search_locations or []) if found else []
    folders = [str(folder) for place in places for folder in sorted(pathlib.Path(place).glob("*/lib"))]
    return ":".join([*folders, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])


def driver():
    """The version of NVIDIA's driver."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.splitlines()[0].strip()
