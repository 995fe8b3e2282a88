// A cuDNN that the tests load in the place of the real one: convolutions as their definition says, of numbers in single
// precision added up in double precision, of those in bfloat16 in single precision. It knows the functions that the
// engine calls, and complains about what a real one would not forgive.
#include <cstddef>
#include <cstring>
#include <vector>

#include "recording.h"
#include "scalar.h"

namespace {

using scalar::Bf16;

constexpr int BAD_PARAM = 2000, NOT_SUPPORTED = 3000;

// Types of numbers: single precision, bfloat16.
constexpr int FLOAT = 0, BFLOAT16 = 9;

// Any descriptor. A shape's extents are always images, channels, rows and columns; of a weight, outputs and inputs.
struct Descriptor {
  int extents[4];
  int stride, padding, math;
  int type;
  bool channels_last;
};

size_t length(const Descriptor *shape) {
  size_t length = 1;
  for (int extent : shape->extents) length *= extent;
  return length;
}

bool fit(const Descriptor *x, const Descriptor *w, const Descriptor *moves, const Descriptor *y) {
  for (int i = 2; i < 4; ++i)
    if ((x->extents[i] + 2 * moves->padding - w->extents[i]) / moves->stride + 1 != y->extents[i]) return false;
  const bool alike = x->type == w->type && x->type == y->type;
  return alike && x->extents[0] == y->extents[0] && x->extents[1] == w->extents[1] && y->extents[1] == w->extents[0];
}

// Bytes of a number.
size_t size(const Descriptor *shape) { return shape->type == FLOAT ? sizeof(float) : sizeof(Bf16); }

// Calls f with the places of every product of the convolution: in x, in w and in y.
template <class F>
void for_each_product(const Descriptor *x, const Descriptor *w, const Descriptor *moves, const Descriptor *y, F f) {
  const auto at = [](const Descriptor *shape, int i, int j, int k, int l) {
    const int *n = shape->extents;
    return shape->channels_last ? ((size_t(i) * n[2] + k) * n[3] + l) * n[1] + j
                                : ((size_t(i) * n[1] + j) * n[2] + k) * n[3] + l;
  };
  // From one column to the next.
  const size_t next_x = x->channels_last ? x->extents[1] : 1, next_y = y->channels_last ? y->extents[1] : 1;
  const int stride = moves->stride, width = y->extents[3];
  for (int image = 0; image < y->extents[0]; ++image)
    for (int out = 0; out < y->extents[1]; ++out)
      for (int in = 0; in < x->extents[1]; ++in)
        for (int i = 0; i < w->extents[2]; ++i)
          for (int j = 0; j < w->extents[3]; ++j)
            for (int row = 0; row < y->extents[2]; ++row) {
              const int from = row * stride - moves->padding + i, left = j - moves->padding;
              if (from < 0 || from >= x->extents[2]) continue;
              const size_t in_x = at(x, image, in, from, 0), in_w = at(w, out, in, i, j), in_y = at(y, image, out, row, 0);
              for (int column = 0; column < width; ++column) {
                const int from_column = column * stride + left;
                if (from_column >= 0 && from_column < x->extents[3])
                  f(in_x + from_column * next_x, in_w, in_y + column * next_y);
              }
            }
}

// out <- sums + beta out; what was there has no part if beta is 0.
template <class T, class Sum>
void store(T *out, const std::vector<Sum> &sums, float beta) {
  for (size_t i = 0; i < sums.size(); ++i)
    scalar::store(out[i], float(sums[i]) + (beta == 0 ? 0 : beta * scalar::load(out[i])));
}

// c <- sums of products of a and b, or those and what is there; `each` tells where the numbers of every product stand.
template <class T, class Sum, class Each>
void add_up(const void *a, const void *b, void *c, size_t length, float beta, Each each) {
  std::vector<Sum> sums(length);
  each([&](size_t i, size_t j, size_t k) {
    sums[k] += Sum(scalar::load(static_cast<const T *>(a)[i])) * Sum(scalar::load(static_cast<const T *>(b)[j]));
  });
  store(static_cast<T *>(c), sums, beta);
}

// The same in the numbers that `out` is of.
template <class Each>
int add_up(const Descriptor *out, const void *a, const void *b, void *c, float beta, Each each) {
  if (out->type == FLOAT)
    add_up<float, double>(a, b, c, length(out), beta, each);
  else
    add_up<Bf16, float>(a, b, c, length(out), beta, each);
  return 0;
}

// Where a handle's work belongs now; whoever has the handle asks for one convolution at a time.
struct Handle {
  void *stream = nullptr;
};

// Convolutions that this thread has asked for: forward, back to x, back to the weight; what it records is asked for once.
thread_local unsigned long long convolutions[3];

// Milliseconds that a convolution forward is said to take; back, they take 1.
thread_local float forward_time = 1;

// How often this thread has had algorithms measured.
thread_local unsigned long long measured = 0;

// The one algorithm that runs, and the working memory that it needs for a batch.
constexpr int ALGORITHM = 1;
size_t working_memory(const Descriptor *y) { return size_t{100} * y->extents[0]; }

struct Report {
  int algorithm, status;
  float time;
  size_t memory;
  int deterministic, math, reserved[3];
};

// The fastest varies, the next runs, the last does not work; measuring leaves its traces.
int report(const Descriptor *moves, const Descriptor *y, bool fits, void *out, const Descriptor *of_out, int asked,
           int *count, Report *reports, void *workspace, size_t bytes, float time = 1) {
  if (!fits || asked < 3) return BAD_PARAM;
  ++measured;
  std::memset(out, 1, length(of_out) * size(of_out));
  std::memset(workspace, 1, bytes);
  reports[0] = {0, 0, time / 2, 0, 0, moves->math, {}};
  reports[1] = {ALGORITHM, 0, time, working_memory(y), 1, moves->math, {}};
  reports[2] = {2, NOT_SUPPORTED, -1.0f, 0, 1, moves->math, {}};
  *count = 3;
  return 0;
}

// Whether a convolution is asked for as it was measured: in single precision (3), in TF32 where it helps (0), or, of
// bfloat16, on tensor cores (1).
bool runs(bool fits, const Descriptor *moves, const Descriptor *y, int algorithm, size_t bytes, const float *alpha) {
  const bool exact = y->type == FLOAT ? moves->math == 3 || moves->math == 0 : moves->math == 1;
  return fits && exact && algorithm == ALGORITHM && bytes >= working_memory(y) && *alpha == 1;
}

// Whether bfloat16 begins where tensor cores can load it from, sixteen bytes at a time.
bool aligned(const Descriptor *of, const void *a, const void *b, const void *c) {
  const auto misaligned = [](const void *place) { return reinterpret_cast<size_t>(place) % 16 != 0; };
  return of->type == FLOAT || !(misaligned(a) || misaligned(b) || misaligned(c));
}

}  // namespace

