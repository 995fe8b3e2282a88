//! The account of a batch against what the engine starts on a driver and a cuDNN whose GPU is the host, and against what the
//! launches of a pass point to.

use std::cell::RefCell;
use std::sync::Arc;

use valleys_sim::Seed;

use super::double::{asked, load};
use super::on_host::OnHost;
use super::pass::tangle;
use super::{double, single};
use crate::Result;
use crate::data::loader::{Batches, EpochBatches};
use crate::data::{Augmentation, synthetic};
use crate::exec::account::{Account, By, Direction, Precision};
use crate::exec::backend::{Convolution, Slot};
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::launch::{Argument, Launch};
use crate::exec::cuda::machine::Machine;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::{Bf16, Number, Storage};
use crate::exec::cuda::pass::Pass;
use crate::exec::gpu::fusion::Ways;
use crate::exec::plan::{Plan, TrainingPlan};
use crate::exec::{BackendKind, Dropout, Executor, Mode};
use crate::model::{Architecture, Graph, Shape};
use crate::optim::{Sgd, SgdParams};
use crate::params::Weights;

const IMAGES: usize = 2;

/// Everything that can be started.
fn all() -> Vec<By> {
    let directions = [Direction::Forward, Direction::BackwardData, Direction::BackwardFilter];
    let kernels = Kernel::ALL.iter().map(|kernel| By::Kernel(kernel.name()));
    kernels.chain(directions.map(By::Convolution)).chain([By::Memory]).collect()
}

/// Does something, and compares what it starts with what it should.
#[track_caller]
fn check(name: &str, account: &Account, work: impl FnOnce()) {
    let known = all();
    let before: Vec<u64> = known.iter().map(|by| asked(*by)).collect();
    work();
    for (by, before) in known.iter().zip(before) {
        let counted = account.0.iter().filter(|work| work.by == *by).count() as u64;
        assert_eq!(asked(*by) - before, counted, "{name}: {by:?}, started and in the account");
    }
    assert!(account.0.iter().all(|work| known.contains(&work.by)), "{name}: a kernel that there is not");
}

#[test]
fn the_engine_starts_what_the_account_says() {
    load();
    let data = synthetic::draw(IMAGES, 1, Seed(1)).expect("valid");
    let networks = [
        ("ResNet-8", Architecture::ResNet8.graph(10)),
        ("MLP", Architecture::Mlp.graph(10)),
        ("a tangle", tangle(Shape { channels: 3, height: 32, width: 32 })),
    ];
    for (name, graph) in networks {
        let graph = Arc::new(graph.expect("a network"));
        for backend in [BackendKind::Cuda, BackendKind::CudaTf32, BackendKind::CudaBf16] {
            let (name, precision) = (&format!("{name}, {backend}"), Precision::of(backend).expect("a GPU"));
            let mut weights = Weights::initialise(&graph, Seed(2));
            let mut sgd = Sgd::new(SgdParams::default(), weights.values.len()).expect("valid");
            let mut executor = Executor::<f32>::on(Arc::clone(&graph), backend).expect("a GPU");
            let batches = EpochBatches::new(&data, Augmentation::CROP_AND_FLIP, IMAGES, Seed(3), 0);
            let views = batches.views(0);
            let mut descent = executor.descend(&mut weights, &mut sgd).expect("this network");
            let mut step = || drop(descent.step(0.0, &views, Dropout::Off).expect("a step"));
            // In the first one memory is asked for, and algorithms are tried. The second one is recorded.
            step();
            check(name, &Account::training(&graph, IMAGES, precision).expect("counted"), step);
            descent.finish().expect("no device fails");
            let mut loaded = executor.load(&weights).expect("this network");
            let mut evaluate = || drop(loaded.evaluate(&views).expect("losses"));
            evaluate();
            check(name, &Account::evaluation(&graph, IMAGES, precision).expect("counted"), evaluate);
        }
    }
}

/// What a piece of work points to, in bytes.
#[derive(Debug, PartialEq)]
struct Moved {
    by: By,
    read: u64,
    written: u64,
    parts: u64,
}

/// A machine that carries nothing out, and keeps what it is asked for.
struct Listener<'a> {
    slots: OnHost,
    gradient: Out<'a, f32>,
    heard: RefCell<Vec<Moved>>,
}

