// Convolutions on tensor cores, there and back to x, of maps whose channels are last.
//
// A block takes strips of output rows by turns. For each it brings what the strip reads into shared memory, with a border
// of zeros, and there applies the batch norm that x may be read through; every warp then multiplies tiles of pixels by
// channels with the weights, which are in shared memory too; at the end neighbouring threads write neighbouring numbers.
// Sums over channels are made of what is written, and the last block to end makes the result of them, in an order that
// the shape alone determines.
#pragma once

#include "block.h"
#include "channels.h"

namespace threads {

// Numbers between rows in shared memory that keep eight of them on different banks.
constexpr unsigned SPARE = 8;

// A pass over strips: how x, y and the weight lie.
//
// The way there reads x and writes y. The way back to x reads dy and writes dx: with the window turned round, over dy
// with `dilation` - 1 zeros between its pixels.
struct Strips {
  unsigned images;
  // Of what is read: channels, rows, columns.
  unsigned channels, height, width;
  // Of what is written.
  unsigned out_channels, out_height, out_width;
  unsigned size, stride, padding, dilation;
  // Rows of a strip.
  unsigned rows;

  BOTH unsigned strips() const { return (out_height + rows - 1) / rows; }
  BOTH unsigned tiles() const { return images * strips(); }
  BOTH unsigned pixels() const { return rows * out_width; }
  BOTH unsigned padded_pixels() const { return (pixels() + tensor::TILE - 1) / tensor::TILE * tensor::TILE; }
  BOTH unsigned read_rows() const { return (rows - 1) * stride + size; }
  BOTH unsigned read_columns() const { return (out_width - 1) * stride + size; }
  // From a pixel that is read to the next in shared memory.
  BOTH unsigned pitch() const { return channels + SPARE; }
  // Where in shared memory an output pixel's window starts; that of the last if there are not so many.
  BOTH unsigned window(unsigned pixel) const {
    const unsigned last = pixels() - 1, p = pixel < last ? pixel : last;
    return (p / out_width * stride * read_columns() + p % out_width * stride) * pitch();
  }
};

// The batch norm of one channel, ready to be applied.
struct Scaled {
  scalar::Affine affine;
  float mean;
};

// A map to read, perhaps through a batch norm: then `norm.mean` is not null.
struct Source {
  const scalar::Bf16 *x;
  Norm norm;
  BOTH bool is_normed() const { return norm.mean != nullptr; }
};

// Every channel's batch norm into shared memory.
template <class Block>
DEVICE void scale(const Block &block, const Norm &norm, unsigned channels, Scaled *scaled) {
  block.each([&](Thread t) {
    for (unsigned c = t.lane; c < channels; c += THREADS) scaled[c] = {norm.affine(c), (float)norm.mean[c]};
  });
}

// Eight channels of pixels, one of `step` pixels after the other: what a thread moves.
struct Octet {
  unsigned channel, first, step;
  BOTH Octet(Thread t, unsigned channels)
      : channel(t.lane % (channels / EIGHT) * EIGHT), first(t.lane / (channels / EIGHT)),
        step(THREADS / (channels / EIGHT)) {
    // Threads that are left over have no pixel.
    if (first >= step) first = ~0u;
  }
};

// How many octets a thread has on their way at a time.
constexpr unsigned FLYING = 4;

// Brings what a strip reads into shared memory.
template <class Block>
DEVICE void load_strip(const Block &block, const Strips &s, const Source &source, const Scaled *scaled, unsigned image,
                       unsigned first_row, scalar::Bf16 *to) {
  const unsigned columns = s.read_columns(), pixels = s.read_rows() * columns;
  const int height = (int)(s.height * s.dilation), width = (int)(s.width * s.dilation);
  block.each([&](Thread t) {
    const Octet octet(t, s.channels);
    scalar::Affine affine[EIGHT];
    if (source.is_normed())
      for (unsigned i = 0; i < EIGHT; ++i) affine[i] = scaled[octet.channel + i].affine;
    for (unsigned pixel = octet.first; pixel < pixels; pixel += FLYING * octet.step) {
      Eight all[FLYING];
      bool inside[FLYING];
      UNROLL
      for (unsigned k = 0; k < FLYING; ++k) {
        const unsigned p = pixel + k * octet.step;
        const int row = (int)(first_row * s.stride + p / columns) - (int)s.padding;
        const int column = (int)(p % columns) - (int)s.padding;
        inside[k] = p < pixels && row >= 0 && column >= 0 && row < height && column < width &&
                    (unsigned)row % s.dilation == 0 && (unsigned)column % s.dilation == 0;
        const unsigned from =
            (image * s.height + (unsigned)row / s.dilation) * s.width + (unsigned)column / s.dilation;
        all[k] = inside[k] ? *(const Eight *)(source.x + from * s.channels + octet.channel) : zeros();
      }
      UNROLL
      for (unsigned k = 0; k < FLYING; ++k) {
        const unsigned p = pixel + k * octet.step;
        if (source.is_normed() && inside[k])
          for (unsigned i = 0; i < EIGHT; ++i) {
            const float x = scalar::load(all[k].numbers[i]);
            scalar::store(all[k].numbers[i], scalar::batch_norm(affine[i], source.norm.function, x));
          }
        if (p < pixels) *(Eight *)(to + p * s.pitch() + octet.channel) = all[k];
      }
    }
  });
}

// A convolution's weight: outputs by rows and columns of the window, by channels. In shared memory spare numbers follow
// the channels.
struct Weights {
  const scalar::Bf16 *weight;
  unsigned outputs, channels, window;

