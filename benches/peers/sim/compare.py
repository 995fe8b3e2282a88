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
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]

ETA, FLAT, SHARP, NU = 0.1, 0.5, 1.5, 0.4
PERIOD = ETA * (FLAT + SHARP)
EXACT = {"mean": ETA * (SHARP - FLAT) / 2, "rounds": FLAT / (FLAT + SHARP)}
STANDARD_ERRORS = 5

# w' = w + UP[w < 0] − DOWN·u with u uniform on [0, 1).
FALL, RISE, DOWN = ETA * (NU - FLAT), ETA * (NU + SHARP), 2 * ETA * NU


def numpy_peer(cores, dtype):
    """Whole-array operations into preallocated arrays, SFC64, one thread a core."""
    import concurrent.futures

    import numpy as np

    chains, steps = 16384, 256
    dtype = np.dtype(dtype).type

    def chunk(generator):
        w = (PERIOD * generator.random(chains)).astype(dtype)
        u, jump = np.empty(chains, dtype), np.empty(chains, dtype)
        sums, last_sums = np.zeros(chains, dtype), np.zeros(chains, dtype)
        rounds, last_steps = np.zeros(chains, np.int32), np.zeros(chains, np.int32)
        negative, after = w < 0, np.empty(chains, bool)
        for step in range(steps):
            generator.random(out=u, dtype=dtype)
            np.multiply(u, dtype(-DOWN), out=u)
            # Faster than np.where.
            np.multiply(negative, dtype(RISE - FALL), out=jump)
            jump += dtype(FALL)
            w += jump
            w += u
            np.less(w, 0, out=after)
            negative &= ~after
            rounds += negative
            np.copyto(last_sums, sums, where=negative)
            np.copyto(last_steps, step, where=negative)
            sums += w
            negative, after = after, negative
        return sums, rounds

    pool = concurrent.futures.ThreadPoolExecutor(cores)
    generators = [np.random.Generator(seed) for seed in map(np.random.SFC64, np.random.SeedSequence(1).spawn(cores))]

    def run():
        parts = list(pool.map(chunk, generators))
        return steps, *(np.concatenate(part) for part in zip(*parts))

    return run


def numba_natural(cores, dtype):
    """One chain after the other with np.random, prange over chains."""
    import numba
    import numpy as np

    assert dtype == "float64"
    numba.set_num_threads(cores)
    chains, steps = 64 * cores, 100_000

    @numba.njit(parallel=True, fastmath=True)
    def simulate():
        sums, rounds, last_sums, last_steps = np.zeros(chains), np.zeros(chains), np.zeros(chains), np.zeros(chains)
        for chain in numba.prange(chains):
            w = PERIOD * np.random.random()
            total, count, last_sum, last_step = 0.0, 0, 0.0, 0
            for step in range(steps):
                negative = w < 0
                slope = -SHARP if negative else FLAT
                w -= ETA * (slope + NU * (2.0 * np.random.random() - 1.0))
                if negative and w >= 0:
                    count += 1
                    last_sum, last_step = total, step
                total += w
            sums[chain], rounds[chain], last_sums[chain], last_steps[chain] = total, count, last_sum, last_step
        return sums, rounds, last_sums, last_steps

    return lambda: (steps, *simulate()[:2])