impl Listener<'_> {
    fn hear(&self, by: By, read: u64, written: u64) {
        self.heard.borrow_mut().push(Moved { by, read, written, parts: 0 });
    }

    /// The bytes that a launch points to, as far as its kernel reads and writes them.
    fn launched(&self, launch: &Launch<'_>) -> Moved {
        let kernel = launch.kernel();
        let partial = self.slots.partial().expect("memory").view().address();
        let counter = self.slots.counter().expect("memory").view().address();
        let of_parts = self.slots.weight_parts().expect("memory").view().address();
        let (mut read, mut written, mut parts) = (0, 0, 0);
        for it in launch.touched().iter().filter(|it| ![partial, counter].contains(&it.address)) {
            match it.out {
                _ if it.address == of_parts => parts += it.bytes,
                true => {
                    written += it.bytes;
                    read += if self.is_added_to(launch, it.address) { it.bytes } else { 0 };
                }
                false => read += it.bytes,
            }
        }
        // These move as much as the shorter one of two values has.
        match kernel {
            Kernel::Insert | Kernel::InsertBf16 => written = read,
            Kernel::Extract | Kernel::ExtractBf16 => read = read - launch.touched()[0].bytes + written,
            _ => {}
        }
        Moved { by: By::Kernel(kernel.name()), read, written, parts }
    }

    /// Whether a launch adds to what is at the place of an output.
    fn is_added_to(&self, launch: &Launch<'_>, address: u64) -> bool {
        let flag = |back: usize| {
            let arguments = launch.arguments();
            matches!(arguments[arguments.len() - back], Argument::U32(1))
        };
        let gradient = self.gradient.view();
        if (gradient.address()..gradient.address() + 4 * gradient.len() as u64).contains(&address) {
            return true;
        }
        match launch.kernel() {
            Kernel::Add | Kernel::AddBf16 | Kernel::AddBias | Kernel::AddBiasBf16 => true,
            Kernel::BatchNormBackward | Kernel::BatchNormBackwardBf16 | Kernel::MatrixProduct => flag(1),
            Kernel::Multiply
            | Kernel::MultiplyBf16
            | Kernel::ActivationBackward
            | Kernel::ActivationBackwardBf16
            | Kernel::Extract
            | Kernel::ExtractBf16
            | Kernel::AveragePoolBackward
            | Kernel::AveragePoolBackwardBf16
            | Kernel::MaxPoolBackward
            | Kernel::MaxPoolBackwardBf16
            | Kernel::ToBf16
            | Kernel::FromBf16 => flag(2),
            _ => false,
        }
    }
}

