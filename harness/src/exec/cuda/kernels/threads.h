// What each thread of each kernel does, apart from waiting for others: indices here, arithmetic in scalar.h.
//
// The GPU runs a function below once a thread; the host, for the tests, in loops. Indices are 32-bit, which launch/
// checks: no value has 2^31 numbers or more.
#pragma once

#include "scalar.h"

namespace threads {

// Threads of every block.
constexpr unsigned THREADS = 256;

// Rows and columns of a tile of a matrix product; a thread an entry.
constexpr unsigned TILE = 16;
static_assert(TILE * TILE == THREADS, "a thread an entry");

// Which thread of which block.
struct Thread {
  unsigned block_x, block_y, lane;
  BOTH unsigned index() const { return block_x * THREADS + lane; }
};

// ---- number by number; n threads have work

BOTH void add(Thread t, const float *x, float *y, unsigned n) {
  const unsigned i = t.index();
  if (i < n) y[i] += x[i];
}

BOTH void multiply(Thread t, const float *x, const float *factors, float *y, unsigned accumulate, unsigned n) {
  const unsigned i = t.index();
  if (i < n) y[i] = scalar::target(accumulate ? y[i] : 0.0f, x[i] * factors[i], accumulate);
}

BOTH void activation(Thread t, const float *x, float *y, unsigned function, unsigned n) {
  const unsigned i = t.index();
  if (i < n) y[i] = scalar::value(function, x[i]);
}

BOTH void activation_backward(Thread t, const float *y, const float *dy, float *dx, unsigned function,
                              unsigned accumulate, unsigned n) {
  const unsigned i = t.index();
  if (i < n) {
    const float gradient = scalar::back_from_value(function, y[i], dy[i]);
    dx[i] = scalar::target(accumulate ? dx[i] : 0.0f, gradient, accumulate);
  }
}

// A part of every image of y <- x: `length` of `total` numbers, from `offset` on; n = images * length.
BOTH void insert(Thread t, const float *x, float *y, unsigned offset, unsigned length, unsigned total, unsigned n) {
  const unsigned i = t.index();
  if (i < n) y[i / length * total + offset + i % length] = x[i];
}

// dx <- a part of dy; n = images * length.
BOTH void extract(Thread t, const float *dy, float *dx, unsigned offset, unsigned length, unsigned total,
                  unsigned accumulate, unsigned n) {
  const unsigned i = t.index();
  if (i < n) {
    const float gradient = dy[i / length * total + offset + i % length];
    dx[i] = scalar::target(accumulate ? dx[i] : 0.0f, gradient, accumulate);
  }
}

// y <- y + the bias of the channel.
BOTH void add_bias(Thread t, const float *bias, float *y, unsigned channels, unsigned plane, unsigned n) {
  const unsigned i = t.index();
  if (i < n) y[i] += bias[i / plane % channels];
}

// ---- pooling over disjoint windows; what they leave over on the right and below is unused

// Windows of size x size in planes of height x width.
struct Pool {
  unsigned width, size, columns, windows;
  BOTH Pool(unsigned height, unsigned width, unsigned size)
      : width(width), size(size), columns(width / size), windows(height / size * (width / size)) {}
  // The first pixel of a window, within its plane.
  BOTH unsigned corner(unsigned window) const { return window / columns * size * width + window % columns * size; }
  // The window of a pixel; `windows` if it is in none.
  BOTH unsigned window_of(unsigned pixel) const {
    const unsigned row = pixel / width / size, column = pixel % width / size;
    const unsigned window = row * columns + column;
    return column < columns && window < windows ? window : windows;
  }
  // The first pixel of a window with the largest number, or the last that is no number.
  BOTH unsigned first_maximum(unsigned window, const float *plane) const {
    unsigned best = corner(window);
    for (unsigned row = 0; row < size; ++row)
      for (unsigned column = 0; column < size; ++column) {
        const unsigned pixel = corner(window) + row * width + column;
        if (pixel != corner(window) && scalar::is_larger(plane[pixel], plane[best])) best = pixel;
      }
    return best;
  }
};

// n = planes * windows.
BOTH void average_pool(Thread t, const float *x, float *y, unsigned height, unsigned width, unsigned size, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const Pool pool(height, width, size);
  const float *plane = x + i / pool.windows * (height * width);
  float sum = 0.0f;
  for (unsigned row = 0; row < size; ++row)
    for (unsigned column = 0; column < size; ++column)
      sum += plane[pool.corner(i % pool.windows) + row * width + column];
  y[i] = sum * scalar::share(size);
}

// A thread a pixel of dx: n = planes * height * width.
BOTH void average_pool_backward(Thread t, const float *dy, float *dx, unsigned height, unsigned width, unsigned size,
                                unsigned accumulate, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const Pool pool(height, width, size);
  const unsigned plane = i / (height * width), window = pool.window_of(i % (height * width));
  const float gradient = window < pool.windows ? scalar::share(size) * dy[plane * pool.windows + window] : 0.0f;
  dx[i] = scalar::target(accumulate ? dx[i] : 0.0f, gradient, accumulate);
}

// n = planes * windows.
BOTH void max_pool(Thread t, const float *x, float *y, unsigned height, unsigned width, unsigned size, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const Pool pool(height, width, size);
  const float *plane = x + i / pool.windows * (height * width);
  y[i] = plane[pool.first_maximum(i % pool.windows, plane)];
}

// A thread a pixel of dx: n = planes * height * width.
BOTH void max_pool_backward(Thread t, const float *x, const float *dy, float *dx, unsigned height, unsigned width,
                            unsigned size, unsigned accumulate, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const Pool pool(height, width, size);
  const unsigned pixels = height * width, plane = i / pixels, window = pool.window_of(i % pixels);
  const bool is_maximum = window < pool.windows && pool.first_maximum(window, x + plane * pixels) == i % pixels;
  const float gradient = is_maximum ? dy[plane * pool.windows + window] : 0.0f;
  dx[i] = scalar::target(accumulate ? dx[i] : 0.0f, gradient, accumulate);
}

// ---- channel by channel: block (channel, split), a split being some of the images, its threads one of
// every THREADS numbers of them

// Numbers in the order (image, channel, pixel).
struct Planes {
  unsigned channels, plane, images, splits;
};

// Calls f(index) for the numbers of channel block_x in split block_y that are this thread's, in order.
template <class F>
BOTH void own_numbers(Thread t, Planes p, F f) {
  const unsigned first = t.block_y * p.images / p.splits, last = (t.block_y + 1) * p.images / p.splits;
  for (unsigned i = t.lane; i < (last - first) * p.plane; i += THREADS)
    f(((first + i / p.plane) * p.channels + t.block_x) * p.plane + i % p.plane);
}

// Where the sums of a split stand among the partial sums: first the first sums by channel, then the second.
BOTH void store_partial(Thread t, Planes p, scalar::Sums sums, double *partial) {
  partial[(t.block_y * 2) * p.channels + t.block_x] = sums.first;
  partial[(t.block_y * 2 + 1) * p.channels + t.block_x] = sums.second;
}

// This thread's share in adding up the splits of channel block_x.
BOTH scalar::Sums own_splits(Thread t, unsigned channels, unsigned splits, const double *partial) {
  scalar::Sums sums = {0.0, 0.0};
  for (unsigned split = t.lane; split < splits; split += THREADS) {
    const double *of_split = partial + split * 2 * channels + t.block_x;
    sums = scalar::plus(sums, {of_split[0], of_split[channels]});
  }
  return sums;
}

// A reduction has two halves: `own` is a thread's part in the sums of its block, `store` what thread 0 does with them.

// Sums of x and x^2.
struct MomentsSums {
  const float *x;
  double *partial;
  Planes planes;
  BOTH scalar::Sums own(Thread t) const {
    scalar::Sums sums = {0.0, 0.0};
    own_numbers(t, planes, [&](unsigned i) { sums = scalar::plus(sums, scalar::moments_term(x[i])); });
    return sums;
  }
  BOTH void store(Thread t, scalar::Sums sums) const { store_partial(t, planes, sums, partial); }
};

// Mean and biased variance.
struct MomentsFinish {
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

// Sums of dz and dz (x - mean).
struct BatchNormBackwardSums {
  const float *x, *dy;
  Norm norm;
  double *partial;
  Planes planes;
  BOTH scalar::Sums own(Thread t) const {
    const scalar::Affine affine = norm.affine(t.block_x);
    const double mean = norm.mean[t.block_x];
    scalar::Sums sums = {0.0, 0.0};
    own_numbers(t, planes, [&](unsigned i) {
      sums = scalar::plus(sums, scalar::backward_term(affine, mean, norm.function, x[i], dy[i]));
    });
    return sums;
  }
  BOTH void store(Thread t, scalar::Sums sums) const { store_partial(t, planes, sums, partial); }
};

// Gradients with respect to weight and bias, added to what is there; and by channel the three numbers of a Slope, all
// zero if the moments do not depend on x.
struct BatchNormBackwardFinish {
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

// Sums of dy: the gradient with respect to a bias.
struct BiasSums {
  const float *dy;
  double *partial;
  Planes planes;
  BOTH scalar::Sums own(Thread t) const {
    scalar::Sums sums = {0.0, 0.0};
    own_numbers(t, planes, [&](unsigned i) { sums.first += (double)dy[i]; });
    return sums;
  }
  BOTH void store(Thread t, scalar::Sums sums) const { store_partial(t, planes, sums, partial); }
};

// Added to what is there.
struct BiasFinish {
  const double *partial;
  float *gradient;
  unsigned channels, splits;
  BOTH scalar::Sums own(Thread t) const { return own_splits(t, channels, splits, partial); }
  BOTH void store(Thread t, scalar::Sums sums) const { gradient[t.block_x] += scalar::bias_gradient(sums); }
};

BOTH void batch_norm(Thread t, const float *x, Norm norm, float *y, Planes planes) {
  const scalar::Affine affine = norm.affine(t.block_x);
  own_numbers(t, planes, [&](unsigned i) { y[i] = scalar::batch_norm(affine, norm.function, x[i]); });
}

BOTH void batch_norm_backward(Thread t, const float *x, const float *dy, Norm norm, const float *slopes, float *dx,
                              Planes planes, unsigned accumulate) {
  const unsigned c = t.block_x;
  const scalar::Affine affine = norm.affine(c);
  const scalar::Slope slope = {slopes[c], slopes[planes.channels + c], slopes[2 * planes.channels + c]};
  own_numbers(t, planes, [&](unsigned i) {
    const float gradient = scalar::batch_norm_backward(affine, slope, norm.function, x[i], dy[i]);
    dx[i] = scalar::target(accumulate ? dx[i] : 0.0f, gradient, accumulate);
  });
}

// ---- matrix product: c <- a b, or c + a b; block (tile of columns, tile of rows), thread (row, column) of the tile

// An entry (i, j) of a factor is data[i * row + j * column].
struct Factor {
  const float *data;
  unsigned row, column;
};

// A tile of a factor. Its last column is spare, so that threads that read one column fall on different banks.
using Tile = float[TILE][TILE + 1];

struct MatrixProduct {
  Factor a, b;
  float *c;
  unsigned rows, columns, inner, add;

