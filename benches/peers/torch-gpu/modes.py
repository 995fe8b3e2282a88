"""What PyTorch's side can be asked for."""

# Precision, channels-last, how a pass is started: as PyTorch's eager mode does, as a recorded CUDA graph, or compiled.
MODES = {
    "eager-f32": ("f32", False, "eager"),
    "graph-f32": ("f32", False, "graph"),
    "compile-f32": ("f32", False, "compile"),
    "eager-tf32": ("tf32", False, "eager"),
    "eager-tf32-channels-last": ("tf32", True, "eager"),
    "graph-tf32": ("tf32", False, "graph"),
    "graph-tf32-channels-last": ("tf32", True, "graph"),
    "compile-tf32": ("tf32", False, "compile"),
    "eager-bf16": ("bf16", True, "eager"),
    "graph-bf16": ("bf16", True, "graph"),
    "compile-bf16": ("bf16", True, "compile"),
}

WHAT = ("training", "evaluation", "points")

# torch.compile's: both record CUDA graphs; the first also measures which kernels of matrix products and convolutions are fastest.
COMPILE_MODES = ("max-autotune", "reduce-overhead")
