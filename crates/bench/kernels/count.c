/* Counts the floats below a limit; twin of count.lua. */
#include "lib/kernel.h"

enum { N = 4096 };
static const int64_t elements = N;

static void fill_floats(struct array *a, double scale) {
  double *t = floats_range(a, 1, N);
  for (int64_t i = 1; i <= N; i++) t[i - 1] = (double)(i * 37 % 101) * scale + 0.5;
}

static struct array *x;
static int64_t found;

static void setup(void) {
  if (x == NULL) x = new_array(FLOATS, N);
  fill_floats(x, 0.25);
}

__attribute__((noinline)) static int64_t count(const struct array *x, double limit, int64_t n) {
  const double *p = floats_range(x, 1, n);
  int64_t c = 0;
  for (int64_t i = 0; i < n; i++) {
    if (p[i] < limit) c = c + 1;
  }
  return c;
}

static void run(void) { found = count(x, 11.0, N); }
static void result(char text[64]) { snprintf(text, 64, "%" PRId64, found); }

#include "lib/rounds.h"
