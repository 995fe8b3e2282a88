// The gradient of a convolution with respect to its weight, on tensor cores, of planar maps in single precision.
//
// A block has some of the outputs and some of the channels, and takes strips of output rows by turns; its warps share the
// tiles of the gradient. Factors are read as they lie: of dy and of x neighbouring pixels are neighbours in memory. What a
// block has summed goes to memory; another kernel adds that up, in an order that the shape alone determines.
#pragma once

#include "gradient_tiles.h"
#include "planar_strips.h"
#include "tf32.h"

namespace threads {

// If EXACT, products are those of single precision nearly, by three products of numbers in TF32 each; else of x and dy
// rounded to TF32.
template <bool EXACT>
struct PlanarGradient {
  // As on the way there.
  PlanarStrips strips;
  const float *x, *dy;
  // A part a block of one slice and share of its warps, each as long as the weight: outputs by places of the window by
  // channels.
  float *parts;
  // Outputs and channels of a slice, whole tiles; how many warps share the pixels of a tile; whether all rows consist of
  // whole packs of four.
  unsigned slice, channel_slice, shares, fours;

  BOTH GradientTiles tiles() const { return {slice, channel_slice, strips.size, shares}; }

  // From channel to channel, and from output to output.
  BOTH unsigned pitch() const { return apart(strips.length(), 4); }
  BOTH unsigned slope_pitch() const { return apart(strips.padded_pixels(), 4); }

  template <unsigned N>
  struct Own : GradientTiles::Own {
    // Where a tile's outputs start in dy's part, and its channels with its place of the window in x's.
    unsigned output[N], seen[N];
    tensor::SumOfPlanes sums[N];
  };
  template <unsigned N>
  DEVICE void begin(unsigned warp, Own<N> &own) const {
    static_cast<GradientTiles::Own &>(own) = tiles().template of_warp<N>(warp);
    UNROLL
    for (unsigned n = 0; n < N; ++n) {
      const GradientTiles::Tile of = tiles().tile(own.first + n);
      own.output[n] = of.output * slope_pitch();
      own.seen[n] = of.channel * pitch() + strips.tap(of.tap);
      own.sums[n].clear();
    }
  }

  // Adds a strip to the tiles of a warp. Tensor cores cut off where others round, so that sums stay short: a strip's is
  // added to the rest as every sum is.
  template <unsigned N>
  DEVICE void add_strip(const unsigned *windows, const float *x, const float *slopes, Own<N> &own) const {
    // As many tiles at a time as leave registers for their sums; those of the same outputs share the left factor.
    constexpr unsigned SOME = N <= 3 ? N : 1, STEP = 8;
    const unsigned slope_pitch = this->slope_pitch(), pitch = this->pitch(), pixels = strips.padded_pixels();
    UNROLL
    for (unsigned first = 0; first < N; first += SOME) {
      tensor::SumOfPlanes sums[SOME];
      UNROLL
      for (unsigned n = 0; n < SOME; ++n) sums[n].clear();
      for (unsigned pixel = own.share * STEP; pixel < pixels && first < own.count; pixel += shares * STEP) {
        tensor::LeftOf<EXACT> a;
        UNROLL
        for (unsigned n = first; n < first + SOME; ++n) {
          if (n >= own.count) continue;
          const float *left = slopes + own.output[n], *right = x + own.seen[n];
          if (n == first || own.output[n] != own.output[n - 1])
            a.load([&](unsigned output, unsigned k) { return left[output * slope_pitch + pixel + k]; });
          tensor::RightOf<EXACT> b[2];
          b[0].load([&](unsigned k, unsigned channel) { return right[channel * pitch + windows[pixel + k]]; });
          b[1].load([&](unsigned k, unsigned channel) { return right[(channel + 8) * pitch + windows[pixel + k]]; });
          sums[n - first].add(a, b[0], b[1]);
        }
      }
      UNROLL
      for (unsigned n = 0; n < SOME; ++n) own.sums[first + n].plus(sums[n]);
    }
  }

  // Tiles may reach beyond the outputs and the channels that there are.
  template <unsigned N>
  DEVICE void store(unsigned first_output, unsigned first_channel, unsigned part, const Own<N> &own) const {
    const unsigned taps = tiles().taps(), channels = strips.channels, outputs = strips.out_channels;
    float *to = parts + (part * shares + own.share) * (outputs * taps * channels);
    UNROLL
    for (unsigned n = 0; n < N; ++n) {
      if (n >= own.count) continue;
      const GradientTiles::Tile of = tiles().tile(own.first + n);
      own.sums[n].each([&](unsigned row, unsigned column, float sum) {
        const unsigned output = first_output + of.output + row, channel = first_channel + of.channel + column;
        if (output < outputs && channel < channels) to[(output * taps + of.tap) * channels + channel] = sum;
      });
    }
  }

  template <unsigned WIDTH>
  DEVICE void load(Thread t, unsigned image, unsigned first_row, unsigned first_output, unsigned first_channel, float *x,
                   float *slopes) const {
    const auto some = [](unsigned all, unsigned first, unsigned slice) {
      return all - first < slice ? all - first : slice;
    };
    const unsigned outputs = some(strips.out_channels, first_output, slice);
    const unsigned channels = some(strips.channels, first_channel, channel_slice);
    const float *dy_of_image =
        dy + (image * strips.out_channels + first_output) * strips.out_height * strips.out_width;
    const float *x_of_image = this->x + (image * strips.channels + first_channel) * strips.height * strips.width;
    load_rows<WIDTH, EXACT>(t, {dy_of_image, outputs, strips.out_height, strips.out_width, (int)first_row, strips.rows}, slopes,
                     slope_pitch(), strips.out_width);
    strips.template load<WIDTH, EXACT>(t, x_of_image, channels, first_row, x, pitch());
  }

  template <unsigned N, class Block>
  DEVICE void run_with(const Block &block) const {
    unsigned *windows = block.template shared<unsigned>(0);
    float *x = block.template shared<float>(strips.padded_pixels() * (unsigned)sizeof(unsigned));
    float *slopes = x + channel_slice * pitch(), *end = slopes + slice * slope_pitch();
    const unsigned slices = (strips.out_channels + slice - 1) / slice;
    const unsigned first_output = block.x() % slices * slice, first_channel = block.x() / slices * channel_slice;
    block.each([&](Thread t) {
      strips.find_windows(t, windows, strips.padded_pixels());
      // Borders, and what there is no channel, output or pixel for, stay zeros.
      for (float *place = x + t.lane; place < end; place += THREADS) *place = 0.0f;
    });
    typename Block::template PerWarp<Own<N>> own;
    block.warps([&](unsigned warp) { begin(warp, own.of(warp)); });
    for (unsigned number = block.y(); number < strips.tiles(); number += block.blocks_y()) {
      const unsigned image = number / strips.strips(), first_row = number % strips.strips() * strips.rows;
      block.each([&](Thread t) {
        if (fours) load<4>(t, image, first_row, first_output, first_channel, x, slopes);
        else load<1>(t, image, first_row, first_output, first_channel, x, slopes);
      });
      block.warps([&](unsigned warp) { add_strip(windows, x, slopes, own.of(warp)); });
    }
    block.warps([&](unsigned warp) { store(first_output, first_channel, block.y(), own.of(warp)); });
  }

  template <class Block>
  DEVICE void run(const Block &block) const {
    tiles().run(*this, block);
  }
};

}  // namespace threads
