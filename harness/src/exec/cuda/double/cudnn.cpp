// A cuDNN that the tests load in the place of the real one: convolutions as their definition says, in double precision.
// It knows the functions that the engine calls, and complains about what a real one would not forgive.
#include <cstddef>
#include <cstring>
#include <vector>

#include "recording.h"

namespace {

constexpr int BAD_PARAM = 2000, NOT_SUPPORTED = 3000;

// Any descriptor.
struct Descriptor {
  int extents[4];
  int stride, padding, math;
};

size_t length(const Descriptor *shape) {
  size_t length = 1;
  for (int extent : shape->extents) length *= extent;
  return length;
}

bool fit(const Descriptor *x, const Descriptor *w, const Descriptor *moves, const Descriptor *y) {
  for (int i = 2; i < 4; ++i)
    if ((x->extents[i] + 2 * moves->padding - w->extents[i]) / moves->stride + 1 != y->extents[i]) return false;
  return x->extents[0] == y->extents[0] && x->extents[1] == w->extents[1] && y->extents[1] == w->extents[0];
}

// Calls f with the places of every product of the convolution: in x, in w and in y.
template <class F>
void for_each_product(const Descriptor *x, const Descriptor *w, const Descriptor *moves, const Descriptor *y, F f) {
  const auto at = [](const Descriptor *shape, int i, int j, int k, int l) {
    return ((size_t(i) * shape->extents[1] + j) * shape->extents[2] + k) * shape->extents[3] + l;
  };
  const int stride = moves->stride, width = y->extents[3];
  for (int image = 0; image < y->extents[0]; ++image)
    for (int out = 0; out < y->extents[1]; ++out)
      for (int in = 0; in < x->extents[1]; ++in)
        for (int i = 0; i < w->extents[2]; ++i)
          for (int j = 0; j < w->extents[3]; ++j)
            for (int row = 0; row < y->extents[2]; ++row) {
              const int from = row * stride - moves->padding + i, left = j - moves->padding;
              if (from < 0 || from >= x->extents[2]) continue;
              const size_t in_w = at(w, out, in, i, j), in_y = at(y, image, out, row, 0), in_x = at(x, image, in, from, 0);
              for (int column = 0; column < width; ++column) {
                const int from_column = column * stride + left;
                if (from_column >= 0 && from_column < x->extents[3]) f(in_x + from_column, in_w, in_y + column);
              }
            }
}

// out <- sums + beta out; what was there has no part if beta is 0.
void store(float *out, const std::vector<double> &sums, float beta) {
  for (size_t i = 0; i < sums.size(); ++i) out[i] = float(sums[i]) + (beta == 0 ? 0 : beta * out[i]);
}

// Where work belongs now; the engine asks for one convolution at a time.
void *stream = nullptr;

// Convolutions that this thread has asked for: forward, back to x, back to the weight; what it records is asked for once.
thread_local unsigned long long convolutions[3];

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
int report(const Descriptor *moves, const Descriptor *y, bool fits, void *out, size_t numbers, int asked, int *count, Report *reports,
           void *workspace, size_t bytes) {
  if (!fits || asked < 3) return BAD_PARAM;
  std::memset(out, 1, numbers * sizeof(float));
  std::memset(workspace, 1, bytes);
  reports[0] = {0, 0, 0.5f, 0, 0, moves->math, {}};
  reports[1] = {ALGORITHM, 0, 1.0f, working_memory(y), 1, moves->math, {}};
  reports[2] = {2, NOT_SUPPORTED, -1.0f, 0, 1, moves->math, {}};
  *count = 3;
  return 0;
}

// Whether a convolution is asked for as it was measured: in single precision (3), or in TF32 where it helps (0).
bool runs(bool fits, const Descriptor *moves, const Descriptor *y, int algorithm, size_t bytes, const float *alpha) {
  const bool exact = moves->math == 3 || moves->math == 0;
  return fits && exact && algorithm == ALGORITHM && bytes >= working_memory(y) && *alpha == 1;
}

}  // namespace

using Shape = const Descriptor *;