fn bytes<E: Number>(views: &[View<'_, E>]) -> u64 {
    views.iter().map(|view| (view.len() * size_of::<E>()) as u64).sum()
}

impl Machine for Listener<'_> {
    fn images(&self) -> usize {
        self.slots.images()
    }

    fn storage(&self, slot: Slot) -> Storage {
        self.slots.storage(slot)
    }

    fn slot<E: Number>(&self, slot: Slot) -> Result<Out<'_, E>> {
        self.slots.slot(slot)
    }

    fn partial(&self) -> Result<Out<'_, f64>> {
        self.slots.partial()
    }

    fn slopes(&self) -> Result<Out<'_, f32>> {
        self.slots.slopes()
    }

    fn counter(&self) -> Result<Out<'_, u32>> {
        self.slots.counter()
    }

    fn all_rounded(&self) -> Result<Option<(View<'_, u32>, Out<'_, Bf16>)>> {
        self.slots.all_rounded()
    }

    fn rounded(&self, op: &Convolution) -> Result<Out<'_, Bf16>> {
        self.slots.rounded(op)
    }

    fn rounded_gradient(&self, op: &Convolution) -> Result<Out<'_, Bf16>> {
        self.slots.rounded_gradient(op)
    }

    fn weight_parts(&self) -> Result<Out<'_, f32>> {
        self.slots.weight_parts()
    }

    type Mark = ();

    fn run_beside(&self, launches: &[Launch<'_>]) -> Result<()> {
        self.run_all(launches)
    }

    fn after(&self, (): &()) -> Result<()> {
        Ok(())
    }

    fn run(&self, launch: &Launch<'_>) -> Result<()> {
        let moved = self.launched(launch);
        self.heard.borrow_mut().push(moved);
        Ok(())
    }

    fn copy<E: Number>(&self, x: View<'_, E>, y: Out<'_, E>) -> Result<()> {
        self.hear(By::Memory, bytes(&[x]), bytes(&[y.view()]));
        Ok(())
    }

    fn convolution<E: Number>(
        &self,
        _: &Convolution,
        weight: View<'_, E>,
        x: View<'_, E>,
        y: Out<'_, E>,
    ) -> Result<()> {
        self.hear(By::Convolution(Direction::Forward), bytes(&[weight, x]), bytes(&[y.view()]));
        Ok(())
    }

    fn convolution_backward_weight<E: Number>(
        &self,
        _: &Convolution,
        x: View<'_, E>,
        dy: View<'_, E>,
        (dw, accumulate): (Out<'_, E>, bool),
    ) -> Result<()> {
        let before = if accumulate { bytes(&[dw.view()]) } else { 0 };
        self.hear(By::Convolution(Direction::BackwardFilter), bytes(&[x, dy]) + before, bytes(&[dw.view()]));
        Ok(())
    }

    fn convolution_backward_data<E: Number>(
        &self,
        _: &Convolution,
        weight: View<'_, E>,
        dy: View<'_, E>,
        (dx, accumulate): (Out<'_, E>, bool),
    ) -> Result<()> {
        let before = if accumulate { bytes(&[dx.view()]) } else { 0 };
        self.hear(By::Convolution(Direction::BackwardData), bytes(&[weight, dy]) + before, bytes(&[dx.view()]));
        Ok(())
    }
}

/// What a pass asks for: there and, where there is a way back, back.
fn heard(graph: &Graph, plan: &Plan, ways: &Ways, (images, maps, mode): (usize, Storage, Mode)) -> Vec<Moved> {
    let parameters = single(&vec![0.0; graph.layout().trainable()]);
    let gradient = single(&vec![0.0; graph.layout().trainable()]);
    let moments = double(&vec![0.0; 2 * graph.layout().channels()]);
    let (slots, gradient) = (OnHost::new(plan, ways, images, maps), gradient.out());
    let machine = Listener { slots, gradient, heard: RefCell::default() };
    let pass = Pass { machine: &machine, parameters: parameters.view(), moments: moments.out(), mode };
    pass.forward(&ways.there).expect("steps");
    pass.backward(&ways.back, gradient).expect("steps");
    machine.heard.into_inner()
}

/// Compares launch by launch.
#[track_caller]
fn check_bytes(name: &str, account: &Account, heard: &[Moved]) {
    // What surrounds a pass is none of its matter.
    let around = ["images", "loss", "clearing the gradient", "SGD", "running statistics"];
    let counted: Vec<_> = account.0.iter().filter(|work| !around.contains(&work.step)).collect();
    assert_eq!(counted.len(), heard.len(), "{name}");
    for (place, (work, heard)) in counted.iter().zip(heard).enumerate() {
        let seen = Moved { by: work.by, read: work.read, written: work.written, parts: work.parts };
        match work.by {
            // It is given all parameters, and leaves room between weights.
            By::Kernel("round_weights") => {
                assert!(heard.by == seen.by && seen.read <= heard.read && seen.written <= heard.written, "{name}");
            }
            _ => assert_eq!(&seen, heard, "{name}: number {place} of a pass, {}", work.step),
        }
    }
}

#[test]
fn the_bytes_of_a_pass_are_those_that_its_launches_point_to() {
    let tangle = tangle(Shape { channels: 3, height: 32, width: 32 }).expect("a network");
    let of = |name: &str| Architecture::parse(name).and_then(|it| it.graph(10)).expect("a network");
    let networks = ["mlp", "resnet20", "resnet56", "resnet8-nobn", "vgg16-bn", "densenet40"].map(|it| (it, of(it), 2));
    let many = [("a tangle", tangle, 3), ("resnet20", of("resnet20"), 12)];
    for (name, graph, images) in networks.into_iter().chain(many) {
        for (precision, maps) in [(Precision::Single, Storage::F32), (Precision::Bf16, Storage::Bf16)] {
            let (name, kinds) = (format!("{name}, {precision:?}"), precision.kinds(&graph).expect("flattened"));
            let fits = |op: &Convolution| precision.fits(op);
            let plan = TrainingPlan::of(&graph, &kinds);
            let ways = Ways::training(&plan, fits);
            let seen = heard(&graph, &plan.plan, &ways, (images, maps, Mode::Training));
            check_bytes(&name, &Account::training(&graph, images, precision).expect("counted"), &seen);
            let plan = Plan::inference_of(&graph, &kinds);
            let ways = Ways::inference(&plan, fits);
            let seen = heard(&graph, &plan, &ways, (images, maps, Mode::Evaluation));
            check_bytes(&name, &Account::evaluation(&graph, images, precision).expect("counted"), &seen);
        }
    }
}
