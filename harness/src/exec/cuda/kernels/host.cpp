// The kernels on the host, for the tests: the same functions for every thread of every block, one after the other.
//
// A thread runs to where it would wait for the others, then the next one does.
#include <cstdlib>
#include <cstring>
#include <utility>

#include "threads.h"

namespace {

using threads::Thread;
using threads::THREADS;

struct Grid {
  unsigned x, y;
  // Bytes of shared memory of every block.
  unsigned shared;
};

// The grid of the launch that this host thread carries out.
thread_local Grid grid;

template <class F>
void for_each_block(F f) {
  for (unsigned y = 0; y < grid.y; ++y)
    for (unsigned x = 0; x < grid.x; ++x) f(x, y);
}

template <class F>
void for_each_thread(F f) {
  for_each_block([&](unsigned x, unsigned y) {
    for (unsigned lane = 0; lane < THREADS; ++lane) f(Thread{x, y, lane});
  });
}

template <class Reduction>
void reduce(const Reduction &reduction) {
  for_each_block([&](unsigned x, unsigned y) {
    scalar::Sums sums[THREADS];
    for (unsigned lane = 0; lane < THREADS; ++lane) sums[lane] = reduction.own({x, y, lane});
    for (unsigned distance = THREADS / 2; distance >= Reduction::GROUP; distance /= 2)
      for (unsigned lane = 0; lane < distance; ++lane) sums[lane] = scalar::plus(sums[lane], sums[lane + distance]);
    for (unsigned lane = 0; lane < Reduction::GROUP; ++lane) reduction.store({x, y, lane}, sums[lane]);
  });
}

void multiply_tiles(const threads::MatrixProduct &product) {
  for_each_block([&](unsigned x, unsigned y) {
    threads::Tile a, b;
    float sums[THREADS] = {};
    for (unsigned start = 0; start < product.inner; start += threads::TILE) {
      for (unsigned lane = 0; lane < THREADS; ++lane) product.load({x, y, lane}, start, a, b);
      for (unsigned lane = 0; lane < THREADS; ++lane)
        sums[lane] = product.accumulate({x, y, lane}, sums[lane], a, b);
    }
    for (unsigned lane = 0; lane < THREADS; ++lane) product.store({x, y, lane}, sums[lane]);
  });
}

// A block as block.h says. Its shared memory is full of NaN at first, and nobody is to write behind it.
class Block {
 public:
  Block(unsigned x, unsigned y) : x_(x), y_(y), memory_(static_cast<unsigned char *>(std::malloc(grid.shared + GUARD))) {
    if (!memory_) std::abort();
    std::memset(memory_, NANS, grid.shared + GUARD);
  }
  ~Block() {
    for (unsigned i = 0; i < GUARD; ++i)
      if (memory_[grid.shared + i] != NANS) std::abort();
    std::free(memory_);
  }
  Block(const Block &) = delete;

  unsigned x() const { return x_; }
  unsigned y() const { return y_; }
  unsigned blocks_x() const { return grid.x; }
  unsigned blocks_y() const { return grid.y; }

  template <class F>
  void each(F f) const {
    for (unsigned lane = 0; lane < THREADS; ++lane) f(Thread{x_, y_, lane});
  }
  template <class F>
  void warps(F f) const {
    for (unsigned warp = 0; warp < threads::WARPS; ++warp) f(warp);
  }
  template <class T>
  T *shared(unsigned bytes) const {
    return reinterpret_cast<T *>(memory_ + bytes);
  }
  // Launches follow one another; that the block waits is noted.
  void after_previous() const { waits_ = true; }
  bool waits() const { return waits_; }
  void let_next_begin() const {}
  // The blocks of a launch follow one another.
  bool is_last(unsigned *counter) const {
    const bool last = ++*counter == grid.x * grid.y;
    if (last) *counter = 0;
    return last;
  }

  template <class T>
  struct PerThread {
    T all[THREADS];
    T &of(Thread t) { return all[t.lane]; }
  };
  template <class T>
  struct PerWarp {
    T all[threads::WARPS];
    T &of(unsigned warp) { return all[warp]; }
  };

