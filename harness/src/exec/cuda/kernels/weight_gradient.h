// The gradient of a convolution with respect to its weight, on tensor cores, of maps whose channels are last.
//
// A block has some of the outputs, and takes strips of output rows by turns. Its warps share the tiles of the gradient
// (outputs by channels, a tile for every place of the window), and where there are fewer tiles than warps, the pixels.
// What a block has summed goes to memory; another kernel adds that up, in an order that the shape alone determines.
#pragma once

#include "convolution.h"

namespace threads {

// Most tiles of a warp.
constexpr unsigned MOST_TILES = 5;

struct WeightGradient {
  // As on the way there.
  Strips strips;
  Source source;
  const scalar::Bf16 *dy;
  // A part a block of one slice of the outputs and share of its warps, each as long as the weight.
  float *parts;
  // Outputs of a slice.
  unsigned slice;

  BOTH unsigned taps() const { return strips.size * strips.size; }
  // Tiles of the gradient that a block has.
  BOTH unsigned tiles() const { return slice / tensor::TILE * (strips.channels / tensor::TILE) * taps(); }
  // So many warps share the pixels of a tile.
  BOTH unsigned shares() const { return tiles() >= WARPS ? 1 : WARPS / tiles(); }
  BOTH unsigned tiles_of_warp() const { return tiles() >= WARPS ? (tiles() + WARPS - 1) / WARPS : 1; }

  // Where everything lies in shared memory.
  BOTH unsigned strip_area() const { return (strips.channels * (unsigned)sizeof(Scaled) + 15) / 16 * 16; }
  BOTH unsigned dy_area() const {
    return strip_area() + strips.read_rows() * strips.read_columns() * strips.pitch() * (unsigned)sizeof(scalar::Bf16);
  }

  // Brings the slice's dy of a strip into shared memory, zeros for pixels that there are not.
  template <class Block>
  DEVICE void load_dy(const Block &block, unsigned image, unsigned first_row, scalar::Bf16 *to) const {
    const unsigned rows = strips.out_height - first_row < strips.rows ? strips.out_height - first_row : strips.rows;
    const unsigned pixels = rows * strips.out_width;
    const unsigned start = (image * strips.out_height + first_row) * strips.out_width;
    block.each([&](Thread t) {
      const Octet octet(t, slice);
      for (unsigned pixel = octet.first; pixel < strips.padded_pixels(); pixel += FLYING * octet.step) {
        Eight all[FLYING];
        UNROLL
        for (unsigned k = 0; k < FLYING; ++k) {
          const unsigned p = pixel + k * octet.step;
          const unsigned at = (start + p) * strips.out_channels + block.x() * slice + octet.channel;
          all[k] = p < pixels ? *(const Eight *)(dy + at) : zeros();
        }
        UNROLL
        for (unsigned k = 0; k < FLYING; ++k) {
          const unsigned p = pixel + k * octet.step;
          if (p < strips.padded_pixels()) *(Eight *)(to + p * (slice + SPARE) + octet.channel) = all[k];
        }
      }
    });
  }

  // Adds a strip to the tiles of a warp, which are `N` neighbours, as far as there are so many: windows go first, then
  // channels, then outputs.
  template <unsigned N>
  DEVICE void add_strip(unsigned warp, const scalar::Bf16 *x, const scalar::Bf16 *slopes, tensor::Sum (&sums)[N]) const {
    const unsigned share = shares() == 1 ? 0 : warp / tiles(), first = shares() == 1 ? warp * N : warp % tiles();
    // Warps that are left over have nothing to do.
    if (share >= shares()) return;
    for (unsigned pixel = share * tensor::TILE; pixel < strips.padded_pixels(); pixel += shares() * tensor::TILE) {
      const tensor::Rows windows([&](unsigned i) { return strips.window(pixel + i); });
      tensor::Left a;
      unsigned loaded = ~0u;
      UNROLL
      for (unsigned n = 0; n < N; ++n) {
        const unsigned tile = first + n;
        if (tile >= tiles()) break;
        const unsigned tap = tile % taps(), of_channels = strips.channels / tensor::TILE;
        const unsigned channel = tile / taps() % of_channels * tensor::TILE;
        const unsigned output = tile / taps() / of_channels * tensor::TILE;
        if (output != loaded) a.load_columns(slopes + pixel * (slice + SPARE) + output, slice + SPARE);
        loaded = output;
        const unsigned shift = tap / strips.size * strips.read_columns() + tap % strips.size;
        tensor::Right b;
        b.load_rows(x + shift * strips.pitch() + channel, windows);
        sums[n].add(a, b);
      }
    }
  }

