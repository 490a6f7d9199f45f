'use strict';
const { Benchmark } = require('./lib/benchmark.js');

const IDLE = 1;
const WORKER = 2;
const HANDLER_A = 3;
const HANDLER_B = 4;
const DEVICE_A = 5;
const DEVICE_B = 6;
const DEVICE_KIND = 0;
const WORK_KIND = 1;
const PACKET_SIZE = 4;

class Linked {
  constructor(link) { this.link = link; }

  appendTo(queue) {
    this.link = null;
    if (queue === null) return this;
    let last = queue;
    while (last.link !== null) last = last.link;
    last.link = this;
    return queue;
  }
}

class Packet extends Linked {
  constructor(link, identity, kind) {
    super(link);
    this.identity = identity;
    this.kind = kind;
    this.datum = 0;
    this.data = [];
    for (let i = 0; i < PACKET_SIZE; i += 1) this.data.push(0);
  }
}

class IdleRecord {
  constructor() {
    this.control = 1;
    this.count = 10000;
  }
}

class WorkerRecord {
  constructor() {
    this.destination = HANDLER_A;
    this.letter = 0;
  }
}

class HandlerRecord {
  constructor() {
    this.work = null;
    this.devices = null;
  }

  addWork(packet) { this.work = packet.appendTo(this.work); }

  addDevice(packet) { this.devices = packet.appendTo(this.devices); }
}

class DeviceRecord {
  constructor() { this.pending = null; }
}

class State {
  constructor() { this.setRunning(); }

  setRunning() {
    this.packetPending = false;
    this.waiting = false;
    this.holding = false;
    return this;
  }

  setWaiting() {
    this.packetPending = false;
    this.waiting = true;
    this.holding = false;
    return this;
  }

  setWaitingWithPacket() {
    this.packetPending = true;
    this.waiting = true;
    this.holding = false;
    return this;
  }

  isHeldOrWaiting() { return this.holding || (!this.packetPending && this.waiting); }

  isWaitingWithPacket() { return this.packetPending && this.waiting && !this.holding; }
}

class Task extends State {
  constructor(link, identity, priority, input, state, record, work) {
    super();
    this.link = link;
    this.identity = identity;
    this.priority = priority;
    this.input = input;
    this.packetPending = state.packetPending;
    this.waiting = state.waiting;
    this.holding = state.holding;
    this.record = record;
    this.work = work;
  }

  addInput(packet, previous) {
    if (this.input === null) {
      this.input = packet;
      this.packetPending = true;
      if (this.priority > previous.priority) return this;
    } else {
      this.input = packet.appendTo(this.input);
    }
    return previous;
  }

  resume() {
    let message = null;
    if (this.isWaitingWithPacket()) {
      message = this.input;
      this.input = message.link;
      this.setRunning();
      if (this.input !== null) this.packetPending = true;
    }
    return this.work(message, this.record);
  }
}

const FEEDBACK = [8, 4096, 16384, 32768];
function feedback(start) {
  let word = start;
  for (const bit of FEEDBACK) {
    if (word % (2 * bit) >= bit) word -= bit;
    else word += bit;
  }
  return word;
}

class Scheduler {
  constructor() {
    this.list = null;
    this.current = null;
    this.identity = 0;
    this.tasks = [null, null, null, null, null, null, null];
    this.queued = 0;
    this.held = 0;
  }

  add(identity, priority, queue, state, record, work) {
    const task = new Task(this.list, identity, priority, queue, state, record, work);
    this.list = task;
    this.tasks[identity] = task;
  }

  find(identity) {
    const task = this.tasks[identity];
    if (task === null) throw new Error(`no task ${identity}`);
    return task;
  }

  hold() {
    this.held += 1;
    this.current.holding = true;
    return this.current.link;
  }

  wait() {
    this.current.waiting = true;
    return this.current;
  }

  queue(packet) {
    const target = this.find(packet.identity);
    this.queued += 1;
    packet.link = null;
    packet.identity = this.identity;
    return target.addInput(packet, this.current);
  }

  release(identity) {
    const task = this.find(identity);
    task.holding = false;
    if (task.priority > this.current.priority) return task;
    return this.current;
  }

  run() {
    this.current = this.list;
    while (this.current !== null) {
      if (this.current.isHeldOrWaiting()) {
        this.current = this.current.link;
      } else {
        this.identity = this.current.identity;
        this.current = this.current.resume();
      }
    }
  }

  addIdle(identity, priority, queue, state) {
    this.add(identity, priority, queue, state, new IdleRecord(), (packet, data) => {
      data.count -= 1;
      if (data.count === 0) return this.hold();
      if (data.control % 2 === 0) {
        data.control /= 2;
        return this.release(DEVICE_A);
      }
      data.control = feedback((data.control - 1) / 2);
      return this.release(DEVICE_B);
    });
  }

  addWorker(identity, priority, queue, state) {
    this.add(identity, priority, queue, state, new WorkerRecord(), (packet, data) => {
      if (packet === null) return this.wait();
      data.destination = data.destination === HANDLER_A ? HANDLER_B : HANDLER_A;
      packet.identity = data.destination;
      packet.datum = 0;
      for (let i = 0; i < PACKET_SIZE; i += 1) {
        data.letter += 1;
        if (data.letter > 26) data.letter = 1;
        packet.data[i] = 64 + data.letter;
      }
      return this.queue(packet);
    });
  }

  addHandler(identity, priority, queue, state) {
    this.add(identity, priority, queue, state, new HandlerRecord(), (packet, data) => {
      if (packet !== null) {
        if (packet.kind === WORK_KIND) data.addWork(packet);
        else data.addDevice(packet);
      }
      const { work } = data;
      if (work === null) return this.wait();
      const { datum } = work;
      if (datum >= PACKET_SIZE) {
        data.work = work.link;
        return this.queue(work);
      }
      const device = data.devices;
      if (device === null) return this.wait();
      data.devices = device.link;
      device.datum = work.data[datum];
      work.datum = datum + 1;
      return this.queue(device);
    });
  }

  addDevice(identity, priority, queue, state) {
    this.add(identity, priority, queue, state, new DeviceRecord(), (packet, data) => {
      if (packet !== null) {
        data.pending = packet;
        return this.hold();
      }
      const { pending } = data;
      if (pending === null) return this.wait();
      data.pending = null;
      return this.queue(pending);
    });
  }
}

class Richards extends Benchmark {
  expected() { return 23246 * 100000 + 9297; }

  run() {
    const s = new Scheduler();
    s.addIdle(IDLE, 0, null, new State());
    let queue = new Packet(null, WORKER, WORK_KIND);
    queue = new Packet(queue, WORKER, WORK_KIND);
    s.addWorker(WORKER, 1000, queue, new State().setWaitingWithPacket());
    queue = null;
    for (let i = 0; i < 3; i += 1) queue = new Packet(queue, DEVICE_A, DEVICE_KIND);
    s.addHandler(HANDLER_A, 2000, queue, new State().setWaitingWithPacket());
    queue = null;
    for (let i = 0; i < 3; i += 1) queue = new Packet(queue, DEVICE_B, DEVICE_KIND);
    s.addHandler(HANDLER_B, 3000, queue, new State().setWaitingWithPacket());
    s.addDevice(DEVICE_A, 4000, null, new State().setWaiting());
    s.addDevice(DEVICE_B, 5000, null, new State().setWaiting());
    s.run();
    return s.queued * 100000 + s.held;
  }
}

exports.create = () => new Richards();
