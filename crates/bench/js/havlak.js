'use strict';
const { Benchmark } = require('./lib/benchmark.js');
const { Vector, Set, Dictionary } = require('./lib/collections.js');

class Block {
  constructor(name) {
    this.name = name;
    this.preds = new Vector();
    this.succs = new Vector();
  }

  hash() { return this.name; }
}

class Graph {
  constructor() {
    this.blocks = new Vector();
    this.start = null;
  }

  block() {
    const block = new Block(this.blocks.size() + 1);
    this.blocks.append(block);
    if (this.start === null) this.start = block;
    return block;
  }

  edge(from, to) {
    from.succs.append(to);
    to.preds.append(from);
  }

  straight(start, n) {
    let from = start;
    for (let i = 0; i < n; i += 1) {
      const to = this.block();
      this.edge(from, to);
      from = to;
    }
    return from;
  }

  diamond(from) {
    const left = this.block();
    const right = this.block();
    const join = this.block();
    this.edge(from, left);
    this.edge(from, right);
    this.edge(left, join);
    this.edge(right, join);
    return join;
  }

  nest(from, depth, width) {
    if (depth === 0) return this.diamond(from);
    const header = this.straight(from, 1);
    let at = header;
    for (let i = 0; i < width; i += 1) at = this.nest(at, depth - 1, width);
    const latch = this.straight(at, 1);
    this.edge(latch, header);
    return this.straight(latch, 1);
  }

  irreducible(from) {
    const a = this.block();
    const b = this.block();
    const out = this.block();
    this.edge(from, a);
    this.edge(from, b);
    this.edge(a, b);
    this.edge(b, a);
    this.edge(b, out);
    return out;
  }
}

class Loop {
  constructor(header, reducible, number) {
    this.header = header;
    this.reducible = reducible;
    this.number = number;
    this.parent = null;
    this.isRoot = false;
    this.level = 0;
    this.children = new Set();
    this.blocks = new Set();
  }

  setParent(parent) {
    this.parent = parent;
    parent.children.add(this);
  }

  addBlock(block) { this.blocks.add(block); }
}

class Structure {
  constructor() {
    this.loops = new Vector();
    this.root = new Loop(null, true, 0);
    this.root.isRoot = true;
    this.depths = 0;
    this.irreducible = 0;
  }

  newLoop(header, reducible) {
    const loop = new Loop(header, reducible, this.loops.size() + 1);
    this.loops.append(loop);
    return loop;
  }

  nest() {
    this.loops.each((loop) => {
      if (loop.parent === null) loop.setParent(this.root);
    });
    this.nestBelow(this.root, 0);
  }

  nestBelow(loop, depth) {
    loop.level = depth;
    this.depths += depth;
    if (!loop.reducible) this.irreducible += 1;
    loop.children.each((child) => this.nestBelow(child, depth + 1));
  }
}

class Node {
  constructor(block, number) {
    this.parent = this;
    this.block = block;
    this.number = number;
    this.loop = null;
  }

  find() {
    const path = new Vector();
    let node = this;
    while (node.parent !== node) {
      if (node.parent !== node.parent.parent) path.append(node);
      node = node.parent;
    }
    path.each((n) => { n.parent = node; });
    return node;
  }
}

const NON_HEADER = 1;
const REDUCIBLE = 2;
const SELF = 3;
const IRREDUCIBLE = 4;

class Finder {
  constructor(graph, structure) {
    this.graph = graph;
    this.structure = structure;
    this.numbers = new Dictionary(64);
    this.nodes = new Vector();
    this.last = [];
    this.kinds = [];
    this.back = [];
    this.other = [];
  }

  visit(block) {
    const number = this.nodes.size();
    this.nodes.append(new Node(block, number));
    this.last.push(0);
    this.numbers.put(block, number);
    block.succs.each((to) => {
      if (!this.numbers.has(to)) this.visit(to);
    });
    this.last[number] = this.nodes.size() - 1;
  }

  isAncestor(w, v) { return w <= v && v <= this.last[w]; }

  classifyEdges() {
    for (let w = 0; w < this.nodes.size(); w += 1) {
      this.kinds[w] = NON_HEADER;
      const back = new Vector();
      const other = new Set();
      this.nodes.at(w).block.preds.each((from) => {
        const v = this.numbers.get(from);
        if (v !== null) {
          if (this.isAncestor(w, v)) back.append(v);
          else other.add(v);
        }
      });
      this.back[w] = back;
      this.other[w] = other;
    }
  }

  collectBody(w, pool) {
    this.back[w].each((v) => {
      if (v === w) {
        this.kinds[w] = SELF;
      } else {
        const node = this.nodes.at(v).find();
        if (!pool.any((x) => x === node)) pool.append(node);
      }
    });
  }

  extendBody(w, pool) {
    const work = new Vector();
    pool.each((node) => work.append(node));
    if (!work.isEmpty()) this.kinds[w] = REDUCIBLE;
    while (!work.isEmpty()) {
      const x = work.removeFirst();
      this.other[x.number].each((y) => {
        const node = this.nodes.at(y).find();
        if (!this.isAncestor(w, node.number)) {
          this.kinds[w] = IRREDUCIBLE;
          this.other[w].add(node.number);
        } else if (node.number !== w && !pool.any((n) => n === node)) {
          work.append(node);
          pool.append(node);
        }
      });
    }
  }

  closeLoop(w, pool) {
    const kind = this.kinds[w];
    if (pool.isEmpty() && kind !== SELF) return;
    const head = this.nodes.at(w);
    const loop = this.structure.newLoop(head.block, kind !== IRREDUCIBLE);
    head.loop = loop;
    pool.each((node) => {
      node.parent = head;
      if (node.loop !== null) node.loop.setParent(loop);
      else loop.addBlock(node.block);
    });
  }

  run() {
    this.visit(this.graph.start);
    this.classifyEdges();
    for (let w = this.nodes.size() - 1; w >= 0; w -= 1) {
      const pool = new Vector();
      this.collectBody(w, pool);
      this.extendBody(w, pool);
      this.closeLoop(w, pool);
    }
  }
}

class Havlak extends Benchmark {
  constructor() {
    super();
    const g = new Graph();
    let at = g.block();
    for (let i = 1; i <= 8; i += 1) {
      at = g.nest(at, 3, 2);
      if (i % 3 === 0) at = g.irreducible(at);
      at = g.straight(at, 4);
    }
    this.graph = g;
  }

  expected() { return 580138020; }

  run() {
    let loops = 0;
    let depths = 0;
    let irreducible = 0;
    for (let i = 0; i < 10; i += 1) {
      const structure = new Structure();
      new Finder(this.graph, structure).run();
      structure.nest();
      loops += structure.loops.size();
      depths += structure.depths;
      irreducible += structure.irreducible;
    }
    return loops * 1000000 + depths * 100 + irreducible;
  }
}

exports.create = () => new Havlak();
