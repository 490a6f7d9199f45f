/* Marks the multiples of small numbers in a boolean array; twin of sieve_marks.lua. */
#include "lib/kernel.h"

enum { SIZE = 8192, LARGEST = 90 };
/* The sum of SIZE / i - 1 over i = 2..LARGEST, computed by setup. */
static int64_t marks;
#define elements marks
static struct array *flags;

static void setup(void) {
  if (flags == NULL) flags = new_array(BOOLS, SIZE);
  uint8_t *p = bools_range(flags, 1, SIZE);
  for (int64_t i = 0; i < SIZE; i++) p[i] = 1;
  marks = 0;
  for (int64_t i = 2; i <= LARGEST; i++) marks += SIZE / i - 1;
}

__attribute__((noinline)) static void mark(struct array *flags, int64_t size, int64_t largest) {
  for (int64_t i = 2; i <= largest; i++) {
    uint8_t *p = bools_range(flags, i + i, size);
    for (int64_t k = i + i; k <= size; k += i) p[k - 1] = 0;
  }
}

static void run(void) { mark(flags, SIZE, LARGEST); }

static void result(char text[64]) {
  const uint8_t *p = bools_range(flags, 1, SIZE);
  int64_t left = 0;
  for (int64_t i = 2; i <= SIZE; i++) left += p[i - 1];
  snprintf(text, 64, "%" PRId64, left);
}

#include "lib/rounds.h"
