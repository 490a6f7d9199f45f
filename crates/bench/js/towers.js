'use strict';
const { Benchmark } = require('./lib/benchmark.js');

class Disc {
  constructor(size) {
    this.size = size;
    this.next = null;
  }
}

class Towers extends Benchmark {
  constructor() {
    super();
    this.piles = null;
    this.moves = 0;
  }

  expected() { return 8191; }

  push(disc, pile) {
    const top = this.piles[pile];
    if (top !== null && disc.size >= top.size) {
      throw new Error('cannot put a big disc on a smaller one');
    }
    disc.next = top;
    this.piles[pile] = disc;
  }

  pop(pile) {
    const top = this.piles[pile];
    if (top === null) throw new Error(`no disc on pile ${pile}`);
    this.piles[pile] = top.next;
    top.next = null;
    return top;
  }

  moveTop(from, to) {
    this.push(this.pop(from), to);
    this.moves += 1;
  }

  build(pile, discs) {
    for (let size = discs; size >= 1; size -= 1) this.push(new Disc(size), pile);
  }

  move(n, from, to) {
    if (n === 1) {
      this.moveTop(from, to);
    } else {
      const other = 3 - from - to;
      this.move(n - 1, from, other);
      this.moveTop(from, to);
      this.move(n - 1, other, to);
    }
  }

  run() {
    this.piles = [null, null, null];
    this.moves = 0;
    this.build(0, 13);
    this.move(13, 0, 1);
    return this.moves;
  }
}

exports.create = () => new Towers();
