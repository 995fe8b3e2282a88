//! What a batch asks of a GPU, counted from the plan: launches, memory, arithmetic; and the least time that takes.
//!
//! The account is the CUDA engine's and needs neither a GPU nor the feature `cuda`. `work.rs` has a line for everything that
//! the engine starts; whoever changes what it starts changes the line, and tests of the engine compare both: kernel by kernel
//! what is started, and launch by launch the bytes of a pass.

mod work;

use std::ops::AddAssign;

use self::work::Walk;
pub use super::gpu::Precision;
use super::gpu::fusion::Ways;
use super::plan::{Plan, TrainingPlan};
use super::{BackendKind, Mode};
use crate::model::Graph;
use crate::{Error, Result};

/// Who carries out a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// A kernel of ours, by its name.
    Kernel(&'static str),
    /// cuDNN: a convolution in one of its directions.
    Convolution(Direction),
    /// The driver: memory that is copied or cleared.
    Memory,
}

/// A direction of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From x to y.
    Forward,
    /// To the gradient with respect to x.
    BackwardData,
    /// To the gradient with respect to the weight.
    BackwardFilter,
}

/// One launch or call.
///
/// Bytes are of the values that it reads and writes, each once: what is read again or rearranged on the way, as in the
/// working memory of cuDNN's convolutions, is not counted, nor are the partial sums of reductions over channels. These
/// are at most 16 KB a launch in single precision, and in bfloat16 256 KB, or of a convolution 2.1 KB a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// The kind of step that it belongs to, such as `batch norm` or `batch norm, back`.
    pub step: &'static str,
    /// Who does it.
    pub by: By,
    /// Bytes read.
    pub read: u64,
    /// Bytes written.
    pub written: u64,
    /// Bytes of a weight's gradient in parts, besides: one launch writes them, the next reads them, and they mostly stay in
    /// the cache between.
    pub parts: u64,
    /// Multiplications and additions in convolutions and linear layers; padding counts as pixels.
    pub operations: u64,
}

/// Everything that is started for a batch, in order. What travels between host and GPU is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account(pub Vec<Work>);

impl Account {
    /// Of a step of SGD on a batch whose images are made on the GPU.
    ///
    /// # Errors
    /// [`Error::Domain`] in [`Precision::Bf16`], which keeps feature maps and vectors apart, if the network does not.
    pub fn training(graph: &Graph, images: usize, precision: Precision) -> Result<Self> {
        let training = TrainingPlan::of(graph, &precision.kinds(graph)?);
        let (plan, ways) = (&training.plan, Ways::training(&training, |op| precision.fits(op)));
        let mut walk = Walk::new(graph, plan, images, precision, Mode::Training);
        walk.images(plan.images);
        walk.there(plan, &ways);
        walk.loss(true);
        walk.clear_gradient();
        walk.back(&ways);
        walk.descent();
        walk.keep_losses();
        Ok(Self(walk.works))
    }

    /// Of a batch's losses with the running statistics.
    ///
    /// # Errors
    /// As [`training`](Self::training).
    pub fn evaluation(graph: &Graph, images: usize, precision: Precision) -> Result<Self> {
        let plan = Plan::inference_of(graph, &precision.kinds(graph)?);
        let ways = Ways::inference(&plan, |op| precision.fits(op));
        let mut walk = Walk::new(graph, &plan, images, precision, Mode::Evaluation);
        walk.images(plan.images);
        walk.there(&plan, &ways);
        walk.loss(false);
        walk.keep_losses();
        Ok(Self(walk.works))
    }

    /// The whole.
    pub fn total(&self) -> Total {
        self.0.iter().fold(Total::default(), |mut total, work| {
            total += *work;
            total
        })
    }

