// Blocks whose threads work in phases, through memory that they share.
//
// A program of a block is a template of the type Block: kernels.cu has the GPU's, whose threads wait for each other
// between phases; host.cpp has that of the tests, where they follow one another. A Block has
//
//   x(), y()            its number; blocks_x(), blocks_y() say of how many
//   each(f)             calls f(thread) for every thread; what they wrote is seen by all afterwards
//   warps(f)            the same by warps, f(warp): on the GPU all its threads call f together, on the host one does
//   shared(bytes)       this place in the shared memory of the block
//   is_last(counter)    whether all other blocks of the grid have got here; what they wrote is seen. The counter is 0
//                       before the first and after the last of them.
//   after_previous()    waits for the launch before, if this one may begin before that is done: what stands in front may
//                       read nothing that it wrote. Every thread of every block calls it, so that a launch that is
//                       done says that all before it are.
//   let_next_begin()    lets the next launch begin, as far as it does not wait
//   PerThread<T>, PerWarp<T>   a variable of every thread, of every warp, kept from phase to phase: of(thread), of(warp)
#pragma once

#include "tensor.h"

namespace threads {

constexpr unsigned WARPS = THREADS / 32;

// N numbers, which memory moves as one.
template <unsigned N>
struct alignas(N * sizeof(scalar::Bf16)) Pack {
  unsigned pairs[N / 2];

  // Calls f(place, number) for every number.
  template <class F>
  BOTH void each(F f) const {
    UNROLL
    for (unsigned i = 0; i < N; i += 2) {
      f(i, scalar::first_of(pairs[i / 2]));
      f(i + 1, scalar::second_of(pairs[i / 2]));
    }
  }
  // Makes every number f(place, number), rounded.
  template <class F>
  BOTH void map(F f) {
    UNROLL
    for (unsigned i = 0; i < N; i += 2)
      pairs[i / 2] = scalar::pair_of(f(i, scalar::first_of(pairs[i / 2])), f(i + 1, scalar::second_of(pairs[i / 2])));
  }
};

template <>
struct Pack<1> {
  scalar::Bf16 number;
  template <class F>
  BOTH void each(F f) const {
    f(0, scalar::load(number));
  }
  template <class F>
  BOTH void map(F f) {
    scalar::store(number, f(0, scalar::load(number)));
  }
};

constexpr unsigned EIGHT = 8;
using Eight = Pack<EIGHT>;

// How many packs a thread has on their way at a time.
constexpr unsigned FLYING = 4;

// Calls f(i, x) for the numbers x of load(i), for every i from `first` on, `step` apart and below `end`, in order: `N` of
// them are on their way at a time.
template <unsigned N, class T, class Load, class F>
BOTH void for_each_of(unsigned first, unsigned step, unsigned end, Load load, F f) {
  for (unsigned start = first; start < end; start += N * step) {
    T some[N];
    UNROLL
    for (unsigned k = 0; k < N; ++k)
      if (start + k * step < end) some[k] = load(start + k * step);
    UNROLL
    for (unsigned k = 0; k < N; ++k)
      if (start + k * step < end) f(start + k * step, some[k]);
  }
}

}  // namespace threads
