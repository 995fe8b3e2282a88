"""What compare.py can be asked for."""

import argparse
import pathlib
import sys

from modes import COMPILE_MODES, MODES

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEFAULT = ["resnet56", "resnet110", "resnet164", "vgg16-bn", "densenet100"]


class Parser(argparse.ArgumentParser):
    """One that says what is wrong in one line."""

    def error(self, message):
        sys.exit(message)


def parsed(about):
    """The options, as far as they can be judged without the device."""
    parser = Parser(description=about)
    program = ROOT / "target" / "release" / "valleys-cuda"
    parser.add_argument("--valleys", type=pathlib.Path, default=program, metavar="PATH", help="our program")
    parser.add_argument("--networks", nargs="+", default=DEFAULT, metavar="NAME")
    parser.add_argument("--batch", type=int, default=128, help="images in a batch of training and of evaluation")
    parser.add_argument("--images", type=int, default=2048, help="for each of a point's statistics, train and test loss; 0: no points")
    parser.add_argument("--point-batch", type=int, default=128, help="images in a batch of PyTorch's points; ours choose theirs")
    parser.add_argument("--points-in-flight", type=int, default=1, help="points of ours that are measured at a time, 1 to 16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each is measured in a round, at least")
    parser.add_argument("--modes", nargs="+", choices=MODES, metavar="MODE", help=f"of {', '.join(MODES)}")
    parser.add_argument("--without-compile", action="store_true", help="leave torch.compile out, which takes minutes")
    parser.add_argument("--compile-mode", choices=COMPILE_MODES, default=COMPILE_MODES[0], help="of torch.compile")
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
    for name, least in (("batch", 2), ("point_batch", 2), ("rounds", 1), ("threads", 0)):
        if getattr(options, name) < least:
            sys.exit(f"--{name.replace('_', '-')} {getattr(options, name)}; allowed: {least} or more")
    if not 1 <= options.points_in_flight <= 16:
        sys.exit(f"--points-in-flight {options.points_in_flight}; allowed: 1 to 16")
    if options.images < 0 or options.images == 1:
        sys.exit(f"--images {options.images}; allowed: 0, or 2 or more")
    for name, value in (("seconds", options.seconds), ("minutes", options.minutes)):
        if value is not None and not 0 < value <= 3600:
            sys.exit(f"--{name} {value}; allowed: a number above 0 and up to 3600")
    possible = [mode for mode in MODES if options.device != "cpu" or (MODES[mode][0] != "tf32" and MODES[mode][2] != "graph")]
    refused = [mode for mode in options.modes or [] if mode not in possible]
    if refused:
        sys.exit(f"--modes {refused[0]}: TF32 and CUDA graphs need a GPU")
    chosen = options.modes or possible
    options.modes = [mode for mode in possible if mode in chosen and not (options.without_compile and MODES[mode][2] == "compile")]
    if not options.modes:
        sys.exit("--without-compile leaves none of the modes")
    options.kept = options.out or options.resume
    if options.out and options.out != options.resume and options.out.exists():
        sys.exit(f"{options.out} exists already; --resume {options.out} goes on with it")
    if options.kept and not options.kept.absolute().parent.is_dir():
        sys.exit(f"{options.kept}: there is no such folder")
    return options
