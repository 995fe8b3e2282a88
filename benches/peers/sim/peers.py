"""The peers of compare.py: one function each that returns a function to run, and the worker process that runs it.

A run simulates fresh chains of the process that compare.py describes, and returns their number of steps, their sums and
their numbers of rounds. `python peers.py NAME CORES` warms up; then for each line on its input it runs for so many seconds
and answers with a line of JSON.
"""

import json
import os
import sys
import time

ETA, FLAT, SHARP, NU = 0.1, 0.5, 1.5, 0.4
PERIOD = ETA * (FLAT + SHARP)
EXACT = {"mean": ETA * (SHARP - FLAT) / 2, "rounds": FLAT / (FLAT + SHARP)}

# w' = w + (RISE if w < 0 else FALL) − DOWN·u with u uniform on [0, 1).
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


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
