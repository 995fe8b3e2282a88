"""The same networks here and in PyTorch on the same GPU, as a Markdown table.

Needs the program that scripts/build-cuda.sh makes, PyTorch and this repository's files; no Rust:

    python3 -m venv venv && venv/bin/pip install -r benches/peers/torch-gpu/requirements.txt
    venv/bin/python benches/peers/torch-gpu/compare.py --out rates.json [--minutes 9] [--networks resnet56 ...]
    venv/bin/python benches/peers/torch-gpu/compare.py --resume rates.json [the same options]

Every round measures our backends and PyTorch's modes in turn, so that whatever else the machine does falls on all of them:
images a second in training and in evaluation, and points of a landscape's line a second. The table gives medians over the
rounds, and the median, least and most of the ratio to PyTorch's best mode of equal precision in the same round. Every number is
kept as soon as it is known; with --minutes the script stops in time, in the middle of a round if need be, and --resume goes on
with a new one and tries again what failed. Beside FILE.json lie FILE.log, what PyTorch's libraries print, and FILE.inductor,
what torch.compile made, so that it is made once.

PyTorch's modes: eager in single precision, with TF32 (also channels-last), and with autocast to bfloat16 in channels-last; each
also with whole passes recorded as CUDA graphs, and with torch.compile(mode=--compile-mode), which takes minutes a network:
`max-autotune` tries kernels for every matrix product and every convolution on the way there and records CUDA graphs,
`reduce-overhead` records without trying; convolutions on the way back are cuDNN's in all modes, with cudnn.benchmark. Where the
time of a call is short, begin with --without-compile. A mode is made ready in its first turn. A training step is forward, loss,
backward and fused SGD with momentum and weight decay; a compiled one compiles all but SGD, a recorded one records all and copies
its images in. In evaluation and along a line, weights in bfloat16 are rounded once, not for every batch; batch norm stays in
single precision.

In PyTorch's favour its images lie ready on the GPU and no loss is read in training and evaluation; ours makes and varies its
images on the GPU within the step and reads every image's loss. A point sets the weights w + l u, takes batch-norm statistics as
the paper's code does, as means over batches in training mode, then two losses and hits; PyTorch's statistics and losses are
added up on the GPU and read once a point. Its batches have --point-batch images (the paper's code: 128); ours takes as many at a
time as suit it, and measures --points-in-flight points at a time, each in streams of its own. Ours is deterministic throughout, PyTorch's modes are not.

--device cpu tries the script where there is no GPU, against the backend `cpu`: a small network, --without-compile.
"""

import datetime
import sys

from modes import MODES, WHAT
from options import parsed
from record import PRECISIONS, Record, Unfit
from sides import Clock, Failed, OutOfTime, Ours, Peers, driver


def compare(network, ours, backends, peers, options, record):
    """Measures a network until it has all rounds."""
    kinds = WHAT if options.images else WHAT[:2]
    turns = {backend: lambda it=backend: ours.measure(it, network, options) for backend in backends}
    turns |= {mode: lambda it=mode: peers.measure(MODES[it][0], network, it, kinds) for mode in options.modes}
    # What will be divided by one another is measured close together, but first what may fail again.
    failed_before = record.failures.get(network, {})
    order = sorted(turns, key=lambda runner: (runner not in failed_before, precision(runner)))
    left = {runner: turns[runner] for runner in order}
    while left and record.done(network, left, kinds) < options.rounds:
        number = record.begun(network)
        for runner, turn in list(left.items()):
            note(f"{network}, round {number + 1}: {runner}")
            try:
                for what, rate in turn():
                    record.add(network, number, runner, what, rate)
            except Failed as failed:
                note(f"{network}, {runner}: {failed}")
                record.fail(network, runner, str(failed))
                del left[runner]
                if left and record.done(network, left, kinds) >= options.rounds:
                    break


def precision(runner):
    """Its place among the precisions."""
    return list(PRECISIONS.values()).index(PRECISIONS.get(runner) or MODES[runner][0])


def note(text):
    print(text, file=sys.stderr, flush=True)


def described(ours, peers, options):
    """Our backends that work, and what is to be known of both sides; says what is missing."""
    backends, missing = ours.backends()
    if not backends:
        raise Failed(missing[0] if missing else f"{ours.program} has no backend for {options.device}")
    for line in missing:
        note(f"left out: {line}")
    try:
        told = peers.about()
    except Failed as failed:
        raise Failed(f"PyTorch in {sys.executable}: {failed}") from failed
    unknown = [network for network in options.networks if network not in told["networks"]]
    if unknown:
        raise Failed(f"--networks {unknown[0]}; allowed: {', '.join(told['networks'])}")
    about = {"date": datetime.date.today().isoformat(), "device": told["device"]}
    if options.device != "cpu":
        about |= {"driver": driver(), "PyTorch's CUDA": told["cuda"], "PyTorch's cuDNN": told["cudnn"]}
    about |= {"PyTorch": told["torch"], "Python": told["python"], "ours": ours.run("--version").strip()}
    return backends, about


def settings_of(options, backends):
    """What must be the same to go on with."""
    settings = {"batch": options.batch, "images of a point": options.images, "seconds": options.seconds}
    if options.images:
        settings["batch of PyTorch's points"] = options.point_batch
        settings["points of ours in flight"] = options.points_in_flight
    settings |= {"threads": options.threads or "as each likes", "backends": backends, "modes": options.modes}
    if any(MODES[mode][2] == "compile" for mode in options.modes):
        settings["torch.compile"] = options.compile_mode if options.device != "cpu" else "default"
    return settings


def main():
    options = parsed(__doc__.splitlines()[0])
    clock = Clock(options.minutes)
    ours = Ours(options.valleys, options.device, clock)
    peers = Peers(dict.fromkeys(MODES[mode][0] for mode in options.modes), options, clock)
    try:
        run(options, clock, ours, peers)
    finally:
        peers.close()


def run(options, clock, ours, peers):
    try:
        backends, about = described(ours, peers, options)
        settings = settings_of(options, backends)
        if options.resume:
            record = Record.resumed(options.resume, settings, about, options.kept)
        else:
            record = Record(settings, about, options.kept)
    except (Failed, Unfit) as error:
        sys.exit(str(error))
    except OutOfTime:
        sys.exit(f"--minutes {options.minutes} are over before anything was measured")
    try:
        for network in options.networks:
            compare(network, ours, backends, peers, options, record)
    except OutOfTime:
        note(f"the {options.minutes} minutes are over; --resume goes on")
    except KeyboardInterrupt:
        note("stopped; --resume goes on")
    record.keep()
    print(record.table(), end="")


if __name__ == "__main__":
    main()
