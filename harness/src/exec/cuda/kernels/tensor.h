// Tensor cores: 16 x 16 tiles of matrices in bfloat16, whose products are added up in single precision.
//
// On the GPU a tile lies spread over the registers of a warp, in the order in which the instructions take it (PTX ISA,
// "Matrix Fragments for mma.m16n8k16", "ldmatrix"); all 32 threads call every function together. On the host, for the
// tests, one thread has the whole tile.
#pragma once

#include "layout.h"

namespace tensor {

using scalar::Bf16;

// Rows and columns of a tile.
constexpr unsigned TILE = 16;

#ifdef __CUDACC__

DEVICE unsigned lane() { return threadIdx.x % 32; }

// Four blocks of 8 x 8 numbers: threads 8 i to 8 i + 7 say where the eight rows of block i start, 16 bytes aligned.
DEVICE void load(unsigned (&blocks)[4], const Bf16 *row) {
  const unsigned address = (unsigned)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(blocks[0]), "=r"(blocks[1]), "=r"(blocks[2]), "=r"(blocks[3])
               : "r"(address)
               : "memory");
}

// The same, every block transposed.
DEVICE void load_transposed(unsigned (&blocks)[4], const Bf16 *row) {
  const unsigned address = (unsigned)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(blocks[0]), "=r"(blocks[1]), "=r"(blocks[2]), "=r"(blocks[3])
               : "r"(address)
               : "memory");
}

// Where 16 rows start, by a number each.
struct Rows {
  unsigned own;
  // The rows start at start(0) to start(15).
  template <class F>
  DEVICE explicit Rows(F start) : own(start(lane() % TILE)) {}
};

// The left factor, 16 x 16.
struct Left {
  unsigned blocks[4];
  // Row i from x + rows(i) on.
  DEVICE void load_rows(const Bf16 *x, const Rows &rows) { load(blocks, x + rows.own + lane() / 16 * 8); }
  // Column j from x + j pitch on.
  DEVICE void load_columns(const Bf16 *x, unsigned pitch) {
    load_transposed(blocks, x + (lane() % 8 + lane() / 16 * 8) * pitch + lane() / 8 % 2 * 8);
  }
};

// The right factor, 16 x 16.
struct Right {
  unsigned blocks[4];
  // Row i from x + i pitch on.
  DEVICE void load_rows(const Bf16 *x, unsigned pitch) {
    load_transposed(blocks, x + lane() % 16 * pitch + lane() / 16 * 8);
  }
  // Row i from x + rows(i) on.
  DEVICE void load_rows(const Bf16 *x, const Rows &rows) { load_transposed(blocks, x + rows.own + lane() / 16 * 8); }
  // Column j from x + j pitch on.
  DEVICE void load_columns(const Bf16 *x, unsigned pitch) {
    load(blocks, x + (lane() % 8 + lane() / 16 * 8) * pitch + lane() / 8 % 2 * 8);
  }
};

// A sum of products.
struct Sum {
  float left[4], right[4];
  DEVICE void clear() {
    for (unsigned i = 0; i < 4; ++i) left[i] = right[i] = 0.0f;
  }
  DEVICE void add(const Left &a, const Right &b) {
    add(left, a, b.blocks[0], b.blocks[1]);
    add(right, a, b.blocks[2], b.blocks[3]);
  }
  // Calls f(row, column, x, y) for every two neighbours of a row, the first in an even column.
  template <class F>
  DEVICE void for_pairs(F f) const {
    const unsigned row = lane() / 4, column = lane() % 4 * 2;
    f(row, column, left[0], left[1]);
    f(row + 8, column, left[2], left[3]);
    f(row, column + 8, right[0], right[1]);
    f(row + 8, column + 8, right[2], right[3]);
  }

 private:
  DEVICE static void add(float (&sum)[4], const Left &a, unsigned b0, unsigned b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a.blocks[0]), "r"(a.blocks[1]), "r"(a.blocks[2]), "r"(a.blocks[3]), "r"(b0), "r"(b1));
  }
};

#else

struct Rows {
  unsigned all[TILE];
  template <class F>
  explicit Rows(F start) {
    for (unsigned i = 0; i < TILE; ++i) all[i] = start(i);
  }
};

// A whole tile; entry (i, j) by row and column.
struct Tile {
  float entries[TILE][TILE];
  void load_rows(const Bf16 *x, const Rows &rows) {
    for (unsigned i = 0; i < TILE; ++i)
      for (unsigned j = 0; j < TILE; ++j) entries[i][j] = scalar::load(x[rows.all[i] + j]);
  }
  void load_rows(const Bf16 *x, unsigned pitch) { load_rows(x, Rows([&](unsigned i) { return i * pitch; })); }
  void load_columns(const Bf16 *x, unsigned pitch) {
    for (unsigned i = 0; i < TILE; ++i)
      for (unsigned j = 0; j < TILE; ++j) entries[i][j] = scalar::load(x[j * pitch + i]);
  }
};

struct Left : Tile {};
struct Right : Tile {};

struct Sum {
  float entries[TILE][TILE];
  void clear() {
    for (auto &row : entries)
      for (float &entry : row) entry = 0.0f;
  }
  void add(const Left &a, const Right &b) {
    for (unsigned i = 0; i < TILE; ++i)
      for (unsigned k = 0; k < TILE; ++k)
        for (unsigned j = 0; j < TILE; ++j) entries[i][j] += a.entries[i][k] * b.entries[k][j];
  }
  template <class F>
  void for_pairs(F f) const {
    for (unsigned i = 0; i < TILE; ++i)
      for (unsigned j = 0; j < TILE; j += 2) f(i, j, entries[i][j], entries[i][j + 1]);
  }
};

#endif

}  // namespace tensor
