// Batch norm of maps whose channels are last: a thread moves as many neighbouring channels at a time as memory does.
//
// A block has a stretch of the pixels of all images and all channels; what these need is worked out once a block.
#pragma once

#include "convolution.h"

namespace threads {

// N numbers, which memory moves as one.
template <unsigned N>
struct alignas(N * sizeof(scalar::Bf16)) Pack {
  scalar::Bf16 numbers[N];
};

// The pixels of all images, by blocks.
struct Pixels {
  unsigned channels, count;

  // Calls f(first channel) for every pack of N channels of this thread, and what that returns for the places of the pack's
  // first number in FLYING pixels at a time: g(places, how many of them).
  template <unsigned N, class Block, class F>
  DEVICE void for_own(const Block &block, Thread t, F f) const {
    const unsigned packs = channels / N, width = packs < THREADS ? packs : THREADS;
    const unsigned step = THREADS / width, row = t.lane / width;
    // Threads that are left over have no pixel.
    if (row >= step) return;
    const unsigned length = (count + block.blocks_x() - 1) / block.blocks_x(), first = block.x() * length;
    const unsigned last = first + length < count ? first + length : count;
    for (unsigned pack = t.lane % width; pack < packs; pack += width) {
      const auto g = f(pack * N);
      for (unsigned pixel = first + row; pixel < last; pixel += FLYING * step) {
        unsigned places[FLYING];
        UNROLL
        for (unsigned k = 0; k < FLYING; ++k) places[k] = (pixel + k * step) * channels + pack * N;
        const unsigned left = (last - pixel + step - 1) / step;
        g(places, left < FLYING ? left : FLYING);
      }
    }
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
    scale(block, norm, pixels.channels, scaled);
    block.each([&](Thread t) {
      pixels.for_own<N>(block, t, [&](unsigned channel) {
        scalar::Affine affine[N];
        for (unsigned i = 0; i < N; ++i) affine[i] = scaled[channel + i].affine;
        return [=](const unsigned (&places)[FLYING], unsigned some) {
          Pack<N> packs[FLYING];
          UNROLL
          for (unsigned k = 0; k < FLYING; ++k)
            if (k < some) packs[k] = *(const Pack<N> *)(x + places[k]);
          UNROLL
          for (unsigned k = 0; k < FLYING; ++k) {
            if (k >= some) continue;
            for (unsigned i = 0; i < N; ++i) {
              const float x = scalar::load(packs[k].numbers[i]);
              scalar::store(packs[k].numbers[i], scalar::batch_norm(affine[i], norm.function, x));
            }
            *(Pack<N> *)(y + places[k]) = packs[k];
          }
        };
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
    scale(block, norm, pixels.channels, scaled);
    block.each([&](Thread t) {
      pixels.for_own<N>(block, t, [&](unsigned channel) {
        scalar::Affine affine[N];
        scalar::Slope slope[N];
        for (unsigned i = 0; i < N; ++i) {
          const float *of_channel = slopes + channel + i;
          affine[i] = scaled[channel + i].affine;
          slope[i] = {of_channel[0], of_channel[pixels.channels], of_channel[2 * pixels.channels]};
        }
        return [=](const unsigned (&places)[FLYING], unsigned some) {
          Pack<N> xs[FLYING], dys[FLYING], dxs[FLYING];
          UNROLL
          for (unsigned k = 0; k < FLYING; ++k) {
            if (k >= some) continue;
            xs[k] = *(const Pack<N> *)(x + places[k]);
            dys[k] = *(const Pack<N> *)(dy + places[k]);
            if (accumulate) dxs[k] = *(const Pack<N> *)(dx + places[k]);
          }
          UNROLL
          for (unsigned k = 0; k < FLYING; ++k) {
            if (k >= some) continue;
            for (unsigned i = 0; i < N; ++i) {
              const float x = scalar::load(xs[k].numbers[i]), dy = scalar::load(dys[k].numbers[i]);
              const float gradient = scalar::batch_norm_backward(affine[i], slope[i], norm.function, x, dy);
              scalar::put(dxs[k].numbers[i], gradient, accumulate);
            }
            *(Pack<N> *)(dx + places[k]) = dxs[k];
          }
        };
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

}  // namespace threads
