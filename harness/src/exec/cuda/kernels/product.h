// The matrix product c <- a b, or c + a b: block (tile of columns, tile of rows), thread (row, column) of the tile.
#pragma once

#include "layout.h"

namespace threads {

// Rows and columns of a tile of a matrix product; a thread an entry.
constexpr unsigned TILE = 16;
static_assert(TILE * TILE == THREADS, "a thread an entry");

// An entry (i, j) of a factor is data[i * row + j * column].
struct Factor {
  const float *data;
  unsigned row, column;
};

// A tile of a factor. Its last column is spare, so that threads that read one column fall on different banks.
using Tile = float[TILE][TILE + 1];

struct MatrixProduct {
  Factor a, b;
  float *c;
  unsigned rows, columns, inner, add;

  // Fills this thread's place in a tile of `a` and of `b`, whose inner index starts at `start`: 0 beyond the matrices.
  // Neighbouring threads read neighbouring numbers, whichever way the factor lies.
  BOTH void load(Thread t, unsigned start, Tile &tile_a, Tile &tile_b) const {
    const unsigned high = t.lane / TILE, low = t.lane % TILE;
    {
      const unsigned i = a.column == 1 ? high : low, k = a.column == 1 ? low : high;
      const unsigned row = t.block_y * TILE + i, at = start + k;
      tile_a[i][k] = row < rows && at < inner ? a.data[row * a.row + at * a.column] : 0.0f;
    }
    {
      const unsigned k = b.column == 1 ? high : low, j = b.column == 1 ? low : high;
      const unsigned column = t.block_x * TILE + j, at = start + k;
      tile_b[k][j] = column < columns && at < inner ? b.data[at * b.row + column * b.column] : 0.0f;
    }
  }

  // This thread's sum so far, and the products of a tile.
  BOTH float accumulate(Thread t, float sum, const Tile &tile_a, const Tile &tile_b) const {
    for (unsigned k = 0; k < TILE; ++k) sum = fmaf(tile_a[t.lane / TILE][k], tile_b[k][t.lane % TILE], sum);
    return sum;
  }

  BOTH void store(Thread t, float sum) const {
    const unsigned row = t.block_y * TILE + t.lane / TILE, column = t.block_x * TILE + t.lane % TILE;
    if (row < rows && column < columns) scalar::put(c[row * columns + column], sum, add);
  }
};

}  // namespace threads
