'use strict';
const { Benchmark } = require('./lib/benchmark.js');
const { Vector } = require('./lib/collections.js');

class Strength {
  constructor(level, name) {
    this.level = level;
    this.name = name;
  }

  isStronger(other) { return this.level < other.level; }

  isWeaker(other) { return this.level > other.level; }

  weakest(other) { return other.isWeaker(this) ? other : this; }
}

const REQUIRED = new Strength(0, 'required');
const PREFERRED = new Strength(1, 'preferred');
const STRONG_DEFAULT = new Strength(2, 'strong default');
const NORMAL = new Strength(3, 'normal');
const WEAKEST = new Strength(4, 'weakest');
const STRONGEST_FIRST = [REQUIRED, PREFERRED, STRONG_DEFAULT, NORMAL, WEAKEST];

class Variable {
  constructor(name, value) {
    this.name = name;
    this.value = value;
    this.constraints = new Vector();
    this.determinedBy = null;
    this.mark = 0;
    this.walkStrength = WEAKEST;
    this.stay = true;
  }

  detach(constraint) {
    this.constraints.remove(constraint);
    if (this.determinedBy === constraint) this.determinedBy = null;
  }
}

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

class Constraint {
  constructor(strength) { this.strength = strength; }

  isInput() { return false; }

  addTo(planner) {
    this.attach();
    planner.incrementalAdd(this);
  }

  destroy(planner) {
    if (this.isSatisfied()) planner.incrementalRemove(this);
    this.detach();
  }

  satisfy(planner, mark) {
    this.chooseMethod(mark);
    if (!this.isSatisfied()) {
      assert(this.strength !== REQUIRED, 'could not satisfy a required constraint');
      return null;
    }
    this.markInputs(mark);
    const out = this.output();
    const overridden = out.determinedBy;
    if (overridden !== null) overridden.markUnsatisfied();
    out.determinedBy = this;
    assert(planner.addPropagate(this, mark), 'cycle in the constraints');
    out.mark = mark;
    return overridden;
  }
}

class Unary extends Constraint {
  constructor(variable, strength, planner) {
    super(strength);
    this.out = variable;
    this.satisfied = false;
    this.addTo(planner);
  }

  attach() {
    this.out.constraints.append(this);
    this.satisfied = false;
  }

  detach() {
    if (this.out !== null) this.out.detach(this);
    this.satisfied = false;
  }

  isSatisfied() { return this.satisfied; }

  markUnsatisfied() { this.satisfied = false; }

  markInputs() {}

  inputsKnown() { return true; }

  output() { return this.out; }

  chooseMethod(mark) {
    this.satisfied = this.out.mark !== mark && this.strength.isStronger(this.out.walkStrength);
  }

  recalculate() {
    const { out } = this;
    out.walkStrength = this.strength;
    out.stay = !this.isInput();
    if (out.stay) this.execute();
  }
}

class Stay extends Unary {
  execute() {}
}

class Edit extends Unary {
  isInput() { return true; }

  execute() {}
}

const NONE = 0;
const FORWARD = 1;
const BACKWARD = -1;

class Binary extends Constraint {
  constructor(v1, v2, strength) {
    super(strength);
    this.v1 = v1;
    this.v2 = v2;
    this.direction = NONE;
  }

  attach() {
    this.v1.constraints.append(this);
    this.v2.constraints.append(this);
    this.direction = NONE;
  }

  detach() {
    this.v1.detach(this);
    this.v2.detach(this);
    this.direction = NONE;
  }

  isSatisfied() { return this.direction !== NONE; }

  markUnsatisfied() { this.direction = NONE; }

  input() { return this.direction === FORWARD ? this.v1 : this.v2; }

  output() { return this.direction === FORWARD ? this.v2 : this.v1; }

  markInputs(mark) { this.input().mark = mark; }

  inputsKnown(mark) {
    const i = this.input();
    return i.mark === mark || i.stay || i.determinedBy === null;
  }

  chooseMethod(mark) {
    const { v1, v2, strength } = this;
    if (v1.mark === mark) {
      this.direction = v2.mark !== mark && strength.isStronger(v2.walkStrength) ? FORWARD : NONE;
    } else if (v2.mark === mark) {
      this.direction = v1.mark !== mark && strength.isStronger(v1.walkStrength) ? BACKWARD : NONE;
    } else if (v1.walkStrength.isWeaker(v2.walkStrength)) {
      this.direction = strength.isStronger(v1.walkStrength) ? BACKWARD : NONE;
    } else {
      this.direction = strength.isStronger(v2.walkStrength) ? FORWARD : NONE;
    }
  }

  recalculate() {
    const i = this.input();
    const out = this.output();
    out.walkStrength = this.strength.weakest(i.walkStrength);
    out.stay = i.stay;
    if (out.stay) this.execute();
  }
}

class Equality extends Binary {
  constructor(v1, v2, strength, planner) {
    super(v1, v2, strength);
    this.addTo(planner);
  }

  execute() { this.output().value = this.input().value; }
}

class Scale extends Binary {
  constructor(source, scale, offset, destination, strength, planner) {
    super(source, destination, strength);
    this.scale = scale;
    this.offset = offset;
    this.addTo(planner);
  }

  attach() {
    super.attach();
    this.scale.constraints.append(this);
    this.offset.constraints.append(this);
  }

  detach() {
    super.detach();
    this.scale.detach(this);
    this.offset.detach(this);
  }

  markInputs(mark) {
    super.markInputs(mark);
    this.scale.mark = mark;
    this.offset.mark = mark;
  }

