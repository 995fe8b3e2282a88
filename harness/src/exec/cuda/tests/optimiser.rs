use super::*;
use crate::average::Average;
use crate::exec::cuda::launch::{average, sgd};
use crate::optim::{Sgd, SgdParams};

#[test]
fn steps_are_the_optimiser_s_to_the_bit() {
    let n = 700;
    let (mut values, velocity) = (numbers("values", n), numbers("velocity", n));
    let params = SgdParams { momentum: 0.9, weight_decay: 3e-4 };
    let mut right = Sgd::with_velocity(params, velocity.clone()).expect("valid");
    let (w, v) = (single(&values), single(&velocity));
    for (step, rate) in [0.1, 0.05, 0.0].into_iter().enumerate() {
        let slopes = numbers(&format!("gradient {step}"), n);
        right.step(rate, &mut values, &slopes).expect("finite");
        let g = single(&slopes);
        let descent = single(&[rate as f32, 0.9, 3e-4]);
        run(&sgd(descent.view(), w.out(), v.out(), g.view()).expect("lengths fit"));
        assert_same(&w.read(), &values);
        assert_same(&v.read(), right.velocity());
    }
    let three = single(&[0.0; 3]);
    assert!(sgd(three.view(), w.out(), v.out(), single(&[0.0]).view()).is_err());
    assert!(sgd(single(&[0.0]).view(), w.out(), v.out(), v.view()).is_err());
}

#[test]
fn averages_are_those_of_the_host_to_the_bit() {
    let n = 300;
    let mut right = Average::new(n);
    let mean = double(&vec![0.0; n]);
    for count in 1..=5 {
        let values = numbers(&format!("point {count}"), n);
        right.push(&values).expect("lengths fit");
        let values = single(&values);
        run(&average(mean.out(), values.view(), count).expect("lengths fit"));
        assert_eq!(mean.read(), right.mean());
    }
    assert!(average(mean.out(), single(&vec![0.0; n]).view(), 0).is_err());
}
