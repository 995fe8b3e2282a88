"""The one-dimensional SGD of Theorem 2 here, in NumPy, in Numba and in JAX, on the CPU, as a Markdown table.

Run from anywhere on Linux, with an idle machine:

    python3 -m venv venv && venv/bin/pip install -r benches/peers/sim/requirements.txt
    venv/bin/python benches/peers/sim/compare.py [--cores 1 2] [--rounds 7] [--seconds 1] [--without-ours] [PEER ...]

All do w ← w − η(g(w) + νξ) with slope b at w ≥ 0 and −s at w < 0, ξ uniform on [−1, 1), for many chains, and keep for
each chain the sum of its iterates, the number of its rounds, and sum and step at the last round's start. Every round
measures all of them in turn, so that whatever else the machine does falls on all; the table gives medians over rounds,
their spread, and the median over rounds of the ratio of our reference to the other. Each runs in a process of its own,
tied to its cores, that compiles and warms up before the first round and repeats its work for some seconds a round.

Each must find the long-run mean η(s − b)/2 of the exact law (E) and b/(b + s) rounds a step, within five standard errors of
its own chains (all peers together miss by chance with probability below 2e-5); the script fails otherwise. Chains start
uniform on [0, η(b + s)), from where every later iterate has the stationary law.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

from peers import ETA, EXACT, FLAT, NU, PEERS, SHARP

ROOT = pathlib.Path(__file__).resolve().parents[3]
WORKER = str(pathlib.Path(__file__).resolve().parent / "peers.py")

STANDARD_ERRORS = 5


class Peer:
    """A worker process of one peer, tied to its cores."""

    def __init__(self, name, cores):
        self.name, self.title, self.type = name, *PEERS[name][:2]
        command = ["taskset", "-c", cpus(cores), sys.executable, WORKER, name, str(cores)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended with code {self.process.wait()}")
        return json.loads(line)

    def measure(self, seconds):
        print(seconds, file=self.process.stdin, flush=True)
        return {(self.title, self.type): self.answer()}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Ours:
    """This crate's benchmark binary. All that is known of its arguments and its output is here.

    It prints a line {"name": …, "type": "f64" or "f32", "steps_per_second": …} a case, and where it has them "mean" and
    "rounds", each [estimate, standard error], for the process above. The first line is the reference of the ratios.
    """

    def __init__(self, cores):
        self.command = ["taskset", "-c", cpus(cores), str(Ours.binary()), "--json", "--threads", str(cores)]

    @staticmethod
    def binary():
        command = ["cargo", "bench", "-p", "valleys-sim", "--bench", "steps", "--no-run", "--message-format=json"]
        built = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
        made = [json.loads(line) for line in built.splitlines() if '"executable":"' in line]
        return next(part["executable"] for part in made if part["target"]["name"] == "steps")

    def measure(self, seconds):
        command = [*self.command, "--seconds", str(seconds)]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        cases = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return {(f"ours, {case['name']}", case.get("type", "f64")): case for case in cases}

    def close(self):
        pass


def cpus(cores):
    """The first cores that this process may use, for taskset."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < cores:
        sys.exit(f"--cores {cores}: only {len(allowed)} may be used")
    return ",".join(map(str, allowed[:cores]))


def check(case, answer):
    """Raises an error where a result is farther from its exact value than chance allows; shows the mean."""
    for quantity, exact in EXACT.items():
        if quantity not in answer:
            return "not told"
        value, error = answer[quantity]
        if not abs(value - exact) <= STANDARD_ERRORS * error:
            sys.exit(f"{', '.join(case)}: {quantity} is {value} ± {error}; exact: {exact}")
    value, error = answer["mean"]
    return f"{value:.6f} ± {error:.6f}"


def compare(cores, options):
    """Measures all in turn for some rounds and prints the table of one number of cores."""
    runners = [] if options.without_ours else [Ours(cores)]
    runners += [Peer(name, cores) for name in options.peers]
    rounds = []
    for _ in range(options.rounds):
        answers = {}
        for runner in runners:
            answers |= runner.measure(options.seconds)
        rounds.append(answers)
    for runner in runners:
        runner.close()

    cases = list(rounds[0])
    reference = cases[0]
    print(f"\n{cores} core{'s' if cores > 1 else ''}, ratio of `{reference[0]}`, {reference[1]}, to each:\n")
    print("| | type | million steps a second (least to most) | ratio (least to most) | long-run mean |")
    print("|---|---|---|---|---|")
    rates = {case: [answers[case]["steps_per_second"] / 1e6 for answers in rounds] for case in cases}
    for case in cases:
        ratios = [ours / theirs for ours, theirs in zip(rates[reference], rates[case])]
        row = [*case, spread(rates[case], 0), spread(ratios, 2), check(case, rounds[-1][case])]
        print(f"| {' | '.join(row)} |", flush=True)
    return {case: statistics.median(rates[case]) for case in cases}


def spread(values, digits):
    low, median, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{median} ({low} to {high})"


def hardware():
    """The processor's name and the versions of all that is compared."""
    import importlib.metadata

    with open("/proc/cpuinfo", encoding="utf-8") as file:
        info = dict(line.split(":", 1) for line in file if ":" in line)
    fields = {key.strip(): value.strip() for key, value in info.items()}
    sets = [name for name in ("avx2", "avx512f") if name in fields.get("flags", "").split()]
    chip = f"{fields.get('model name', platform.machine())} (family {fields.get('cpu family')}, model {fields.get('model')})"
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "numba", "llvmlite", "jax", "jaxlib")]
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    lines = [f"{chip}, {os.cpu_count()} cores, {', '.join(sets) or 'no AVX2'}"]
    lines += [f"Python {platform.python_version()}, {', '.join(versions)}, {rust or 'no rustc'}"]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", nargs="*", default=list(PEERS), metavar="PEER", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each is measured in a round")
    parser.add_argument("--without-ours", action="store_true", help="ratios are to the first peer then")
    options = parser.parse_args()
    unknown = set(options.peers) - set(PEERS)
    if unknown:
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    print(hardware())
    print(f"η = {ETA}, b = {FLAT}, s = {SHARP}, ν = {NU}; exact long-run mean {EXACT['mean']:.6f}")
    print(f"{options.rounds} rounds of {options.seconds} s each")
    medians = {cores: compare(cores, options) for cores in options.cores}
    if len(medians) > 1:
        few, many = min(medians), max(medians)
        print(f"\nHow many times as fast on {many} cores as on {few}:\n")
        for case, rate in medians[many].items():
            if case in medians[few]:
                print(f"- {', '.join(case)}: {rate / medians[few][case]:.2f}")


if __name__ == "__main__":
    main()
