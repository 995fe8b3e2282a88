// The kernels on the GPU: each thread does what threads.h says, and waits for the others here alone.
#include "threads.h"

namespace {

__device__ threads::Thread this_thread() { return {blockIdx.x, blockIdx.y, threadIdx.x}; }

// The sums of a block, of the threads that are multiples of `group` apart, in a tree that the number of threads alone
// determines: the first of them have the results.
__device__ scalar::Sums block_sum(unsigned lane, scalar::Sums own, unsigned group) {
  __shared__ scalar::Sums sums[threads::THREADS];
  sums[lane] = own;
  __syncthreads();
  for (unsigned distance = threads::THREADS / 2; distance >= group; distance /= 2) {
    if (lane < distance) sums[lane] = scalar::plus(sums[lane], sums[lane + distance]);
    __syncthreads();
  }
  return sums[lane];
}

template <class Reduction>
__device__ void reduce(const Reduction &reduction) {
  const threads::Thread t = this_thread();
  const scalar::Sums sums = block_sum(t.lane, reduction.own(t), Reduction::GROUP);
  if (t.lane < Reduction::GROUP) reduction.store(t, sums);
}

__device__ void multiply_tiles(const threads::MatrixProduct &product) {
  __shared__ threads::Tile a, b;
  const threads::Thread t = this_thread();
  float sum = 0.0f;
  for (unsigned start = 0; start < product.inner; start += threads::TILE) {
    product.load(t, start, a, b);
    __syncthreads();
    sum = product.accumulate(t, sum, a, b);
    __syncthreads();  // nobody loads the next tiles while these are read
  }
  product.store(t, sum);
}

}  // namespace

#define KERNEL(name) extern "C" __global__ void __launch_bounds__(threads::THREADS) name
#define EACH(name, parameters, expression)      \
  KERNEL(name) parameters {                     \
    const threads::Thread t = this_thread();    \
    expression;                                 \
  }
#define REDUCE(name, parameters, reduction) \
  KERNEL(name) parameters { reduce reduction; }
#define PRODUCT(name, parameters, product) \
  KERNEL(name) parameters { multiply_tiles product; }

#include "kernels.inc"
