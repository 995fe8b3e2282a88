// Pooling over disjoint windows; what they leave over on the right and below is unused.
#pragma once

#include "layout.h"

namespace threads {

// Windows of size x size in planes of height x width.
template <class Layout>
struct Pool {
  unsigned width, size, columns;
  Layout pixels, windows;
  BOTH Pool(unsigned channels, unsigned height, unsigned width, unsigned size)
      : width(width),
        size(size),
        columns(width / size),
        pixels{channels, height * width},
        windows{channels, height / size * (width / size)} {}
  // The first pixel of a window, within its plane.
  BOTH unsigned corner(unsigned window) const { return window / columns * size * width + window % columns * size; }
  // Of a pixel, its window; `pixel` is none if it is in none.
  BOTH Place window_of(Place p) const {
    const unsigned row = p.pixel / width / size, column = p.pixel % width / size;
    return {p.image, p.channel, column < columns ? row * columns + column : windows.plane};
  }
  BOTH bool exists(Place window) const { return window.pixel < windows.plane; }
  // The index of the number at a row and a column of a window.
  BOTH unsigned at(Place window, unsigned row, unsigned column) const {
    return pixels.at({window.image, window.channel, corner(window.pixel) + row * width + column});
  }
  // The index of the first of a window's largest numbers, or of the last that is no number.
  template <class T>
  BOTH unsigned first_maximum(Place window, const T *x) const {
    unsigned best = at(window, 0, 0);
    for (unsigned row = 0; row < size; ++row)
      for (unsigned column = row == 0; column < size; ++column) {
        const unsigned i = at(window, row, column);
        if (scalar::is_larger(scalar::load(x[i]), scalar::load(x[best]))) best = i;
      }
    return best;
  }
};

// A thread a number of y.
template <class Layout, class T>
BOTH void average_pool(Thread t, Pool<Layout> pool, const T *x, T *y, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const Place window = pool.windows.place(i);
  float sum = 0.0f;
  for (unsigned row = 0; row < pool.size; ++row)
    for (unsigned column = 0; column < pool.size; ++column) sum += scalar::load(x[pool.at(window, row, column)]);
  scalar::store(y[i], sum * scalar::share(pool.size));
}

// A thread a number of dx.
template <class Layout, class T>
BOTH void average_pool_backward(Thread t, Pool<Layout> pool, const T *dy, T *dx, unsigned accumulate, unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const Place window = pool.window_of(pool.pixels.place(i));
  const float gradient =
      pool.exists(window) ? scalar::share(pool.size) * scalar::load(dy[pool.windows.at(window)]) : 0.0f;
  scalar::put(dx[i], gradient, accumulate);
}

// A thread a number of y.
template <class Layout, class T>
BOTH void max_pool(Thread t, Pool<Layout> pool, const T *x, T *y, unsigned n) {
  const unsigned i = t.index();
  if (i < n) y[i] = x[pool.first_maximum(pool.windows.place(i), x)];
}

// A thread a number of dx.
template <class Layout, class T>
BOTH void max_pool_backward(Thread t, Pool<Layout> pool, const T *x, const T *dy, T *dx, unsigned accumulate,
                            unsigned n) {
  const unsigned i = t.index();
  if (i >= n) return;
  const Place window = pool.window_of(pool.pixels.place(i));
  const bool is_maximum = pool.exists(window) && pool.first_maximum(window, x) == i;
  scalar::put(dx[i], is_maximum ? scalar::load(dy[pool.windows.at(window)]) : 0.0f, accumulate);
}

}  // namespace threads
