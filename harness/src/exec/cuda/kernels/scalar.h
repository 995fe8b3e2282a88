// The arithmetic of every kernel, one number at a time: what the GPU computes, and what the tests compute on the host.
//
// It follows the reference backend (exec/reference, exec/activation.rs, exec/loss.rs, optim/sgd.rs) operation by
// operation. Products and sums are not contracted to fused multiply-adds unless written so: both compilers are told.
#pragma once

#include <math.h>
#include <string.h>

#ifdef __CUDACC__
#define BOTH __host__ __device__ inline
// What is seldom called, and long: kept out of loops that are written out.
#define SELDOM __host__ __device__ __noinline__
#define DEVICE __device__ inline
#define UNROLL _Pragma("unroll")
#define UNROLL_BY(count) _Pragma(TEXT_OF(unroll count))
#define TEXT_OF(text) #text
#else
#define BOTH inline
#define SELDOM inline
#define DEVICE inline
#define UNROLL
#define UNROLL_BY(count)
#endif

namespace scalar {

// As in PyTorch: added to the variance before its root is taken.
constexpr double EPSILON = 1e-5;

// ---- numbers in memory, which are computed with in single precision

// bfloat16: the upper half of the bits of a number in single precision.
struct Bf16 {
  unsigned short bits;
};

BOTH float load(float x) { return x; }

BOTH float load(Bf16 x) {
  const unsigned bits = (unsigned)x.bits << 16;
  float number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

BOTH void store(float &place, float x) { place = x; }

// The nearest number, of two the even one; what is too large becomes infinite, NaN stays NaN.
BOTH void store(Bf16 &place, float x) {
  unsigned bits;
  memcpy(&bits, &x, sizeof bits);
  const unsigned rounded = x != x ? bits | 0x400000u : bits + 0x7fffu + (bits >> 16 & 1u);
  place.bits = (unsigned short)(rounded >> 16);
}

// Two neighbours in bfloat16, the first in the lower half.

BOTH float first_of(unsigned pair) { return load(Bf16{(unsigned short)pair}); }

BOTH float second_of(unsigned pair) { return load(Bf16{(unsigned short)(pair >> 16)}); }

BOTH unsigned pair_of(float first, float second) {
#ifdef __CUDA_ARCH__
  unsigned pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
  return pair;
#else
  Bf16 low, high;
  store(low, first);
  store(high, second);
  return (unsigned)high.bits << 16 | low.bits;
#endif
}

// ---- functions of one number

constexpr unsigned IDENTITY = 0, RELU = 1, SIGMOID = 2, SOFTPLUS = 3;

BOTH double sigmoid(double z) { return 1.0 / (1.0 + exp(-z)); }

// f(z) of the functions with an exponential.
SELDOM float smooth_value(unsigned function, float z) {
  if (function == SIGMOID) return (float)sigmoid((double)z);
  return (float)(fmax((double)z, 0.0) + log1p(exp(-fabs((double)z))));
}

// f(z); NaN stays NaN.
BOTH float value(unsigned function, float z) {
  if (function == RELU) return z <= 0.0f ? 0.0f : z;
  return function == IDENTITY ? z : smooth_value(function, z);
}

// f'(z) dy of the functions with an exponential.
SELDOM float smooth_back(unsigned function, float z, float dy) {
  if (function == SOFTPLUS) return (float)sigmoid((double)z) * dy;
  const double y = sigmoid((double)z);
  return (float)(y * (1.0 - y)) * dy;
}

// f'(z) dy
BOTH float back(unsigned function, float z, float dy) {
  if (function == RELU) return z > 0.0f ? dy : 0.0f;
  return function == IDENTITY ? dy : smooth_back(function, z, dy);
}

// f'(z) dy, from y = f(z).
BOTH float back_from_value(unsigned function, float y, float dy) {
  switch (function) {
    case RELU: return y > 0.0f ? dy : 0.0f;
    case SIGMOID: return y * (1.0f - y) * dy;
    case SOFTPLUS: return (float)(-expm1(-(double)y)) * dy;
    default: return dy;
  }
}

// Puts a gradient into its place, or adds it to what is there.
template <class T>
BOTH void put(T &place, float gradient, unsigned accumulate) {
  store(place, accumulate ? load(place) + gradient : gradient);
}

// ---- batch norm

// Sums over the numbers x of one channel.
struct Sums {
  double first, second;
};

BOTH Sums plus(Sums a, Sums b) { return {a.first + b.first, a.second + b.second}; }

// One number's part in the sums of x and of its square.
BOTH Sums moments_term(float x) { return {(double)x, (double)x * (double)x}; }

BOTH double mean(Sums sums, double count) { return sums.first / count; }

// The biased variance.
BOTH double variance(Sums sums, double count) {
  const double m = mean(sums, count);
  return fmax(sums.second / count - m * m, 0.0);
}

// The batch norm of one channel as scale x + shift.
struct Affine {
  float scale, shift;
};

BOTH Affine affine(double mean, double var, float weight, float bias) {
  const double scale = (double)weight / sqrt(var + EPSILON);
  return {(float)scale, (float)((double)bias - mean * scale)};
}

BOTH float normalised(Affine a, float x) { return a.scale * x + a.shift; }

BOTH float batch_norm(Affine a, unsigned function, float x) { return value(function, normalised(a, x)); }

// One number's part in the sums of dz and of dz (x - mean), dz being the gradient before the function.
BOTH Sums backward_term(Affine a, double mean, unsigned function, float x, float dy) {
  const double dz = (double)back(function, normalised(a, x), dy);
  return {dz, dz * ((double)x - mean)};
}

BOTH float weight_gradient(Sums sums, double var) { return (float)(sums.second / sqrt(var + EPSILON)); }

BOTH float bias_gradient(Sums sums) { return (float)sums.first; }

// The gradient with respect to x of one channel: dx = scale dz + slope (x - mean) + offset.
struct Slope {
  float mean, slope, offset;
};

// If the moments depend on x.
BOTH Slope slope(double mean, double var, float weight, Sums sums, double count) {
  const double scale = (double)weight / sqrt(var + EPSILON);
  return {(float)mean, (float)(-scale * sums.second / (var + EPSILON) / count), (float)(-scale * sums.first / count)};
}

BOTH float batch_norm_backward(Affine a, Slope s, unsigned function, float x, float dy) {
  return a.scale * back(function, normalised(a, x), dy) + (s.slope * (x - s.mean) + s.offset);
}

// ---- pooling

// What one pixel counts in a mean over size x size.
BOTH float share(unsigned size) { return (float)(1.0 / (double)(size * size)); }

// Whether a window's maximum moves on to the number x: the first of the largest, the last that is no number.
BOTH bool is_larger(float x, float best) { return x > best || x != x; }

// ---- loss, optimiser, average

// -ln softmax(z)_label, from the largest logit and ln sum exp(z_i - largest).
BOTH double cross_entropy(double largest, double normaliser, float z) { return largest + normaliser - (double)z; }

// The gradient of the mean cross-entropy of `images` with respect to the logit z.
BOTH float cross_entropy_gradient(double largest, double normaliser, float z, bool is_label, unsigned images) {
  const double probability = exp((double)z - largest - normaliser);
  return (float)((probability - (is_label ? 1.0 : 0.0)) / (double)images);
}

// running <- (1 - share) running + share x
BOTH float tracked(float running, double x, double share) {
  return (float)((1.0 - share) * (double)running + share * x);
}

// v <- momentum v + (g + decay w)
BOTH float velocity(float v, float g, float w, float momentum, float decay) { return momentum * v + (g + decay * w); }

// w <- w - rate v
BOTH float descended(float w, float v, float rate) { return w - rate * v; }

// mean <- mean + (w - mean)/count, w being number `count`.
BOTH double averaged(double mean, float w, double count) { return mean + ((double)w - mean) / count; }

// ---- landscape

// w + l u
BOTH float along(float w, double u, double offset) { return (float)((double)w + offset * u); }

// kept <- kept + share (x - kept)
BOTH double collected(double kept, double x, double share) { return kept + share * (x - kept); }

// ---- augmentation

// Where column x of a varied image comes from.
BOTH int source_column(int x, int right, int flip, int side) { return (flip ? side - 1 - x : x) + right; }

}  // namespace scalar
