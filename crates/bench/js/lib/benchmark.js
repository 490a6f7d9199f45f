'use strict';
// Base class of the JavaScript twins; see steady/lib/benchmark.lua.

class Benchmark {
  check(result) {
    return result === this.expected();
  }

  iterate(n) {
    let result;
    for (let i = 0; i < n; i += 1) {
      result = this.run();
      if (!this.check(result)) {
        throw new Error(`${this.constructor.name}: wrong result ${result}`);
      }
    }
    return result;
  }

  show(result) {
    return String(result);
  }
}

module.exports = { Benchmark };
