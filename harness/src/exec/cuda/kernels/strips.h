// Strips of rows of maps whose channels are last, brought into the memory that a block shares.
#pragma once

#include "block.h"
#include "channels.h"

namespace threads {

// Numbers between rows in shared memory that keep eight of them on different banks.
constexpr unsigned SPARE = 8;

// Eight channels of pixels, one of `step` pixels after the other: what a thread moves.
struct Octet {
  unsigned channel, first, step;
  BOTH Octet(Thread t, unsigned channels)
      : channel(t.lane % (channels / EIGHT) * EIGHT), first(t.lane / (channels / EIGHT)),
        step(THREADS / (channels / EIGHT)) {
    // Threads that are left over have no pixel.
    if (first >= step) first = 1u << 30;
  }
};

// A pass over strips: how x, y and the weight lie.
//
// The way there reads x and writes y. The way back to x reads dy and writes dx: with the window turned round, over dy
// with `dilation` - 1 zeros between its pixels; that is none or one.
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

  // Where in shared memory the window of every output pixel starts; behind the last pixel, that of the last.
  DEVICE void find_windows(Thread t, unsigned *windows) const {
    for (unsigned pixel = t.lane; pixel < padded_pixels(); pixel += THREADS) {
      const unsigned last = pixels() - 1, p = pixel < last ? pixel : last;
      windows[pixel] = (p / out_width * stride * read_columns() + p % out_width * stride) * pitch();
    }
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
};

// Every channel's batch norm into shared memory.
DEVICE void scale(Thread t, const Norm &norm, unsigned channels, Scaled *scaled) {
  for (unsigned c = t.lane; c < channels; c += THREADS) scaled[c] = {norm.affine(c), (float)norm.mean[c]};
}

// Brings what a strip reads into shared memory.
DEVICE void load_strip(Thread t, const Strips &s, const Source &source, const Scaled *scaled, unsigned image,
                       unsigned first_row, scalar::Bf16 *to) {
  const unsigned columns = s.read_columns(), pixels = s.read_rows() * columns;
  const int height = (int)(s.height * s.dilation), width = (int)(s.width * s.dilation);
  const unsigned odd = s.dilation - 1;  // both the bit that tells a zero between, and by how much to shift
  const bool normed = source.norm.mean != nullptr;
  const Octet octet(t, s.channels);
  if (octet.first >= pixels) return;
  scalar::Affine affine[EIGHT];
  if (normed)
    for (unsigned i = 0; i < EIGHT; ++i) affine[i] = scaled[octet.channel + i].affine;
  const unsigned rows_on = octet.step / columns, columns_on = octet.step % columns;
  int row = (int)(first_row * s.stride + octet.first / columns) - (int)s.padding;
  int column = (int)(octet.first % columns) - (int)s.padding;
  const int end = (int)columns - (int)s.padding;
  const scalar::Bf16 *of_image = source.x + image * s.height * s.width * s.channels + octet.channel;
  for (unsigned pixel = octet.first; pixel < pixels; pixel += FLYING * octet.step) {
    Eight all[FLYING];
    bool inside[FLYING];
    UNROLL
    for (unsigned k = 0; k < FLYING; ++k) {
      inside[k] = pixel + k * octet.step < pixels && row >= 0 && column >= 0 && row < height && column < width &&
                  (((unsigned)row | (unsigned)column) & odd) == 0;
      const unsigned from = ((unsigned)row >> odd) * s.width + ((unsigned)column >> odd);
      all[k] = {};
      if (inside[k]) all[k] = *(const Eight *)(of_image + from * s.channels);
      row += (int)rows_on;
      column += (int)columns_on;
      if (column >= end) {
        column -= (int)columns;
        row += 1;
      }
    }
    UNROLL
    for (unsigned k = 0; k < FLYING; ++k) {
      if (normed && inside[k])
        all[k].map([&](unsigned i, float x) { return scalar::batch_norm(affine[i], source.norm.function, x); });
      if (pixel + k * octet.step < pixels)
        *(Eight *)(to + (pixel + k * octet.step) * s.pitch() + octet.channel) = all[k];
    }
  }
}

}  // namespace threads