extern "C" {

size_t cudnnGetVersion() { return 90000; }
int cudnnCreate(void **handle) { return *handle = reinterpret_cast<void *>(40), 0; }
int cudnnDestroy(void *) { return 0; }
int cudnnSetStream(void *, void *to) { return stream = to, 0; }

int cudnnCreateTensorDescriptor(Descriptor **made) { return *made = new Descriptor(), 0; }
int cudnnCreateFilterDescriptor(Descriptor **made) { return *made = new Descriptor(), 0; }
int cudnnCreateConvolutionDescriptor(Descriptor **made) { return *made = new Descriptor(), 0; }
int cudnnDestroyTensorDescriptor(Descriptor *made) { return delete made, 0; }
int cudnnDestroyFilterDescriptor(Descriptor *made) { return delete made, 0; }
int cudnnDestroyConvolutionDescriptor(Descriptor *made) { return delete made, 0; }

// Layout 0 is (image, channel, row, column), type 0 single precision.
int cudnnSetTensor4dDescriptor(Descriptor *shape, int layout, int type, int n, int c, int h, int w) {
  *shape = {{n, c, h, w}, 0, 0, 0};
  return layout == 0 && type == 0 ? 0 : BAD_PARAM;
}
int cudnnSetFilter4dDescriptor(Descriptor *shape, int type, int layout, int k, int c, int h, int w) {
  *shape = {{k, c, h, w}, 0, 0, 0};
  return layout == 0 && type == 0 ? 0 : BAD_PARAM;
}
// Mode 1 is cross-correlation.
int cudnnSetConvolution2dDescriptor(Descriptor *moves, int padding_h, int padding_w, int stride_h, int stride_w,
                                    int dilation_h, int dilation_w, int mode, int type) {
  *moves = {{}, stride_h, padding_h, 0};
  const bool square = padding_h == padding_w && stride_h == stride_w && dilation_h == 1 && dilation_w == 1;
  return square && mode == 1 && type == 0 ? 0 : BAD_PARAM;
}
int cudnnSetConvolutionMathType(Descriptor *moves, int math) { return moves->math = math, 0; }

int cudnnFindConvolutionForwardAlgorithmEx(void *, Shape of_x, const void *, Shape of_w, const void *, Shape moves,
                                           Shape of_y, void *y, int asked, int *count, Report *reports,
                                           void *workspace, size_t bytes) {
  return report(moves, of_y, fit(of_x, of_w, moves, of_y), y, length(of_y), asked, count, reports, workspace, bytes);
}
int cudnnFindConvolutionBackwardDataAlgorithmEx(void *, Shape of_w, const void *, Shape of_y, const void *, Shape moves,
                                                Shape of_x, void *x, int asked, int *count, Report *reports,
                                                void *workspace, size_t bytes) {
  return report(moves, of_y, fit(of_x, of_w, moves, of_y), x, length(of_x), asked, count, reports, workspace, bytes);
}
int cudnnFindConvolutionBackwardFilterAlgorithmEx(void *, Shape of_x, const void *, Shape of_y, const void *,
                                                  Shape moves, Shape of_w, void *w, int asked, int *count,
                                                  Report *reports, void *workspace, size_t bytes) {
  return report(moves, of_y, fit(of_x, of_w, moves, of_y), w, length(of_w), asked, count, reports, workspace, bytes);
}

int cudnnConvolutionForward(void *, const float *alpha, Shape of_x, const float *x, Shape of_w, const float *w,
                            Shape moves, int algorithm, void *workspace, size_t bytes, const float *beta, Shape of_y,
                            float *y) {
  if (!runs(fit(of_x, of_w, moves, of_y), moves, of_y, algorithm, bytes, alpha)) return BAD_PARAM;
  ++convolutions[0];
  return valleys_double_do(stream, [=, factor = *beta] {
    std::memset(workspace, 2, bytes);
    std::vector<double> sums(length(of_y));
    for_each_product(of_x, of_w, moves, of_y, [&](size_t i, size_t j, size_t k) { sums[k] += double(x[i]) * w[j]; });
    return store(y, sums, factor), 0;
  });
}
int cudnnConvolutionBackwardData(void *, const float *alpha, Shape of_w, const float *w, Shape of_y, const float *y,
                                 Shape moves, int algorithm, void *workspace, size_t bytes, const float *beta,
                                 Shape of_x, float *x) {
  if (!runs(fit(of_x, of_w, moves, of_y), moves, of_y, algorithm, bytes, alpha)) return BAD_PARAM;
  ++convolutions[1];
  return valleys_double_do(stream, [=, factor = *beta] {
    std::memset(workspace, 2, bytes);
    std::vector<double> sums(length(of_x));
    for_each_product(of_x, of_w, moves, of_y, [&](size_t i, size_t j, size_t k) { sums[i] += double(y[k]) * w[j]; });
    return store(x, sums, factor), 0;
  });
}
int cudnnConvolutionBackwardFilter(void *, const float *alpha, Shape of_x, const float *x, Shape of_y, const float *y,
                                   Shape moves, int algorithm, void *workspace, size_t bytes, const float *beta,
                                   Shape of_w, float *w) {
  if (!runs(fit(of_x, of_w, moves, of_y), moves, of_y, algorithm, bytes, alpha)) return BAD_PARAM;
  ++convolutions[2];
  return valleys_double_do(stream, [=, factor = *beta] {
    std::memset(workspace, 2, bytes);
    std::vector<double> sums(length(of_w));
    for_each_product(of_x, of_w, moves, of_y, [&](size_t i, size_t j, size_t k) { sums[j] += double(x[i]) * y[k]; });
    return store(w, sums, factor), 0;
  });
}

// For the tests alone.
unsigned long long valleys_double_convolutions(int direction) { return convolutions[direction]; }

}  // extern "C"