  execute() {
    if (this.direction === FORWARD) {
      this.v2.value = this.v1.value * this.scale.value + this.offset.value;
    } else {
      this.v1.value = Math.floor((this.v2.value - this.offset.value) / this.scale.value);
    }
  }

  recalculate() {
    const i = this.input();
    const out = this.output();
    out.walkStrength = this.strength.weakest(i.walkStrength);
    out.stay = i.stay && this.scale.stay && this.offset.stay;
    if (out.stay) this.execute();
  }
}

class Planner {
  constructor() { this.mark = 0; }

  newMark() {
    this.mark += 1;
    return this.mark;
  }

  incrementalAdd(constraint) {
    const mark = this.newMark();
    let overridden = constraint.satisfy(this, mark);
    while (overridden !== null) overridden = overridden.satisfy(this, mark);
  }

  incrementalRemove(constraint) {
    const out = constraint.output();
    constraint.markUnsatisfied();
    constraint.detach();
    const unsatisfied = this.removePropagateFrom(out);
    for (const strength of STRONGEST_FIRST) {
      unsatisfied.each((c) => {
        if (c.strength === strength) this.incrementalAdd(c);
      });
    }
  }

  consuming(variable, list) {
    const determining = variable.determinedBy;
    variable.constraints.each((c) => {
      if (c !== determining && c.isSatisfied()) list.append(c);
    });
  }

  addPropagate(constraint, mark) {
    const todo = new Vector();
    todo.append(constraint);
    let c = todo.removeLast();
    while (c !== null) {
      if (c.output().mark === mark) {
        this.incrementalRemove(constraint);
        return false;
      }
      c.recalculate();
      this.consuming(c.output(), todo);
      c = todo.removeLast();
    }
    return true;
  }

  removePropagateFrom(out) {
    out.determinedBy = null;
    out.walkStrength = WEAKEST;
    out.stay = true;
    const unsatisfied = new Vector();
    const todo = new Vector();
    let variable = out;
    while (variable !== null) {
      variable.constraints.each((c) => {
        if (!c.isSatisfied()) unsatisfied.append(c);
      });
      const determining = variable.determinedBy;
      variable.constraints.each((c) => {
        if (c !== determining && c.isSatisfied()) {
          c.recalculate();
          todo.append(c.output());
        }
      });
      variable = todo.removeFirst();
    }
    return unsatisfied;
  }

  makePlan(todo) {
    const mark = this.newMark();
    const plan = new Vector();
    let c = todo.removeLast();
    while (c !== null) {
      const out = c.output();
      if (out.mark !== mark && c.inputsKnown(mark)) {
        plan.append(c);
        out.mark = mark;
        this.consuming(out, todo);
      }
      c = todo.removeLast();
    }
    return plan;
  }

  planFrom(constraints) {
    const sources = new Vector();
    constraints.each((c) => {
      if (c.isInput() && c.isSatisfied()) sources.append(c);
    });
    return this.makePlan(sources);
  }
}

function execute(plan) {
  plan.each((c) => c.execute());
}

function change(planner, variable, value) {
  const edit = new Edit(variable, PREFERRED, planner);
  const edits = new Vector();
  edits.append(edit);
  const plan = planner.planFrom(edits);
  for (let i = 0; i < 10; i += 1) {
    variable.value = value;
    execute(plan);
  }
  edit.destroy(planner);
}

function chain(n) {
  const planner = new Planner();
  const variables = [];
  for (let i = 0; i <= n; i += 1) variables.push(new Variable(`v${i}`, 0));
  for (let i = 0; i < n; i += 1) new Equality(variables[i], variables[i + 1], REQUIRED, planner);
  const first = variables[0];
  const last = variables[n];
  new Stay(last, STRONG_DEFAULT, planner);
  const edit = new Edit(first, PREFERRED, planner);
  const edits = new Vector();
  edits.append(edit);
  const plan = planner.planFrom(edits);
  for (let i = 1; i <= 100; i += 1) {
    first.value = i;
    execute(plan);
    assert(last.value === i, 'chain test failed');
  }
  edit.destroy(planner);
  return last.value;
}

function projection(n) {
  const planner = new Planner();
  const scale = new Variable('scale', 10);
  const offset = new Variable('offset', 1000);
  let source = null;
  let destination = null;
  const destinations = new Vector();
  for (let i = 0; i < n; i += 1) {
    source = new Variable(`source${i}`, i);
    destination = new Variable(`destination${i}`, i);
    destinations.append(destination);
    new Stay(source, NORMAL, planner);
    new Scale(source, scale, offset, destination, REQUIRED, planner);
  }
  change(planner, source, 17);
  assert(destination.value === 1170, 'projection test 1 failed');
  change(planner, destination, 1050);
  assert(source.value === 5, 'projection test 2 failed');
  change(planner, scale, 5);
  let sum = 0;
  for (let i = 0; i < n - 1; i += 1) {
    assert(destinations.at(i).value === i * 5 + 1000, 'projection test 3 failed');
    sum += destinations.at(i).value;
  }
  change(planner, offset, 2000);
  for (let i = 0; i < n - 1; i += 1) {
    assert(destinations.at(i).value === i * 5 + 2000, 'projection test 4 failed');
    sum += destinations.at(i).value;
  }
  return sum;
}

class DeltaBlue extends Benchmark {
  expected() { return 100345510; }

  run() { return chain(100) * 1000000 + projection(100); }
}

exports.create = () => new DeltaBlue();
