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

// A block as block.h says.
class Block {
 public:
  __device__ unsigned x() const { return blockIdx.x; }
  __device__ unsigned y() const { return blockIdx.y; }
  __device__ unsigned blocks_x() const { return gridDim.x; }
  __device__ unsigned blocks_y() const { return gridDim.y; }

  template <class F>
  __device__ void each(F f) const {
    f(this_thread());
    __syncthreads();
  }
  template <class F>
  __device__ void warps(F f) const {
    f(threadIdx.x / 32);
    __syncthreads();
  }
  template <class T>
  __device__ T *shared(unsigned bytes) const {
    extern __shared__ uint4 memory[];
    return reinterpret_cast<T *>(reinterpret_cast<char *>(memory) + bytes);
  }
  __device__ void after_previous() const {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
  }
  __device__ void let_next_begin() const {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
  }
  __device__ bool is_last(unsigned *counter) const {
    __shared__ bool last;
    __syncthreads();
    // One thread's fence stands for all that wait with it.
    if (threadIdx.x == 0) {
      asm volatile("fence.acq_rel.gpu;" ::: "memory");
      last = atomicAdd(counter, 1) == gridDim.x * gridDim.y - 1;
      if (last) *counter = 0;
      asm volatile("fence.acq_rel.gpu;" ::: "memory");
    }
    __syncthreads();
    return last;
  }

  template <class T>
  struct PerThread {
    T own;
    __device__ T &of(threads::Thread) { return own; }
  };
  template <class T>
  struct PerWarp {
    T own;
    __device__ T &of(unsigned) { return own; }
  };
};

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
#define PROGRAM(name, at_once, parameters, program)                                      \
  extern "C" __global__ void __launch_bounds__(threads::THREADS, at_once) name parameters { \
    program.run(Block());                                                                 \
  }

#include "kernels.inc"
