//! The engine: a network's plans on one device, which keeps weights, images and steps.

use std::cell::Cell;
use std::sync::Arc;

use cudarc::driver::CudaStream;

use super::algorithms::Precision;
use super::device::Device;
use super::graph::{Places, Replays};
use super::images;
use super::launch::{Batch, average, collect, sgd, track};
use super::lines::Lines;
use super::loss::{self, Loss};
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
use crate::exec::gpu::fusion::Ways;
use crate::exec::plan::{Kinds, Plan, TrainingPlan};
use crate::exec::run::{AllMoments, bessel};
use crate::exec::{MOMENTUM, Mode, Outcome, Recordings, StatisticsPass};
use crate::model::Graph;
use crate::model::graph::Shape;
use crate::optim::Step;
use crate::params::{Layout, Line};

/// Images evaluated at a time, since beginnings and ends take the time of small batches.
const EVALUATION_SLICE: usize = 1000;

/// What waits on the device: few enough batches that who trains soon learns of a loss that is none.
const WAITING: loss::Room = loss::Room { images: 1 << 14, batches: 32 };

/// One network on one GPU; parameters, logits and losses are in single precision.
pub(crate) struct Cuda {
    device: Arc<Device>,
    layout: Arc<Layout>,
    input: Shape,
    training: TrainingPlan,
    training_ways: Ways,
    training_room: Room,
    inference: Plan,
    inference_ways: Ways,
    inference_room: Room,
    convolutions: Convolutions,
    sets: Sets,
    parameters: Mirrored<f32>,
    lines: Lines,
    gradient: Buffer<f32>,
    velocity: Buffer<f32>,
    /// Running means, then variances, of the channels of all batch norms.
    running: Buffer<f32>,
    /// Learning rate, momentum and weight decay.
    descent: Mirrored<f32>,
    /// The mean of several networks; most engines never make one.
    mean: Option<Mirrored<f64>>,
    /// Means, then biased variances, of the channels of all batch norms.
    moments: Mirrored<f64>,
    /// The same over the batches of a pass, with unbiased variances.
    pass: Mirrored<f64>,
    /// What makes a batch's variances unbiased.
    factors: Mirrored<f64>,
    loss: Loss,
    replays: Replays<(Work, usize)>,
    /// Of the last way there that can go back.
    mode: Mode,
}

/// Name and number of a GPU.
pub(crate) fn name(ordinal: usize) -> Result<String> {
    let device = Device::open(ordinal, 0)?;
    Ok(format!("{}, compute capability {} (cuda:{})", device.name(), device.capability(), device.ordinal()))
}

impl Cuda {
    /// The engine of a network on the GPU of this number, in one of its lanes.
    pub(crate) fn new(
        graph: &Graph,
        (ordinal, lane): (usize, usize),
        multiplies: gpu::Precision,
        kinds: &Kinds,
    ) -> Result<Self> {
        let device = Device::open(ordinal, lane)?;
        let precision = match multiplies {
            gpu::Precision::Single => Precision::F32,
            gpu::Precision::Tf32 => Precision::Tf32,
            gpu::Precision::Bf16 => Precision::Bf16,
        };
        let (parameters, channels) = (graph.layout().trainable(), graph.layout().channels());
        let (training, inference) = (TrainingPlan::of(graph, kinds), Plan::inference_of(graph, kinds));
        Ok(Self {
            layout: Arc::clone(graph.layout()),
            input: graph.input(),
            training_ways: Ways::training(&training, |op| multiplies.fits(op)),
            training,
            training_room: Room::new(precision.storage()),
            inference_ways: Ways::inference(&inference, |op| multiplies.fits(op)),
            inference,
            inference_room: Room::new(precision.storage()),
            convolutions: Convolutions::new(precision),
            sets: Sets::new(&device)?,
            parameters: Mirrored::zeros(&device, parameters)?,
            lines: Lines::default(),
            gradient: Buffer::zeros(&device, parameters)?,
            velocity: Buffer::zeros(&device, parameters)?,
            running: Buffer::zeros(&device, 2 * channels)?,
            descent: Mirrored::zeros(&device, 3)?,
            mean: None,
            moments: Mirrored::zeros(&device, 2 * channels)?,
            pass: Mirrored::zeros(&device, 2 * channels)?,
            factors: Mirrored::zeros(&device, channels)?,
            loss: Loss::new(&device, WAITING)?,
            // To look for a fault: kernels one by one.
            replays: Replays::new(std::env::var("VALLEYS_CUDA_GRAPHS").as_deref() != Ok("off")),
            mode: Mode::Training,
            device,
        })
    }

    /// Takes a batch to where a plan begins.
    fn show(&mut self, purpose: Purpose, images: Images<'_, f32>, factors: &[Vec<f32>]) -> Result<()> {
        let Self { device, convolutions, sets, .. } = self;
        let (plan, ways, room) = match purpose {
            Purpose::Training => (&self.training.plan, &self.training_ways, &mut self.training_room),
            Purpose::Inference => (&self.inference, &self.inference_ways, &mut self.inference_room),
        };
        let count = match images {
            Images::Pixels(pixels) => pixels.len() / self.input.len(),
            Images::Views(shown) => shown.views.len(),
        };
        room.prepare(device, plan, ways, count)?;
        convolutions.prepare(device, ways, count)?;
        images::write(device, sets, images, self.input, room, plan.images)?;
        plan.masks.iter().zip(factors).try_for_each(|(slot, factors)| device.send(factors, room.slot(*slot)?))
    }

