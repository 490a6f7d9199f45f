'use strict';
const { Benchmark } = require('./lib/benchmark.js');

class Mandelbrot extends Benchmark {
  expected() { return 33699; }

  escapes(cr, ci) {
    let zr = 0.0;
    let zi = 0.0;
    let zr2 = 0.0;
    let zi2 = 0.0;
    let z = 0;
    while (z < 50) {
      zr = zr2 - zi2 + cr;
      zi = 2.0 * zr * zi + ci;
      zr2 = zr * zr;
      zi2 = zi * zi;
      if (zr2 + zi2 > 4.0) return 1;
      z += 1;
    }
    return 0;
  }

  grid(size) {
    let sum = 0;
    let byte = 0;
    let bits = 0;
    let y = 0;
    while (y < size) {
      const ci = 2.0 * y / size - 1.0;
      let x = 0;
      while (x < size) {
        byte = byte * 2 + this.escapes(2.0 * x / size - 1.5, ci);
        bits += 1;
        if (bits === 8) {
          sum = (sum * 31 + byte) % 65521;
          byte = 0;
          bits = 0;
        }
        x += 1;
      }
      y += 1;
    }
    return sum;
  }

  run() { return this.grid(100); }
}

exports.create = () => new Mandelbrot();
