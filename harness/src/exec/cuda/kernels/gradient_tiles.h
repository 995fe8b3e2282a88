// The gradient of a convolution's weight as tiles: outputs by channels, one for every place of the window.
#pragma once

#include "block.h"

namespace threads {

// Most tiles of a warp.
constexpr unsigned MOST_TILES = 5;

// The tiles that a block has, of a slice of the outputs and of the channels. Its warps share them, and where there are
// fewer tiles than warps, the pixels.
struct GradientTiles {
  // Of the slice: outputs and channels, whole tiles. Rows and columns of the window; how many warps share the pixels of a
  // tile.
  unsigned outputs, channels, size, shares;

  BOTH unsigned taps() const { return size * size; }
  BOTH unsigned count() const { return outputs / tensor::TILE * (channels / tensor::TILE) * taps(); }

  // One tile: its first output and channel in the slice, its place of the window.
  struct Tile {
    unsigned output, channel, tap;
  };
  DEVICE Tile tile(unsigned number) const {
    const unsigned of_channels = channels / tensor::TILE;
    return {number / taps() / of_channels * tensor::TILE, number / taps() % of_channels * tensor::TILE,
            number % taps()};
  }

  // What a warp has: up to N tiles that are neighbours (windows go first, then channels, then outputs), and one share of the
  // pixels. Warps that are left over have nothing to do.
  struct Own {
    unsigned first, count, share;
  };
  template <unsigned N>
  DEVICE Own of_warp(unsigned warp) const {
    const unsigned all = count(), groups = (all + N - 1) / N, first = warp % groups * N, share = warp / groups;
    return {first, share >= shares ? 0 : all - first < N ? all - first : N, share};
  }

  // Calls program.run_with<N>(block), N being the most tiles that a warp has.
  template <class Program, class Block>
  DEVICE void run(const Program &program, const Block &block) const {
    switch ((count() * shares + WARPS - 1) / WARPS) {
      case 1: return program.template run_with<1>(block);
      case 2: return program.template run_with<2>(block);
      case 3: return program.template run_with<3>(block);
      default: return program.template run_with<MOST_TILES>(block);
    }
  }
};

}  // namespace threads
