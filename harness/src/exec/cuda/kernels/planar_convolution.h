// Convolutions on tensor cores, there and back to x, of planar maps in single precision.
//
// A block has some of the outputs, whose weights it keeps in shared memory, and takes strips of output rows by turns; its
// warps multiply tiles of outputs by channels with tiles of channels by pixels, place by place of the window.
#pragma once

#include "planar_strips.h"
#include "tf32.h"

namespace threads {

// If EXACT, products are those of single precision nearly, by three products of numbers in TF32 each; else of x and the
// weight rounded to TF32.
template <bool EXACT>
struct PlanarConvolution {
  PlanarStrips strips;
  const float *x, *weight;
  float *y;
  // Outputs of a slice, whole tiles.
  unsigned slice;
  // Whether this is the way back: x is dy, y is dx, and the weight, which lies as on the way there, is turned round.
  unsigned back;
  // Whether y is added to; whether all rows consist of whole packs of four.
  unsigned accumulate, fours;

  // Channels that are multiplied at a time; pixels of a tile; most tiles of pixels that a warp has at a time.
  static constexpr unsigned STEP = 8, PIXELS = 8, MOST = 4;

  BOTH unsigned taps() const { return strips.size * strips.size; }
  BOTH unsigned channels() const { return (strips.channels + STEP - 1) / STEP * STEP; }
  // From channel to channel of x, and from output to output of the weight.
  BOTH unsigned pitch() const { return apart(strips.length(), 8); }
  BOTH unsigned weight_pitch() const { return apart(taps() * channels(), 4); }

  // The weights of a slice into shared memory: by outputs, by places of the window, by channels.
  DEVICE void load_weights(Thread t, unsigned first_output, float *to) const {
    const unsigned outputs = some(first_output), inputs = strips.channels;
    const unsigned outputs_on = THREADS / inputs, channels_on = THREADS % inputs;
    unsigned output = t.lane / inputs, channel = t.lane % inputs;
    while (output < outputs) {
      const unsigned out = first_output + output;
      const float *from = weight + (back ? channel * strips.out_channels + out : out * inputs + channel) * taps();
      float *place = to + output * weight_pitch() + channel;
      for_each_of<8, float>(
          0, 1, taps(), [&](unsigned tap) { return from[back ? taps() - 1 - tap : tap]; },
          [&](unsigned tap, float number) {
            place[tap * channels()] = EXACT ? number : tensor::rounded_to_tf32(number);
          });
      output += outputs_on;
      channel += channels_on;
      if (channel >= inputs) {
        channel -= inputs;
        ++output;
      }
    }
  }

  // Outputs that there are in the slice from this one on.
  BOTH unsigned some(unsigned first_output) const {
    return strips.out_channels - first_output < slice ? strips.out_channels - first_output : slice;
  }

  // Multiplies and writes M tiles of outputs by N tiles of pixels.
  template <unsigned M, unsigned N>
  DEVICE void multiply(const unsigned *windows, const float *x, const float *weights, unsigned first_output,
                       unsigned tile, unsigned pixel, unsigned pixels, float *y) const {
    const unsigned pitch = this->pitch(), weight_pitch = this->weight_pitch(), channels = this->channels();
    using Sums = tensor::Spread<float, 4>[M][N];
    const auto each = [](Sums &sums, auto f) {
      tensor::for_lanes([&](unsigned lane) {
        UNROLL
        for (unsigned m = 0; m < M; ++m)
          UNROLL
          for (unsigned n = 0; n < N; ++n)
            for (unsigned i = 0; i < 4; ++i) f(lane, m, n, i, sums[m][n].of(lane)[i]);
      });
    };
    const auto clear = [&](Sums &sums) {
      each(sums, [](unsigned, unsigned, unsigned, unsigned, float &sum) { sum = 0.0f; });
    };
    Sums sums;
    clear(sums);
    const float *left = weights + tile * tensor::TILE * weight_pitch;
    for (unsigned row = 0; row < strips.size; ++row)
      for (unsigned column = 0; column < strips.size; ++column, left += channels) {
        // Tensor cores cut off where others round, so that EXACT sums stay short.
        Sums of_tap;
        if (EXACT) clear(of_tap);
        const float *right = x + row * strips.row_pitch() + column;
        for (unsigned channel = 0; channel < channels; channel += STEP) {
          tensor::LeftOf<EXACT> a[M];
          tensor::RightOf<EXACT> b[N];
          UNROLL
          for (unsigned m = 0; m < M; ++m)
            a[m].load([&](unsigned output, unsigned k) {
              return left[(m * tensor::TILE + output) * weight_pitch + channel + k];
            });
          UNROLL
          for (unsigned n = 0; n < N; ++n)
            b[n].load([&](unsigned k, unsigned of_tile) {
              return right[(channel + k) * pitch + windows[pixel + PIXELS * n + of_tile]];
            });
          UNROLL
          for (unsigned m = 0; m < M; ++m)
            UNROLL
            for (unsigned n = 0; n < N; ++n) tensor::multiply_add<EXACT>(EXACT ? of_tap[m][n] : sums[m][n], a[m], b[n]);
        }
        if (EXACT)
          each(of_tap, [&](unsigned lane, unsigned m, unsigned n, unsigned i, float &sum) {
            sums[m][n].of(lane)[i] += sum;
          });
      }
    const unsigned outputs = some(first_output), plane = strips.out_height * strips.out_width;
    tensor::for_lanes([&](unsigned lane) {
      UNROLL
      for (unsigned m = 0; m < M; ++m)
        UNROLL
        for (unsigned half = 0; half < 2; ++half) {
          const unsigned output = (tile + m) * tensor::TILE + half * 8 + lane / 4;
          if (output >= outputs) continue;
          float *row = y + output * plane;
          float before[N][2] = {};
          UNROLL
          for (unsigned n = 0; n < N; ++n)
            for (unsigned i = 0; i < 2; ++i)
              if (accumulate && place(lane, pixel, n) + i < pixels) before[n][i] = row[place(lane, pixel, n) + i];
          UNROLL
          for (unsigned n = 0; n < N; ++n) {
            const float(&sum)[4] = sums[m][n].of(lane);
            const Singles<2> two = {{before[n][0] + sum[half * 2], before[n][1] + sum[half * 2 + 1]}};
            const unsigned first = place(lane, pixel, n);
            if (fours && first < pixels) *(Singles<2> *)(row + first) = two;
            if (fours) continue;
            for (unsigned i = 0; i < 2; ++i)
              if (first + i < pixels) row[first + i] = two.numbers[i];
          }
        }
    });
  }

