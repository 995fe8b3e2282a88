//! The names of the kernels, and the program for the GPU that holds them.

/// The compiled kernels: machine code for the GPUs this was built for, and code that a driver can compile for later ones.
pub(super) const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kernels.fatbin"));

/// The capabilities the machine code is for, such as `80,90`.
pub(super) const CAPABILITIES: &str = env!("VALLEYS_CUDA_CAPABILITIES");

/// Threads of every block; `THREADS` of `threads.h`.
pub(super) const THREADS: usize = 256;

/// Rows and columns of a tile of a matrix product; `TILE` of `threads.h`.
pub(super) const TILE: usize = 16;

/// Declares [`Kernel`] from one line a kernel: variant and name.
macro_rules! kernels {
    ($($variant:ident $name:literal,)*) => {
        /// A kernel, as `kernels.inc` lists them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kernel {
            $($variant,)*
        }

        impl Kernel {
            /// Every kernel, in the order of the enumeration.
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in the program.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

kernels! {
    Add "add",
    Multiply "multiply",
    Activation "activation",
    ActivationBackward "activation_backward",
    Insert "insert",
    Extract "extract",
    AveragePool "average_pool",
    AveragePoolBackward "average_pool_backward",
    MaxPool "max_pool",
    MaxPoolBackward "max_pool_backward",
    MomentsSums "moments_sums",
    MomentsFinish "moments_finish",
    BatchNorm "batch_norm",
    BatchNormBackwardSums "batch_norm_backward_sums",
    BatchNormBackwardFinish "batch_norm_backward_finish",
    BatchNormBackward "batch_norm_backward",
    AddBias "add_bias",
    BiasSums "bias_sums",
    BiasFinish "bias_finish",
    MatrixProduct "matrix_product",
    CrossEntropy "cross_entropy",
    Track "track",
    Sgd "sgd",
    Average "average",
    Along "along",
    Collect "collect",
    Augment "augment",
}
