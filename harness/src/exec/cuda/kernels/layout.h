// Threads, and where the numbers of a value stand: what an index means.
//
// Indices are 32-bit, which launch/ checks: no value has 2^31 numbers or more.
#pragma once

#include "scalar.h"

namespace threads {

// Threads of every block.
constexpr unsigned THREADS = 256;

// Which thread of which block.
struct Thread {
  unsigned block_x, block_y, lane;
  BOTH unsigned index() const { return block_x * THREADS + lane; }
};

// Which number of a value.
struct Place {
  unsigned image, channel, pixel;
};

// Numbers in the order (image, channel, pixel).
//
// In kernels that work channel by channel a block has one channel, whose planes lie in one piece.
struct Planar {
  static constexpr unsigned GROUP = 1;
  unsigned channels, plane;

  BOTH unsigned at(Place p) const { return (p.image * channels + p.channel) * plane + p.pixel; }
  BOTH Place place(unsigned i) const { return {i / plane / channels, i / plane % channels, i % plane}; }

  // Calls f(index) for the numbers of this thread's channel in split block_y, which is some of the images, that are
  // this thread's, in order: one of every THREADS.
  template <class F>
  BOTH void for_own(Thread t, unsigned images, unsigned splits, F f) const {
    const unsigned first = t.block_y * images / splits, last = (t.block_y + 1) * images / splits;
    for (unsigned i = t.lane; i < (last - first) * plane; i += THREADS)
      f(((first + i / plane) * channels + t.block_x) * plane + i % plane);
  }
};

// Numbers in the order (image, pixel, channel).
//
// In kernels that work channel by channel a block has as many channels as memory gives at a time, so that neighbouring
// threads read neighbouring numbers.
struct ChannelsLast {
  static constexpr unsigned GROUP = 16;
  unsigned channels, plane;

  BOTH unsigned at(Place p) const { return (p.image * plane + p.pixel) * channels + p.channel; }
  BOTH Place place(unsigned i) const { return {i / channels / plane, i % channels, i / channels % plane}; }

  // The same, a split being some of the pixels of all images, one of every THREADS / GROUP of them this thread's.
  template <class F>
  BOTH void for_own(Thread t, unsigned images, unsigned splits, F f) const {
    const unsigned pixels = images * plane, length = (pixels + splits - 1) / splits;
    const unsigned first = t.block_y * length, last = first + length < pixels ? first + length : pixels;
    const unsigned channel = t.block_x * GROUP + t.lane % GROUP;
    UNROLL_BY(4)
    for (unsigned i = first + t.lane / GROUP; i < last; i += THREADS / GROUP) f(i * channels + channel);
  }
};
static_assert(THREADS % ChannelsLast::GROUP == 0, "every channel of a group has as many threads");

}  // namespace threads
