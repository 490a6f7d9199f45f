/* The rounds of run.lua, for a kernel that defines `elements`, `setup`, `run` and `result`
 * before it includes this file. */

static double clock_micros(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  long repetitions = atol(argv[1]);
  double seconds = argc > 2 ? atof(argv[2]) : 1.0;
  long least = argc > 3 ? atol(argv[3]) : 5;
  char text[64];
  double begin = clock_micros();
  long rounds = 0;
  do {
    setup();
    double start = clock_micros();
    for (long i = 0; i < repetitions; i++) {
      run();
      __asm__ volatile("" ::: "memory");
    }
    printf("round %.0f\n", clock_micros() - start);
    fflush(stdout);
    result(text);
    rounds++;
  } while (rounds < least || clock_micros() - begin < seconds * 1e6);
  printf("elements %" PRId64 "\nresult %s\n", elements, text);
  return 0;
}