  // Fills this thread's place in a tile of `a` and of `b`, whose inner index starts at `start`: 0 beyond the matrices.
  // Neighbouring threads read neighbouring numbers, whichever way the factor lies.
  BOTH void load(Thread t, unsigned start, Tile &tile_a, Tile &tile_b) const {
    const unsigned high = t.lane / TILE, low = t.lane % TILE;
    {
      const unsigned i = a.column == 1 ? high : low, k = a.column == 1 ? low : high;
      const unsigned row = t.block_y * TILE + i, at = start + k;
      tile_a[i][k] = row < rows && at < inner ? a.data[row * a.row + at * a.column] : 0.0f;
    }
    {
      const unsigned k = b.column == 1 ? high : low, j = b.column == 1 ? low : high;
      const unsigned column = t.block_x * TILE + j, at = start + k;
      tile_b[k][j] = column < columns && at < inner ? b.data[at * b.row + column * b.column] : 0.0f;
    }
  }

  // This thread's sum so far, and the products of a tile.
  BOTH float accumulate(Thread t, float sum, const Tile &tile_a, const Tile &tile_b) const {
    for (unsigned k = 0; k < TILE; ++k) sum = fmaf(tile_a[t.lane / TILE][k], tile_b[k][t.lane % TILE], sum);
    return sum;
  }

