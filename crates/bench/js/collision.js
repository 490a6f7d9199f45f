'use strict';
const { Benchmark } = require('./lib/benchmark.js');
const { Vector } = require('./lib/collections.js');

function compareNumbers(a, b) {
  if (a === b) return 0;
  if (a < b) return -1;
  return 1;
}

class Vector2 {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }

  plus(o) { return new Vector2(this.x + o.x, this.y + o.y); }

  compare(o) {
    const c = compareNumbers(this.x, o.x);
    if (c !== 0) return c;
    return compareNumbers(this.y, o.y);
  }
}

class Vector3 {
  constructor(x, y, z) {
    this.x = x;
    this.y = y;
    this.z = z;
  }

  plus(o) { return new Vector3(this.x + o.x, this.y + o.y, this.z + o.z); }

  minus(o) { return new Vector3(this.x - o.x, this.y - o.y, this.z - o.z); }

  dot(o) { return this.x * o.x + this.y * o.y + this.z * o.z; }

  times(s) { return new Vector3(this.x * s, this.y * s, this.z * s); }

  squared() { return this.dot(this); }

  magnitude() { return Math.sqrt(this.squared()); }
}

class CallSign {
  constructor(value) { this.value = value; }

  compare(o) { return compareNumbers(this.value, o.value); }
}

const RED = 1;
const BLACK = 2;

function minimum(start) {
  let node = start;
  while (node.left !== null) node = node.left;
  return node;
}

class Node {
  constructor(key, value) {
    this.key = key;
    this.value = value;
    this.left = null;
    this.right = null;
    this.parent = null;
    this.color = RED;
  }

  successor() {
    if (this.right !== null) return minimum(this.right);
    let x = this;
    let y = this.parent;
    while (y !== null && x === y.right) {
      x = y;
      y = y.parent;
    }
    return y;
  }
}

function isBlack(node) { return node === null || node.color === BLACK; }

class Tree {
  constructor() { this.root = null; }

  find(key) {
    let node = this.root;
    while (node !== null) {
      const c = key.compare(node.key);
      if (c === 0) return node;
      node = c < 0 ? node.left : node.right;
    }
    return null;
  }

  get(key) {
    const node = this.find(key);
    return node === null ? null : node.value;
  }

  each(visit) {
    if (this.root === null) return;
    let node = minimum(this.root);
    while (node !== null) {
      visit(node.key, node.value);
      node = node.successor();
    }
  }

  rotateLeft(x) {
    const y = x.right;
    x.right = y.left;
    if (y.left !== null) y.left.parent = x;
    y.parent = x.parent;
    if (x.parent === null) this.root = y;
    else if (x === x.parent.left) x.parent.left = y;
    else x.parent.right = y;
    y.left = x;
    x.parent = y;
    return y;
  }

  rotateRight(y) {
    const x = y.left;
    y.left = x.right;
    if (x.right !== null) x.right.parent = y;
    x.parent = y.parent;
    if (y.parent === null) this.root = x;
    else if (y === y.parent.left) y.parent.left = x;
    else y.parent.right = x;
    x.right = y;
    y.parent = x;
    return x;
  }

  put(key, value) {
    let parent = null;
    let node = this.root;
    let c = 0;
    while (node !== null) {
      parent = node;
      c = key.compare(node.key);
      if (c === 0) {
        const old = node.value;
        node.value = value;
        return old;
      }
      node = c < 0 ? node.left : node.right;
    }
    const x = new Node(key, value);
    x.parent = parent;
    if (parent === null) this.root = x;
    else if (c < 0) parent.left = x;
    else parent.right = x;
    this.repairInsert(x);
    return null;
  }

  repairInsert(start) {
    let x = start;
    while (x !== this.root && x.parent.color === RED) {
      const grand = x.parent.parent;
      if (x.parent === grand.left) {
        const uncle = grand.right;
        if (uncle !== null && uncle.color === RED) {
          x.parent.color = BLACK;
          uncle.color = BLACK;
          grand.color = RED;
          x = grand;
        } else {
          if (x === x.parent.right) {
            x = x.parent;
            this.rotateLeft(x);
          }
          x.parent.color = BLACK;
          grand.color = RED;
          this.rotateRight(grand);
        }
      } else {
        const uncle = grand.left;
        if (uncle !== null && uncle.color === RED) {
          x.parent.color = BLACK;
          uncle.color = BLACK;
          grand.color = RED;
          x = grand;
        } else {
          if (x === x.parent.left) {
            x = x.parent;
            this.rotateRight(x);
          }
          x.parent.color = BLACK;
          grand.color = RED;
          this.rotateLeft(grand);
        }
      }
    }
    this.root.color = BLACK;
  }

  remove(key) {
    const z = this.find(key);
    if (z === null) return null;
    let y = z;
    if (z.left !== null && z.right !== null) y = z.successor();
    const x = y.left !== null ? y.left : y.right;
    const { parent } = y;
    if (x !== null) x.parent = parent;
    if (parent === null) this.root = x;
    else if (y === parent.left) parent.left = x;
    else parent.right = x;
    if (y !== z) {
      if (y.color === BLACK) this.repairRemove(x, parent);
      y.parent = z.parent;
      y.color = z.color;
      y.left = z.left;
      y.right = z.right;
      if (z.left !== null) z.left.parent = y;
      if (z.right !== null) z.right.parent = y;
      if (z.parent === null) this.root = y;
      else if (z.parent.left === z) z.parent.left = y;
      else z.parent.right = y;
    } else if (y.color === BLACK) {
      this.repairRemove(x, parent);
    }
    return z.value;
  }

