'use strict';
const { Benchmark } = require('./lib/benchmark.js');

function filled(n, value) {
  const t = [];
  for (let i = 0; i < n; i += 1) t.push(value);
  return t;
}

class Board {
  constructor() {
    this.freeRows = filled(8, true);
    this.freeMaxs = filled(16, true);
    this.freeMins = filled(16, true);
    this.queenRows = filled(8, -1);
  }

  isFree(row, column) {
    return this.freeRows[row] && this.freeMaxs[column + row] && this.freeMins[column - row + 7];
  }

  set(row, column, value) {
    this.freeRows[row] = value;
    this.freeMaxs[column + row] = value;
    this.freeMins[column - row + 7] = value;
  }

  place(column) {
    for (let row = 0; row < 8; row += 1) {
      if (this.isFree(row, column)) {
        this.queenRows[row] = column;
        this.set(row, column, false);
        if (column === 7) return true;
        if (this.place(column + 1)) return true;
        this.set(row, column, true);
      }
    }
    return false;
  }
}

class Queens extends Benchmark {
  expected() { return 10; }

  run() {
    let solved = 0;
    for (let i = 0; i < 10; i += 1) {
      if (new Board().place(0)) solved += 1;
    }
    return solved;
  }
}

exports.create = () => new Queens();