def numba_lanes(cores, dtype):
    """The best Numba known: chains as lanes of small arrays, which LLVM makes vectors of, and xoshiro128+ written out.

    f32 sums go to f64 every 1024 steps; f64 has the same 32-bit noise as ours.
    """
    import numba
    import numpy as np
    from numba import float32, float64, int32, uint32

    numba.set_num_threads(cores)
    lanes, blocks, spans, span = 64, 4 * cores, 100, 1024
    array = np.dtype(dtype)
    # Below 2²⁴ a whole number fits both f32 and the signed conversion that every vector unit has.
    real, convert, scale = (float32, int32, 2**24) if dtype == "float32" else (float64, uint32, 2**32)
    unused = uint32(32 - scale.bit_length() + 1)
    zero, fall, rise, down = real(0), real(FALL), real(RISE), real(-DOWN / scale)

    @numba.njit(parallel=True, fastmath=True)
    def simulate(state, start):
        sums, rounds = np.zeros((blocks, lanes)), np.zeros((blocks, lanes))
        last_sums, last_steps = np.zeros((blocks, lanes)), np.zeros((blocks, lanes))
        for block in numba.prange(blocks):
            # Of arrays made here LLVM knows that they do not overlap; without that there are no vectors.
            s0, s1, s2, s3 = state[block, 0].copy(), state[block, 1].copy(), state[block, 2].copy(), state[block, 3].copy()
            w = start[block].copy()
            total, last_sum = np.zeros(lanes, array), np.zeros(lanes, array)
            count, last_step = np.zeros(lanes, np.int32), np.zeros(lanes, np.int32)
            long, long_last_sum, long_last_step = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
            seen = np.zeros(lanes, np.int32)
            for outer in range(spans):
                for step in range(span):
                    for lane in range(lanes):
                        a, b, c, d = s0[lane], s1[lane], s2[lane], s3[lane]
                        x = uint32(a + d)
                        t = uint32(b << uint32(9))
                        c, d = uint32(c ^ a), uint32(d ^ b)
                        b, a = uint32(b ^ c), uint32(a ^ d)
                        c, d = uint32(c ^ t), uint32(uint32(d << uint32(11)) | uint32(d >> uint32(21)))
                        s0[lane], s1[lane], s2[lane], s3[lane] = a, b, c, d
                        u = real(convert(x >> unused))
                        before = w[lane]
                        negative = before < zero
                        base = rise if negative else fall
                        after = before + (base + down * u)
                        up = negative & (after >= zero)
                        last_sum[lane] = total[lane] if up else last_sum[lane]
                        last_step[lane] = int32(step) if up else last_step[lane]
                        count[lane] = int32(count[lane] + up)
                        total[lane] += after
                        w[lane] = after
                for lane in range(lanes):
                    if count[lane] != seen[lane]:
                        long_last_sum[lane] = long[lane] + last_sum[lane]
                        long_last_step[lane] = outer * span + last_step[lane]
                        seen[lane] = count[lane]
                    long[lane] += total[lane]
                    total[lane] = zero
            state[block, 0], state[block, 1], state[block, 2], state[block, 3] = s0, s1, s2, s3
            sums[block], rounds[block] = long, count
            last_sums[block], last_steps[block] = long_last_sum, long_last_step
        return sums, rounds, last_sums, last_steps

    generator = np.random.default_rng(1)
    state = generator.integers(0, 2**32, (blocks, 4, lanes), dtype=np.uint32)

    def run():
        start = (PERIOD * generator.random((blocks, lanes))).astype(array)
        sums, rounds = simulate(state, start)[:2]
        return spans * span, sums.ravel(), rounds.ravel()

    return run


