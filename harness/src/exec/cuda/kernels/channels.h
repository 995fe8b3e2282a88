// Channel by channel: batch norm, and the gradients of biases.
//
// A block is a group of channels and a split, which is a part of their numbers. A reduction has two halves: `own` is a
// thread's part in the sums of its channel, `store` what the first GROUP threads do with them, a thread a channel.
#pragma once

#include "layout.h"

namespace threads {

// The numbers of a value by channels.
template <class Layout>
struct Planes {
  Layout value;
  unsigned images, splits;
  BOTH unsigned channel(Thread t) const { return t.block_x * Layout::GROUP + t.lane % Layout::GROUP; }
  // The last group may have fewer channels than others.
  BOTH bool has_channel(Thread t) const { return channel(t) < value.channels; }

  // Calls f(index) for the numbers that are this thread's, in order.
  template <class F>
  BOTH void for_own(Thread t, F f) const {
    if (has_channel(t)) value.for_own(t, images, splits, f);
  }
  // Where the sums of a split stand among the partial sums: first the first sums by channel, then the second.
  BOTH void store_partial(Thread t, scalar::Sums sums, double *partial) const {
    if (!has_channel(t)) return;
    partial[(t.block_y * 2) * value.channels + channel(t)] = sums.first;
    partial[(t.block_y * 2 + 1) * value.channels + channel(t)] = sums.second;
  }
};

// This thread's share in adding up the splits of channel block_x.
BOTH scalar::Sums own_splits(Thread t, unsigned channels, unsigned splits, const double *partial) {
  scalar::Sums sums = {0.0, 0.0};
  for (unsigned split = t.lane; split < splits; split += THREADS) {
    const double *of_split = partial + split * 2 * channels + t.block_x;
    sums = scalar::plus(sums, {of_split[0], of_split[channels]});
  }
  return sums;
}

// Sums of x and x^2.
template <class Layout, class T>
struct MomentsSums {
  static constexpr unsigned GROUP = Layout::GROUP;
  const T *x;
  double *partial;
  Planes<Layout> planes;
  BOTH scalar::Sums own(Thread t) const {
    scalar::Sums sums = {0.0, 0.0};
    planes.for_own(t, [&](unsigned i) { sums = scalar::plus(sums, scalar::moments_term(scalar::load(x[i]))); });
    return sums;
  }
  BOTH void store(Thread t, scalar::Sums sums) const { planes.store_partial(t, sums, partial); }
};

// Mean and biased variance.
struct MomentsFinish {
  static constexpr unsigned GROUP = 1;
  const double *partial;
  double *mean, *var;
  unsigned channels, splits;
  double count;
  BOTH scalar::Sums own(Thread t) const { return own_splits(t, channels, splits, partial); }
  BOTH void store(Thread t, scalar::Sums sums) const {
    mean[t.block_x] = scalar::mean(sums, count);
    var[t.block_x] = scalar::variance(sums, count);
  }
};

// What batch norm makes of every channel.
struct Norm {
  const double *mean, *var;
  const float *weight, *bias;
  unsigned function;
  BOTH scalar::Affine affine(unsigned channel) const {
    return scalar::affine(mean[channel], var[channel], weight[channel], bias[channel]);
  }
};

template <class Layout, class T>
BOTH void batch_norm(Thread t, const T *x, Norm norm, T *y, Planes<Layout> planes) {
  if (!planes.has_channel(t)) return;
  const scalar::Affine affine = norm.affine(planes.channel(t));
  planes.for_own(t, [&](unsigned i) {
    scalar::store(y[i], scalar::batch_norm(affine, norm.function, scalar::load(x[i])));
  });
}

// Sums of dz and dz (x - mean).
template <class Layout, class T>
struct BatchNormBackwardSums {
  static constexpr unsigned GROUP = Layout::GROUP;
  const T *x, *dy;
  Norm norm;
  double *partial;
  Planes<Layout> planes;
  BOTH scalar::Sums own(Thread t) const {
    scalar::Sums sums = {0.0, 0.0};
    if (!planes.has_channel(t)) return sums;
    const scalar::Affine affine = norm.affine(planes.channel(t));
    const double mean = norm.mean[planes.channel(t)];
    planes.for_own(t, [&](unsigned i) {
      const float own_x = scalar::load(x[i]), own_dy = scalar::load(dy[i]);
      sums = scalar::plus(sums, scalar::backward_term(affine, mean, norm.function, own_x, own_dy));
    });
    return sums;
  }
  BOTH void store(Thread t, scalar::Sums sums) const { planes.store_partial(t, sums, partial); }
};

// Gradients with respect to weight and bias, added to what is there; and by channel the three numbers of a Slope, all
// zero if the moments do not depend on x.
struct BatchNormBackwardFinish {
  static constexpr unsigned GROUP = 1;
  const double *partial, *mean, *var;
  const float *weight;
  float *weight_gradient, *bias_gradient, *slopes;
  unsigned channels, splits;
  double count;
  unsigned training;
  BOTH scalar::Sums own(Thread t) const { return own_splits(t, channels, splits, partial); }
  BOTH void store(Thread t, scalar::Sums sums) const {
    const unsigned c = t.block_x;
    weight_gradient[c] += scalar::weight_gradient(sums, var[c]);
    bias_gradient[c] += scalar::bias_gradient(sums);
    scalar::Slope slope = {0.0f, 0.0f, 0.0f};
    if (training) slope = scalar::slope(mean[c], var[c], weight[c], sums, count);
    slopes[c] = slope.mean;
    slopes[channels + c] = slope.slope;
    slopes[2 * channels + c] = slope.offset;
  }
};

template <class Layout, class T>
BOTH void batch_norm_backward(Thread t, const T *x, const T *dy, Norm norm, const float *slopes, T *dx,
                              Planes<Layout> planes, unsigned accumulate) {
  if (!planes.has_channel(t)) return;
  const unsigned c = planes.channel(t), channels = planes.value.channels;
  const scalar::Affine affine = norm.affine(c);
  const scalar::Slope slope = {slopes[c], slopes[channels + c], slopes[2 * channels + c]};
  planes.for_own(t, [&](unsigned i) {
    const float own_x = scalar::load(x[i]), own_dy = scalar::load(dy[i]);
    scalar::put(dx[i], scalar::batch_norm_backward(affine, slope, norm.function, own_x, own_dy), accumulate);
  });
}

// Sums of dy: the gradient with respect to a bias.
template <class Layout, class T>
struct BiasSums {
  static constexpr unsigned GROUP = Layout::GROUP;
  const T *dy;
  double *partial;
  Planes<Layout> planes;
  BOTH scalar::Sums own(Thread t) const {
    scalar::Sums sums = {0.0, 0.0};
    planes.for_own(t, [&](unsigned i) { sums.first += (double)scalar::load(dy[i]); });
    return sums;
  }
  BOTH void store(Thread t, scalar::Sums sums) const { planes.store_partial(t, sums, partial); }
};

// Added to what is there.
struct BiasFinish {
  static constexpr unsigned GROUP = 1;
  const double *partial;
  float *gradient;
  unsigned channels, splits;
  BOTH scalar::Sums own(Thread t) const { return own_splits(t, channels, splits, partial); }
  BOTH void store(Thread t, scalar::Sums sums) const { gradient[t.block_x] += scalar::bias_gradient(sums); }
};

}  // namespace threads
