'use strict';
const { Benchmark } = require('./lib/benchmark.js');
const { Random } = require('./lib/collections.js');

class Ball {
  constructor(random) {
    this.x = random.next() % 500;
    this.y = random.next() % 500;
    this.xSpeed = random.next() % 300 - 150;
    this.ySpeed = random.next() % 300 - 150;
  }

  bounce() {
    const xLimit = 500;
    const yLimit = 500;
    let bounced = false;
    this.x += this.xSpeed;
    this.y += this.ySpeed;
    if (this.x > xLimit) {
      this.x = xLimit;
      this.xSpeed = -Math.abs(this.xSpeed);
      bounced = true;
    }
    if (this.x < 0) {
      this.x = 0;
      this.xSpeed = Math.abs(this.xSpeed);
      bounced = true;
    }
    if (this.y > yLimit) {
      this.y = yLimit;
      this.ySpeed = -Math.abs(this.ySpeed);
      bounced = true;
    }
    if (this.y < 0) {
      this.y = 0;
      this.ySpeed = Math.abs(this.ySpeed);
      bounced = true;
    }
    return bounced;
  }
}

class Bounce extends Benchmark {
  expected() { return 1331; }

  run() {
    const random = new Random();
    const balls = [];
    let bounces = 0;
    for (let i = 0; i < 100; i += 1) balls.push(new Ball(random));
    for (let step = 0; step < 50; step += 1) {
      for (const ball of balls) {
        if (ball.bounce()) bounces += 1;
      }
    }
    return bounces;
  }
}

exports.create = () => new Bounce();
