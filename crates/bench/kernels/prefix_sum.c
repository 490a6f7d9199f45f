/* Running sums of integers; twin of prefix_sum.lua. */
#include "lib/kernel.h"

enum { N = 4096 };
static const int64_t elements = N;

static void fill_ints(struct array *a, int64_t modulus) {
  int64_t *t = ints_range(a, 1, N);
  for (int64_t i = 1; i <= N; i++) t[i - 1] = i * 37 % modulus;
}

static void digest_ints(const struct array *a, char text[64]) {
  const int64_t *t = ints_range(a, 1, N);
  double sum = 0.0;
  for (int64_t i = 0; i < N; i++) sum = sum * 0.5 + (double)t[i];
  snprintf(text, 64, "%.6f", sum);
}

static struct array *x, *y;

static void setup(void) {
  if (x == NULL) x = new_array(INTS, N), y = new_array(INTS, N);
  fill_ints(x, 1009);
  fill_ints(y, 7);
}

__attribute__((noinline)) static void prefix(const struct array *x, struct array *y, int64_t n) {
  const int64_t *p = ints_range(x, 1, n);
  int64_t *q = ints_range(y, 1, n);
  int64_t s = 0;
  for (int64_t i = 0; i < n; i++) {
    s = s + p[i];
    q[i] = s;
  }
}

static void run(void) { prefix(x, y, N); }
static void result(char text[64]) { digest_ints(y, text); }

#include "lib/rounds.h"
