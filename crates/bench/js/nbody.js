'use strict';
const { Benchmark } = require('./lib/benchmark.js');

const SOLAR_MASS = 4 * Math.PI * Math.PI;
const DAYS = 365.24;

class Body {
  constructor(x, y, z, vx, vy, vz, mass) {
    this.x = x;
    this.y = y;
    this.z = z;
    this.vx = vx * DAYS;
    this.vy = vy * DAYS;
    this.vz = vz * DAYS;
    this.mass = mass * SOLAR_MASS;
  }

  setMomentum(px, py, pz) {
    this.vx = 0.0 - px / SOLAR_MASS;
    this.vy = 0.0 - py / SOLAR_MASS;
    this.vz = 0.0 - pz / SOLAR_MASS;
  }

  kinetic() {
    return 0.5 * this.mass * (this.vx * this.vx + this.vy * this.vy + this.vz * this.vz);
  }

  drift(dt) {
    this.x += dt * this.vx;
    this.y += dt * this.vy;
    this.z += dt * this.vz;
  }

  attract(other, dt) {
    const dx = this.x - other.x;
    const dy = this.y - other.y;
    const dz = this.z - other.z;
    const squared = dx * dx + dy * dy + dz * dz;
    const magnitude = dt / (squared * Math.sqrt(squared));
    this.vx -= dx * other.mass * magnitude;
    this.vy -= dy * other.mass * magnitude;
    this.vz -= dz * other.mass * magnitude;
    other.vx += dx * this.mass * magnitude;
    other.vy += dy * this.mass * magnitude;
    other.vz += dz * this.mass * magnitude;
  }
}

class System {
  constructor() {
    this.bodies = [
      new Body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
      new Body(4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01,
        1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04),
      new Body(8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01,
        -2.76742510726411900e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04),
      new Body(1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01,
        2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05),
      new Body(1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01,
        2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05),
    ];
    let px = 0.0;
    let py = 0.0;
    let pz = 0.0;
    for (const b of this.bodies) {
      px += b.vx * b.mass;
      py += b.vy * b.mass;
      pz += b.vz * b.mass;
    }
    this.bodies[0].setMomentum(px, py, pz);
  }

  advance(dt) {
    const { bodies } = this;
    for (let i = 0; i < bodies.length; i += 1) {
      const body = bodies[i];
      for (let j = i + 1; j < bodies.length; j += 1) body.attract(bodies[j], dt);
    }
    for (const body of bodies) body.drift(dt);
  }

  energy() {
    let e = 0.0;
    for (let i = 0; i < this.bodies.length; i += 1) {
      const a = this.bodies[i];
      e += a.kinetic();
      for (let j = i + 1; j < this.bodies.length; j += 1) {
        const b = this.bodies[j];
        const dx = a.x - b.x;
        const dy = a.y - b.y;
        const dz = a.z - b.z;
        e -= a.mass * b.mass / Math.sqrt(dx * dx + dy * dy + dz * dz);
      }
    }
    return e;
  }
}

class NBody extends Benchmark {
  check(result) { return Math.abs(result + 0.169079859) < 0.001; }

  show(result) { return result.toFixed(12); }

  run() {
    const system = new System();
    for (let i = 0; i < 1000; i += 1) system.advance(0.01);
    return system.energy();
  }
}

exports.create = () => new NBody();
