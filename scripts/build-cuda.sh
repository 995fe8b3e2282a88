#!/usr/bin/env bash
# Builds target/release/valleys-cuda: the command with the CUDA backends. It also runs where there is no GPU.
#
#   scripts/build-cuda.sh [--arch 80,90] [--offline]
#   scripts/build-cuda.sh --toolkit [--offline]
#
#   --arch LIST   compute capabilities from 80 on to make machine code for (default 80,90); later GPUs compile it
#                 when they start
#   --toolkit     only print the path of nvcc
#   --offline     fetch nothing: fail if nvcc or a crate is not here yet
#
# nvcc is $NVCC, or the one on PATH. Where there is neither, NVIDIA's Python packages bring one: about 104 MB to fetch, 271 MB
# under $VALLEYS_CACHE (default ~/.cache/valleys). Needs Rust and g++, and for the packages python3 with pip.
set -euo pipefail

# CUDA 13.0: drivers from 580 on run its machine code.
packages="nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88
          nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85"
cache=${VALLEYS_CACHE:-$HOME/.cache/valleys}
toolkit=$cache/cuda-13.0

fail() { printf 'build-cuda: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p;}' "$0"; }

arch=80,90 only_toolkit=0 offline=0
while [ $# -gt 0 ]; do
  case $1 in
    --arch) [ $# -ge 2 ] || fail "--arch needs a list of capabilities such as 80,90"; arch=$2; shift ;;
    --arch=*) arch=${1#*=} ;;
    --toolkit) only_toolkit=1 ;;
    --offline) offline=1 ;;
    -h | --help) usage; exit 0 ;;
    *) fail "unknown argument $1; allowed: --arch LIST, --toolkit, --offline, --help" ;;
  esac
  shift
done
refused="--arch is $arch; allowed: capabilities from 80 on, such as 80,90"
[[ $arch =~ ^[0-9]+(,[0-9]+)*$ ]] || fail "$refused"
for capability in ${arch//,/ }; do
  [ "$capability" -ge 80 ] || fail "$refused"
done

# Fetches the packages into a folder beside the toolkit's, which it becomes when it is complete.
install_toolkit() {
  [ "$offline" = 0 ] || fail "no nvcc in \$NVCC, on PATH or in $toolkit, and --offline forbids to fetch it"
  command -v python3 >/dev/null || fail "no nvcc, and no python3 to fetch it with; install either"
  [ "$(uname -sm)" = "Linux x86_64" ] || fail "no nvcc, and its packages are for Linux on x86_64 alone; install CUDA"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/cuda.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  echo "build-cuda: fetching nvcc, about 104 MB" >&2
  # shellcheck disable=SC2086 # one word a package
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --dest "$work/wheels" $packages >&2 || fail "pip could not fetch nvcc's packages"
  for wheel in "$work"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$work/files"; done
  # Unpacking drops the permission to run.
  chmod +x "$work"/files/nvidia/cu13/bin/* "$work"/files/nvidia/cu13/nvvm/bin/*
  ln -s lib "$work/files/nvidia/cu13/lib64"
  # Somebody else may have been quicker; theirs is as good.
  mv -T "$work/files/nvidia/cu13" "$toolkit" 2>/dev/null || [ -x "$toolkit/bin/nvcc" ] ||
    fail "$toolkit is there but holds no nvcc; remove it"
}

if [ -n "${NVCC:-}" ]; then
  nvcc=$(command -v "$NVCC") || fail "NVCC is $NVCC, which does not run"
elif ! nvcc=$(command -v nvcc); then
  nvcc=$toolkit/bin/nvcc
  [ -x "$nvcc" ] || install_toolkit
fi
if [ "$only_toolkit" = 1 ]; then
  echo "$nvcc"
  exit 0
fi

cd "$(dirname "$0")/.."
command -v g++ >/dev/null || fail "no g++, which nvcc needs; install it"
flags=(--release --locked --features cuda)
[ "$offline" = 0 ] || flags+=(--offline)
NVCC=$nvcc VALLEYS_CUDA_ARCH=$arch cargo build "${flags[@]}" --bin valleys
release=${CARGO_TARGET_DIR:-target}/release
# Not over a program that may be running.
strip -o "$release/valleys-cuda.new" "$release/valleys"
mv "$release/valleys-cuda.new" "$release/valleys-cuda"
echo "$release/valleys-cuda: $(du -h "$release/valleys-cuda" | cut -f1), for capabilities $arch and later" >&2
