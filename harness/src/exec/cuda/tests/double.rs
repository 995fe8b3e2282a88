//! The whole engine on a driver and a cuDNN whose GPU is the host, against the reference backend.
//!
//! `double/` has both. They are loaded before the engine looks for the real ones, under the names it looks for first.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Arc, Once};

use crate::device_test::{OPERATION_IMAGES, compare, compare_steps, convolutions, exact, operations, recordings};
use crate::exec::BackendKind;
use crate::exec::account::{By, Direction};
use crate::exec::cuda::algorithms::Precision;
use crate::exec::cuda::convolution::Convolution;
use crate::exec::cuda::device::Device;
use crate::exec::cuda::memory::Buffer;
use crate::exec::cuda::number::{Bf16, Numbers, Storage};
use crate::model::{Shape, Window};

unsafe extern "C" {
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// `RTLD_NOW` and `RTLD_GLOBAL`.
const FLAGS: c_int = 0x102;

/// Loads the doubles for good.
pub(super) fn load() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for name in ["libcuda.so", "libcudnn.so"] {
            let path = CString::new(format!("{}/{name}", env!("OUT_DIR"))).expect("a path");
            // SAFETY: the double's own code, which starts nothing when it is loaded.
            assert!(!unsafe { dlopen(path.as_ptr(), FLAGS) }.is_null(), "{path:?} cannot be loaded");
        }
    });
}

/// A function of the double's own.
fn own(name: &CStr) -> *mut c_void {
    // SAFETY: null looks among all libraries of the process.
    let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    assert!(!found.is_null(), "the double is not loaded");
    found
}

/// Bytes that this thread has sent to the double's GPU so far.
pub(super) fn traffic() -> u64 {
    // SAFETY: the double's function of this name has no arguments and gives this number.
    unsafe { std::mem::transmute::<*mut c_void, extern "C" fn() -> u64>(own(c"valleys_double_sent"))() }
}

/// How often this thread has asked the doubles for something so far.
pub(super) fn asked(by: By) -> u64 {
    let of_direction = |direction| {
        let counter = own(c"valleys_double_convolutions");
        // SAFETY: the double's function of this name takes 0, 1 or 2 and gives this number.
        unsafe { std::mem::transmute::<*mut c_void, extern "C" fn(c_int) -> u64>(counter)(direction) }
    };
    match by {
        By::Kernel(name) => {
            let (name, counter) = (CString::new(name).expect("a name"), own(c"valleys_double_launched"));
            // SAFETY: the double's function of this name takes a kernel's name, which it copies, and gives this number.
            unsafe { std::mem::transmute::<*mut c_void, extern "C" fn(*const c_char) -> u64>(counter)(name.as_ptr()) }
        }
        By::Convolution(Direction::Forward) => of_direction(0),
        By::Convolution(Direction::BackwardData) => of_direction(1),
        By::Convolution(Direction::BackwardFilter) => of_direction(2),
        // SAFETY: the double's function of this name has no arguments and gives this number.
        By::Memory => unsafe {
            std::mem::transmute::<*mut c_void, extern "C" fn() -> u64>(own(c"valleys_double_memory"))()
        },
    }
}

/// How many milliseconds kernels of ours, and cuDNN's convolutions forward, are said to take on this thread from now on.
fn take([ours, forward]: [f32; 2]) {
    for (name, milliseconds) in [(c"valleys_double_take", ours), (c"valleys_double_take_forward", forward)] {
        // SAFETY: both of the doubles' functions take this number.
        unsafe { std::mem::transmute::<*mut c_void, extern "C" fn(f32)>(own(name))(milliseconds) }
    }
}

/// How often this thread has had algorithms measured so far.
pub(super) fn measured() -> u64 {
    // SAFETY: the double's function of this name has no arguments and gives this number.
    unsafe { std::mem::transmute::<*mut c_void, extern "C" fn() -> u64>(own(c"valleys_double_measured"))() }
}

/// Whether recordings of this thread fail from now on.
pub(super) fn fail_recordings(fail: bool) {
    // SAFETY: the double's function of this name takes this flag.
    unsafe { std::mem::transmute::<*mut c_void, extern "C" fn(bool)>(own(c"valleys_double_fail_recordings"))(fail) }
}

#[test]
fn every_operation_holds_on_the_whole_engine() {
    load();
    for (name, graph) in operations().expect("networks") {
        let graph = Arc::new(graph);
        for backend in [BackendKind::Cuda, BackendKind::CudaTf32, BackendKind::CudaBf16] {
            let compared = compare(name, &graph, backend, OPERATION_IMAGES).expect("a GPU");
            assert!(compared.holds(), "{compared:?}");
        }
    }
}

