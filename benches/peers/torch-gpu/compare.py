"""The same networks here and in PyTorch on the same GPU, as a Markdown table.

Needs the program that scripts/build-cuda.sh makes, PyTorch and this repository's files; no Rust:

    python3 -m venv venv && venv/bin/pip install -r benches/peers/torch-gpu/requirements.txt
    venv/bin/python benches/peers/torch-gpu/compare.py --out rates.json [--minutes 9] [--networks resnet56 ...]
    venv/bin/python benches/peers/torch-gpu/compare.py --resume rates.json [the same options]

Every round measures our backends and PyTorch's modes in turn, so that whatever else the machine does falls on all of them:
images a second in training and in evaluation, and points of a landscape's line a second. The table gives medians over the
rounds, and the median, least and most of the ratio to PyTorch's best mode of equal precision in the same round. Rounds are
kept as they are finished; with --minutes the script stops in time, and --resume goes on.

PyTorch's modes: eager in single precision, with TF32 (also channels-last), and with autocast to bfloat16 in channels-last;
each also with torch.compile(mode="max-autotune"), which takes minutes a network before its first round: where the time of a call
is short, begin with --without-compile. cudnn.benchmark is on. A training step is
forward, loss, backward and fused SGD with momentum and weight decay. In PyTorch's favour its images lie ready on the GPU and
no loss is read in training and evaluation; ours makes and varies its images on the GPU within the step and reads every
image's loss. A point is taken as the paper's code takes it: weights set one by one, batch-norm statistics as cumulative
means with momentum b/(n + b), losses and hits read batch by batch, though without the data loader and without gradients;
ours takes there as many images at a time as suit it, whatever --batch. Ours is deterministic throughout, PyTorch's modes are not.

--device cpu tries the script where there is no GPU, against the backend `cpu`: a small network, --without-compile.
"""

import argparse
import datetime
import importlib.util
import json
import os
import pathlib
import select
import subprocess
import sys
import time

from peers import MODES, WHAT
from record import PRECISIONS, Record, Unfit

ROOT = pathlib.Path(__file__).resolve().parents[3]
WORKER = str(pathlib.Path(__file__).resolve().parent / "peers.py")
DEFAULT = ["resnet56", "resnet110", "resnet164", "vgg16-bn", "densenet100"]


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
    """Our backends: the program, begun anew for every round."""

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
        arguments = ["--backend", backend, "--networks", network, "--batch", options.batch, "--images", options.images]
        arguments += ["--device", self.device, "--seconds", options.seconds]
        threads = ["--threads", options.threads] if options.threads else []
        try:
            (told,) = [json.loads(line) for line in self.run("speed", "measure", *arguments, *threads).splitlines()]
        except ValueError as error:
            raise Failed(f"{self.program} speed measure: not one line of JSON") from error
        return {what: told[what]["median"] for what in WHAT if what in told}


class Peer:
    """A worker process of PyTorch for one network in one precision."""

    def __init__(self, clock, *arguments):
        self.clock = clock
        command = [sys.executable, WORKER, *map(str, arguments)]
        pipe = subprocess.PIPE
        # What libraries print goes nowhere; what fails is answered.
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)

    def ask(self, **request):
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


def compare(network, ours, backends, options, record):
    """Measures a network until it has all rounds."""
    if record.done(network) >= options.rounds:
        return
    clock, peers = ours.clock, {}
    record.failures.pop(network, None)
    try:
        modes = []
        for mode in options.modes:
            precision = MODES[mode][0]
            try:
                if precision not in peers:
                    arguments = (network, precision, options.device, options.batch, options.images, options.threads)
                    peers[precision] = Peer(clock, *arguments)
                note(f"{network}, {mode}: making ready")
                peers[precision].ask(mode=mode)
                modes.append(mode)
            except Failed as failed:
                note(f"{network}, {mode}: {failed}")
                record.fail(network, mode, str(failed))

        def theirs(mode):
            peer, kinds = peers[MODES[mode][0]], WHAT if options.images else WHAT[:2]
            return {what: peer.ask(mode=mode, what=what, seconds=options.seconds)["rate"] for what in kinds}

        turns = {backend: lambda it=backend: ours.measure(it, network, options) for backend in backends}
        turns |= {mode: lambda it=mode: theirs(it) for mode in modes}
        while record.done(network) < options.rounds:
            answers = {}
            for runner, turn in list(turns.items()):
                try:
                    answers[runner] = clock.timed((network, runner), turn)
                except Failed as failed:
                    note(f"{network}, {runner}: {failed}")
                    record.fail(network, runner, str(failed))
                    del turns[runner]
            if not answers:
                return
            record.add(network, answers)
            note(f"{network}: round {record.done(network)} of {options.rounds}")
    finally:
        for peer in peers.values():
            peer.close()


def note(text):
    print(text, file=sys.stderr, flush=True)


class Parser(argparse.ArgumentParser):
    """One that says what is wrong in one line."""

    def error(self, message):
        sys.exit(message)


