'use strict';
const { Benchmark } = require('./lib/benchmark.js');

class Vec {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }

  plus(o) { return new Vec(this.x + o.x, this.y + o.y); }
  minus(o) { return new Vec(this.x - o.x, this.y - o.y); }
  times(k) { return new Vec(this.x * k, this.y * k); }
  dot(o) { return this.x * o.x + this.y * o.y; }
  turned() { return new Vec(-this.y, this.x); }
}

function each(list, f) {
  for (let i = 0; i < list.length; i++) f(list[i], i + 1);
}

// The path of one particle, of which only the end is kept.
function fly(particle, steps) {
  let { place, speed } = particle;
  const centre = new Vec(0.5, -0.25);
  const dt = 1.0 / 64.0;
  for (let k = 0; k < steps; k++) {
    const away = place.minus(centre);
    const pull = away.times(-1.0 / (1.0 + away.dot(away)));
    const swirl = away.turned().times(0.125);
    speed = speed.plus(pull.plus(swirl).times(dt));
    place = place.plus(speed.times(dt));
  }
  particle.place = place;
  particle.speed = speed;
}

class Particles extends Benchmark {
  expected() { return 758; }

  run() {
    const list = [];
    for (let i = 1; i <= 40; i++) {
      list.push({ place: new Vec(i % 7 * 0.5, i % 5 * 0.25), speed: new Vec(0.0, 0.0) });
    }
    let energy = 0.0;
    each(list, (p, i) => {
      fly(p, 200);
      energy += p.speed.dot(p.speed) * i;
    });
    return Math.floor(energy);
  }
}

exports.create = () => new Particles();
