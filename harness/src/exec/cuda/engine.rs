//! The engine: a network's plans on one device, which keeps weights, images and steps.

use std::sync::Arc;

use super::algorithms::Precision;
use super::device::Device;
use super::images;
use super::launch::{Descent, average, collect, sgd};
use super::lines::Lines;
use super::loss::Loss;
use super::machine::OnDevice;
use super::memory::{Buffer, Out};
use super::mirrored::Mirrored;
use super::pass::Pass;
use super::room::{Convolutions, Room};
use super::sets::Sets;
use crate::Result;
use crate::exec::engine::{Engine, Resident};
use crate::exec::examples::Images;
use crate::exec::gpu;
use crate::exec::plan::{Kinds, Plan, TrainingPlan};
use crate::exec::run::{AllMoments, bessel};
use crate::exec::{Mode, Outcome, StatisticsPass};
use crate::model::Graph;
use crate::model::graph::Shape;
use crate::optim::Step;
use crate::params::Line;

/// Images evaluated at a time: as many as batches of evaluation have, and more, since launches take the time.
const EVALUATION_SLICE: usize = 1000;

/// Images whose losses wait on the device before they are read.
const WAITING: usize = 1 << 14;

/// One network on one GPU; parameters, logits and losses are in single precision.
pub(crate) struct Cuda {
    device: Arc<Device>,
    input: Shape,
    training: TrainingPlan,
    training_room: Room,
    inference: Plan,
    inference_room: Room,
    convolutions: Convolutions,
    sets: Sets,
    parameters: Mirrored<f32>,
    lines: Lines,
    gradient: Buffer<f32>,
    velocity: Buffer<f32>,
    /// The mean of several networks; most engines never make one.
    mean: Option<Mirrored<f64>>,
    /// Means, then biased variances, of the channels of all batch norms.
    moments: Mirrored<f64>,
    /// The same over the batches of a pass, with unbiased variances.
    pass: Mirrored<f64>,
    /// What makes a batch's variances unbiased.
    factors: Mirrored<f64>,
    loss: Loss,
    /// Of the last way there that can go back.
    mode: Mode,
}

/// Name and number of a GPU.
pub(crate) fn name(ordinal: usize) -> Result<String> {
    let device = Device::open(ordinal)?;
    Ok(format!("{}, compute capability {} (cuda:{})", device.name(), device.capability(), device.ordinal()))
}

impl Cuda {
    /// The engine of a network on the GPU of this number.
    pub(crate) fn new(graph: &Graph, ordinal: usize, convolutions: gpu::Convolutions, kinds: &Kinds) -> Result<Self> {
        let device = Device::open(ordinal)?;
        let precision = match convolutions {
            gpu::Convolutions::Single => Precision::F32,
            gpu::Convolutions::Tf32 => Precision::Tf32,
            gpu::Convolutions::Bf16 => Precision::Bf16,
        };
        let (parameters, channels) = (graph.layout().trainable(), graph.layout().channels());
        Ok(Self {
            input: graph.input(),
            training: TrainingPlan::of(graph, kinds),
            training_room: Room::new(precision.storage()),
            inference: Plan::inference_of(graph, kinds),
            inference_room: Room::new(precision.storage()),
            convolutions: Convolutions::new(precision),
            sets: Sets::new(&device)?,
            parameters: Mirrored::zeros(&device, parameters)?,
            lines: Lines::default(),
            gradient: Buffer::zeros(&device, parameters)?,
            velocity: Buffer::zeros(&device, parameters)?,
            mean: None,
            moments: Mirrored::zeros(&device, 2 * channels)?,
            pass: Mirrored::zeros(&device, 2 * channels)?,
            factors: Mirrored::zeros(&device, channels)?,
            loss: Loss::new(&device, WAITING)?,
            mode: Mode::Training,
            device,
        })
    }

