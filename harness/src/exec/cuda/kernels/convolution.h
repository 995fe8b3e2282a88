// Convolutions on tensor cores, there and back to x, of maps whose channels are last.
//
// A block takes strips of output rows by turns. For each it brings what the strip reads into shared memory, with a border
// of zeros, and there applies the batch norm that x may be read through; every warp then multiplies tiles of pixels by
// channels with the weights, which are in shared memory too; at the end neighbouring threads write neighbouring numbers.
// Sums over channels are made of what is written, and the last block to end makes the result of them, in an order that
// the shape alone determines.
#pragma once

#include "channels.h"
#include "strips.h"

namespace threads {

// A convolution's weight: outputs by rows and columns of the window, by channels. In shared memory spare numbers follow
// the channels.
struct Weights {
  const scalar::Bf16 *weight;
  unsigned outputs, channels, window;

  BOTH unsigned pitch() const { return channels + SPARE; }
  BOTH unsigned rows() const { return outputs * window; }

  DEVICE void load(Thread t, scalar::Bf16 *to) const {
    const unsigned octets = channels / EIGHT;
    for_each_of<FLYING, Eight>(
        t.lane, THREADS, rows() * octets, [&](unsigned i) { return ((const Eight *)weight)[i]; },
        [&](unsigned i, const Eight &some) { *(Eight *)(to + i / octets * pitch() + i % octets * EIGHT) = some; });
  }
};

// Multiplies the windows of a strip with the weights; the products go to `to`, pixel by pixel. A warp has as many tiles of
// channels at a time as `N` says.
template <bool BACK, unsigned N, class Block>
DEVICE void multiply_strip(const Block &block, const Strips &s, const Weights &w, const unsigned *windows,
                           const scalar::Bf16 *x, const scalar::Bf16 *weight, scalar::Bf16 *to) {
  const unsigned pixel_tiles = s.padded_pixels() / tensor::TILE;
  const unsigned units = pixel_tiles * (s.out_channels / tensor::TILE / N);
  const unsigned pitch = w.window * w.pitch();
  block.warps([&](unsigned warp) {
    for (unsigned unit = warp; unit < units; unit += WARPS) {
      const unsigned first_pixel = unit % pixel_tiles * tensor::TILE;
      const unsigned first_channel = unit / pixel_tiles * N * tensor::TILE;
      const tensor::Rows rows([&](unsigned i) { return windows[first_pixel + i]; });
      tensor::Sum sums[N];
      for (unsigned n = 0; n < N; ++n) sums[n].clear();
      // Place of the window by place, channels by channels. On the way back the window is turned round, and channels that
      // are read are the weight's outputs.
      const scalar::Bf16 *seen = x;
      const scalar::Bf16 *factor = BACK ? weight + (w.window - 1) * w.pitch() + first_channel
                                        : weight + first_channel * pitch;
      unsigned c = 0, column = 0;
      const auto load = [&](tensor::Left &a, tensor::Right(&b)[N]) {
        a.load_rows(seen + c, rows);
        UNROLL
        for (unsigned n = 0; n < N; ++n) {
          if (BACK)
            b[n].load_rows(factor + c * pitch + n * tensor::TILE, pitch);
          else
            b[n].load_columns(factor + c + n * tensor::TILE * pitch, pitch);
        }
        c += tensor::TILE;
        if (c < s.channels) return;
        c = 0;
        factor = BACK ? factor - w.pitch() : factor + w.pitch();
        seen += s.pitch();
        if (++column < s.size) return;
        column = 0;
        seen += (s.read_columns() - s.size) * s.pitch();
      };
      const auto add = [&](const tensor::Left &a, const tensor::Right(&b)[N]) {
        UNROLL
        for (unsigned n = 0; n < N; ++n) sums[n].add(a, b[n]);
      };
      const unsigned steps = w.window * (s.channels / tensor::TILE);
      if (N == 4) {
        // There are enough products that wait for nothing but their factors.
        tensor::Left a;
        tensor::Right b[N];
        for (unsigned step = 0; step < steps; ++step) {
          load(a, b);
          add(a, b);
        }
      } else {
        // While some factors are multiplied, the next ones are on their way.
        tensor::Left a[2];
        tensor::Right b[2][N];
        load(a[0], b[0]);
        for (unsigned step = 0; step < steps; step += 2) {
          if (step + 1 < steps) load(a[1], b[1]);
          add(a[0], b[0]);
          if (step + 2 < steps) load(a[0], b[0]);
          if (step + 1 < steps) add(a[1], b[1]);
        }
      }
      UNROLL
      for (unsigned n = 0; n < N; ++n)
        sums[n].for_pairs([&](unsigned row, unsigned column, float left, float right) {
          scalar::Bf16 *place =
              to + (first_pixel + row) * (s.out_channels + SPARE) + first_channel + n * tensor::TILE + column;
          *(unsigned *)place = scalar::pair_of(left, right);
        });
    }
  });
}

template <bool BACK, class Block>
DEVICE void multiply_strip(const Block &block, const Strips &s, const Weights &w, const unsigned *windows,
                           const scalar::Bf16 *x, const scalar::Bf16 *weight, scalar::Bf16 *to) {
  const unsigned pixel_tiles = s.padded_pixels() / tensor::TILE, tiles = s.out_channels / tensor::TILE;
  // As many as leave every warp its part.
  if (tiles % 4 == 0 && pixel_tiles * tiles / 4 >= WARPS)
    multiply_strip<BACK, 4>(block, s, w, windows, x, weight, to);
  else if (tiles % 2 == 0 && pixel_tiles * tiles / 2 >= WARPS)
    multiply_strip<BACK, 2>(block, s, w, windows, x, weight, to);
  else
    multiply_strip<BACK, 1>(block, s, w, windows, x, weight, to);
}

// Two sums over a thread's pixels of each of its eight channels.
struct Eights {
  float first[EIGHT], second[EIGHT];
};

// Two sums over a block's pixels of a channel.
struct alignas(8) Pair {
  float first, second;
};

// What another block of this launch has written.
DEVICE Pair fresh(const Pair *place) {
#ifdef __CUDACC__
  const float2 pair = __ldcg(reinterpret_cast<const float2 *>(place));
  return {pair.x, pair.y};
#else
  return *place;
#endif
}

// Adds up what the threads of all blocks have summed by channels; the last block to end calls finish(channel, sums) for
// every channel. `shared` has room for the sums of every thread, of THREADS * sizeof(Eights) bytes, and behind them for
// those of a channel, as many as there are channels, but at least THREADS.
template <class Block, class Finish>
DEVICE void add_up(const Block &block, unsigned channels, typename Block::template PerThread<Eights> &own,
                   char *shared, Pair *partial, unsigned *counter, Finish finish) {
  float *by_thread = (float *)shared;
  Pair *of_part = (Pair *)(shared + THREADS * sizeof(Eights));
  scalar::Sums *by_part = (scalar::Sums *)of_part;
  // So many threads share a channel.
  const unsigned parts = THREADS > channels ? THREADS / channels : 1;
  const unsigned octets = channels / EIGHT, step = THREADS / octets;
  block.each([&](Thread t) {
    for (unsigned i = 0; i < EIGHT; ++i) {
      by_thread[i * THREADS + t.lane] = own.of(t).first[i];
      by_thread[(EIGHT + i) * THREADS + t.lane] = own.of(t).second[i];
    }
  });
  const auto for_own = [&](Thread t, auto f) {
    if (parts > 1) {
      if (t.lane < parts * channels) f(t.lane % channels, t.lane / channels);
    } else {
      for (unsigned c = t.lane; c < channels; c += THREADS) f(c, 0u);
    }
  };
  block.each([&](Thread t) {
    for_own(t, [&](unsigned c, unsigned part) {
      const float *of_channel = by_thread + c % EIGHT * THREADS + c / EIGHT;
      Pair sums = {0.0f, 0.0f};
      for_each_of<8, Pair>(
          part, parts, step,
          [&](unsigned i) { return Pair{of_channel[i * octets], of_channel[EIGHT * THREADS + i * octets]}; },
          [&](unsigned, Pair pair) { sums = {sums.first + pair.first, sums.second + pair.second}; });
      of_part[part * channels + c] = sums;
    });
  });
  Pair *of_block = partial + block.x() * channels;
  block.each([&](Thread t) {
    for (unsigned c = t.lane; c < channels; c += THREADS) {
      Pair sums = {0.0f, 0.0f};
      for_each_of<8, Pair>(
          0, 1, parts, [&](unsigned part) { return of_part[part * channels + c]; },
          [&](unsigned, Pair pair) { sums = {sums.first + pair.first, sums.second + pair.second}; });
      of_block[c] = sums;
    }
  });
  if (!block.is_last(counter)) return;
  block.each([&](Thread t) {
    for_own(t, [&](unsigned c, unsigned part) {
      scalar::Sums sums = {0.0, 0.0};
      // Some in single precision at a time, since it takes long to widen a number.
      constexpr unsigned SOME = 16;
      for (unsigned first = part; first < block.blocks_x(); first += SOME * parts) {
        Pair some = {0.0f, 0.0f};
        const unsigned end = first + SOME * parts < block.blocks_x() ? first + SOME * parts : block.blocks_x();
        for_each_of<SOME, Pair>(
            first, parts, end, [&](unsigned i) { return fresh(partial + i * channels + c); },
            [&](unsigned, Pair pair) { some = {some.first + pair.first, some.second + pair.second}; });
        sums = scalar::plus(sums, {some.first, some.second});
      }
      by_part[part * channels + c] = sums;
    });
  });
  block.each([&](Thread t) {
    for (unsigned c = t.lane; c < channels; c += THREADS) {
      scalar::Sums sums = {0.0, 0.0};
      for_each_of<4, scalar::Sums>(
          0, 1, parts, [&](unsigned part) { return by_part[part * channels + c]; },
          [&](unsigned, scalar::Sums some) { sums = scalar::plus(sums, some); });
      finish(c, sums);
    }
  });
}

// What a strip leaves in memory: its products, which may be added to what is there or elsewhere. Calls
// see(thread, its octet, numbers, those of `beside` in the same place) for everything that is written; there may be
// nothing beside.
template <class Block, class See>
DEVICE void write_strip(const Block &block, const Strips &s, unsigned image, unsigned first_row,
                        const scalar::Bf16 *products, const scalar::Bf16 *add, const scalar::Bf16 *beside,
                        scalar::Bf16 *y, See see) {
  const unsigned rows = s.out_height - first_row < s.rows ? s.out_height - first_row : s.rows;
  const unsigned pixels = rows * s.out_width, start = (image * s.out_height + first_row) * s.out_width;
  struct Both {
    Eight added, beside;
  };
  block.each([&](Thread t) {
    const Octet octet(t, s.out_channels);
    const auto place = [&](unsigned pixel) { return (start + pixel) * s.out_channels + octet.channel; };
    for_each_of<FLYING, Both>(
        octet.first, octet.step, pixels,
        [&](unsigned pixel) {
          Both both;
          if (add) both.added = *(const Eight *)(add + place(pixel));
          if (beside) both.beside = *(const Eight *)(beside + place(pixel));
          return both;
        },
        [&](unsigned pixel, const Both &both) {
          Eight all = *(const Eight *)(products + pixel * (s.out_channels + SPARE) + octet.channel);
          if (add) {
            float added[EIGHT];
            both.added.each([&](unsigned i, float x) { added[i] = x; });
            all.map([&](unsigned i, float x) { return x + added[i]; });
          }
          *(Eight *)(y + place(pixel)) = all;
          see(t, octet, all, both.beside);
        });
  });
}

// Where everything lies in shared memory, one after the other; sums over channels come when all that is done with.
struct Areas {
  unsigned scaled, windows, weight, strip, products;
  // The batch norm has so many channels.
  BOTH Areas(const Strips &s, const Weights &w, unsigned normed) {
    const unsigned each = sizeof(scalar::Bf16);
    scaled = 0;
    windows = (normed * sizeof(Scaled) + 15) / 16 * 16;
    weight = windows + s.padded_pixels() * sizeof(unsigned);
    strip = weight + w.rows() * w.pitch() * each;
    products = strip + s.read_rows() * s.read_columns() * s.pitch() * each;
  }
};

template <bool BACK, class Block, class See>
DEVICE void convolve(const Block &block, const Strips &s, const Weights &w, const Areas &areas, const Source &source,
                     const Norm &norm, unsigned normed, const scalar::Bf16 *add, const scalar::Bf16 *beside,
                     scalar::Bf16 *y, See see) {
  Scaled *scaled = block.template shared<Scaled>(areas.scaled);
  unsigned *windows = block.template shared<unsigned>(areas.windows);
  scalar::Bf16 *weight = block.template shared<scalar::Bf16>(areas.weight);
  scalar::Bf16 *strip = block.template shared<scalar::Bf16>(areas.strip);
  scalar::Bf16 *products = block.template shared<scalar::Bf16>(areas.products);
  block.each([&](Thread t) {
    // Weights were rounded long before.
    w.load(t, weight);
    s.find_windows(t, windows);
    block.after_previous();
    if (norm.mean) scale(t, norm, normed, scaled);
  });
  for (unsigned tile = block.x(); tile < s.tiles(); tile += block.blocks_x()) {
    const unsigned image = tile / s.strips(), first_row = tile % s.strips() * s.rows;
    block.each([&](Thread t) { load_strip(t, s, source, scaled, image, first_row, strip); });
    multiply_strip<BACK>(block, s, w, windows, strip, weight, products);
    write_strip(block, s, image, first_row, products, add, beside, y, see);
  }
  block.let_next_begin();
}

// y <- w * x, or that and another map; and, unless `partial` is null, the moments of y.
struct Convolution {
  Strips strips;
  Source source;
  const scalar::Bf16 *weight, *add;
  scalar::Bf16 *y;
  Pair *partial;
  unsigned *counter;
  double *mean, *var, count;

