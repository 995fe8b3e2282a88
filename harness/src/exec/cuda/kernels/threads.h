// What each thread of each kernel does, apart from waiting for others: indices here, arithmetic in scalar.h.
//
// The GPU runs a function once a thread; the host, for the tests, in loops. Where the numbers of feature maps may be
// kept in more than one way, a function is a template of their type and layout. This file has what goes number by
// number; pooling.h, channels.h and product.h have the rest.
#pragma once

#include "channels.h"
#include "convolution.h"
#include "packs.h"
#include "planar_convolution.h"
#include "planar_gradient.h"
#include "pooling.h"
#include "product.h"
#include "weight_gradient.h"

namespace threads {

// ---- n threads have work

template <class T>
BOTH void add(Thread t, const T *x, T *y, unsigned n) {
  const unsigned i = t.index();
  if (i < n) scalar::store(y[i], scalar::load(y[i]) + scalar::load(x[i]));
}

// The factors are planar, whatever x is.
template <class Layout, class T>
BOTH void multiply(Thread t, Layout layout, const T *x, const float *factors, T *y, unsigned accumulate, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const float factor = factors[Planar{layout.channels, layout.plane}.at(layout.place(i))];
  scalar::put(y[i], scalar::load(x[i]) * factor, accumulate);
}

template <class T>
BOTH void activation(Thread t, const T *x, T *y, unsigned function, unsigned n) {
  const unsigned i = t.index();
  if (i < n) scalar::store(y[i], scalar::value(function, scalar::load(x[i])));
}

template <class T>
BOTH void activation_backward(Thread t, const T *y, const T *dy, T *dx, unsigned function, unsigned accumulate,
                              unsigned n) {
  const unsigned i = t.index();
  if (i < n)
    scalar::put(dx[i], scalar::back_from_value(function, scalar::load(y[i]), scalar::load(dy[i])), accumulate);
}

// A part of every piece of y <- x: `length` of `total` numbers, from `offset` on. The pieces are images, or pixels
// where channels are last.
template <class T>
BOTH void insert(Thread t, const T *x, T *y, unsigned offset, unsigned length, unsigned total, unsigned n) {
  const unsigned i = t.index();
  if (i < n) y[i / length * total + offset + i % length] = x[i];
}

// dx <- a part of dy
template <class T>
BOTH void extract(Thread t, const T *dy, T *dx, unsigned offset, unsigned length, unsigned total, unsigned accumulate,
                  unsigned n) {
  const unsigned i = t.index();
  if (i < n) scalar::put(dx[i], scalar::load(dy[i / length * total + offset + i % length]), accumulate);
}

// y <- y + the bias of the channel.
template <class Layout, class T>
BOTH void add_bias(Thread t, Layout layout, const float *bias, T *y, unsigned n) {
  const unsigned i = t.index();
  if (i < n) scalar::store(y[i], scalar::load(y[i]) + bias[layout.place(i).channel]);
}

// y <- x, or y + x, in another layout and other numbers.
template <class From, class To, class X, class Y>
BOTH void convert(Thread t, From from, To to, const X *x, Y *y, unsigned accumulate, unsigned n) {
  const unsigned i = t.index();
  if (i < n) scalar::put(y[i], scalar::load(x[from.at(to.place(i))]), accumulate);
}

// A convolution's weight, turned round for the way back: channels change places with outputs, and windows are read backwards.
// `from` has the outputs' layout, `to` that of the channels.
template <class Layout, class T>
BOTH void turn(Thread t, Layout from, Layout to, const T *weight, T *turned, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const Place place = to.place(i);
  turned[i] = weight[from.at({place.channel, place.image, from.plane - 1 - place.pixel})];
}

// A convolution's weight among `n` rounded numbers, and among the parameters; its outputs stand for images.
struct Weight {
  unsigned rounded, parameters, channels, plane, length;
};

// A thread a rounded number: that of a parameter, of the weight that has a place there, if one has. The places of the
// weights ascend; of `length` parameters there are no others.
BOTH void round_weights(Thread t, const float *parameters, const Weight *weights, scalar::Bf16 *rounded,
                        unsigned length, unsigned count, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  unsigned after = 0;  // the first weight whose place is behind i
  for (unsigned end = count; after < end;) {
    const unsigned middle = after + (end - after) / 2;
    if (weights[middle].rounded <= i) after = middle + 1;
    else end = middle;
  }
  if (after == 0) return;
  const Weight own = weights[after - 1];
  const unsigned number = i - own.rounded;
  if (number >= own.length) return;
  const Planar planar = {own.channels, own.plane};
  const unsigned source = own.parameters + planar.at(ChannelsLast{own.channels, own.plane}.place(number));
  if (source < length) scalar::store(rounded[i], parameters[source]);
}

// ---- loss, optimiser, average; landscape; augmentation

// A thread an image: its loss, NaN if the label is no class; whether the first of its largest logits is the label; and
// the gradient of the mean loss unless `gradient` is null.
BOTH void cross_entropy(Thread t, const float *logits, const unsigned short *labels, double *losses,
                        unsigned char *correct, float *gradient, unsigned classes, unsigned images) {
  const unsigned image = t.index();
  if (image >= images) return;
  const float *z = logits + image * classes;
  const unsigned label = labels[image];
  double largest = -INFINITY;
  unsigned first_largest = classes;
  for (unsigned i = 0; i < classes; ++i)
    if ((double)z[i] > largest || (first_largest == classes && (double)z[i] == largest)) {
      largest = (double)z[i];
      first_largest = i;
    }
  double sum = 0.0;
  for (unsigned i = 0; i < classes; ++i) sum += exp((double)z[i] - largest);
  const double normaliser = log(sum);
  losses[image] = label < classes ? scalar::cross_entropy(largest, normaliser, z[label]) : NAN;
  correct[image] = first_largest == label;
  if (gradient)
    for (unsigned i = 0; i < classes; ++i)
      gradient[image * classes + i] = scalar::cross_entropy_gradient(largest, normaliser, z[i], i == label, images);
}

// Number i of a batch's means and unbiased variances: of all channels first the means, then the biased variances, which
// `factors` makes unbiased.
BOTH double unbiased(const double *moments, const double *factors, unsigned i, unsigned channels) {
  return i < channels ? moments[i] : moments[i] * factors[i - channels];
}

BOTH void track(Thread t, float *running, const double *moments, const double *factors, double share,
                unsigned channels) {
  const unsigned i = t.index();
  if (i < 2 * channels) running[i] = scalar::tracked(running[i], unbiased(moments, factors, i, channels), share);
}

// Three numbers say how: learning rate, momentum, weight decay.
BOTH void sgd(Thread t, float *values, float *velocity, const float *gradient, const float *descent, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  velocity[i] = scalar::velocity(velocity[i], gradient[i], values[i], descent[1], descent[2]);
  values[i] = scalar::descended(values[i], velocity[i], descent[0]);
}

BOTH void average(Thread t, double *mean, const float *values, double count, unsigned n) {
  const unsigned i = t.index();
  if (i < n) mean[i] = scalar::averaged(mean[i], values[i], count);
}

BOTH void along(Thread t, const float *centre, const double *direction, float *y, double offset, unsigned n) {
  const unsigned i = t.index();
  if (i < n) y[i] = scalar::along(centre[i], direction[i], offset);
}

BOTH void collect(Thread t, const double *moments, const double *factors, double *kept, double share,
                  unsigned channels) {
  const unsigned i = t.index();
  if (i < 2 * channels) kept[i] = scalar::collected(kept[i], unbiased(moments, factors, i, channels), share);
}

// A thread a number of `out`: bytes of resident images, which are planar, through their channel's table of 256. Four
// numbers an image say which image it is, how far down and right the crop starts, and whether it is mirrored; what lies
// outside the image is the byte 0. Of `resident` images others are NaN. n = images * channels * side * side.
template <class Layout, class T>
BOTH void augment(Thread t, const unsigned char *images, const float *tables, const int *variations, T *out,
                  unsigned channels, unsigned side, unsigned resident, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const unsigned plane = side * side;
  const Place place = Layout{channels, plane}.place(i);
  const int *variation = variations + place.image * 4;
  const int row = (int)(place.pixel / side) + variation[1];
  const int column = scalar::source_column((int)(place.pixel % side), variation[2], variation[3], (int)side);
  const bool inside = row >= 0 && row < (int)side && column >= 0 && column < (int)side;
  const unsigned image = (unsigned)variation[0];
  // A resident set may hold more than 2^32 bytes.
  const unsigned long long source = (unsigned long long)image * channels + place.channel;
  const bool exists = image < resident;
  const unsigned byte = exists && inside ? images[source * plane + (unsigned)(row * (int)side + column)] : 0;
  scalar::store(out[i], exists ? tables[place.channel * 256 + byte] : NAN);
}

}  // namespace threads