    /// Takes a batch through a plan, as far as asking the device goes: the logits are in the plan's slot.
    fn there(
        &mut self,
        purpose: Purpose,
        images: Images<'_, f32>,
        factors: &[Vec<f32>],
        mode: Mode,
        moments: &AllMoments,
    ) -> Result<()> {
        let Self { device, convolutions, sets, .. } = self;
        let (plan, room) = match purpose {
            Purpose::Training => (&self.training.plan, &mut self.training_room),
            Purpose::Inference => (&self.inference, &mut self.inference_room),
        };
        let count = match images {
            Images::Pixels(pixels) => pixels.len() / self.input.len(),
            Images::Views(shown) => shown.views.len(),
        };
        room.prepare(device, plan, count)?;
        convolutions.prepare(device, plan, count)?;
        images::write(device, sets, images, self.input, room, plan.images)?;
        plan.masks.iter().zip(factors).try_for_each(|(slot, factors)| room.slot(*slot)?.upload(factors))?;
        match mode {
            Mode::Training => _ = self.moments.change(),
            Mode::Evaluation => self.moments.set(&[moments.mean.as_slice(), &moments.var].concat())?,
        }
        let machine = self.machine(purpose);
        let pass = self.pass(&machine, mode);
        self.plan(purpose).forward.iter().try_for_each(|step| pass.forward(step))
    }

    /// Takes the batch back from the gradient of the logits in its slot: the gradient with respect to the parameters.
    fn back(&self) -> Result<Out<'_, f32>> {
        let gradient = self.gradient.out();
        gradient.clear()?;
        let machine = self.machine(Purpose::Training);
        let pass = self.pass(&machine, self.mode);
        self.training.backward.iter().try_for_each(|step| pass.backward(step, gradient))?;
        Ok(gradient)
    }

    fn plan(&self, purpose: Purpose) -> &Plan {
        match purpose {
            Purpose::Training => &self.training.plan,
            Purpose::Inference => &self.inference,
        }
    }

    fn room(&self, purpose: Purpose) -> &Room {
        match purpose {
            Purpose::Training => &self.training_room,
            Purpose::Inference => &self.inference_room,
        }
    }

    fn machine(&self, purpose: Purpose) -> OnDevice<'_> {
        OnDevice { device: &self.device, room: self.room(purpose), convolutions: &self.convolutions }
    }

    fn pass<'a>(&'a self, machine: &'a OnDevice<'a>, mode: Mode) -> Pass<'a, OnDevice<'a>> {
        Pass { machine, parameters: self.parameters.view(), moments: self.moments.place(), mode }
    }

    /// The logits of a pass and, of training, the moments.
    fn read(&mut self, purpose: Purpose, mode: Mode, moments: &mut AllMoments) -> Result<Vec<f32>> {
        let logits = self.room(purpose).slot(self.plan(purpose).logits)?.view().to_vec()?;
        if mode == Mode::Training {
            self.read_moments(moments)?;
        }
        Ok(logits)
    }

    fn read_moments(&mut self, moments: &mut AllMoments) -> Result<()> {
        read_both(&mut self.moments, [&mut moments.mean, &mut moments.var])
    }
}

/// Brings means and variances to the host.
fn read_both(moments: &mut Mirrored<f64>, [mean, var]: [&mut Vec<f64>; 2]) -> Result<()> {
    let channels = mean.len();
    let mut both = vec![0.0; 2 * channels];
    moments.get(&mut both)?;
    mean.copy_from_slice(&both[..channels]);
    var.copy_from_slice(&both[channels..]);
    Ok(())
}

/// Which of the two plans.
#[derive(Clone, Copy)]
enum Purpose {
    Training,
    Inference,
}

impl Engine<f32> for Cuda {
    fn load(&mut self, parameters: &[f32]) -> Result<()> {
        self.parameters.set(parameters)
    }

    fn load_at(&mut self, line: &Line<'_, f32>, offset: f64) -> Result<()> {
        let Self { device, parameters, lines, .. } = self;
        device.run(&lines.point(device, line, offset, parameters.change())?)
    }

    fn logits(&mut self, images: Images<'_, f32>, mode: Mode, moments: &mut AllMoments) -> Result<Vec<f32>> {
        self.there(Purpose::Inference, images, &[], mode, moments)?;
        self.read(Purpose::Inference, mode, moments)
    }