    /// The same by kind of step, in the order of their first appearance.
    pub fn by_step(&self) -> Vec<(&'static str, Total)> {
        let mut steps: Vec<(&'static str, Total)> = Vec::new();
        for work in &self.0 {
            let known = steps.iter().position(|(step, _)| *step == work.step);
            let place = known.unwrap_or_else(|| {
                steps.push((work.step, Total::default()));
                steps.len() - 1
            });
            steps[place].1 += *work;
        }
        steps
    }

    /// The least time it takes at these rates, without what is done in parts.
    pub fn floor(&self, gpu: &Gpu, precision: Precision) -> Floor {
        let rate = gpu.rate(precision);
        let mut floor = Floor { memory: 0.0, arithmetic: 0.0, launch_by_launch: 0.0 };
        for work in &self.0 {
            let memory = (work.read + work.written) as f64 / gpu.bandwidth;
            let arithmetic = work.operations as f64 / rate;
            floor.memory += memory;
            floor.arithmetic += arithmetic;
            floor.launch_by_launch += memory.max(arithmetic);
        }
        floor
    }
}

/// A sum of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Kernels of ours.
    pub kernels: usize,
    /// cuDNN's convolutions.
    pub convolutions: usize,
    /// Copies and clearings of memory.
    pub memory: usize,
    /// Bytes read.
    pub read: u64,
    /// Bytes written.
    pub written: u64,
    /// Bytes of weights' gradients in parts, written and read.
    pub parts: u64,
    /// Multiplications and additions.
    pub operations: u64,
}

impl AddAssign<Work> for Total {
    fn add_assign(&mut self, work: Work) {
        match work.by {
            By::Kernel(_) => self.kernels += 1,
            By::Convolution(_) => self.convolutions += 1,
            By::Memory => self.memory += 1,
        }
        self.read += work.read;
        self.written += work.written;
        self.parts += work.parts;
        self.operations += work.operations;
    }
}

/// What a GPU can do at most, by its data sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gpu {
    /// Its name.
    pub name: &'static str,
    /// Bytes a second from and to its memory.
    pub bandwidth: f64,
    /// Multiplications and additions a second, by [`Precision`].
    pub operations: [f64; 3],
}

impl Gpu {
    /// Multiplications and additions a second.
    pub fn rate(&self, precision: Precision) -> f64 {
        self.operations[precision as usize]
    }
}

/// NVIDIA's data sheet of the H100 Tensor Core GPU, the SXM form, matrices without sparsity.
pub const H100_SXM: Gpu = Gpu { name: "H100 SXM", bandwidth: 3.35e12, operations: [67e12, 494e12, 989e12] };

impl Precision {
    /// That of a backend.
    ///
    /// # Errors
    /// [`Error::Domain`] for a backend without a GPU.
    pub fn of(backend: BackendKind) -> Result<Self> {
        match backend {
            BackendKind::Cuda => Ok(Self::Single),
            BackendKind::CudaTf32 => Ok(Self::Tf32),
            BackendKind::CudaBf16 => Ok(Self::Bf16),
            BackendKind::Cpu | BackendKind::Reference => {
                Err(Error::domain("the backend of an account", backend, "cuda, cuda-tf32, cuda-bf16"))
            }
        }
    }
}

