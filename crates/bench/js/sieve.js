'use strict';
const { Benchmark } = require('./lib/benchmark.js');

class Sieve extends Benchmark {
  expected() { return 669; }

  sieve(flags, size) {
    let primes = 0;
    for (let i = 2; i <= size; i += 1) {
      if (flags[i - 1]) {
        primes += 1;
        let k = i + i;
        while (k <= size) {
          flags[k - 1] = false;
          k += i;
        }
      }
    }
    return primes;
  }

  run() {
    const flags = [];
    for (let i = 0; i < 5000; i += 1) flags.push(true);
    return this.sieve(flags, 5000);
  }
}

exports.create = () => new Sieve();
