/* Sets all floats of an array to one value; twin of fill.lua. */
#include "lib/kernel.h"

enum { N = 4096 };
static const int64_t elements = N;

static void fill_floats(struct array *a, double scale) {
  double *t = floats_range(a, 1, N);
  for (int64_t i = 1; i <= N; i++) t[i - 1] = (double)(i * 37 % 101) * scale + 0.5;
}

static void digest_floats(const struct array *a, char text[64]) {
  const double *t = floats_range(a, 1, N);
  double sum = 0.0;
  for (int64_t i = 0; i < N; i++) sum = sum * 0.5 + t[i];
  snprintf(text, 64, "%.6f", sum);
}

static struct array *x;

static void setup(void) {
  if (x == NULL) x = new_array(FLOATS, N);
  fill_floats(x, 0.25);
}

__attribute__((noinline)) static void fill(struct array *x, double value, int64_t n) {
  double *p = floats_range(x, 1, n);
  for (int64_t i = 0; i < n; i++) p[i] = value;
}

static void run(void) { fill(x, 1.25, N); }
static void result(char text[64]) { digest_floats(x, text); }

#include "lib/rounds.h"
