// The gradient of a convolution with respect to its weight, on tensor cores, of maps whose channels are last.
//
// A block has some of the outputs, and takes strips of output rows by turns; its warps share the tiles of the gradient.
// What a block has summed goes to memory; another kernel adds that up, in an order that the shape alone determines.
#pragma once

#include "gradient_tiles.h"
#include "strips.h"

namespace threads {

struct WeightGradient {
  // As on the way there.
  Strips strips;
  Source source;
  const scalar::Bf16 *dy;
  // A part a block of one slice of the outputs and share of its warps, each as long as the weight.
  float *parts;
  // Outputs of a slice; how many warps share the pixels of a tile.
  unsigned slice, shares;

  BOTH GradientTiles tiles() const { return {slice, strips.channels, strips.size, shares}; }

  template <unsigned N>
  struct Own : GradientTiles::Own {
    // Where the outputs stand in dy's part, and the channels behind a pixel's window.
    unsigned output[N], seen[N];
    tensor::Sum sums[N];
  };
  template <unsigned N>
  DEVICE void begin(unsigned warp, Own<N> &own) const {
    static_cast<GradientTiles::Own &>(own) = tiles().template of_warp<N>(warp);
    UNROLL
    for (unsigned n = 0; n < N; ++n) {
      const GradientTiles::Tile of = tiles().tile(own.first + n);
      own.output[n] = of.output;
      own.seen[n] = (of.tap / strips.size * strips.read_columns() + of.tap % strips.size) * strips.pitch() + of.channel;
      own.sums[n].clear();
    }
  }

  // Brings the slice's dy of a strip into shared memory, zeros for pixels that there are not.
  DEVICE void load_dy(Thread t, unsigned slice_number, unsigned image, unsigned first_row, scalar::Bf16 *to) const {
    const unsigned rows = strips.out_height - first_row < strips.rows ? strips.out_height - first_row : strips.rows;
    const unsigned pixels = rows * strips.out_width;
    const unsigned start = (image * strips.out_height + first_row) * strips.out_width;
    const Octet octet(t, slice);
    for_each_of<FLYING, Eight>(
        octet.first, octet.step, strips.padded_pixels(),
        [&](unsigned pixel) {
          Eight all = {};
          if (pixel < pixels)
            all = *(const Eight *)(dy + (start + pixel) * strips.out_channels + slice_number * slice + octet.channel);
          return all;
        },
        [&](unsigned pixel, const Eight &all) { *(Eight *)(to + pixel * (slice + SPARE) + octet.channel) = all; });
  }

  // Adds a strip to the tiles of a warp.
  template <unsigned N>
  DEVICE void add_strip(const unsigned *windows, const scalar::Bf16 *x, const scalar::Bf16 *slopes, Own<N> &own) const {
    if (own.count == 0) return;
    const unsigned pitch = slice + SPARE, pixels = strips.padded_pixels();
    for (unsigned pixel = own.share * tensor::TILE; pixel < pixels; pixel += shares * tensor::TILE) {
      const tensor::Rows rows([&](unsigned i) { return windows[pixel + i]; });
      tensor::Left a;
      tensor::Right b[N];
      UNROLL
      for (unsigned n = 0; n < N; ++n)
        if (n < own.count) b[n].load_rows(x + own.seen[n], rows);
      UNROLL
      for (unsigned n = 0; n < N; ++n) {
        if (n >= own.count) continue;
        if (n == 0 || own.output[n] != own.output[n - 1])
          a.load_columns(slopes + pixel * pitch + own.output[n], pitch);
        own.sums[n].add(a, b[n]);
      }
    }
  }

  template <unsigned N>
  DEVICE void store(unsigned slice_number, unsigned part, const Own<N> &own) const {
    const unsigned taps = tiles().taps(), length = strips.out_channels * taps * strips.channels;
    float *to = parts + (part * shares + own.share) * length + slice_number * slice * taps * strips.channels;
    UNROLL
    for (unsigned n = 0; n < N; ++n) {
      if (n >= own.count) continue;
      const GradientTiles::Tile of = tiles().tile(own.first + n);
      own.sums[n].for_pairs([&](unsigned row, unsigned column, float left, float right) {
        float *place = to + ((of.output + row) * taps + of.tap) * strips.channels + of.channel + column;
        place[0] = left;
        place[1] = right;
      });
    }
  }

  template <unsigned N, class Block>
  DEVICE void run_with(const Block &block) const {
    const unsigned windows_area = (strips.channels * (unsigned)sizeof(Scaled) + 15) / 16 * 16;
    const unsigned strip_area = windows_area + strips.padded_pixels() * (unsigned)sizeof(unsigned);
    const unsigned strip_length = strips.read_rows() * strips.read_columns() * strips.pitch();
    Scaled *scaled = block.template shared<Scaled>(0);
    unsigned *windows = block.template shared<unsigned>(windows_area);
    scalar::Bf16 *strip = block.template shared<scalar::Bf16>(strip_area);
    scalar::Bf16 *slopes = strip + strip_length;
    block.each([&](Thread t) {
      strips.find_windows(t, windows);
      if (source.norm.mean) scale(t, source.norm, strips.channels, scaled);
    });
    typename Block::template PerWarp<Own<N>> own;
    block.warps([&](unsigned warp) { begin(warp, own.of(warp)); });
    for (unsigned number = block.y(); number < strips.tiles(); number += block.blocks_y()) {
      const unsigned image = number / strips.strips(), first_row = number % strips.strips() * strips.rows;
      block.each([&](Thread t) {
        load_dy(t, block.x(), image, first_row, slopes);
        load_strip(t, strips, source, scaled, image, first_row, strip);
      });
      block.warps([&](unsigned warp) { add_strip(windows, strip, slopes, own.of(warp)); });
    }
    block.warps([&](unsigned warp) { store(block.x(), block.y(), own.of(warp)); });
  }

  template <class Block>
  DEVICE void run(const Block &block) const {
    tiles().run(*this, block);
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
      if (i < length)
        for_each_of<16, float>(
            t.lane / ADDED, THREADS / ADDED, count, [&](unsigned part) { return parts[part * length + i]; },
            [&](unsigned, float some) { sum += some; });
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
