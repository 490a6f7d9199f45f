'use strict';
// Runs a twin in rounds: run.js NAME ITERATIONS SECONDS [ROUNDS]; see steady/lib/run.lua.

const fs = require('fs');
const path = require('path');

const [name, iterations, seconds, least] = process.argv.slice(2);
const { create } = require(path.join(__dirname, '..', `${name}.js`));

// Processor time of the process, in microseconds.
function clock() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const benchmark = create();
const n = Number(iterations);
const limit = (seconds === undefined ? 1 : Number(seconds)) * 1e6;
const rounds = least === undefined ? 5 : Number(least);
const begin = clock();
let last = begin;
let done = 0;
let result;
do {
  result = benchmark.iterate(n);
  const now = clock();
  fs.writeSync(1, `round ${now - last}\n`);
  last = now;
  done += 1;
} while (done < rounds || last - begin < limit);
fs.writeSync(1, `result ${benchmark.show(result)}\n`);