    fn forward(
        &mut self,
        images: Images<'_, f32>,
        factors: &[Vec<f32>],
        mode: Mode,
        moments: &mut AllMoments,
    ) -> Result<Vec<f32>> {
        self.mode = mode;
        self.there(Purpose::Training, images, factors, mode, moments)?;
        self.read(Purpose::Training, mode, moments)
    }

    fn backward(&mut self, logits_gradient: &[f32], _: &AllMoments, gradient: &mut [f32]) -> Result<()> {
        self.training_room.slot(self.training.logits_gradient)?.upload(logits_gradient)?;
        self.back()?.view().download(gradient)
    }

    fn evaluate(
        &mut self,
        images: Images<'_, f32>,
        labels: &[u16],
        moments: &mut AllMoments,
        into: &mut Outcome,
    ) -> Result<()> {
        self.loss.prepare(&self.device, labels, into)?;
        self.there(Purpose::Inference, images, &[], Mode::Evaluation, moments)?;
        let logits = self.inference_room.slot(self.inference.logits)?.view();
        self.device.run(&self.loss.launch(logits, None)?)
    }

    fn evaluated(&mut self, into: &mut Outcome) -> Result<()> {
        self.loss.read(into)
    }

    fn open_pass(&mut self, pass: &StatisticsPass) -> Result<()> {
        self.pass.set(&pass.means().concat())
    }

    fn collect(
        &mut self,
        images: Images<'_, f32>,
        (share, counts): (f64, &[usize]),
        moments: &mut AllMoments,
        pass: &mut StatisticsPass,
    ) -> Result<()> {
        self.there(Purpose::Inference, images, &[], Mode::Training, moments)?;
        self.factors.set(&bessel(pass.layout(), counts).collect::<Vec<_>>())?;
        self.device.run(&collect(self.moments.view(), self.factors.view(), self.pass.change(), share)?)
    }

    fn close_pass(&mut self, pass: &mut StatisticsPass) -> Result<()> {
        read_both(&mut self.pass, pass.means_mut())
    }

    fn evaluation_slice(&self) -> usize {
        EVALUATION_SLICE
    }

    fn resident(&mut self) -> Option<&mut dyn Resident<f32>> {
        Some(self)
    }
}

impl Resident<f32> for Cuda {
    fn set_out(&mut self, velocity: &[f32]) -> Result<()> {
        self.velocity.out().upload(velocity)
    }

    fn step(
        &mut self,
        images: Images<'_, f32>,
        labels: &[u16],
        factors: &[Vec<f32>],
        moments: &mut AllMoments,
        step: Step<f32>,
    ) -> Result<Outcome> {
        self.mode = Mode::Training;
        let mut outcome = Outcome::default();
        self.loss.prepare(&self.device, labels, &mut outcome)?;
        self.there(Purpose::Training, images, factors, Mode::Training, moments)?;
        let slopes = self.training_room.slot(self.training.logits_gradient)?;
        let logits = self.training_room.slot(self.training.plan.logits)?.view();
        self.device.run(&self.loss.launch(logits, Some(slopes))?)?;
        self.back()?;
        let descent = Descent { rate: step.rate, momentum: step.momentum, decay: step.weight_decay };
        let Self { device, parameters, velocity, gradient, .. } = self;
        device.run(&sgd(descent, parameters.change(), velocity.out(), gradient.view())?)?;
        self.read_moments(moments)?;
        self.loss.read(&mut outcome)?;
        Ok(outcome)
    }

    fn arrive(&mut self, parameters: &mut [f32], velocity: &mut [f32]) -> Result<()> {
        self.parameters.get(parameters)?;
        self.velocity.view().download(velocity)
    }

    fn average(&mut self, mean: &mut [f64], count: u64) -> Result<()> {
        let there = match self.mean.take() {
            Some(there) => there,
            None => Mirrored::zeros(&self.device, mean.len())?,
        };
        let there = self.mean.insert(there);
        there.set(mean)?;
        self.device.run(&average(there.change(), self.parameters.view(), count)?)?;
        there.get(mean)
    }
}
