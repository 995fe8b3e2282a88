// Blocks whose threads work in phases, through memory that they share.
//
// A program of a block is a template of the type Block: kernels.cu has the GPU's, whose threads wait for each other
// between phases; host.cpp has that of the tests, where they follow one another. A Block has
//
//   x(), y()            its number
//   each(f)             calls f(thread) for every thread; what they wrote is seen by all afterwards
//   warps(f)            the same by warps, f(warp): on the GPU all its threads call f together, on the host one does
//   shared(bytes)       this place in the shared memory of the block
//   is_last(counter)    whether all other blocks of the grid have got here; what they wrote is seen. The counter is 0
//                       before the first and after the last of them.
//   PerThread<T>, PerWarp<T>   a variable of every thread, of every warp, kept from phase to phase: of(thread), of(warp)
#pragma once

#include "tensor.h"

namespace threads {

constexpr unsigned WARPS = THREADS / 32;

// Eight numbers, which memory moves as one.
struct alignas(16) Eight {
  scalar::Bf16 numbers[8];
};

constexpr unsigned EIGHT = 8;

DEVICE Eight zeros() {
  Eight all;
  for (unsigned i = 0; i < EIGHT; ++i) all.numbers[i].bits = 0;
  return all;
}

}  // namespace threads