/// What our kernels, and cuDNN's forward, are asked for by the convolutions' comparisons, which hold, if these take so long.
fn asked_if(times: [f32; 2], backend: BackendKind, images: usize) -> Vec<&'static str> {
    let ours = ["turn", "turn_bf16", "convolution_single", "convolution_tf32"];
    let ours = [&ours[..], &["convolution_backward_weight_single", "convolution_backward_weight_tf32"]].concat();
    let asked = || ours.iter().map(|name| asked(By::Kernel(name))).collect::<Vec<_>>();
    take(times);
    // The first time algorithms are tried.
    let mut before = Vec::new();
    for _ in 0..2 {
        before = asked();
        for (name, graph) in convolutions().expect("networks") {
            let compared = compare(name, &Arc::new(graph), backend, images).expect("a GPU");
            assert!(compared.holds(), "{backend}: {compared:?}");
        }
    }
    take([10.0, 1.0]);
    let both = ours.iter().zip(before.iter().zip(asked()));
    both.filter(|(_, (before, after))| after > before).map(|(name, _)| *name).collect()
}

#[test]
fn ways_of_ours_are_taken_where_they_are_the_quickest_and_hold() {
    load();
    // Algorithms are chosen once for every number of images; these are no other test's. cuDNN's ways back take 1.
    let (planar, turned) = (([0.1, 0.5], OPERATION_IMAGES + 2), ([10.0, 0.5], OPERATION_IMAGES + 3));
    let asked = |(times, images), backend| asked_if(times, backend, images);
    let single = ["convolution_single", "convolution_backward_weight_single"];
    assert_eq!(asked(planar, BackendKind::Cuda), single);
    assert_eq!(asked(planar, BackendKind::CudaTf32), ["convolution_tf32", "convolution_backward_weight_tf32"]);
    assert_eq!(asked(turned, BackendKind::Cuda), ["turn"]);
    assert_eq!(asked(turned, BackendKind::CudaBf16), ["turn_bf16"]);
}

#[test]
fn steps_images_points_and_averages_hold_on_the_whole_engine() {
    load();
    for backend in [BackendKind::Cuda, BackendKind::CudaBf16] {
        assert_eq!(exact(backend).expect("a GPU").map(|(_, same)| same), [true; 3], "{backend}");
        let recordings = recordings(backend).expect("a GPU").expect("graphs");
        assert_eq!((recordings.recorded, recordings.refused.len()), (3, 0), "{backend}");
        let compared = compare_steps(backend).expect("a GPU");
        assert!(compared.holds(), "{backend}: {compared:?}");
    }
}

#[test]
fn memory_holds_what_was_put_there_and_parts_are_checked() {
    load();
    let device = Device::open(0, 0).expect("the host");
    assert_eq!((device.name(), device.capability().as_str(), device.ordinal()), ("the host", "9.0", 0));
    assert!(Arc::ptr_eq(&device, &Device::open(0, 0).expect("the host")));
    let [a, b] = [[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]].map(|numbers| Buffer::new(&device, &numbers).expect("memory"));
    a.out().part(1..3).and_then(|part| part.copy_from(b.view().part(0..2)?, device.stream())).expect("two numbers");
    assert_eq!(a.view().to_vec().expect("numbers"), [1.0, 4.0, 5.0]);
    b.out().part(1..2).and_then(|part| part.clear(device.stream())).expect("one number");
    assert_eq!(b.view().to_vec().expect("numbers"), [4.0, 0.0, 6.0]);
    assert!(a.out().copy_from(a.view(), device.stream()).is_err(), "onto itself");
    assert!(a.out().upload(&[0.0; 2]).is_err() && a.view().download(&mut [0.0; 4]).is_err());
    let nothing = Buffer::<u8>::zeros(&device, 0).expect("no memory");
    assert!(nothing.len() == 0 && nothing.view().to_vec().expect("no numbers").is_empty());
}

#[test]
fn numbers_of_another_kind_are_refused_in_one_line() {
    load();
    let device = Device::open(0, 0).expect("the host");
    let kept = Numbers::zeros(&device, Storage::Bf16, 48).expect("memory");
    let maps = kept.out::<Bf16>().expect("its own numbers");
    let message = kept.out::<f32>().expect_err("other numbers").to_string();
    assert!(message.contains("is not kept as F32") && !message.contains('\n'), "{message}");
    let shape = Shape { channels: 3, height: 4, width: 4 };
    let pointwise = |precision| Convolution::new(&device, 1, shape, shape, Window::same(1, 1), precision);
    let convolution = pointwise(Precision::Bf16).expect("a convolution");
    let single = Buffer::new(&device, &[1.0; 48]).expect("memory");
    let weight = single.view().part(0..9).expect("a part");
    let message =
        convolution.forward(device.stream(), single.view(), weight, single.out()).expect_err("F32").to_string();
    assert_eq!(message, "numbers of a convolution on the GPU is F32; allowed: Bf16");
    let convolution = pointwise(Precision::Tf32).expect("a convolution");
    let weight = maps.view().part(0..9).expect("a part");
    assert!(convolution.forward(device.stream(), maps.view(), weight, maps).is_err());
}
