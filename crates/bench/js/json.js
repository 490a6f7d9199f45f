'use strict';
const { Benchmark } = require('./lib/benchmark.js');
const { Vector } = require('./lib/collections.js');

class Value {
  isObject() { return false; }

  isArray() { return false; }

  isNumber() { return false; }

  isString() { return false; }

  count() { return 1; }
}

class Literal extends Value {
  constructor(text) {
    super();
    this.text = text;
  }
}

class NumberValue extends Value {
  constructor(text) {
    super();
    this.text = text;
  }

  isNumber() { return true; }

  number() { return Number(this.text); }
}

class StringValue extends Value {
  constructor(text) {
    super();
    this.text = text;
  }

  isString() { return true; }
}

class ArrayValue extends Value {
  constructor() {
    super();
    this.values = new Vector();
  }

  isArray() { return true; }

  add(value) { this.values.append(value); }

  size() { return this.values.size(); }

  get(i) { return this.values.at(i); }

  count() {
    let n = 1;
    this.values.each((v) => { n += v.count(); });
    return n;
  }
}

class Index {
  constructor() {
    this.slots = [];
    for (let i = 0; i < 32; i += 1) this.slots.push(0);
  }

  slot(name) { return name.length * 1402589 % 32; }

  add(name, at) { this.slots[this.slot(name)] = at < 255 ? at : 0; }

  get(name) { return this.slots[this.slot(name)]; }
}

class ObjectValue extends Value {
  constructor() {
    super();
    this.names = new Vector();
    this.values = new Vector();
    this.index = new Index();
  }

  isObject() { return true; }

  add(name, value) {
    this.names.append(name);
    this.values.append(value);
    this.index.add(name, this.names.size());
  }

  position(name) {
    const at = this.index.get(name);
    if (at !== 0 && this.names.at(at - 1) === name) return at;
    for (let i = 1; i <= this.names.size(); i += 1) {
      if (this.names.at(i - 1) === name) return i;
    }
    return 0;
  }

  get(name) {
    const at = this.position(name);
    if (at === 0) return null;
    return this.values.at(at - 1);
  }

  count() {
    let n = 1;
    this.values.each((v) => { n += v.count(); });
    return n;
  }
}

const ESCAPES = new Map([['"', '"'], ['/', '/'], ['\\', '\\'], ['b', '\b'], ['f', '\f'], ['n', '\n'], ['r', '\r'], ['t', '\t']]);
const NULL = new Literal('null');
const TRUE = new Literal('true');
const FALSE = new Literal('false');

class Parser {
  constructor(text) {
    this.text = text;
    this.position = -1;
    this.line = 1;
    this.current = null;
    this.captured = '';
    this.captureStart = -1;
  }

  fail(what) {
    throw new Error(`${what} expected at ${this.position} in line ${this.line}`);
  }

  read() {
    if (this.current === '\n') this.line += 1;
    this.position += 1;
    if (this.position < this.text.length) {
      this.current = this.text.charAt(this.position);
    } else {
      this.current = null;
    }
  }

  startCapture() { this.captureStart = this.position; }

  pauseCapture() {
    this.captured += this.text.substring(this.captureStart, this.position);
    this.captureStart = -1;
  }

  endCapture() {
    this.pauseCapture();
    const { captured } = this;
    this.captured = '';
    return captured;
  }

  readChar(c) {
    if (this.current !== c) return false;
    this.read();
    return true;
  }

  requireChar(c) {
    if (!this.readChar(c)) this.fail(`'${c}'`);
  }

  isWhiteSpace() {
    const c = this.current;
    return c === ' ' || c === '\n' || c === '\t' || c === '\r';
  }

  skipWhiteSpace() {
    while (this.isWhiteSpace()) this.read();
  }

  isDigit() {
    const c = this.current;
    return c !== null && c >= '0' && c <= '9';
  }

