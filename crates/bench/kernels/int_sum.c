/* Sum of integers; twin of int_sum.lua. */
#include "lib/kernel.h"

enum { N = 4096 };
static const int64_t elements = N;

static void fill_ints(struct array *a, int64_t modulus) {
  int64_t *t = ints_range(a, 1, N);
  for (int64_t i = 1; i <= N; i++) t[i - 1] = i * 37 % modulus;
}

static struct array *x;
static int64_t sum;

static void setup(void) {
  if (x == NULL) x = new_array(INTS, N);
  fill_ints(x, 1009);
}

__attribute__((noinline)) static int64_t total(const struct array *x, int64_t n) {
  const int64_t *p = ints_range(x, 1, n);
  int64_t s = 0;
  for (int64_t i = 0; i < n; i++) s = s + p[i];
  return s;
}

static void run(void) { sum = total(x, N); }
static void result(char text[64]) { snprintf(text, 64, "%" PRId64, sum); }

#include "lib/rounds.h"