  BOTH Weights weights() const { return {weight, strips.out_channels, strips.channels, strips.size * strips.size}; }

  template <class Block>
  DEVICE void run(const Block &block) const {
    const Areas areas(strips, weights(), strips.channels);
    typename Block::template PerThread<Eights> own{};
    convolve<false>(block, strips, weights(), areas, source, source.norm, strips.channels, add, nullptr, y,
                    [&](Thread t, const Octet &, const Eight &all, const Eight &) {
                      Eights &sums = own.of(t);
                      all.each([&](unsigned i, float y) {
                        sums.first[i] += y;
                        sums.second[i] += y * y;
                      });
                    });
    if (!partial) return;
    add_up(block, strips.out_channels, own, block.template shared<char>(0), partial, counter,
           [&](unsigned c, scalar::Sums sums) {
             mean[c] = scalar::mean(sums, count);
             var[c] = scalar::variance(sums, count);
           });
  }
};

// dx <- the gradient, or dx and that; and, unless `partial` is null, what the batch norm needs whose output dx is the
// gradient of: `norm` and its input x.
struct ConvolutionBackwardData {
  Strips strips;
  const scalar::Bf16 *dy, *weight, *add;
  scalar::Bf16 *dx;
  const scalar::Bf16 *x;
  Norm norm;
  Pair *partial;
  unsigned *counter;
  float *weight_gradient, *bias_gradient, *slopes;
  double count;
  unsigned training;

