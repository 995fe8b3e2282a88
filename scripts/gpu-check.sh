#!/usr/bin/env bash
# Tries the CUDA backends on a machine with an NVIDIA GPU. Needs the program alone, no Rust.
#
#   scripts/gpu-check.sh BINARY OUT [--quick]
#
#   BINARY    the program that scripts/build-cuda.sh built
#   OUT       a folder for logs, runs and summary.txt; it must not exist yet
#   --quick   three networks and short steps, some minutes; else every network
#
# cuDNN is looked for where the system's linker looks, and where PyTorch's packages put it. Exits with 1 if a step failed;
# the others are run all the same.
set -uo pipefail

fail() { printf 'gpu-check: %s\n' "$*" >&2; exit 2; }
[ $# -ge 2 ] || fail "usage: scripts/gpu-check.sh BINARY OUT [--quick]"
valleys=$(readlink -f "$1") || fail "$1 does not exist"
[ -x "$valleys" ] || fail "$1 is no program"
out=$2
[ ! -e "$out" ] || fail "$out exists already"
networks=() batch=128
case ${3:-} in
  '') ;;
  --quick) networks=(--networks "resnet20,vgg16-bn,densenet40") batch=64 ;;
  *) fail "unknown argument $3; allowed: --quick" ;;
esac
mkdir -p "$out" || fail "$out cannot be made"
out=$(readlink -f "$out")

# PyTorch's packages: nvidia/cudnn/lib and, by CUDA's version, nvidia/cu13/lib or nvidia/cuda_runtime/lib and others.
packages=$(python3 -c 'import nvidia; print(list(nvidia.__path__)[0])' 2>/dev/null) || packages=
if [ -n "$packages" ]; then
  for folder in "$packages"/*/lib; do
    [ ! -d "$folder" ] || LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder
  done
  export LD_LIBRARY_PATH
fi

# Where cuDNN's algorithms are noted when they have been chosen: afresh here, and to be looked at afterwards.
export VALLEYS_CACHE=$out/cache

failures=0
# verdict NAME STATUS SECONDS: a line of the summary.
verdict() {
  local word=ok
  [ "$2" = 0 ] || { word="FAILED ($2)"; failures=$((failures + 1)); }
  printf '%-34s %-12s %5s s\n' "$1" "$word" "$3" | tee -a "$out/summary.txt"
}
# step NAME COMMAND...: runs a command, its output in NAME.log.
step() {
  local name=$1 began=$SECONDS
  shift
  "$@" >"$out/$name.log" 2>&1
  verdict "$name" $? $((SECONDS - began))
}
# stopped FOLDER COMMAND...: a training run that is interrupted as soon as its folder holds a state; it must not be over by then.
stopped() {
  local folder=$1 run
  shift
  "$@" &
  run=$!
  while kill -0 $run 2>/dev/null && ! compgen -G "$folder/checkpoints/*/epoch-*.safetensors" >/dev/null; do sleep 0.02; done
  kill -INT $run
  wait $run
  [ $? = 130 ]
}
same() { cmp "$1/checkpoints/swa.safetensors" "$2/checkpoints/swa.safetensors"; }
both_backends() { grep -o '"backends":\[[^]]*\]' "$1/manifest.json" | grep cpu: | grep cuda:; }

{
  "$valleys" --version
  nvidia-smi
  nproc
} >"$out/machine.log" 2>&1

step device-test-cuda "$valleys" device-test --device cuda:0 "${networks[@]}" --batch "$batch"
step device-test-cuda-tf32 "$valleys" device-test --backend cuda-tf32 "${networks[@]}" --batch "$batch"
step device-test-cuda-bf16 "$valleys" device-test --backend cuda-bf16 "${networks[@]}" --batch "$batch"
# Convolutions by our kernels wherever there are some, whichever is the quicker.
step device-test-cuda-ours env VALLEYS_CUDA_CONVOLUTIONS=ours "$valleys" device-test --device cuda:0 \
  --networks resnet20,vgg16-bn --batch "$batch"