def jax_peer(cores, dtype, written_out):
    """lax.scan over steps, with threefry or with xoshiro128+ written out; one CPU device a core."""
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={cores}"
    if cores == 1:
        os.environ["XLA_FLAGS"] += " --xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import jax.numpy as jnp
    import numpy as np

    assert dtype == "float32"
    chains, steps = 16384, 512

    def threefry(key):
        key, now = jax.random.split(key)
        return key, jax.random.uniform(now, (chains,), jnp.float32)

    def xoshiro(state):
        a, b, c, d = state
        x, t = a + d, b << 9
        c, d = c ^ a, d ^ b
        b, a = b ^ c, a ^ d
        c, d = c ^ t, (d << 11) | (d >> 21)
        return (a, b, c, d), (x >> 8).astype(jnp.int32).astype(jnp.float32) * jnp.float32(2**-24)

    draw = xoshiro if written_out else threefry

    @jax.jit
    def simulate(state, w):
        def body(carry, step):
            state, w, total, last_sum, last_step, count = carry
            state, u = draw(state)
            negative = w < 0
            w = w + (jnp.where(negative, jnp.float32(RISE), jnp.float32(FALL)) - jnp.float32(DOWN) * u)
            up = negative & (w >= 0)
            last_sum, last_step = jnp.where(up, total, last_sum), jnp.where(up, step, last_step)
            return (state, w, total + w, last_sum, last_step, count + up), None

        zero, none = jnp.zeros(chains, jnp.float32), jnp.zeros(chains, jnp.int32)
        carry, _ = jax.lax.scan(body, (state, w, zero, zero, none, none), jnp.arange(steps, dtype=jnp.int32), unroll=8)
        return carry

    generator, devices = np.random.default_rng(1), jax.devices()
    assert len(devices) == cores

    def seeded(index):
        if written_out:
            return tuple(jnp.asarray(generator.integers(0, 2**32, chains, dtype=np.uint32)) for _ in range(4))
        return jax.random.key(index)

    states = [jax.device_put(seeded(index), device) for index, device in enumerate(devices)]

    def run():
        starts = [(PERIOD * generator.random(chains)).astype(np.float32) for _ in devices]
        carries = [simulate(state, jax.device_put(w, device)) for state, w, device in zip(states, starts, devices)]
        jax.block_until_ready(carries)
        for index, carry in enumerate(carries):
            states[index] = carry[0]
        return steps, *(np.concatenate([np.asarray(carry[i], np.float64) for carry in carries]) for i in (2, 5))

    return run


PEERS = {
    "numpy-f64": ("NumPy", "f64", lambda cores: numpy_peer(cores, "float64")),
    "numpy-f32": ("NumPy", "f32", lambda cores: numpy_peer(cores, "float32")),
    "numba-natural": ("Numba, np.random in a loop", "f64", lambda cores: numba_natural(cores, "float64")),
    "numba-lanes-f64": ("Numba, lanes, xoshiro128+", "f64", lambda cores: numba_lanes(cores, "float64")),
    "numba-lanes-f32": ("Numba, lanes, xoshiro128+", "f32", lambda cores: numba_lanes(cores, "float32")),
    "jax-threefry": ("JAX, scan, threefry", "f32", lambda cores: jax_peer(cores, "float32", False)),
    "jax-xoshiro": ("JAX, scan, xoshiro128+", "f32", lambda cores: jax_peer(cores, "float32", True)),
}


def work(name, cores):
    """A worker: warms up, then for each number of seconds on its input runs that long and answers with one line."""
    import numpy as np

    run = PEERS[name][2](cores)
    run()
    print(json.dumps({"ready": name}), flush=True)
    found = {"mean": [], "rounds": []}
    for line in sys.stdin:
        taken = done = 0
        while taken < float(line):
            begin = time.perf_counter()
            steps, sums, rounds = run()
            taken += time.perf_counter() - begin
            done += steps * len(sums)
            found["mean"].append(np.asarray(sums, np.float64) / steps)
            # The first step cannot end a sharp iterate: chains start at w ≥ 0.
            found["rounds"].append(np.asarray(rounds, np.float64) / (steps - 1))
        answer = {"steps_per_second": done / taken}
        for quantity, parts in found.items():
            values = np.concatenate(parts)
            answer[quantity] = [float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)]
        print(json.dumps(answer), flush=True)


class Peer:
    """A worker process of one peer, tied to its cores."""

    def __init__(self, name, cores):
        self.name, self.title, self.type = name, *PEERS[name][:2]
        command = ["taskset", "-c", cpus(cores), sys.executable, __file__, "--worker", name, "--cores", str(cores)]
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
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.peers) - set(PEERS)
    if unknown:
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    if options.worker:
        work(options.worker, options.cores[0])
        return
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
