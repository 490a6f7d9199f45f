/* Mixes integers with a congruential generator by multiplication and modulo; twin of lcg_modulo.lua. */
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

static struct array *x;
static int64_t seed;

static void setup(void) {
  if (x == NULL) x = new_array(INTS, N);
  fill_ints(x, 1009);
  seed = 42;
}

/* Lua's modulo, which rounds toward minus infinity. */
static inline int64_t modulo(int64_t a, int64_t b) {
  int64_t r = a % b;
  return r != 0 && (r ^ b) < 0 ? r + b : r;
}

__attribute__((noinline)) static int64_t mix(struct array *x, int64_t n, int64_t seed) {
  int64_t *p = ints_range(x, 1, n);
  for (int64_t i = 0; i < n; i++) {
    seed = modulo(seed * 1309 + 13849, 65521);
    p[i] = modulo(p[i] + seed, 4093);
  }
  return seed;
}

static void run(void) { seed = mix(x, N, seed); }
static void result(char text[64]) { digest_ints(x, text); }

#include "lib/rounds.h"