  BOTH Weights weights() const { return {weight, strips.channels, strips.out_channels, strips.size * strips.size}; }

  template <class Block>
  DEVICE void run(const Block &block) const {
    const unsigned channels = strips.out_channels;
    const Areas areas(strips, weights(), channels);
    const Scaled *scaled = block.template shared<Scaled>(areas.scaled);
    typename Block::template PerThread<Eights> own{};
    convolve<true>(block, strips, weights(), areas, {dy, {}}, norm, channels, add, partial ? x : nullptr, dx,
                   [&](Thread t, const Octet &octet, const Eight &all, const Eight &before) {
                     if (!partial) return;
                     Eights &sums = own.of(t);
                     float dys[EIGHT];
                     all.each([&](unsigned i, float dy) { dys[i] = dy; });
                     before.each([&](unsigned i, float x) {
                       const Scaled of = scaled[octet.channel + i];
                       const float dz = scalar::back(norm.function, scalar::normalised(of.affine, x), dys[i]);
                       sums.first[i] += dz;
                       sums.second[i] += dz * (x - of.mean);
                     });
                   });
    if (!partial) return;
    const BatchNormBackwardFinish result = {nullptr, norm.mean,     norm.var,      norm.weight, weight_gradient,
                                            bias_gradient, slopes, channels,      0,           count, training};
    add_up(block, channels, own, block.template shared<char>(0), partial, counter,
           [&](unsigned c, scalar::Sums sums) { result.store(Thread{c, 0, 0}, sums); });
  }
};

}  // namespace threads
