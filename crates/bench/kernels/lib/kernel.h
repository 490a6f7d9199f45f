/* What the C twins of the kernels share: typed arrays with their checks, and rounds as in
 * run.lua.
 *
 * A Lua table that holds only floats, only integers or only booleans is a typed array to
 * the compiled Lua code. That code checks the kind of the elements and the bounds: once
 * before a loop whose index is affine, for every access otherwise. The twins do the same:
 * `*_range` checks a whole range of indices and gives the elements, `*_at` checks one. A
 * check that fails ends the program. Lengths and kinds are 32 bits wide, so that stores
 * of 64-bit elements cannot alias them. Arrays may overlap as far as the compiler knows,
 * as two Lua variables may hold one table. Indices start at 1. */

#ifndef KERNEL_H
#define KERNEL_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum kind { FLOATS = 1, INTS = 2, BOOLS = 3, ARRAYS = 4 };

struct array {
  uint32_t kind;
  uint32_t length;
  void *items;
};

__attribute__((noreturn, cold, noinline)) static void check_failed(void) {
  fputs("a check failed\n", stderr);
  exit(1);
}

static inline void *checked_range(const struct array *a, uint32_t kind, int64_t from, int64_t to) {
  if (__builtin_expect(a->kind != kind || from < 1 || to > (int64_t)a->length, 0)) check_failed();
  return a->items;
}

/* Elements of `a`, whose indices from..to are checked; element i is at [i - 1]. */
static inline double *floats_range(const struct array *a, int64_t from, int64_t to) {
  return checked_range(a, FLOATS, from, to);
}

static inline int64_t *ints_range(const struct array *a, int64_t from, int64_t to) {
  return checked_range(a, INTS, from, to);
}

static inline uint8_t *bools_range(const struct array *a, int64_t from, int64_t to) {
  return checked_range(a, BOOLS, from, to);
}

/* The array in slot i of an array of arrays. */
static inline struct array *array_at(const struct array *a, int64_t i) {
  return ((struct array **)checked_range(a, ARRAYS, i, i))[i - 1];
}

/* Address of element i, checked. */
static inline int64_t *int_at(const struct array *a, int64_t i) {
  if (__builtin_expect(a->kind != INTS || (uint64_t)i - 1 >= a->length, 0)) check_failed();
  return (int64_t *)a->items + (i - 1);
}

static void *allocate(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (p == NULL) abort();
  return p;
}

static struct array *new_array(uint32_t kind, uint32_t length) {
  struct array *a = allocate(sizeof *a);
  a->kind = kind;
  a->length = length;
  a->items = allocate((size_t)length * (kind == BOOLS ? 1 : 8) + 64);
  return a;
}

#endif