step device-test-cuda-tf32-ours env VALLEYS_CUDA_CONVOLUTIONS=ours "$valleys" device-test --backend cuda-tf32 \
  --networks resnet20,vgg16-bn --batch "$batch"
step device-test-cpu "$valleys" device-test --device cpu --networks resnet20 --batch 64

# ResNet-8 on the embedded images: averaging and SGD from the average.
train=("$valleys" train --epochs 6 --swa-start 4 --after-swa 2)
step train-cpu "${train[@]}" --device cpu --out "$out/cpu"
step train-cuda "${train[@]}" --device cuda:0 --out "$out/cuda"
step train-cuda-again "${train[@]}" --device cuda:0 --out "$out/cuda-again"
step same-bits-again same "$out/cuda" "$out/cuda-again"
step train-cuda-tf32 "${train[@]}" --backend cuda-tf32 --out "$out/cuda-tf32"
step train-cuda-bf16 "${train[@]}" --backend cuda-bf16 --out "$out/cuda-bf16"
step train-cuda-bf16-again "${train[@]}" --backend cuda-bf16 --out "$out/cuda-bf16-again"
step same-bits-again-bf16 same "$out/cuda-bf16" "$out/cuda-bf16-again"

# Longer, so that there is something to stop.
long=("$valleys" train --epochs 40 --swa-start 30 --after-swa 2)
step long-cuda "${long[@]}" --device cuda:0 --out "$out/long"
step long-stopped stopped "$out/long-stopped" "${long[@]}" --device cuda:0 --out "$out/long-stopped"
step long-goes-on "${long[@]}" --device cuda:0 --out "$out/long-stopped" --resume
step same-bits-when-stopped same "$out/long" "$out/long-stopped"
step begun-on-cuda stopped "$out/cuda-then-cpu" "${long[@]}" --device cuda:0 --out "$out/cuda-then-cpu"
step goes-on-on-cpu "${long[@]}" --device cpu --out "$out/cuda-then-cpu" --resume
step manifest-says-so-1 both_backends "$out/cuda-then-cpu"
step begun-on-cpu stopped "$out/cpu-then-cuda" "${long[@]}" --device cpu --out "$out/cpu-then-cuda"
step goes-on-on-cuda "${long[@]}" --device cuda:0 --out "$out/cpu-then-cuda" --resume
step manifest-says-so-2 both_backends "$out/cpu-then-cuda"

# One run's valley, seen from both; the tables are to agree but for rounding.
for device in cpu cuda:0; do
  name=line-${device%:0}
  step "$name" "$valleys" landscape line "$out/cpu" --device "$device" --points 21 --images 500 --out "$out/$name"
done

# Several points at a time, to the same bytes.
step line-in-flight "$valleys" landscape line "$out/cpu" --device cuda:0 --points 21 --images 500 --points-in-flight 4 \
  --out "$out/line-in-flight"
step same-points-in-flight diff -r "$out/line-cuda/points" "$out/line-in-flight/points"
for points in 1 8; do
  step "line-bf16-$points" env VALLEYS_CACHE="$out/cache-bf16" "$valleys" landscape line "$out/cpu" --backend cuda-bf16 \
    --points 21 --images 2000 --points-in-flight "$points" --out "$out/line-bf16-$points"
done
step same-points-in-flight-bf16 diff -r "$out/line-bf16-1/points" "$out/line-bf16-8/points"

# How fast it is, a line of JSON a network.
for backend in cuda cuda-tf32 cuda-bf16; do
  step "speed-$backend" "$valleys" speed measure --backend "$backend" "${networks[@]}" --batch "$batch" --seconds 1
done

if [ "$failures" = 0 ]; then
  echo "all steps passed" | tee -a "$out/summary.txt"
else
  echo "$failures steps failed; their logs are in $out" | tee -a "$out/summary.txt"
  exit 1
fi