 private:
  static constexpr unsigned GUARD = 1024;
  // What makes numbers of every kind NaN.
  static constexpr unsigned char NANS = 0xff;
  unsigned x_, y_;
  unsigned char *memory_;
  mutable bool waits_ = false;
};

// Whether all blocks of this thread's last launch waited for the launch before.
thread_local bool all_waited;

template <class Program>
void run_blocks(const Program &program) {
  all_waited = true;
  for_each_block([&](unsigned x, unsigned y) {
    const Block block(x, y);
    program.run(block);
    all_waited = all_waited && block.waits();
  });
}

namespace kernels {
#define EACH(name, parameters, expression) \
  void name parameters { for_each_thread([&](Thread t) { expression; }); }
#define REDUCE(name, parameters, reduction) \
  void name parameters { reduce reduction; }
#define PRODUCT(name, parameters, product) \
  void name parameters { multiply_tiles product; }
#define PROGRAM(name, at_once, parameters, program) \
  void name parameters { run_blocks(program); }
#include "kernels.inc"
#undef EACH
#undef REDUCE
#undef PRODUCT
#undef PROGRAM
}  // namespace kernels

// The lengths of a kernel's parameters in bytes, and how many there are.
template <class... P>
unsigned measure(void (*)(P...), unsigned *lengths) {
  const unsigned own[] = {sizeof(P)...};
  for (unsigned i = 0; i < sizeof...(P); ++i) lengths[i] = own[i];
  return sizeof...(P);
}

// Calls a kernel with arguments as the CUDA driver takes them: a pointer to each.
template <class... P, size_t... I>
void call(void (*kernel)(P...), void *const *arguments, std::index_sequence<I...>) {
  kernel(*static_cast<P *>(arguments[I])...);
}

template <class... P>
void call(void (*kernel)(P...), void *const *arguments) {
  call(kernel, arguments, std::index_sequence_for<P...>());
}

}  // namespace

// Carries out a launch; 0 if there is a kernel of this name.
extern "C" int valleys_cuda_host_launch(const char *name, unsigned grid_x, unsigned grid_y, unsigned shared,
                                        void *const *arguments) {
  grid = {grid_x, grid_y, shared};
  all_waited = false;
#define TEXT(kernel) #kernel
#define NAME(kernel) TEXT(kernel)
#define EACH(kernel, parameters, expression)   \
  if (std::strcmp(name, NAME(kernel)) == 0) {  \
    call(kernels::kernel, arguments);          \
    return 0;                                  \
  }
#define REDUCE EACH
#define PRODUCT EACH
#define PROGRAM(kernel, at_once, parameters, program) EACH(kernel, parameters, program)
#include "kernels.inc"
  return 1;
}

// The lengths of a kernel's parameters in bytes, and how many there are; none if there is no such kernel.
extern "C" unsigned valleys_cuda_host_parameters(const char *name, unsigned *lengths) {
#undef EACH
#define EACH(kernel, parameters, expression) \
  if (std::strcmp(name, NAME(kernel)) == 0) return measure(kernels::kernel, lengths);
#include "kernels.inc"
  return 0;
}

// Whether every block of the last launch waited itself for the launch before.
extern "C" bool valleys_cuda_host_waited() { return all_waited; }

// What both sides count on besides: spare numbers between rows, warps of a block, most tiles of a warp, and how long what
// lies in shared memory is.
extern "C" void valleys_cuda_extents(unsigned *extents) {
  const unsigned all[] = {threads::SPARE,           threads::WARPS,          threads::MOST_TILES,
                          sizeof(threads::Scaled),  sizeof(threads::Eights), sizeof(scalar::Sums)};
  std::memcpy(extents, all, sizeof all);
}

// Threads of every block, as launches count on.
extern "C" unsigned valleys_cuda_threads() { return THREADS; }

// Channels of a block, where they are last.
extern "C" unsigned valleys_cuda_group() { return threads::ChannelsLast::GROUP; }

// Rows and columns of a tile of a matrix product.
static_assert(threads::TILE == tensor::TILE, "tiles are alike");
extern "C" unsigned valleys_cuda_tile() { return threads::TILE; }

// Numbers of a weight's gradient that a block adds up.
extern "C" unsigned valleys_cuda_added() { return threads::ADDED; }
