'use strict';
const { Benchmark } = require('./lib/benchmark.js');

class Element {
  constructor(value) {
    this.value = value;
    this.next = null;
  }

  length() {
    if (this.next === null) return 1;
    return 1 + this.next.length();
  }
}

class List extends Benchmark {
  expected() { return 10; }

  make(length) {
    if (length === 0) return null;
    const e = new Element(length);
    e.next = this.make(length - 1);
    return e;
  }

  isShorter(x, y) {
    let a = x;
    let b = y;
    while (b !== null) {
      if (a === null) return true;
      a = a.next;
      b = b.next;
    }
    return false;
  }

  tail(x, y, z) {
    if (this.isShorter(y, x)) {
      return this.tail(this.tail(x.next, y, z), this.tail(y.next, z, x), this.tail(z.next, x, y));
    }
    return z;
  }

  run() {
    return this.tail(this.make(15), this.make(10), this.make(6)).length();
  }
}

exports.create = () => new List();