def parsed():
    """The options, as far as they can be judged without the device."""
    parser = Parser(description=__doc__.splitlines()[0])
    program = ROOT / "target" / "release" / "valleys-cuda"
    parser.add_argument("--valleys", type=pathlib.Path, default=program, metavar="PATH", help="our program")
    parser.add_argument("--networks", nargs="+", default=DEFAULT, metavar="NAME")
    parser.add_argument("--batch", type=int, default=128, help="images in a batch")
    parser.add_argument("--images", type=int, default=2048, help="for each of a point's statistics, train and test loss; 0: no points")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each is measured in a round, at least")
    parser.add_argument("--modes", nargs="+", choices=MODES, metavar="MODE", help=f"of {', '.join(MODES)}")
    parser.add_argument("--without-compile", action="store_true", help="leave torch.compile out, which takes minutes")
    parser.add_argument("--device", default="cuda:0", help="cuda:N or cpu")
    parser.add_argument("--threads", type=int, default=0, help="of the processor, for both [default: as each of them likes]")
    parser.add_argument("--minutes", type=float, help="stop in time, with what there is")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE", help="keep numbers and table there; it must not exist yet")
    parser.add_argument("--resume", type=pathlib.Path, metavar="FILE", help="go on with a file that --out wrote")
    options = parser.parse_args()
    options.device = "cuda:0" if options.device == "cuda" else options.device
    kind, _, ordinal = options.device.partition(":")
    if options.device != "cpu" and not (kind == "cuda" and ordinal.isdecimal()):
        sys.exit(f"--device {options.device}; allowed: cpu, cuda:0, cuda:1, …")
    for name, value, least in (("batch", options.batch, 2), ("rounds", options.rounds, 1), ("threads", options.threads, 0)):
        if value < least:
            sys.exit(f"--{name} {value}; allowed: {least} or more")
    if options.images < 0 or options.images == 1:
        sys.exit(f"--images {options.images}; allowed: 0, or 2 or more")
    for name, value in (("seconds", options.seconds), ("minutes", options.minutes)):
        if value is not None and not 0 < value <= 3600:
            sys.exit(f"--{name} {value}; allowed: a number above 0 and up to 3600")
    without_tf32 = [mode for mode in MODES if options.device != "cpu" or MODES[mode][0] != "tf32"]
    refused = [mode for mode in options.modes or [] if mode not in without_tf32]
    if refused:
        sys.exit(f"--modes {refused[0]}: TF32 needs a GPU")
    options.modes = [mode for mode in options.modes or without_tf32 if not (options.without_compile and MODES[mode][2])]
    if not options.modes:
        sys.exit("--without-compile leaves none of the modes")
    if options.out and options.out != options.resume and options.out.exists():
        sys.exit(f"{options.out} exists already; --resume {options.out} goes on with it")
    return options


def described(ours, options):
    """Our backends that work, and what is to be known of both sides; ends the script where something is missing."""
    backends, missing = ours.backends()
    if not backends:
        raise Failed(missing[0] if missing else f"{ours.program} has no backend for {options.device}")
    for line in missing:
        note(f"left out: {line}")
    peer = Peer(ours.clock, "about", options.device)
    try:
        told = peer.answer()
    except Failed as failed:
        raise Failed(f"PyTorch in {sys.executable}: {failed}") from failed
    finally:
        peer.close()
    unknown = [network for network in options.networks if network not in told["networks"]]
    if unknown:
        raise Failed(f"--networks {unknown[0]}; allowed: {', '.join(told['networks'])}")
    about = {"date": datetime.date.today().isoformat(), "device": told["device"]}
    if options.device != "cpu":
        about |= {"driver": driver(), "PyTorch's CUDA": told["cuda"], "PyTorch's cuDNN": told["cudnn"]}
    about |= {"PyTorch": told["torch"], "Python": told["python"], "ours": ours.run("--version").strip()}
    return backends, about


def main():
    options = parsed()
    clock = Clock(options.minutes)
    ours = Ours(options.valleys, options.device, clock)
    settings = {"batch": options.batch, "images of a point": options.images, "seconds": options.seconds}
    settings |= {"threads": options.threads or "as each likes"}
    try:
        backends, about = described(ours, options)
        if options.resume:
            record = Record.resumed(options.resume, settings, about, options.out or options.resume)
        else:
            record = Record(settings, about, options.out)
    except (Failed, Unfit) as error:
        sys.exit(str(error))
    except OutOfTime:
        sys.exit(f"--minutes {options.minutes} are over before anything was measured")
    try:
        for network in options.networks:
            compare(network, ours, backends, options, record)
    except OutOfTime:
        note(f"the {options.minutes} minutes are over; --resume goes on from the last whole round")
    except KeyboardInterrupt:
        note("stopped; --resume goes on from the last whole round")
    record.keep()
    print(record.table(), end="")


if __name__ == "__main__":
    main()