  repairRemove(start, startParent) {
    let x = start;
    let parent = startParent;
    while (x !== this.root && isBlack(x)) {
      if (x === parent.left) {
        let w = parent.right;
        if (w.color === RED) {
          w.color = BLACK;
          parent.color = RED;
          this.rotateLeft(parent);
          w = parent.right;
        }
        if (isBlack(w.left) && isBlack(w.right)) {
          w.color = RED;
          x = parent;
          parent = x.parent;
        } else {
          if (isBlack(w.right)) {
            w.left.color = BLACK;
            w.color = RED;
            this.rotateRight(w);
            w = parent.right;
          }
          w.color = parent.color;
          parent.color = BLACK;
          if (w.right !== null) w.right.color = BLACK;
          this.rotateLeft(parent);
          x = this.root;
          parent = null;
        }
      } else {
        let w = parent.left;
        if (w.color === RED) {
          w.color = BLACK;
          parent.color = RED;
          this.rotateRight(parent);
          w = parent.left;
        }
        if (isBlack(w.left) && isBlack(w.right)) {
          w.color = RED;
          x = parent;
          parent = x.parent;
        } else {
          if (isBlack(w.left)) {
            w.right.color = BLACK;
            w.color = RED;
            this.rotateLeft(w);
            w = parent.left;
          }
          w.color = parent.color;
          parent.color = BLACK;
          if (w.left !== null) w.left.color = BLACK;
          this.rotateRight(parent);
          x = this.root;
          parent = null;
        }
      }
    }
    if (x !== null) x.color = BLACK;
  }
}

class Aircraft {
  constructor(sign, position) {
    this.sign = sign;
    this.position = position;
  }
}

const CELL = 2.0;
const RADIUS = 1.0;

class Motion {
  constructor(sign, from, to) {
    this.sign = sign;
    this.from = from;
    this.to = to;
  }

  delta() { return this.to.minus(this.from); }

  meets(other) {
    const offset = this.from.minus(other.from);
    const speed = this.delta().minus(other.delta());
    const s2 = speed.squared();
    let t = 0.0;
    if (s2 !== 0.0) {
      t = 0.0 - offset.dot(speed) / s2;
      if (t < 0.0) t = 0.0;
      else if (t > 1.0) t = 1.0;
    }
    const gap = offset.plus(speed.times(t));
    if (gap.magnitude() >= RADIUS) return null;
    const mine = this.from.plus(this.delta().times(t));
    return mine.minus(gap.times(0.5));
  }
}

function cellOf(x, y) {
  return new Vector2(Math.floor(x / CELL), Math.floor(y / CELL));
}

class Detector {
  constructor() { this.last = new Tree(); }

  motions(frame) {
    const motions = new Vector();
    const seen = new Tree();
    frame.each((craft) => {
      const old = this.last.put(craft.sign, craft.position);
      seen.put(craft.sign, true);
      motions.append(new Motion(craft.sign, old || craft.position, craft.position));
    });
    const gone = new Vector();
    this.last.each((sign) => {
      if (!seen.get(sign)) gone.append(sign);
    });
    gone.each((sign) => this.last.remove(sign));
    return motions;
  }

  rasterize(cells, motion) {
    const a = motion.from;
    const b = motion.to;
    const low = cellOf(Math.min(a.x, b.x) - RADIUS, Math.min(a.y, b.y) - RADIUS);
    const high = cellOf(Math.max(a.x, b.x) + RADIUS, Math.max(a.y, b.y) + RADIUS);
    for (let { x } = low; x <= high.x; x += 1) {
      for (let { y } = low; y <= high.y; y += 1) {
        const cell = new Vector2(x, y);
        let list = cells.get(cell);
        if (list === null) {
          list = new Vector();
          cells.put(cell, list);
        }
        list.append(motion);
      }
    }
  }

  collisions(frame) {
    const cells = new Tree();
    this.motions(frame).each((motion) => this.rasterize(cells, motion));
    let found = 0;
    let depth = 0.0;
    cells.each((_, list) => {
      for (let i = 0; i < list.size() - 1; i += 1) {
        const p = list.at(i);
        for (let j = i + 1; j < list.size(); j += 1) {
          const place = p.meets(list.at(j));
          if (place !== null) {
            found += 1;
            depth += place.z;
          }
        }
      }
    });
    return { found, depth };
  }
}

class Simulator {
  constructor(n) {
    this.signs = new Vector();
    for (let i = 1; i <= n; i += 1) this.signs.append(new CallSign(i));
  }

  frame(t) {
    const frame = new Vector();
    const turn = Math.floor(t * 4);
    for (let i = 1; i <= this.signs.size(); i += 2) {
      if ((i + turn) % 37 > 2) {
        const far = Math.cos(t) * 2 + i * 3;
        frame.append(new Aircraft(this.signs.at(i - 1), new Vector3(t, far, 10.0)));
        frame.append(new Aircraft(this.signs.at(i), new Vector3(t, Math.sin(t) * 2 + i * 3, 10.0)));
      }
    }
    return frame;
  }
}

class Collision extends Benchmark {
  expected() { return 334400; }

  run() {
    const simulator = new Simulator(100);
    const detector = new Detector();
    let total = 0;
    let depth = 0.0;
    for (let i = 0; i < 50; i += 1) {
      const { found, depth: z } = detector.collisions(simulator.frame(i / 10.0));
      total += found;
      depth += z;
    }
    return total * 100 + depth;
  }
}

exports.create = () => new Collision();