  BOTH void store(Thread t, float sum) const {
    const unsigned row = t.block_y * TILE + t.lane / TILE, column = t.block_x * TILE + t.lane % TILE;
    if (row < rows && column < columns) {
      float *entry = c + row * columns + column;
      *entry = scalar::target(add ? *entry : 0.0f, sum, add);
    }
  }
};

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

// A thread a number of `out`, in the order (image, channel, row, column): bytes of resident images through their
// channel's table of 256. Four numbers an image say which image it is, how far down and right the crop starts, and
// whether it is mirrored; what lies outside the image is the byte 0. Of `resident` images others are NaN.
// n = images * channels * side * side.
BOTH void augment(Thread t, const unsigned char *images, const float *tables, const int *variations, float *out,
                  unsigned channels, unsigned side, unsigned resident, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const unsigned plane = side * side, channel = i / plane % channels;
  const int *variation = variations + i / (channels * plane) * 4;
  const int row = (int)(i % plane / side) + variation[1];
  const int column = scalar::source_column((int)(i % side), variation[2], variation[3], (int)side);
  const bool inside = row >= 0 && row < (int)side && column >= 0 && column < (int)side;
  const unsigned image = (unsigned)variation[0];
  // A resident set may hold more than 2^32 bytes.
  const unsigned long long source = (unsigned long long)image * channels + channel;
  const bool exists = image < resident;
  const unsigned byte = exists && inside ? images[source * plane + (unsigned)(row * (int)side + column)] : 0;
  out[i] = exists ? tables[channel * 256 + byte] : NAN;
}

}  // namespace threads