using Shape = const Descriptor *;

extern "C" {

size_t cudnnGetVersion() { return 90000; }
int cudnnCreate(Handle **handle) { return *handle = new Handle(), 0; }
int cudnnDestroy(Handle *handle) { return delete handle, 0; }
int cudnnSetStream(Handle *handle, void *to) { return handle->stream = to, 0; }

int cudnnCreateTensorDescriptor(Descriptor **made) { return *made = new Descriptor(), 0; }
int cudnnCreateFilterDescriptor(Descriptor **made) { return *made = new Descriptor(), 0; }
int cudnnCreateConvolutionDescriptor(Descriptor **made) { return *made = new Descriptor(), 0; }
int cudnnDestroyTensorDescriptor(Descriptor *made) { return delete made, 0; }
int cudnnDestroyFilterDescriptor(Descriptor *made) { return delete made, 0; }
int cudnnDestroyConvolutionDescriptor(Descriptor *made) { return delete made, 0; }

// Single precision comes in layout 0, (image, channel, row, column); bfloat16 in 1, (image, row, column, channel).
int cudnnSetTensor4dDescriptor(Descriptor *shape, int layout, int type, int n, int c, int h, int w) {
  *shape = {{n, c, h, w}, 0, 0, 0, type, layout == 1};
  return (layout == 0 && type == FLOAT) || (layout == 1 && type == BFLOAT16) ? 0 : BAD_PARAM;
}
int cudnnSetFilter4dDescriptor(Descriptor *shape, int type, int layout, int k, int c, int h, int w) {
  return cudnnSetTensor4dDescriptor(shape, layout, type, k, c, h, w);
}
// Mode 1 is cross-correlation; products are added up in single precision or better.
int cudnnSetConvolution2dDescriptor(Descriptor *moves, int padding_h, int padding_w, int stride_h, int stride_w,
                                    int dilation_h, int dilation_w, int mode, int type) {
  *moves = {{}, stride_h, padding_h, 0, 0, false};
  const bool square = padding_h == padding_w && stride_h == stride_w && dilation_h == 1 && dilation_w == 1;
  return square && mode == 1 && type == FLOAT ? 0 : BAD_PARAM;
}
int cudnnSetConvolutionMathType(Descriptor *moves, int math) { return moves->math = math, 0; }

int cudnnFindConvolutionForwardAlgorithmEx(void *, Shape of_x, const void *, Shape of_w, const void *, Shape moves,
                                           Shape of_y, void *y, int asked, int *count, Report *reports,
                                           void *workspace, size_t bytes) {
  return report(moves, of_y, fit(of_x, of_w, moves, of_y), y, of_y, asked, count, reports, workspace, bytes,
                forward_time);
}
int cudnnFindConvolutionBackwardDataAlgorithmEx(void *, Shape of_w, const void *, Shape of_y, const void *, Shape moves,
                                                Shape of_x, void *x, int asked, int *count, Report *reports,
                                                void *workspace, size_t bytes) {
  return report(moves, of_y, fit(of_x, of_w, moves, of_y), x, of_x, asked, count, reports, workspace, bytes);
}
int cudnnFindConvolutionBackwardFilterAlgorithmEx(void *, Shape of_x, const void *, Shape of_y, const void *,
                                                  Shape moves, Shape of_w, void *w, int asked, int *count,
                                                  Report *reports, void *workspace, size_t bytes) {
  return report(moves, of_y, fit(of_x, of_w, moves, of_y), w, of_w, asked, count, reports, workspace, bytes);
}

int cudnnConvolutionForward(Handle *handle, const float *alpha, Shape of_x, const void *x, Shape of_w, const void *w,
                            Shape moves, int algorithm, void *workspace, size_t bytes, const float *beta, Shape of_y,
                            void *y) {
  if (!runs(fit(of_x, of_w, moves, of_y), moves, of_y, algorithm, bytes, alpha)) return BAD_PARAM;
  if (!aligned(of_x, x, w, y)) return BAD_PARAM;
  ++convolutions[0];
  return valleys_double_do(handle->stream, [=, factor = *beta] {
    std::memset(workspace, 2, bytes);
    return add_up(of_y, x, w, y, factor, [&](auto f) {
      for_each_product(of_x, of_w, moves, of_y, [&](size_t i, size_t j, size_t k) { f(i, j, k); });
    });
  });
}
int cudnnConvolutionBackwardData(Handle *handle, const float *alpha, Shape of_w, const void *w, Shape of_y, const void *y,
                                 Shape moves, int algorithm, void *workspace, size_t bytes, const float *beta,
                                 Shape of_x, void *x) {
  if (!runs(fit(of_x, of_w, moves, of_y), moves, of_y, algorithm, bytes, alpha)) return BAD_PARAM;
  if (!aligned(of_x, x, w, y)) return BAD_PARAM;
  ++convolutions[1];
  return valleys_double_do(handle->stream, [=, factor = *beta] {
    std::memset(workspace, 2, bytes);
    return add_up(of_x, y, w, x, factor, [&](auto f) {
      for_each_product(of_x, of_w, moves, of_y, [&](size_t i, size_t j, size_t k) { f(k, j, i); });
    });
  });
}
int cudnnConvolutionBackwardFilter(Handle *handle, const float *alpha, Shape of_x, const void *x, Shape of_y, const void *y,
                                   Shape moves, int algorithm, void *workspace, size_t bytes, const float *beta,
                                   Shape of_w, void *w) {
  if (!runs(fit(of_x, of_w, moves, of_y), moves, of_y, algorithm, bytes, alpha)) return BAD_PARAM;
  if (!aligned(of_x, x, w, y)) return BAD_PARAM;
  ++convolutions[2];
  return valleys_double_do(handle->stream, [=, factor = *beta] {
    std::memset(workspace, 2, bytes);
    return add_up(of_w, x, y, w, factor, [&](auto f) {
      for_each_product(of_x, of_w, moves, of_y, [&](size_t i, size_t j, size_t k) { f(i, k, j); });
    });
  });
}

// For the tests alone.
unsigned long long valleys_double_convolutions(int direction) { return convolutions[direction]; }
void valleys_double_take_forward(float milliseconds) { forward_time = milliseconds; }
unsigned long long valleys_double_measured() { return measured; }

}  // extern "C"
