'use strict';
const { Benchmark } = require('./lib/benchmark.js');

class Permute extends Benchmark {
  constructor() {
    super();
    this.count = 0;
    this.values = null;
  }

  expected() { return 13700; }

  swap(i, j) {
    const t = this.values[i];
    this.values[i] = this.values[j];
    this.values[j] = t;
  }

  permute(n) {
    this.count += 1;
    if (n === 0) return;
    const m = n - 1;
    this.permute(m);
    for (let i = m; i >= 1; i -= 1) {
      this.swap(n - 1, i - 1);
      this.permute(m);
      this.swap(n - 1, i - 1);
    }
  }

  run() {
    this.count = 0;
    this.values = [];
    for (let i = 0; i < 7; i += 1) this.values.push(i);
    this.permute(7);
    return this.count;
  }
}

exports.create = () => new Permute();