    /// Takes a batch through a plan: the logits are in the plan's slot. Batch norms normalise by the moments that are given,
    /// or else by those of the batch.
    fn there(
        &mut self,
        purpose: Purpose,
        images: Images<'_, f32>,
        factors: &[Vec<f32>],
        given: Option<&AllMoments>,
    ) -> Result<()> {
        self.show(purpose, images, factors)?;
        let mode = match given {
            None => {
                self.moments.change();
                Mode::Training
            }
            Some(given) => {
                self.moments.set(&self.device, &[given.mean.as_slice(), &given.var].concat())?;
                Mode::Evaluation
            }
        };
        self.replay(Work::There(purpose, mode), |engine, stream| engine.forward(purpose, mode, stream))
    }

    /// Does work that is the same for every batch of so many images.
    fn replay(&mut self, work: Work, run: impl Fn(&Self, &Arc<CudaStream>) -> Result<()>) -> Result<()> {
        let purpose = match work {
            Work::There(purpose, _) => purpose,
            Work::Step => Purpose::Training,
        };
        // Out of the engine's hands, which the work reads.
        let mut replays = std::mem::replace(&mut self.replays, Replays::new(false));
        let room = self.room(purpose);
        let places = || Places {
            addresses: room.places().chain(self.loss.places()).collect(),
            workspace: self.device.workspace(),
        };
        // SAFETY: all other memory that the work reads or writes belongs to the engine from its making to its end, and so
        // do the replays: parameters, gradient, velocity, running statistics, the numbers of a step, moments and factors.
        let done = unsafe { replays.run(&self.device, (work, room.images()), places, |stream| run(self, stream)) };
        self.replays = replays;
        done
    }

    fn forward(&self, purpose: Purpose, mode: Mode, stream: &Arc<CudaStream>) -> Result<()> {
        let machine = self.machine(purpose, stream);
        let pass = self.pass(&machine, mode);
        pass.forward(&self.ways(purpose).there)
    }

    /// Takes the batch back from the gradient of the logits in its slot: the gradient with respect to the parameters.
    fn back(&self, mode: Mode, stream: &Arc<CudaStream>) -> Result<Out<'_, f32>> {
        let gradient = self.gradient.out();
        gradient.clear(stream)?;
        let machine = self.machine(Purpose::Training, stream);
        let pass = self.pass(&machine, mode);
        pass.backward(&self.training_ways.back, gradient)?;
        Ok(gradient)
    }

    /// There and back and a step down, all in the device's memory.
    fn descend(&self, stream: &Arc<CudaStream>) -> Result<()> {
        self.forward(Purpose::Training, Mode::Training, stream)?;
        let slopes = self.training_room.slot(self.training.logits_gradient)?;
        let logits = self.training_room.slot(self.training_ways.logits)?.view();
        self.device.run_in(stream, &self.loss.launch(logits, Some(slopes))?)?;
        let gradient = self.back(Mode::Training, stream)?.view();
        let (parameters, velocity) = (self.parameters.place(), self.velocity.out());
        self.device.run_in(stream, &sgd(self.descent.view(), parameters, velocity, gradient)?)?;
        if self.running.len() == 0 {
            return Ok(());
        }
        let batch = Batch { moments: self.moments.view(), factors: self.factors.view() };
        self.device.run_in(stream, &track(batch, self.running.out(), MOMENTUM)?)
    }

    /// Whether steps are recorded from now on.
    #[cfg(test)]
    pub(super) fn record(&mut self, records: bool) {
        self.replays = Replays::new(records);
    }

    fn ways(&self, purpose: Purpose) -> &Ways {
        match purpose {
            Purpose::Training => &self.training_ways,
            Purpose::Inference => &self.inference_ways,
        }
    }

    fn room(&self, purpose: Purpose) -> &Room {
        match purpose {
            Purpose::Training => &self.training_room,
            Purpose::Inference => &self.inference_room,
        }
    }

    fn machine<'a>(&'a self, purpose: Purpose, stream: &'a Arc<CudaStream>) -> OnDevice<'a> {
        OnDevice {
            device: &self.device,
            stream,
            room: self.room(purpose),
            convolutions: &self.convolutions,
            open: Cell::new(false),
        }
    }

    fn pass<'a>(&'a self, machine: &'a OnDevice<'a>, mode: Mode) -> Pass<'a, OnDevice<'a>> {
        Pass { machine, parameters: self.parameters.view(), moments: self.moments.place(), mode }
    }

    /// The logits of a pass and, of training, the moments.
    fn read(&mut self, purpose: Purpose, mode: Mode, moments: &mut AllMoments) -> Result<Vec<f32>> {
        let logits = self.room(purpose).slot(self.ways(purpose).logits)?.view().to_vec()?;
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
#[derive(Debug, Clone, Copy, PartialEq)]
enum Purpose {
    Training,
    Inference,
}

/// What is the same for every batch of a size.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Work {
    /// The way to the logits.
    There(Purpose, Mode),
    /// There and back, and a step of SGD.
    Step,
}