  readDigit() {
    if (!this.isDigit()) return false;
    this.read();
    return true;
  }

  readEscape() {
    this.read();
    const c = ESCAPES.get(this.current);
    if (c === undefined) this.fail('escape');
    this.captured += c;
    this.read();
  }

  readText() {
    this.requireChar('"');
    this.startCapture();
    while (this.current !== '"') {
      if (this.current === '\\') {
        this.pauseCapture();
        this.readEscape();
        this.startCapture();
      } else if (this.current === null) {
        this.fail("'\"'");
      } else {
        this.read();
      }
    }
    const text = this.endCapture();
    this.read();
    return text;
  }

  readFraction() {
    if (!this.readChar('.')) return;
    if (!this.readDigit()) this.fail('digit');
    while (this.readDigit());
  }

  readExponent() {
    if (!this.readChar('e') && !this.readChar('E')) return;
    if (!this.readChar('+')) this.readChar('-');
    if (!this.readDigit()) this.fail('digit');
    while (this.readDigit());
  }

  readNumber() {
    this.startCapture();
    this.readChar('-');
    const first = this.current;
    if (!this.readDigit()) this.fail('digit');
    if (first !== '0') while (this.readDigit());
    this.readFraction();
    this.readExponent();
    return new NumberValue(this.endCapture());
  }

  readWord(word, value) {
    for (let i = 0; i < word.length; i += 1) this.requireChar(word.charAt(i));
    return value;
  }

  readArray() {
    this.read();
    const array = new ArrayValue();
    this.skipWhiteSpace();
    if (this.readChar(']')) return array;
    do {
      this.skipWhiteSpace();
      array.add(this.readValue());
      this.skipWhiteSpace();
    } while (this.readChar(','));
    this.requireChar(']');
    return array;
  }

  readObject() {
    this.read();
    const object = new ObjectValue();
    this.skipWhiteSpace();
    if (this.readChar('}')) return object;
    do {
      this.skipWhiteSpace();
      const name = this.readText();
      this.skipWhiteSpace();
      this.requireChar(':');
      this.skipWhiteSpace();
      object.add(name, this.readValue());
      this.skipWhiteSpace();
    } while (this.readChar(','));
    this.requireChar('}');
    return object;
  }

  readValue() {
    switch (this.current) {
      case 'n': return this.readWord('null', NULL);
      case 't': return this.readWord('true', TRUE);
      case 'f': return this.readWord('false', FALSE);
      case '"': return new StringValue(this.readText());
      case '[': return this.readArray();
      case '{': return this.readObject();
      default: return this.readNumber();
    }
  }

  parse() {
    this.read();
    this.skipWhiteSpace();
    const value = this.readValue();
    this.skipWhiteSpace();
    if (this.current !== null) this.fail('end of text');
    return value;
  }
}

function document(n) {
  const out = ['{"head": {"version": 3, "ok": true, "none": null}, "operations": ['];
  for (let i = 1; i <= n; i += 1) {
    if (i > 1) out.push(',\n');
    out.push(`  ["op${i % 17}", ${i * 37 % 1000}, {"target": "w${i % 7}", "style": {"color": "#0${i % 10}a0b0", "width": ${i % 5}.25, `
      + `"text": "line\\n\\"${i}\\""}, "flags": [true, false, null, -${i}.5e2]}]`);
  }
  out.push(']}');
  return out.join('');
}

class Json extends Benchmark {
  constructor() {
    super();
    this.text = document(100);
  }

  expected() { return 1406225; }

  run() {
    const root = new Parser(this.text).parse();
    if (!root.isObject() || !root.get('head').isObject()) throw new Error('wrong document');
    const operations = root.get('operations');
    let widths = 0;
    for (let i = 0; i < operations.size(); i += 1) {
      const target = operations.get(i).get(2);
      widths += target.get('style').get('width').number();
    }
    return root.count() * 1000 + widths;
  }
}

exports.create = () => new Json();