/// Seconds that a GPU needs at least, if every value comes from its memory and goes there: one that still lies in the cache
/// is quicker, and a launch costs time of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floor {
    /// For the bytes.
    pub memory: f64,
    /// For the arithmetic.
    pub arithmetic: f64,
    /// For the larger of the two, launch by launch: memory and arithmetic overlap within a launch.
    pub launch_by_launch: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Architecture, GraphBuilder, Shape, Window};

    /// Convolution with bias, batch norm with ReLU, a sum, a mean and a linear layer, small enough to count by hand.
    fn tiny() -> Graph {
        let mut it = GraphBuilder::new(Shape { channels: 3, height: 32, width: 32 }).expect("a shape");
        let image = it.input();
        let x = it.convolution_with_bias("conv", image, 8, Window::same(3, 2)).expect("fits");
        let normed = it.batch_norm("bn", x).expect("fits");
        let active = it.activation(normed, Activation::Relu);
        let sum = it.add(active, x).expect("alike");
        let mean = it.average_pool(sum, 16).expect("fits");
        let flat = it.flatten(mean);
        let logits = it.linear("fc", flat, 10).expect("fits");
        it.finish(logits).expect("a network")
    }

    fn kernels(account: &Account) -> Vec<&'static str> {
        let name = |work: &Work| match work.by {
            By::Kernel(name) => name,
            By::Convolution(Direction::Forward) => "forward",
            By::Convolution(Direction::BackwardData) => "data",
            By::Convolution(Direction::BackwardFilter) => "filter",
            By::Memory => "memory",
        };
        account.0.iter().map(name).collect()
    }

    #[test]
    fn a_tiny_network_is_counted_by_hand() {
        let (graph, images) = (tiny(), 5);
        // Bytes of the image's values, of the convolution's, of the means and the logits, and of the parameters.
        let (pixels, x, mean, logits) = (5 * 3072 * 4, 5 * 8 * 256 * 4, 5 * 8 * 4, 5 * 10 * 4);
        let (weight, bias, matrix) = (8 * 27 * 4, 8 * 4, 80 * 4);
        let evaluation = Account::evaluation(&graph, images, Precision::Single).expect("counted");
        let names =
            ["augment", "forward", "add_bias", "batch_norm", "add", "average_pool", "matrix_product", "add_bias"];
        assert_eq!(kernels(&evaluation), [&names[..], &["cross_entropy", "memory", "memory"]].concat());
        let convolution = Work {
            step: "convolution",
            by: By::Convolution(Direction::Forward),
            read: pixels + weight,
            written: x,
            parts: 0,
            operations: 2 * 5 * 8 * 256 * 27,
        };
        assert_eq!(evaluation.0[1], convolution);
        let total = evaluation.total();
        assert_eq!((total.kernels, total.convolutions, total.memory), (8, 1, 2));
        let read = (5 * 3072 + 5 * 16 + 3 * 1024) + (pixels + weight) + (x + bias) + (x + 8 * 24) + 2 * x + x;
        assert_eq!(total.read, read + (mean + matrix) + (logits + 40) + (logits + 5 * 2) + 5 * 9);
        assert_eq!(total.written, pixels + 4 * x + mean + 2 * logits + 2 * 5 * 9);
        assert_eq!(total.operations, 2 * 5 * (8 * 256 * 27 + 80));

        let training = Account::training(&graph, images, Precision::Single).expect("counted");
        let there = ["augment", "forward", "add_bias", "moments_sums", "moments_finish", "batch_norm", "memory", "add"];
        let linear = ["average_pool", "matrix_product", "add_bias", "cross_entropy", "memory"];
        let back = ["matrix_product", "bias_sums", "bias_finish", "matrix_product", "average_pool_backward"];
        // The sum's gradient goes to both terms in one place, of which the way back of the batch norm needs a copy.
        let norm = ["memory", "batch_norm_backward_sums", "batch_norm_backward_finish", "batch_norm_backward"];
        let end = ["filter", "bias_sums", "bias_finish", "sgd", "track", "memory", "memory"];
        assert_eq!(kernels(&training), [&there[..], &linear, &back, &norm, &end].concat());
        let last = |back: usize| training.0[training.0.len() - back];
        let (parameters, sgd, track) = (graph.layout().trainable() as u64 * 4, last(4), last(3));
        assert_eq!((sgd.read, sgd.written), (3 * parameters + 12, 2 * parameters));
        assert_eq!((track.read, track.written), (8 * (24 + 8), 8 * 8));
        let (filter, slopes) = (last(7), last(8));
        assert_eq!(
            (filter.read, filter.written, filter.operations),
            (pixels + x + weight, weight, convolution.operations)
        );
        assert_eq!((slopes.read, slopes.written), (3 * x + 8 * 36, x), "added to the gradient of the sum");
    }

    #[test]
    fn what_surrounds_a_convolution_in_bf16_is_counted_with_it() {
        // A convolution by cuDNN, a batch norm through which one of ours reads, and a shortcut.
        let mut it = GraphBuilder::new(Shape { channels: 3, height: 32, width: 32 }).expect("a shape");
        let image = it.input();
        let x = it.convolution("stem", image, 16, Window::same(3, 1)).expect("fits");
        let normed = it.batch_norm("bn", x).expect("fits");
        let active = it.activation(normed, Activation::Relu);
        let y = it.convolution("conv", active, 16, Window::same(3, 1)).expect("fits");
        let sum = it.add(y, x).expect("alike");
        let mean = it.average_pool(sum, 32).expect("fits");
        let flat = it.flatten(mean);
        let logits = it.linear("fc", flat, 10).expect("fits");
        let (graph, images) = (it.finish(logits).expect("a network"), 5);
        let (map, pixels, stem, weight) = (5 * 16 * 1024 * 2, 5 * 3072 * 2, 16 * 27, 16 * 16 * 9);

        let training = Account::training(&graph, images, Precision::Bf16).expect("counted");
        let there = ["augment_bf16", "round_weights", "forward", "moments_sums_bf16", "moments_finish"];
        let end = ["convolution_bf16", "average_pool_bf16", "from_bf16", "matrix_product", "add_bias", "cross_entropy"];
        let linear = ["memory", "matrix_product", "bias_sums", "bias_finish", "matrix_product", "to_bf16"];
        let back =
            ["average_pool_backward_bf16", "convolution_backward_weight_bf16", "convolution_backward_weight_finish"];
        let joined = ["convolution_backward_data_bf16", "batch_norm_backward_bf16", "filter", "from_bf16"];
        let last = ["sgd", "track", "memory", "memory"];
        assert_eq!(kernels(&training), [&there[..], &end, &linear, &back, &joined, &last].concat());
        let of = |name: &str| {
            let place = kernels(&training).iter().position(|kernel| *kernel == name).expect("started");
            let Work { read, written, parts, operations, .. } = training.0[place];
            [read, written, parts, operations]
        };
        let operations = 2 * 5 * 1024 * weight;
        assert_eq!(of("augment_bf16")[1], pixels);
        assert_eq!(of("round_weights"), [4 * (stem + weight) + 40, 2 * (stem + weight), 0, 0]);
        assert_eq!(of("forward"), [pixels + 2 * stem, map, 0, 2 * 5 * 1024 * stem]);
        // x through its batch norm, and the shortcut.
        assert_eq!(of("convolution_bf16"), [2 * map + 16 * 24 + 2 * weight, map, 0, operations]);
        assert_eq!(of("from_bf16"), [5 * 16 * 2, 5 * 16 * 4, 0, 0]);
        // A block for each of 32 rows of 5 images, which are fewer than the blocks that there may be.
        let parts = 160 * 4 * weight;
        assert_eq!(of("convolution_backward_weight_bf16"), [2 * map + 16 * 24, 0, parts, operations]);
        assert_eq!(of("convolution_backward_weight_finish"), [4 * weight, 4 * weight, parts, 0]);
        // dy and the batch norm's input; the gradients of its parameters are added to; three slopes.
        let back = [2 * map + 2 * weight + 16 * (24 + 8), map + 16 * (8 + 12), 0, operations];
        assert_eq!(of("convolution_backward_data_bf16"), back);
        assert_eq!(of("batch_norm_backward_bf16")[..2], [3 * map + 16 * (24 + 12), map], "added to the shortcut's");
        assert_eq!(of("filter"), [pixels + map, 2 * stem, 0, 2 * 5 * 1024 * stem]);
        assert_eq!(training.total().parts, 2 * parts);

        let evaluation = Account::evaluation(&graph, images, Precision::Bf16).expect("counted");
        assert_eq!(kernels(&evaluation), [&there[..3], &end, &["memory", "memory"]].concat(), "no moments");
        // A linear layer without a flatten before it.
        let mut it = GraphBuilder::new(Shape { channels: 3, height: 2, width: 2 }).expect("a shape");
        let mean = it.average_pool(it.input(), 2).expect("fits");
        let logits = it.linear("fc", mean, 3).expect("fits");
        let graph = it.finish(logits).expect("a network");
        assert!(Account::training(&graph, 2, Precision::Bf16).is_err_and(|it| it.to_string().contains("bfloat16")));
        assert!(Account::evaluation(&graph, 2, Precision::Bf16).is_err());
        assert!(Account::training(&graph, 2, Precision::Tf32).is_ok());
    }

    #[test]
    fn precisions_are_those_of_the_backends_with_a_gpu() {
        let of = |backend| Precision::of(backend).map_err(|error| error.to_string());
        let known = [BackendKind::Cuda, BackendKind::CudaTf32, BackendKind::CudaBf16].map(of);
        assert_eq!(known, [Ok(Precision::Single), Ok(Precision::Tf32), Ok(Precision::Bf16)]);
        let message = "the backend of an account is cpu; allowed: cuda, cuda-tf32, cuda-bf16".to_owned();
        assert_eq!(of(BackendKind::Cpu), Err(message));
    }

    #[test]
    fn sums_by_step_are_the_whole_and_floors_are_in_order() {
        for name in ["resnet56", "vgg16-bn", "densenet40"] {
            let graph = Architecture::parse(name).and_then(|network| network.graph(10)).expect("a network");
            let of = |precision| [Account::training, Account::evaluation].map(|count| count(&graph, 128, precision));
            let accounts = [Precision::Single, Precision::Tf32, Precision::Bf16].map(of);
            let operations = accounts
                .each_ref()
                .map(|of| of.each_ref().map(|account| account.as_ref().expect("counted").total().operations));
            assert!(operations.iter().all(|it| *it == operations[0]), "{name}: whoever does them");
            for account in accounts.into_iter().flatten() {
                let account = account.expect("counted");
                let (total, steps) = (account.total(), account.by_step());
                let sum = |of: fn(&Total) -> u64| steps.iter().map(|(_, total)| of(total)).sum::<u64>();
                assert_eq!(sum(|it| it.read), total.read);
                assert_eq!(sum(|it| it.written), total.written);
                assert_eq!(sum(|it| it.parts), total.parts);
                assert_eq!(sum(|it| it.operations), total.operations);
                assert_eq!(sum(|it| (it.kernels + it.convolutions + it.memory) as u64), account.0.len() as u64);
                let [single, tf32] =
                    [Precision::Single, Precision::Tf32].map(|precision| account.floor(&H100_SXM, precision));
                assert!(single.memory == tf32.memory && single.arithmetic > 7.0 * tf32.arithmetic);
                assert!(single.memory.max(single.arithmetic) <= single.launch_by_launch);
                assert!(single.launch_by_launch < single.memory + single.arithmetic);
            }
        }
    }

    #[test]
    fn operations_are_those_that_everybody_counts() {
        // VGG-16 for images of 32 x 32: by side, channels in and out of every 3 x 3 convolution, then three linear layers.
        let sides = [(32, &[3, 64, 64][..]), (16, &[64, 128, 128]), (8, &[128, 256, 256, 256])];
        let sides = [&sides[..], &[(4, &[256, 512, 512, 512]), (2, &[512, 512, 512, 512])]].concat();
        let products = |(side, channels): &(u64, &[u64])| {
            side * side * 9 * channels.windows(2).map(|it| it[0] * it[1]).sum::<u64>()
        };
        let right = sides.iter().map(products).sum::<u64>() + 2 * 512 * 512 + 5120;
        let graph = Architecture::Vgg16Bn.graph(10).expect("a network");
        for precision in [Precision::Single, Precision::Bf16] {
            let account = Account::evaluation(&graph, 3, precision).expect("counted");
            assert_eq!(account.total().operations, 3 * 2 * right, "{precision:?}");
        }
        assert_eq!(right / 100_000, 3137, "313.7 million products an image");
    }
}
