//! The names of the kernels, and the program for the GPU that holds them.

use super::number::{Number, Storage};
pub(super) use crate::exec::gpu::form::{THREADS, TILE};

/// The compiled kernels: machine code for the GPUs this was built for, and code that a driver can compile for later ones.
pub(super) const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kernels.fatbin"));

/// The capabilities the machine code is for, such as `80,90`.
pub(super) const CAPABILITIES: &str = env!("VALLEYS_CUDA_CAPABILITIES");

/// Numbers of a weight's gradient that a block adds up; `ADDED` of `weight_gradient.h`.
pub(super) const ADDED: usize = 32;

/// Channels of a block of the kernels that work channel by channel, where channels are last; `GROUP` of `layout.h`.
pub(super) const GROUP: usize = 16;

/// Declares [`Kernel`] from its variants and names: first those of feature maps, which come for every [`Storage`].
macro_rules! kernels {
    (maps { $($map:ident $map_name:literal, $bf16:ident $bf16_name:literal;)* } others { $($other:ident $name:literal;)* }) => {
        /// A kernel, as `kernels.inc` lists them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kernel {
            $($map, $bf16,)*
            $($other,)*
        }

        impl Kernel {
            /// Every kernel, in the order of the enumeration.
            pub(super) const ALL: &'static [Self] = &[$(Self::$map, Self::$bf16,)* $(Self::$other,)*];

            /// Its name in the program.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$map => $map_name, Self::$bf16 => $bf16_name,)*
                    $(Self::$other => $name,)*
                }
            }

            /// Whether a launch says how much memory its threads share.
            pub(super) fn shares(self) -> bool {
                // Those that begin early are programs of blocks, as the others are.
                self.overlaps()
                    || matches!(
                        self,
                        Self::ConvolutionBackwardWeight
                            | Self::PlanarConvolutionSingle
                            | Self::PlanarConvolutionTf32
                            | Self::PlanarGradientSingle
                            | Self::PlanarGradientTf32
                            | Self::ConvolutionBackwardWeightFinish
                    )
            }

            /// Whether it waits itself for the launch before, and so may begin before that is done; and whether it lets
            /// the next one begin.
            pub(super) fn overlaps(self) -> bool {
                matches!(
                    self,
                    Self::BatchNormBf16
                        | Self::BatchNormBackwardBf16
                        | Self::Convolution
                        | Self::ConvolutionBackwardData
                )
            }

            /// The one that does this with feature maps of such numbers.
            pub(super) fn of<E: Number>(self) -> Self {
                match (self, E::STORAGE) {
                    $((Self::$map, Storage::Bf16) => Self::$bf16,)*
                    (kernel, _) => kernel,
                }
            }
        }
    };
}

kernels! {
    maps {
        Add "add", AddBf16 "add_bf16";
        Multiply "multiply", MultiplyBf16 "multiply_bf16";
        Activation "activation", ActivationBf16 "activation_bf16";
        ActivationBackward "activation_backward", ActivationBackwardBf16 "activation_backward_bf16";
        Insert "insert", InsertBf16 "insert_bf16";
        Extract "extract", ExtractBf16 "extract_bf16";
        Turn "turn", TurnBf16 "turn_bf16";
        AveragePool "average_pool", AveragePoolBf16 "average_pool_bf16";
        AveragePoolBackward "average_pool_backward", AveragePoolBackwardBf16 "average_pool_backward_bf16";
        MaxPool "max_pool", MaxPoolBf16 "max_pool_bf16";
        MaxPoolBackward "max_pool_backward", MaxPoolBackwardBf16 "max_pool_backward_bf16";
        MomentsSums "moments_sums", MomentsSumsBf16 "moments_sums_bf16";
        BatchNorm "batch_norm", BatchNormBf16 "batch_norm_bf16";
        BatchNormBackwardSums "batch_norm_backward_sums", BatchNormBackwardSumsBf16 "batch_norm_backward_sums_bf16";
        BatchNormBackward "batch_norm_backward", BatchNormBackwardBf16 "batch_norm_backward_bf16";
        AddBias "add_bias", AddBiasBf16 "add_bias_bf16";
        BiasSums "bias_sums", BiasSumsBf16 "bias_sums_bf16";
        Augment "augment", AugmentBf16 "augment_bf16";
    }
    others {
        ToBf16 "to_bf16";
        FromBf16 "from_bf16";
        RoundWeights "round_weights";
        MomentsFinish "moments_finish";
        BatchNormBackwardFinish "batch_norm_backward_finish";
        BiasFinish "bias_finish";
        MatrixProduct "matrix_product";
        Convolution "convolution_bf16";
        ConvolutionBackwardData "convolution_backward_data_bf16";
        ConvolutionBackwardWeight "convolution_backward_weight_bf16";
        PlanarConvolutionSingle "convolution_single";
        PlanarConvolutionTf32 "convolution_tf32";
        PlanarGradientSingle "convolution_backward_weight_single";
        PlanarGradientTf32 "convolution_backward_weight_tf32";
        ConvolutionBackwardWeightFinish "convolution_backward_weight_finish";
        CrossEntropy "cross_entropy";
        Track "track";
        Sgd "sgd";
        Average "average";
        Along "along";
        Collect "collect";
    }
}
