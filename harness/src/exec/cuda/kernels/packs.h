// Batch norm of maps whose channels are last: a thread moves as many neighbouring channels at a time as memory does.
//
// A block has a stretch of the pixels of all images and all channels; what these need is worked out once a block.
#pragma once

#include "strips.h"

namespace threads {

// The pixels of all images, by blocks.
struct Pixels {
  unsigned channels, count;

  // Calls f(first channel) for every pack of N channels of this thread, and what that returns, g(Range), for its pixels.
  struct Range {
    unsigned first, step, end;
  };
  template <unsigned N, class Block, class F>
  DEVICE void for_own(const Block &block, Thread t, F f) const {
    const unsigned packs = channels / N, width = packs < THREADS ? packs : THREADS;
    const unsigned step = THREADS / width, row = t.lane / width;
    // Threads that are left over have no pixel.
    if (row >= step) return;
    const unsigned length = (count + block.blocks_x() - 1) / block.blocks_x(), first = block.x() * length;
    const unsigned last = first + length < count ? first + length : count;
    for (unsigned pack = t.lane % width; pack < packs; pack += width) f(pack * N, Range{first + row, step, last});
  }
};

// The most channels that fit a pack.
BOTH unsigned pack_of(unsigned channels) { return channels % 8 == 0 ? 8 : channels % 4 == 0 ? 4 : 1; }

// y <- the batch norm of x and its activation; y may be x.
struct BatchNormOfPacks {
  const scalar::Bf16 *x;
  Norm norm;
  scalar::Bf16 *y;
  Pixels pixels;

  template <unsigned N, class Block>
  DEVICE void run_with(const Block &block) const {
    Scaled *scaled = block.template shared<Scaled>(0);
    block.after_previous();
    block.let_next_begin();
    block.each([&](Thread t) { scale(t, norm, pixels.channels, scaled); });
    block.each([&](Thread t) {
      pixels.for_own<N>(block, t, [&](unsigned channel, Pixels::Range range) {
        scalar::Affine affine[N];
        for (unsigned i = 0; i < N; ++i) affine[i] = scaled[channel + i].affine;
        const auto place = [&](unsigned pixel) { return pixel * pixels.channels + channel; };
        for_each_of<FLYING, Pack<N>>(
            range.first, range.step, range.end, [&](unsigned pixel) { return *(const Pack<N> *)(x + place(pixel)); },
            [&](unsigned pixel, Pack<N> pack) {
              pack.map([&](unsigned i, float x) { return scalar::batch_norm(affine[i], norm.function, x); });
              *(Pack<N> *)(y + place(pixel)) = pack;
            });
      });
    });
  }

  template <class Block>
  DEVICE void run(const Block &block) const {
    switch (pack_of(pixels.channels)) {
      case 8: return run_with<8>(block);
      case 4: return run_with<4>(block);
      default: return run_with<1>(block);
    }
  }
};

// dx <- the gradient with respect to x, or dx and that; dx may be x or dy.
struct BatchNormBackwardOfPacks {
  const scalar::Bf16 *x, *dy;
  Norm norm;
  const float *slopes;
  scalar::Bf16 *dx;
  Pixels pixels;
  unsigned accumulate;

  template <unsigned N, class Block>
  DEVICE void run_with(const Block &block) const {
    Scaled *scaled = block.template shared<Scaled>(0);
    block.after_previous();
    block.let_next_begin();
    block.each([&](Thread t) { scale(t, norm, pixels.channels, scaled); });
    struct Three {
      Pack<N> x, dy, dx;
    };
    block.each([&](Thread t) {
      pixels.for_own<N>(block, t, [&](unsigned channel, Pixels::Range range) {
        scalar::Affine affine[N];
        scalar::Slope slope[N];
        for (unsigned i = 0; i < N; ++i) {
          const float *of_channel = slopes + channel + i;
          affine[i] = scaled[channel + i].affine;
          slope[i] = {of_channel[0], of_channel[pixels.channels], of_channel[2 * pixels.channels]};
        }
        const auto place = [&](unsigned pixel) { return pixel * pixels.channels + channel; };
        for_each_of<FLYING, Three>(
            range.first, range.step, range.end,
            [&](unsigned pixel) {
              Three all;
              all.x = *(const Pack<N> *)(x + place(pixel));
              all.dy = *(const Pack<N> *)(dy + place(pixel));
              all.dx = {};
              if (accumulate) all.dx = *(const Pack<N> *)(dx + place(pixel));
              return all;
            },
            [&](unsigned pixel, Three all) {
              float xs[N], dys[N];
              all.x.each([&](unsigned i, float x) { xs[i] = x; });
              all.dy.each([&](unsigned i, float dy) { dys[i] = dy; });
              all.dx.map([&](unsigned i, float dx) {
                const float own = scalar::batch_norm_backward(affine[i], slope[i], norm.function, xs[i], dys[i]);
                return accumulate ? dx + own : own;
              });
              *(Pack<N> *)(dx + place(pixel)) = all.dx;
            });
      });
    });
  }

  template <class Block>
  DEVICE void run(const Block &block) const {
    // Packs of eight would leave no registers for as many threads as hide the way to memory.
    return pack_of(pixels.channels) == 1 ? run_with<1>(block) : run_with<4>(block);
  }
};

}  // namespace threads
