"""What compare.py has measured: a file that grows round by round, and the tables that are made of it."""

import json
import os
import pathlib
import statistics

from peers import MODES, WHAT

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
                raise Unfit(f"{source} was measured with {key} {before.get(key)}, which is {now} now")
        record = cls(settings, {**about, "date": before.get("date", about["date"])}, path)
        record.rounds, record.failures = rounds, failures
        return record

    def done(self, network):
        """How many rounds there are of a network."""
        return len(self.rounds.get(network, []))

    def add(self, network, answers):
        self.rounds.setdefault(network, []).append(answers)
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
        lines = [f"{key}: {value}" for key, value in {**self.about, **self.settings}.items()]
        lines = ["- " + line for line in lines]
        lines += ["", "| network | | ours | a second | PyTorch's best mode | a second | ratio (least to most) | rounds |"]
        lines += ["|---|---|---|---|---|---|---|---|"]
        lines += [row(cells) for network in self.rounds for cells in self.ratios(network)]
        lines += ["", "All medians:", "", "| network | | " + " | ".join(self.runners()) + " |"]
        lines += ["|---|---|" + "---|" * len(self.runners())]
        lines += [row(cells) for network in self.rounds for cells in self.medians(network)]
        for network, failures in self.failures.items():
            lines += ["", *(f"{network}, {runner} failed: {reason}" for runner, reason in failures.items())]
        return "\n".join(lines) + "\n"

    def runners(self):
        """All that have answered, ours first."""
        seen = {runner for rounds in self.rounds.values() for answers in rounds for runner in answers}
        return [runner for runner in (*PRECISIONS, *MODES) if runner in seen]

    def ratios(self, network):
        """A row for each of our backends and what was done: beside PyTorch's best mode of equal precision."""
        for what in WHAT:
            for ours, precision in PRECISIONS.items():
                peers = [mode for mode in MODES if MODES[mode][0] == precision and self.rates(network, mode, what)]
                if not peers or not self.rates(network, ours, what):
                    continue
                best = max(peers, key=lambda mode: statistics.median(self.rates(network, mode, what)))
                ratios = []
                for answers in self.rounds[network]:
                    theirs = [answers[mode][what] for mode in peers if what in answers.get(mode, {})]
                    if theirs and what in answers.get(ours, {}):
                        ratios.append(answers[ours][what] / max(theirs))
                if not ratios:
                    continue
                spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
                mine, theirs = (number(statistics.median(self.rates(network, it, what))) for it in (ours, best))
                yield [network, UNITS[what], ours, mine, best, theirs, spread, str(len(ratios))]

    def medians(self, network):
        for what in WHAT:
            rates = [self.rates(network, runner, what) for runner in self.runners()]
            if any(rates):
                yield [network, UNITS[what], *(number(statistics.median(rate)) if rate else "" for rate in rates)]


def row(cells):
    return f"| {' | '.join(cells)} |"


def number(rate):
    """Three digits at least."""
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"
