/* Dot product of floats, summed in order; twin of dot.lua. */
#include "lib/kernel.h"

enum { N = 4096 };
static const int64_t elements = N;

static void fill_floats(struct array *a, double scale) {
  double *t = floats_range(a, 1, N);
  for (int64_t i = 1; i <= N; i++) t[i - 1] = (double)(i * 37 % 101) * scale + 0.5;
}

static struct array *x, *y;
static double sum;

static void setup(void) {
  if (x == NULL) x = new_array(FLOATS, N), y = new_array(FLOATS, N);
  fill_floats(x, 0.25);
  fill_floats(y, 0.5);
}

__attribute__((noinline)) static double dot(const struct array *x, const struct array *y, int64_t n) {
  const double *p = floats_range(x, 1, n), *q = floats_range(y, 1, n);
  double s = 0.0;
  for (int64_t i = 0; i < n; i++) s = s + p[i] * q[i];
  return s;
}

static void run(void) { sum = dot(x, y, N); }
static void result(char text[64]) { snprintf(text, 64, "%.6f", sum); }

#include "lib/rounds.h"
