'use strict';
const { Benchmark } = require('./lib/benchmark.js');
const { Random } = require('./lib/collections.js');

class Storage extends Benchmark {
  constructor() {
    super();
    this.count = 0;
  }

  expected() { return 5461; }

  tree(depth, random) {
    this.count += 1;
    if (depth === 1) {
      const leaf = [];
      const n = random.next() % 10 + 1;
      for (let i = 0; i < n; i += 1) leaf.push(false);
      return leaf;
    }
    const node = [];
    for (let i = 0; i < 4; i += 1) node.push(this.tree(depth - 1, random));
    return node;
  }

  run() {
    this.count = 0;
    this.tree(7, new Random());
    return this.count;
  }
}

exports.create = () => new Storage();
