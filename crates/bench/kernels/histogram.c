/* Counts how often each small integer occurs; twin of histogram.lua. */
#include "lib/kernel.h"

enum { N = 4096 };
static const int64_t elements = N;

static void fill_ints(struct array *a, int64_t modulus) {
  int64_t *t = ints_range(a, 1, N);
  for (int64_t i = 1; i <= N; i++) t[i - 1] = i * 37 % modulus;
}

static struct array *x, *counts;

static void setup(void) {
  if (x == NULL) x = new_array(INTS, N), counts = new_array(INTS, 256);
  fill_ints(x, 251);
  for (int64_t i = 1; i <= 256; i++) *int_at(counts, i) = 0;
}

__attribute__((noinline)) static void histogram(const struct array *x, struct array *counts, int64_t n) {
  const int64_t *p = ints_range(x, 1, n);
  for (int64_t i = 0; i < n; i++) {
    int64_t *slot = int_at(counts, p[i] + 1);
    *slot = *slot + 1;
  }
}

static void run(void) { histogram(x, counts, N); }

static void result(char text[64]) {
  int64_t sum = 0;
  for (int64_t i = 1; i <= 256; i++) sum = (sum * 31 + *int_at(counts, i)) % 1000003;
  snprintf(text, 64, "%" PRId64, sum);
}

#include "lib/rounds.h"
