/* Product of matrices of floats held as arrays of rows; twin of matmul.lua. */
#include "lib/kernel.h"

enum { S = 64 };
static const int64_t elements = S * S * S;
static struct array *a, *b, *c;

static struct array *matrix(double scale) {
  struct array *m = new_array(ARRAYS, S);
  for (int64_t i = 1; i <= S; i++) {
    struct array *row = new_array(FLOATS, S);
    double *t = row->items;
    for (int64_t j = 1; j <= S; j++) t[j - 1] = (double)((i * 37 + j * 11) % 101) * scale + 0.5;
    ((struct array **)m->items)[i - 1] = row;
  }
  return m;
}

static void setup(void) {
  if (a == NULL) a = matrix(0.25), b = matrix(0.5), c = matrix(1.0);
}

__attribute__((noinline)) static void multiply(const struct array *a, const struct array *b, struct array *c, int64_t size) {
  for (int64_t i = 1; i <= size; i++) {
    const double *ai = floats_range(array_at(a, i), 1, size);
    double *ci = floats_range(array_at(c, i), 1, size);
    for (int64_t j = 0; j < size; j++) ci[j] = 0.0;
    for (int64_t k = 1; k <= size; k++) {
      double aik = ai[k - 1];
      const double *bk = floats_range(array_at(b, k), 1, size);
      for (int64_t j = 0; j < size; j++) ci[j] = ci[j] + aik * bk[j];
    }
  }
}

static void run(void) { multiply(a, b, c, S); }

static void result(char text[64]) {
  double sum = 0.0;
  for (int64_t i = 1; i <= S; i++) {
    const double *row = floats_range(array_at(c, i), 1, S);
    for (int64_t j = 0; j < S; j++) sum = sum * 0.5 + row[j];
  }
  snprintf(text, 64, "%.6f", sum);
}

#include "lib/rounds.h"
