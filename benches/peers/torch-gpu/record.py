"""What compare.py has measured: a file that grows number by number, and the tables that are made of it."""

import json
import os
import pathlib
import statistics

from modes import MODES, WHAT

# The precision of each of our backends; others are not compared.
PRECISIONS = {"cpu": "f32", "cuda": "f32", "cuda-tf32": "tf32", "cuda-bf16": "bf16"}

UNITS = {"training": "training, images/s", "evaluation": "evaluation, images/s", "points": "landscape, points/s"}


class Unfit(Exception):
    """A file that cannot be gone on with, in one line."""


class Record:
    """Rates by network, round, runner and what was done; a runner is one of our backends or of PyTorch's modes."""

    def __init__(self, settings, about, path=None):
        self.settings, self.about, self.path = settings, about, path
        self.rounds, self.failures = {}, {}

    @classmethod
    def resumed(cls, source, settings, about, path):
        """What a file holds, if it was measured with the same settings on the same machine; kept at `path` from now on."""
        try:
            told = json.loads(pathlib.Path(source).read_text(encoding="utf-8"))
            rounds, failures = told["rounds"], told["failures"]
            before = {**told["settings"], **told["about"]}
        except OSError as error:
            raise Unfit(f"{source}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise Unfit(f"{source} is no file that --out wrote") from error
        for key, now in {**settings, **about}.items():
            if key != "date" and before.get(key) != now:
                raise Unfit(f"{source} was measured with {key} {shown(before.get(key))}, which is {shown(now)} now")
        record = cls(settings, {**about, "date": before.get("date", about["date"])}, path)
        record.rounds, record.failures = rounds, failures
        return record

    def done(self, network, runners, kinds):
        """How many rounds of a network have all of these runners' numbers."""
        return sum(
            all(kind in answers.get(runner, {}) for runner in runners for kind in kinds)
            for answers in self.rounds.get(network, [])
        )

    def begun(self, network):
        """The number of a new round, which is there as soon as it has a rate."""
        return len(self.rounds.get(network, []))

    def add(self, network, number, runner, what, rate):
        rounds = self.rounds.setdefault(network, [])
        if number == len(rounds):
            rounds.append({})
        rounds[number].setdefault(runner, {})[what] = rate
        self.failures.get(network, {}).pop(runner, None)
        self.keep()

    def fail(self, network, runner, reason):
        self.failures.setdefault(network, {})[runner] = reason
        self.keep()

    def keep(self):
        """Writes the file anew, whole or not at all."""
        if self.path is None:
            return
        told = {"settings": self.settings, "about": self.about, "rounds": self.rounds, "failures": self.failures}
        path = pathlib.Path(self.path)
        new = path.with_name(path.name + ".new")
        with open(new, "w", encoding="utf-8") as file:
            json.dump({**told, "table": self.table()}, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)

    def rates(self, network, runner, what):
        """By round, as far as there are any."""
        answers = (answers.get(runner, {}).get(what) for answers in self.rounds.get(network, []))
        return [rate for rate in answers if rate is not None]

    def table(self):
        """Everything for a page, in Markdown."""
        lines = [f"- {key}: {shown(value)}" for key, value in {**self.about, **self.settings}.items()]
        lines += ["", "| network | | ours | a second | PyTorch's best mode | a second | ratio (least to most) | rounds |"]
        lines += ["|---|---|---|---|---|---|---|---|"]
        lines += [row(cells) for network in self.rounds for cells in self.ratios(network)]
        lines += ["", "All medians, and of how many rounds:", "", "| network | | " + " | ".join(self.runners()) + " |"]
        lines += ["|---|---|" + "---|" * len(self.runners())]
        lines += [row(cells) for network in self.rounds for cells in self.medians(network)]
        for network in {**self.rounds, **self.failures}:
            failures = self.failures.get(network, {})
            lines += ["", *(f"{network}, {runner} failed: {reason}" for runner, reason in failures.items())] if failures else []
            asked = [*self.settings["backends"], *self.settings["modes"]]
            seen = {runner for answers in self.rounds.get(network, []) for runner in answers}
            missing = [runner for runner in asked if runner not in seen and runner not in failures]
            lines += ["", f"{network}, not measured yet: {', '.join(missing)}"] if missing else []
        return "\n".join(lines) + "\n"

    def runners(self):
        """All that have answered, ours first."""
        seen = {runner for rounds in self.rounds.values() for answers in rounds for runner in answers}
        return [runner for runner in (*PRECISIONS, *MODES) if runner in seen]

    def ratios(self, network):
        """A row for each of our backends and what was done: beside PyTorch's best mode of equal precision. Rounds count in which
        it and all of these modes were measured, as far as they ever were."""
        for what in WHAT:
            for ours, precision in PRECISIONS.items():
                peers = [mode for mode in MODES if MODES[mode][0] == precision and self.rates(network, mode, what)]
                whole = [
                    answers
                    for answers in self.rounds[network]
                    if all(what in answers.get(runner, {}) for runner in (ours, *peers))
                ]
                if not peers or not whole:
                    continue

                def median(runner):
                    return statistics.median(answers[runner][what] for answers in whole)

                best = max(peers, key=median)
                ratios = [answers[ours][what] / max(answers[mode][what] for mode in peers) for answers in whole]
                spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
                mine, theirs = number(median(ours)), number(median(best))
                yield [network, UNITS[what], ours, mine, best, theirs, spread, str(len(ratios))]

    def medians(self, network):
        for what in WHAT:
            rates = [self.rates(network, runner, what) for runner in self.runners()]
            if any(rates):
                cells = (f"{number(statistics.median(rate))}, n = {len(rate)}" if rate else "" for rate in rates)
                yield [network, UNITS[what], *cells]


def shown(value):
    return ", ".join(value) if isinstance(value, list) else value


def row(cells):
    return f"| {' | '.join(cells)} |"


def number(rate):
    """Three digits at least."""
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"