impl Engine<f32> for Cuda {
    fn load(&mut self, parameters: &[f32]) -> Result<()> {
        self.loss.forget();
        self.parameters.set(&self.device, parameters)
    }

    fn load_at(&mut self, line: &Line<'_, f32>, offset: f64) -> Result<()> {
        self.loss.forget();
        let Self { device, parameters, lines, .. } = self;
        device.run(&lines.point(device, line, offset, parameters.change())?)
    }

    fn logits(&mut self, images: Images<'_, f32>, mode: Mode, moments: &mut AllMoments) -> Result<Vec<f32>> {
        let given = (mode == Mode::Evaluation).then_some(&*moments);
        self.there(Purpose::Inference, images, &[], given)?;
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
        let given = (mode == Mode::Evaluation).then_some(&*moments);
        self.there(Purpose::Training, images, factors, given)?;
        self.read(Purpose::Training, mode, moments)
    }

    fn backward(&mut self, logits_gradient: &[f32], _: &AllMoments, gradient: &mut [f32]) -> Result<()> {
        self.training_room.slot(self.training.logits_gradient)?.upload(logits_gradient)?;
        self.back(self.mode, self.device.stream())?.view().download(gradient)
    }

    fn evaluate(
        &mut self,
        images: Images<'_, f32>,
        labels: &[u16],
        moments: &mut AllMoments,
        into: &mut Outcome,
    ) -> Result<()> {
        self.loss.prepare(&self.device, labels)?;
        self.there(Purpose::Inference, images, &[], Some(moments))?;
        let logits = self.inference_room.slot(self.inference_ways.logits)?.view();
        self.device.run(&self.loss.launch(logits, None)?)?;
        self.loss.keep(&self.device)?.into_iter().for_each(|outcome| into.extend(outcome));
        Ok(())
    }

    fn evaluated(&mut self, into: &mut Outcome) -> Result<()> {
        self.loss.read()?.into_iter().for_each(|outcome| into.extend(outcome));
        Ok(())
    }

    fn open_pass(&mut self, pass: &StatisticsPass) -> Result<()> {
        self.pass.set(&self.device, &pass.means().concat())
    }

    fn collect(
        &mut self,
        images: Images<'_, f32>,
        (share, counts): (f64, &[usize]),
        _: &mut AllMoments,
        pass: &mut StatisticsPass,
    ) -> Result<()> {
        self.there(Purpose::Inference, images, &[], None)?;
        self.factors.set(&self.device, &bessel(pass.layout(), counts).collect::<Vec<_>>())?;
        let batch = Batch { moments: self.moments.view(), factors: self.factors.view() };
        self.device.run(&collect(batch, self.pass.change(), share)?)
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
    fn set_out(&mut self, velocity: &[f32], running: [&[f32]; 2]) -> Result<()> {
        self.running.out().upload(&running.concat())?;
        self.velocity.out().upload(velocity)
    }

    fn step(
        &mut self,
        images: Images<'_, f32>,
        labels: &[u16],
        factors: &[Vec<f32>],
        counts: &[usize],
        step: Step<f32>,
    ) -> Result<Vec<Outcome>> {
        self.mode = Mode::Training;
        self.loss.prepare(&self.device, labels)?;
        self.factors.set(&self.device, &bessel(&self.layout, counts).collect::<Vec<_>>())?;
        self.descent.set(&self.device, &[step.rate, step.momentum, step.weight_decay])?;
        self.show(Purpose::Training, images, factors)?;
        self.moments.change();
        self.parameters.change();
        self.replay(Work::Step, Self::descend)?;
        self.loss.keep(&self.device)
    }

    fn settle(&mut self) -> Result<Vec<Outcome>> {
        let outcomes = self.loss.read()?;
        self.device.wait()?;
        Ok(outcomes)
    }

    fn recordings(&self) -> Recordings {
        self.replays.recordings()
    }

    fn arrive(&mut self, parameters: &mut [f32], velocity: &mut [f32], running: [&mut [f32]; 2]) -> Result<()> {
        self.parameters.get(parameters)?;
        let (channels, [mean, var]) = (self.running.len() / 2, running);
        self.running.view().part(0..channels)?.download(mean)?;
        self.running.view().part(channels..2 * channels)?.download(var)?;
        self.velocity.view().download(velocity)
    }

    fn average(&mut self, mean: &mut [f64], count: u64) -> Result<()> {
        let there = match self.mean.take() {
            Some(there) => there,
            None => Mirrored::zeros(&self.device, mean.len())?,
        };
        let there = self.mean.insert(there);
        there.set(&self.device, mean)?;
        self.device.run(&average(there.change(), self.parameters.view(), count)?)?;
        there.get(mean)
    }
}