  // The first of the two pixels that a lane has of a tile.
  BOTH static unsigned place(unsigned lane, unsigned pixel, unsigned n) { return pixel + PIXELS * n + lane % 4 * 2; }

  template <unsigned M, unsigned N, class Block>
  DEVICE void run_with(const Block &block) const {
    const unsigned known = (strips.pixels() + MOST * PIXELS - 1) / (MOST * PIXELS) * (MOST * PIXELS);
    unsigned *windows = block.template shared<unsigned>(0);
    float *x = block.template shared<float>(known * (unsigned)sizeof(unsigned));
    float *weights = x + channels() * pitch(), *end = weights + slice * weight_pitch();
    const unsigned first_output = block.x() * slice, plane = strips.out_height * strips.out_width;
    block.each([&](Thread t) {
      // Borders, and what there is no channel or output for, stay zeros.
      for (float *place = x + t.lane; place < end; place += THREADS) *place = 0.0f;
      strips.find_windows(t, windows, known);
    });
    block.each([&](Thread t) { load_weights(t, first_output, weights); });
    for (unsigned number = block.y(); number < strips.tiles(); number += block.blocks_y()) {
      const unsigned image = number / strips.strips(), first_row = number % strips.strips() * strips.rows;
      const unsigned rows = strips.out_height - first_row < strips.rows ? strips.out_height - first_row : strips.rows;
      block.each([&](Thread t) {
        const float *from = this->x + image * strips.channels * strips.height * strips.width;
        if (fours) strips.template load<4, EXACT>(t, from, strips.channels, first_row, x, pitch());
        else strips.template load<1, EXACT>(t, from, strips.channels, first_row, x, pitch());
      });
      float *to = y + (image * strips.out_channels + first_output) * plane + first_row * strips.out_width;
      block.warps([&](unsigned warp) {
        const unsigned all = units(M, N), across = all / (slice / tensor::TILE / M);
        for (unsigned unit = warp; unit < all; unit += WARPS)
          multiply<M, N>(windows, x, weights, first_output, unit / across * M, unit % across * (N * PIXELS),
                         rows * strips.out_width, to);
      });
    }
  }

  // Into how many pieces a strip falls.
  BOTH unsigned units(unsigned m, unsigned n) const {
    return (strips.pixels() + n * PIXELS - 1) / (n * PIXELS) * (slice / tensor::TILE / m);
  }

  template <class Block>
  DEVICE void run(const Block &block) const {
    // Pieces as large as leave every warp one, and as there are registers for.
    const bool even = slice / tensor::TILE % 2 == 0;
    if (!EXACT && even && units(2, MOST) >= WARPS) return run_with<2, MOST>(block);
    if (even && units(2, 2) >= WARPS) return run_with<2, 2>(block);
    if (units(1, MOST) >= WARPS) return run_with<1, MOST>(block);
    return units(1, 2) >= WARPS ? run_with<1, 2>(block) : run_with<1, 1>(block);
  }
};

}  // namespace threads
