// Tensor cores in single precision: tiles of matrices whose numbers are rounded to TF32, and where that is too coarse,
// taken as a sum of two such numbers.
//
// A tile lies spread over the registers of a warp as the instruction takes it (PTX ISA, "Matrix Fragments for mma.m16n8k8",
// .tf32). On the host, for the tests, one thread goes through all lanes, and the instruction is carried out by that table.
#pragma once

#include "scalar.h"

namespace tensor {

constexpr unsigned LANES = 32;

// N registers of every lane.
template <class T, unsigned N>
struct Spread {
#ifdef __CUDACC__
  T own[N];
  DEVICE T (&of(unsigned))[N] { return own; }
  DEVICE const T (&of(unsigned) const)[N] { return own; }
#else
  T all[LANES][N];
  T (&of(unsigned lane))[N] { return all[lane]; }
  const T (&of(unsigned lane) const)[N] { return all[lane]; }
#endif
};

// Calls f(lane): on the GPU every thread with its own lane, on the host one thread with all of them.
template <class F>
DEVICE void for_lanes(F f) {
#ifdef __CUDACC__
  f(threadIdx.x % LANES);
#else
  for (unsigned lane = 0; lane < LANES; ++lane) f(lane);
#endif
}

// The nearest number in TF32, of two the larger; its last 13 bits are 0. NaN stays NaN.
BOTH float rounded_to_tf32(float x) {
#ifdef __CUDA_ARCH__
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return __uint_as_float(bits);
#else
  unsigned bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x1000u) & ~0x1fffu;
  float rounded;
  memcpy(&rounded, &bits, sizeof rounded);
  return x != x ? x : rounded;
#endif
}

BOTH unsigned bits_of(float x) {
  unsigned bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

BOTH float from_tf32(unsigned bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// sums <- sums + left x right: 16 x 8 sums, of 16 x 8 by 8 x 8 numbers.
DEVICE void multiply_add(Spread<float, 4> &sums, const Spread<unsigned, 4> &left, const Spread<unsigned, 2> &right) {
#ifdef __CUDACC__
  float(&sum)[4] = sums.own;
  const unsigned(&a)[4] = left.own, (&b)[2] = right.own;
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned column = 0; column < 8; ++column) {
      float &sum = sums.all[row % 8 * 4 + column / 2][row / 8 * 2 + column % 2];
      for (unsigned k = 0; k < 8; ++k) {
        const unsigned a = left.all[row % 8 * 4 + k % 4][row / 8 + k / 4 * 2], b = right.all[column * 4 + k % 4][k / 4];
        // The instruction does not look at the last 13 bits.
        sum += from_tf32(a & ~0x1fffu) * from_tf32(b & ~0x1fffu);
      }
    }
#endif
}

// A factor of N registers a lane. If it is EXACT, its numbers are sums of two: `high`, a number in TF32, and `low`, what that
// leaves of x: at most 2^12 times the last place of x, of which the instruction then cuts off less than two. Infinity
// becomes NaN by it. Else numbers are in TF32 already.
template <unsigned N, bool EXACT>
struct Factor {
  Spread<unsigned, N> high, low;
  DEVICE void set(unsigned lane, unsigned i, float x) {
    if (!EXACT) {
      high.of(lane)[i] = bits_of(x);
      return;
    }
    // NaN may become 0 here, and stays NaN in the rest.
    const unsigned bits = (bits_of(x) + 0x1000u) & ~0x1fffu;
    high.of(lane)[i] = bits;
    low.of(lane)[i] = bits_of(x - from_tf32(bits));
  }
};

// The left factor, 16 x 8, whose entry in row i and column k is entry(i, k).
template <bool EXACT>
struct LeftOf : Factor<4, EXACT> {
  template <class F>
  DEVICE void load(F entry) {
    for_lanes([&](unsigned lane) {
      const unsigned row = lane / 4, k = lane % 4;
      this->set(lane, 0, entry(row, k));
      this->set(lane, 1, entry(row + 8, k));
      this->set(lane, 2, entry(row, k + 4));
      this->set(lane, 3, entry(row + 8, k + 4));
    });
  }
};

// The right factor, 8 x 8, whose entry in row k and column j is entry(k, j).
template <bool EXACT>
struct RightOf : Factor<2, EXACT> {
  template <class F>
  DEVICE void load(F entry) {
    for_lanes([&](unsigned lane) {
      const unsigned k = lane % 4, column = lane / 4;
      this->set(lane, 0, entry(k, column));
      this->set(lane, 1, entry(k + 4, column));
    });
  }
};

// sums <- sums + left x right. Of the products of two EXACT numbers that of both low parts is left out, 2^-22 of the whole.
template <bool EXACT>
DEVICE void multiply_add(Spread<float, 4> &sums, const LeftOf<EXACT> &left, const RightOf<EXACT> &right) {
  if (EXACT) {
    multiply_add(sums, left.low, right.high);
    multiply_add(sums, left.high, right.low);
  }
  multiply_add(sums, left.high, right.high);
}

// A sum of products, 16 x 16.
struct SumOfPlanes {
  Spread<float, 4> left, right;
  DEVICE void clear() {
    for_lanes([&](unsigned lane) {
      for (unsigned i = 0; i < 4; ++i) left.of(lane)[i] = right.of(lane)[i] = 0.0f;
    });
  }
  // With a right factor for the first eight columns and one for the last.
  template <bool EXACT>
  DEVICE void add(const LeftOf<EXACT> &a, const RightOf<EXACT> &first, const RightOf<EXACT> &last) {
    multiply_add<EXACT>(left, a, first);
    multiply_add<EXACT>(right, a, last);
  }
  DEVICE void plus(const SumOfPlanes &other) {
    for_lanes([&](unsigned lane) {
      for (unsigned i = 0; i < 4; ++i) {
        left.of(lane)[i] += other.left.of(lane)[i];
        right.of(lane)[i] += other.right.of(lane)[i];
      }
    });
  }
  // Calls f(row, column, sum) for every sum.
  template <class F>
  DEVICE void each(F f) const {
    for_lanes([&](unsigned lane) {
      const unsigned row = lane / 4, column = lane % 4 * 2;
      for (unsigned i = 0; i < 4; ++i) {
        f(row + i / 2 * 8, column + i % 2, left.of(lane)[i]);
        f(row + i / 2 * 8, column + 8 + i % 2, right.of(lane)[i]);
      }
    });
  }
};

}  // namespace tensor