  template <unsigned N>
  DEVICE void store(unsigned slice_number, unsigned part, unsigned warp, const tensor::Sum (&sums)[N]) const {
    const unsigned share = shares() == 1 ? 0 : warp / tiles(), first = shares() == 1 ? warp * N : warp % tiles();
    if (share >= shares()) return;
    float *to = parts + (part * shares() + share) * (strips.out_channels * taps() * strips.channels);
    UNROLL
    for (unsigned n = 0; n < N; ++n) {
      const unsigned tile = first + n;
      if (tile >= tiles()) break;
      const unsigned tap = tile % taps(), of_channels = strips.channels / tensor::TILE;
      const unsigned channel = tile / taps() % of_channels * tensor::TILE;
      const unsigned output = slice_number * slice + tile / taps() / of_channels * tensor::TILE;
      sums[n].for_pairs([&](unsigned row, unsigned column, float left, float right) {
        float *place = to + ((output + row) * taps() + tap) * strips.channels + channel + column;
        place[0] = left;
        place[1] = right;
      });
    }
  }

  template <unsigned N, class Block>
  DEVICE void run_with(const Block &block) const {
    struct Sums {
      tensor::Sum all[N];
    };
    Scaled *scaled = block.template shared<Scaled>(0);
    scalar::Bf16 *strip = block.template shared<scalar::Bf16>(strip_area());
    scalar::Bf16 *slopes = block.template shared<scalar::Bf16>(dy_area());
    if (source.is_normed()) scale(block, source.norm, strips.channels, scaled);
    typename Block::template PerWarp<Sums> own;
    block.warps([&](unsigned warp) {
      for (tensor::Sum &sum : own.of(warp).all) sum.clear();
    });
    for (unsigned tile = block.y(); tile < strips.tiles(); tile += block.blocks_y()) {
      const unsigned image = tile / strips.strips(), first_row = tile % strips.strips() * strips.rows;
      load_dy(block, image, first_row, slopes);
      load_strip(block, strips, source, scaled, image, first_row, strip);
      block.warps([&](unsigned warp) { add_strip(warp, strip, slopes, own.of(warp).all); });
    }
    block.warps([&](unsigned warp) { store(block.x(), block.y(), warp, own.of(warp).all); });
  }

  template <class Block>
  DEVICE void run(const Block &block) const {
    switch (tiles_of_warp()) {
      case 1: return run_with<1>(block);
      case 2: return run_with<2>(block);
      case 3: return run_with<3>(block);
      default: return run_with<MOST_TILES>(block);
    }
  }
};

// Numbers of the weight that a block adds up, each by some of its threads.
constexpr unsigned ADDED = 32;

// gradient <- gradient + the sum of the parts. The gradient is planar: outputs by channels by places of the window.
struct WeightGradientFinish {
  const float *parts;
  float *gradient;
  unsigned outputs, channels, taps, count;

  template <class Block>
  DEVICE void run(const Block &block) const {
    const unsigned length = outputs * channels * taps;
    float *sums = block.template shared<float>(0);
    block.each([&](Thread t) {
      const unsigned i = block.x() * ADDED + t.lane % ADDED;
      float sum = 0.0f;
      if (i < length) {
        UNROLL_BY(8)
        for (unsigned part = t.lane / ADDED; part < count; part += THREADS / ADDED) sum += parts[part * length + i];
      }
      sums[t.lane] = sum;
    });
    block.each([&](Thread t) {
      const unsigned i = block.x() * ADDED + t.lane;
      if (t.lane >= ADDED || i >= length) return;
      float sum = 0.0f;
      for (unsigned k = 0; k < THREADS / ADDED; ++k) sum += sums[k * ADDED + t.lane];
      const unsigned channel = i % channels, tap = i / channels % taps, output = i / channels / taps;
      gradient[(output * channels + channel) * taps + tap] += sum;
    });
  }
};

}  // namespace threads