  BOTH unsigned pitch() const { return channels + SPARE; }
  BOTH unsigned rows() const { return outputs * window; }

  template <class Block>
  DEVICE void load(const Block &block, scalar::Bf16 *to) const {
    const unsigned octets = channels / EIGHT, all = rows() * octets;
    block.each([&](Thread t) {
      for (unsigned first = t.lane; first < all; first += FLYING * THREADS) {
        Eight some[FLYING];
        UNROLL
        for (unsigned k = 0; k < FLYING; ++k) {
          const unsigned i = first + k * THREADS;
          some[k] = i < all ? ((const Eight *)weight)[i] : zeros();
        }
        UNROLL
        for (unsigned k = 0; k < FLYING; ++k) {
          const unsigned i = first + k * THREADS;
          if (i < all) *(Eight *)(to + i / octets * pitch() + i % octets * EIGHT) = some[k];
        }
      }
    });
  }
};

// Multiplies the windows of a strip with the weights; the products go to `to`, pixel by pixel. A warp has as many tiles of
// channels at a time as `N` says.
template <bool BACK, unsigned N, class Block>
DEVICE void multiply_strip(const Block &block, const Strips &s, const Weights &w, const scalar::Bf16 *x,
                           const scalar::Bf16 *weight, scalar::Bf16 *to) {
  const unsigned pixel_tiles = s.padded_pixels() / tensor::TILE;
  const unsigned units = pixel_tiles * (s.out_channels / tensor::TILE / N);
  const unsigned pitch = w.window * w.pitch();
  block.warps([&](unsigned warp) {
    for (unsigned unit = warp; unit < units; unit += WARPS) {
      const unsigned first_pixel = unit % pixel_tiles * tensor::TILE;
      const unsigned first_channel = unit / pixel_tiles * N * tensor::TILE;
      const tensor::Rows windows([&](unsigned i) { return s.window(first_pixel + i); });
      tensor::Sum sums[N];
      for (unsigned n = 0; n < N; ++n) sums[n].clear();
      for (unsigned i = 0; i < s.size; ++i)
        for (unsigned j = 0; j < s.size; ++j) {
          const scalar::Bf16 *seen = x + (i * s.read_columns() + j) * s.pitch();
          const unsigned tap = i * s.size + j;
          // On the way back the window is turned round, and channels that are read are the weight's outputs.
          const scalar::Bf16 *factor = BACK ? weight + (w.window - 1 - tap) * w.pitch() + first_channel
                                            : weight + tap * w.pitch() + first_channel * pitch;
          for (unsigned c = 0; c < s.channels; c += tensor::TILE) {
            tensor::Left a;
            a.load_rows(seen + c, windows);
            UNROLL
            for (unsigned n = 0; n < N; ++n) {
              tensor::Right b;
              if (BACK)
                b.load_rows(factor + c * pitch + n * tensor::TILE, pitch);
              else
                b.load_columns(factor + c + n * tensor::TILE * pitch, pitch);
              sums[n].add(a, b);
            }
          }
        }
      UNROLL
      for (unsigned n = 0; n < N; ++n)
        sums[n].for_pairs([&](unsigned row, unsigned column, float left, float right) {
          scalar::Bf16 *place = to + (first_pixel + row) * (s.out_channels + SPARE) + first_channel +
                                n * tensor::TILE + column;
          scalar::store(place[0], left);
          scalar::store(place[1], right);
        });
    }
  });
}

template <bool BACK, class Block>
DEVICE void multiply_strip(const Block &block, const Strips &s, const Weights &w, const scalar::Bf16 *x,
                           const scalar::Bf16 *weight, scalar::Bf16 *to) {
  const unsigned pixel_tiles = s.padded_pixels() / tensor::TILE, tiles = s.out_channels / tensor::TILE;
  // As many as leave every warp its part.
  if (tiles % 4 == 0 && pixel_tiles * tiles / 4 >= WARPS)
    multiply_strip<BACK, 4>(block, s, w, x, weight, to);
  else if (tiles % 2 == 0 && pixel_tiles * tiles / 2 >= WARPS)
    multiply_strip<BACK, 2>(block, s, w, x, weight, to);
  else
    multiply_strip<BACK, 1>(block, s, w, x, weight, to);
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
// every channel. `shared` has room for sums_bytes(channels).
BOTH constexpr unsigned sums_bytes(unsigned channels) {
  const unsigned own = THREADS * sizeof(Eights), by_channel = (THREADS > channels ? THREADS : channels) * sizeof(scalar::Sums);
  return own + by_channel;
}

template <class Block, class Finish>
DEVICE void add_up(const Block &block, unsigned channels, typename Block::template PerThread<Eights> &own,
                   char *shared, Pair *partial, unsigned *counter, Finish finish) {
  float *by_thread = (float *)shared;
  scalar::Sums *by_part = (scalar::Sums *)(shared + THREADS * sizeof(Eights));
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
  const auto for_channels = [&](Thread t, auto f) {
    for (unsigned c = t.lane; c < channels; c += THREADS) {
      scalar::Sums sums = by_part[c];
      for (unsigned part = 1; part < parts; ++part) sums = scalar::plus(sums, by_part[part * channels + c]);
      f(c, sums);
    }
  };
  block.each([&](Thread t) {
    for_own(t, [&](unsigned c, unsigned part) {
      const float *of_channel = by_thread + c % EIGHT * THREADS + c / EIGHT;
      scalar::Sums sums = {0.0, 0.0};
      for (unsigned i = part; i < step; i += parts)
        sums = scalar::plus(sums, {of_channel[i * octets], of_channel[EIGHT * THREADS + i * octets]});
      by_part[part * channels + c] = sums;
    });
  });
  Pair *of_block = partial + block.x() * channels;
  block.each([&](Thread t) {
    for_channels(t, [&](unsigned c, scalar::Sums sums) { of_block[c] = {(float)sums.first, (float)sums.second}; });
  });
  if (!block.is_last(counter)) return;
  const unsigned blocks = block.blocks_x();
  block.each([&](Thread t) {
    for_own(t, [&](unsigned c, unsigned part) {
      scalar::Sums sums = {0.0, 0.0};
      UNROLL_BY(8)
      for (unsigned i = part; i < blocks; i += parts) {
        const Pair pair = fresh(partial + i * channels + c);
        sums = scalar::plus(sums, {pair.first, pair.second});
      }
      by_part[part * channels + c] = sums;
    });
  });
  block.each([&](Thread t) { for_channels(t, finish); });
}

// What a strip leaves in memory: its products, which may be added to what is there or elsewhere. Calls
// see(octet's number in the strip, place of the octet, numbers) for everything that is written.
template <class Block, class See>
DEVICE void write_strip(const Block &block, const Strips &s, unsigned image, unsigned first_row,
                        const scalar::Bf16 *products, const scalar::Bf16 *add, scalar::Bf16 *y, See see) {
  const unsigned rows = s.out_height - first_row < s.rows ? s.out_height - first_row : s.rows;
  const unsigned pixels = rows * s.out_width, start = (image * s.out_height + first_row) * s.out_width;
  block.each([&](Thread t) {
    const Octet octet(t, s.out_channels);
    for (unsigned pixel = octet.first; pixel < pixels; pixel += FLYING * octet.step) {
      Eight added[FLYING];
      UNROLL
      for (unsigned k = 0; k < FLYING; ++k) {
        const unsigned p = pixel + k * octet.step, at = (start + p) * s.out_channels + octet.channel;
        added[k] = add && p < pixels ? *(const Eight *)(add + at) : zeros();
      }
      UNROLL
      for (unsigned k = 0; k < FLYING; ++k) {
        const unsigned p = pixel + k * octet.step, at = (start + p) * s.out_channels + octet.channel;
        if (p >= pixels) break;
        Eight all = *(const Eight *)(products + p * (s.out_channels + SPARE) + octet.channel);
        if (add)
          for (unsigned i = 0; i < EIGHT; ++i)
            scalar::store(all.numbers[i], scalar::load(all.numbers[i]) + scalar::load(added[k].numbers[i]));
        *(Eight *)(y + at) = all;
        see(t, octet, at, all);
      }
    }
  });
}

// Where everything lies in shared memory, one after the other; sums over channels come when all that is done with.
struct Areas {
  unsigned scaled, weight, strip, products, end;
  // The batch norm has so many channels.
  BOTH Areas(const Strips &s, const Weights &w, unsigned normed) {
    const unsigned each = sizeof(scalar::Bf16);
    scaled = 0;
    weight = (normed * sizeof(Scaled) + 15) / 16 * 16;
    strip = weight + w.rows() * w.pitch() * each;
    products = strip + s.read_rows() * s.read_columns() * s.pitch() * each;
    end = products + s.padded_pixels() * (s.out_channels + SPARE) * each;
  }
};

template <bool BACK, class Block, class See>
DEVICE void convolve(const Block &block, const Strips &s, const Weights &w, const Areas &areas, const Source &source,
                     const Scaled *scaled, const scalar::Bf16 *add, scalar::Bf16 *y, See see) {
  scalar::Bf16 *weight = block.template shared<scalar::Bf16>(areas.weight);
  scalar::Bf16 *strip = block.template shared<scalar::Bf16>(areas.strip);
  scalar::Bf16 *products = block.template shared<scalar::Bf16>(areas.products);
  w.load(block, weight);
  for (unsigned tile = block.x(); tile < s.tiles(); tile += block.blocks_x()) {
    const unsigned image = tile / s.strips(), first_row = tile % s.strips() * s.rows;
    load_strip(block, s, source, scaled, image, first_row, strip);
    multiply_strip<BACK>(block, s, w, strip, weight, products);
    write_strip(block, s, image, first_row, products, add, y, see);
  }
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
    Scaled *scaled = block.template shared<Scaled>(areas.scaled);
    if (source.is_normed()) scale(block, source.norm, strips.channels, scaled);
    typename Block::template PerThread<Eights> own;
    block.each([&](Thread t) { own.of(t) = {}; });
    convolve<false>(block, strips, weights(), areas, source, scaled, add, y,
                    [&](Thread t, const Octet &, unsigned, const Eight &all) {
                      Eights &sums = own.of(t);
                      for (unsigned i = 0; i < EIGHT; ++i) {
                        const float y = scalar::load(all.numbers[i]);
                        sums.first[i] += y;
                        sums.second[i] += y * y;
                      }
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
    Scaled *scaled = block.template shared<Scaled>(areas.scaled);
    if (partial) scale(block, norm, channels, scaled);
    typename Block::template PerThread<Eights> own;
    block.each([&](Thread t) { own.of(t) = {}; });
    convolve<true>(block, strips, weights(), areas, {dy, {}}, scaled, add, dx,
                   [&](Thread t, const Octet &octet, unsigned at, const Eight &all) {
                     if (!partial) return;
                     const Eight before = *(const Eight *)(x + at);
                     Eights &sums = own.of(t);
                     for (unsigned i = 0; i < EIGHT; ++i) {
                       const Scaled of = scaled[octet.channel + i];
                       const float x = scalar::load(before.numbers[i]), dy = scalar::load(all.numbers[i]);
                       const float dz = scalar::back(norm.function, scalar::normalised(of.affine, x), dy);
                       sums.first[i] += dz;
                       sums.second[i] += dz * (x - of.mean);
                     }
                   });
    if (!partial) return;
    const BatchNormBackwardFinish result = {nullptr, norm.mean,     norm.var, norm.weight, weight_gradient, bias_gradient,
                                            slopes,  channels, 0,        count,       training};
    add_up(block, channels, own, block.template shared<char>(0), partial, counter,
           [&](unsigned c, scalar::Sums sums) { result.store(Thread{c, 0, 0}, sums); });
  }
};

}  // namespace threads
