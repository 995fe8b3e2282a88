//! Theorem 2: the mean of SGD over asymmetry c and noise ν, with the thresholds that the theorems name.

use valleys_sim::record::BiasMap;

use super::map::{Map, Means};
use crate::scale::{grouped, number};
use crate::{Picture, Result};

pub(super) fn picture(name: &str, map: &BiasMap) -> Result<Picture> {
    let title = "Theorem 2: where SGD’s average lies on the flat side".to_owned();
    let means = Means {
        map: Map { c: &map.c, nu: &map.nu, thresholds: &map.thresholds },
        long_run: map.long_run.iter().map(Vec::as_slice).collect(),
        round: map.round.iter().map(Vec::as_slice).collect(),
        half_width: map.half_width,
    };
    let svg = means.draw(&title, &map.setting)?;
    let caption = format!(
        "Mean of SGD in units of ηa₊ for asymmetry c and noise bound ν, b₊ = {b_plus} a₊: blue is the flat side, \
         orange the sharp side, white lies within ±{half_width} of zero, the widest 95 % half-width on the map. Above \
         (to the right of) a theorem’s curve its mean is promised to be positive. {steps} steps in all. Setting: \
         {setting}.",
        b_plus = number(map.b_plus),
        half_width = number(map.half_width),
        steps = grouped(map.steps),
        setting = map.setting,
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}
