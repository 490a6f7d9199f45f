'use strict';
// The collection classes of steady/lib/collections.lua, with the same algorithms.

class Vector {
  constructor() {
    this.items = [];
    this.first = 0;
    this.last = 0;
  }

  size() { return this.last - this.first; }

  isEmpty() { return this.last === this.first; }

  at(i) {
    const slot = this.first + i;
    if (i < 0 || slot >= this.last) return null;
    return this.items[slot];
  }

  append(value) {
    this.items[this.last] = value;
    this.last += 1;
  }

  each(visit) {
    for (let i = this.first; i < this.last; i += 1) visit(this.items[i]);
  }

  any(test) {
    for (let i = this.first; i < this.last; i += 1) {
      if (test(this.items[i])) return true;
    }
    return false;
  }

  removeFirst() {
    if (this.isEmpty()) return null;
    const value = this.items[this.first];
    this.items[this.first] = null;
    this.first += 1;
    return value;
  }

  removeLast() {
    if (this.isEmpty()) return null;
    this.last -= 1;
    const value = this.items[this.last];
    this.items[this.last] = null;
    return value;
  }

  remove(value) {
    const items = [];
    let found = false;
    this.each((x) => {
      if (x === value) found = true;
      else items.push(x);
    });
    this.items = items;
    this.first = 0;
    this.last = items.length;
    return found;
  }
}

class Set {
  constructor() { this.elements = new Vector(); }

  size() { return this.elements.size(); }

  contains(value) { return this.elements.any((x) => x === value); }

  each(visit) { this.elements.each(visit); }

  add(value) {
    if (this.contains(value)) return false;
    this.elements.append(value);
    return true;
  }
}

class Entry {
  constructor(hash, key, value, chain) {
    this.hash = hash;
    this.key = key;
    this.value = value;
    this.chain = chain;
  }

  matches(hash, key) { return this.hash === hash && this.key === key; }
}

function emptyBuckets(n) {
  const buckets = [];
  for (let i = 0; i < n; i += 1) buckets[i] = null;
  return buckets;
}

class Dictionary {
  constructor(capacity = 16) {
    this.buckets = emptyBuckets(capacity);
    this.capacity = capacity;
    this.count = 0;
  }

  entry(key) {
    const hash = key.hash();
    let e = this.buckets[hash % this.capacity];
    while (e !== null) {
      if (e.matches(hash, key)) return e;
      e = e.chain;
    }
    return null;
  }

  get(key) {
    const e = this.entry(key);
    return e === null ? null : e.value;
  }

  has(key) { return this.entry(key) !== null; }

  put(key, value) {
    const e = this.entry(key);
    if (e !== null) {
      e.value = value;
      return;
    }
    if (this.count >= this.capacity * 3 / 4) this.grow();
    const hash = key.hash();
    const slot = hash % this.capacity;
    this.buckets[slot] = new Entry(hash, key, value, this.buckets[slot]);
    this.count += 1;
  }

  grow() {
    const old = this.buckets;
    const capacity = this.capacity * 2;
    const buckets = emptyBuckets(capacity);
    for (let i = 0; i < this.capacity; i += 1) {
      let e = old[i];
      while (e !== null) {
        const after = e.chain;
        const slot = e.hash % capacity;
        e.chain = buckets[slot];
        buckets[slot] = e;
        e = after;
      }
    }
    this.buckets = buckets;
    this.capacity = capacity;
  }
}

class Random {
  constructor() { this.seed = 74755; }

  next() {
    this.seed = (this.seed * 1309 + 13849) % 65536;
    return this.seed;
  }
}

module.exports = { Vector, Set, Dictionary, Random };
