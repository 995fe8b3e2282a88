// Strips of rows of planar maps in single precision, brought into the memory that a block shares.
#pragma once

#include "strips.h"
#include "tf32.h"

namespace threads {

// N numbers, which memory moves as one.
template <unsigned N>
struct alignas(N * sizeof(float)) Singles {
  float numbers[N];
};

// Rows of an image's planes.
struct PlaneRows {
  // Of the first channel, the first pixel of the image.
  const float *from;
  unsigned channels, height, width;
  // So many from this one on, which may lie outside the image: those outside are zeros.
  int first;
  unsigned count;
};

// Brings rows into shared memory, where channels are `pitch` and rows `row_pitch` numbers apart; unless they are to stay
// EXACT, rounded to TF32.
template <unsigned N, bool EXACT>
DEVICE void load_rows(Thread t, const PlaneRows &rows, float *to, unsigned pitch, unsigned row_pitch) {
  const unsigned packs = rows.width / N, across = packs < THREADS ? packs : THREADS;
  // Threads take a row of a channel side by side, and these by turns; threads that are left over have none.
  const unsigned step = THREADS / across, own = t.lane / across, lines = rows.channels * rows.count;
  const unsigned channels_on = step / rows.count, rows_on = step % rows.count;
  if (own >= step) return;
  for (unsigned pack = t.lane % across; pack < packs; pack += across) {
    unsigned channel = own / rows.count, row = own % rows.count;
    for (unsigned line = own; line < lines; line += FLYING * step) {
      Singles<N> some[FLYING];
      unsigned place[FLYING];
      UNROLL
      for (unsigned k = 0; k < FLYING; ++k) {
        const int in_image = rows.first + (int)row;
        some[k] = {};
        place[k] = channel * pitch + row * row_pitch + pack * N;
        if (line + k * step < lines && in_image >= 0 && in_image < (int)rows.height)
          some[k] = *(const Singles<N> *)(rows.from + (channel * rows.height + (unsigned)in_image) * rows.width + pack * N);
        channel += channels_on;
        row += rows_on;
        if (row >= rows.count) {
          row -= rows.count;
          ++channel;
        }
      }
      UNROLL
      for (unsigned k = 0; k < FLYING; ++k)
        if (line + k * step < lines) {
          if (!EXACT)
            for (float &number : some[k].numbers) number = tensor::rounded_to_tf32(number);
          *(Singles<N> *)(to + place[k]) = some[k];
        }
    }
  }
}

// The first length from this one on that is an odd multiple of `step`, a power of two: so that where numbers are that far
// apart, the eight (step 4) or four (step 8) of them that a warp reads at a time lie on different banks.
BOTH unsigned apart(unsigned length, unsigned step) {
  const unsigned steps = (length + step - 1) / step;
  return (steps | 1) * step;
}

// A pass over strips, how maps lie in memory being planar.
//
// In shared memory zeros stand in front of every row, as many packs of four as the window reaches beyond it, and behind the
// last one: what a row has in front, the one before has behind.
struct PlanarStrips : Strips {
  BOTH static unsigned whole(unsigned length) { return (length + 3) / 4 * 4; }
  BOTH unsigned border() const { return whole(padding); }
  BOTH unsigned row_pitch() const { return whole(width) + border(); }
  // Of a channel.
  BOTH unsigned length() const { return read_rows() * row_pitch() + border(); }

  // Where in a channel a pixel's window starts; behind the last pixel, that of the last.
  DEVICE void find_windows(Thread t, unsigned *windows, unsigned count) const {
    for (unsigned pixel = t.lane; pixel < count; pixel += THREADS) {
      const unsigned last = pixels() - 1, p = pixel < last ? pixel : last;
      windows[pixel] = p / out_width * stride * row_pitch() + p % out_width * stride + border() - padding;
    }
  }

  // Where a place of the window stands behind its start.
  BOTH unsigned tap(unsigned number) const { return number / size * row_pitch() + number % size; }

  // Brings what a strip reads of some channels into shared memory, where they are `pitch` numbers apart.
  template <unsigned N, bool EXACT>
  DEVICE void load(Thread t, const float *from, unsigned some, unsigned first_row, float *to, unsigned pitch) const {
    const int first = (int)(first_row * stride) - (int)padding;
    load_rows<N, EXACT>(t, {from, some, height, width, first, read_rows()}, to + border(), pitch, row_pitch());
  }
};

}  // namespace threads
