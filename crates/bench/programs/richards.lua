-- richards: the task dispatcher of a small operating system kernel, simulated.
-- Stresses polymorphic method calls (one class per task), linked queues,
-- boolean state fields, fields that change between nil and an object.
-- quick: 1

local IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = 1, 2, 3, 4, 5, 6
local DEVICE_KIND, WORK_KIND = 0, 1
local PACKET_SIZE = 4

-- Packets ---------------------------------------------------------------

local Packet = {}
Packet.__index = Packet

function Packet.new(link, identity, kind)
  return setmetatable({ link = link, identity = identity, kind = kind, datum = 1, data = { 0, 0, 0, 0 } }, Packet)
end

-- Appends the packet to a queue and returns the queue's head.
function Packet:append_to(queue)
  self.link = nil
  if queue == nil then return self end
  local last = queue
  while last.link ~= nil do last = last.link end
  last.link = self
  return queue
end

-- Tasks -----------------------------------------------------------------

local Task = {}
Task.__index = Task

local function task_class()
  local class = setmetatable({}, { __index = Task })
  class.__index = class
  return class
end

function Task.init(class, scheduler, identity, priority, queue, waiting)
  local task = setmetatable({
    scheduler = scheduler,
    identity = identity,
    priority = priority,
    input = queue,
    packet_pending = queue ~= nil,
    waiting = waiting,
    holding = false,
    link = scheduler.list,
  }, class)
  scheduler.list = task
  scheduler.table[identity] = task
  return task
end

function Task:held_or_waiting()
  return self.holding or (not self.packet_pending and self.waiting)
end

function Task:waiting_with_packet()
  return self.packet_pending and self.waiting and not self.holding
end

function Task:add_packet(packet, previous)
  if self.input == nil then
    self.input = packet
    self.packet_pending = true
    if self.priority > previous.priority then return self end
  else
    self.input = packet:append_to(self.input)
  end
  return previous
end

function Task:resume()
  local packet = nil
  if self:waiting_with_packet() then
    packet = self.input
    self.input = packet.link
    self.packet_pending = self.input ~= nil
    self.waiting = false
  end
  return self:step(packet)
end

-- Scheduler ---------------------------------------------------------------

local Scheduler = {}
Scheduler.__index = Scheduler

function Scheduler.new()
  return setmetatable({ list = nil, current = nil, table = {}, queued = 0, held = 0 }, Scheduler)
end

function Scheduler:run()
  self.current = self.list
  while self.current ~= nil do
    local task = self.current
    if task:held_or_waiting() then
      self.current = task.link
    else
      self.current = task:resume()
    end
  end
end

function Scheduler:send(packet)
  local target = self.table[packet.identity]
  if target == nil then error("no task " .. packet.identity) end
  self.queued = self.queued + 1
  packet.link = nil
  packet.identity = self.current.identity
  return target:add_packet(packet, self.current)
end

function Scheduler:wait()
  self.current.waiting = true
  return self.current
end

function Scheduler:hold()
  self.held = self.held + 1
  self.current.holding = true
  return self.current.link
end

function Scheduler:release(identity)
  local task = self.table[identity]
  task.holding = false
  if task.priority > self.current.priority then return task end
  return self.current
end

-- The four kinds of task ----------------------------------------------------

local Idle = task_class()

-- Exclusive or with 0xD008, bit by bit, so that it runs on Lua 5.1 too.
local FEEDBACK = { 8, 4096, 16384, 32768 }
local function feedback(word)
  for i = 1, #FEEDBACK do
    local bit = FEEDBACK[i]
    if word % (2 * bit) >= bit then word = word - bit else word = word + bit end
  end
  return word
end

function Idle:step()
  self.count = self.count - 1
  if self.count == 0 then return self.scheduler:hold() end
  local odd = self.control % 2
  self.control = (self.control - odd) / 2
  if odd == 0 then return self.scheduler:release(DEVICE_A) end
  self.control = feedback(self.control)
  return self.scheduler:release(DEVICE_B)
end

local Worker = task_class()

function Worker:step(packet)
  if packet == nil then return self.scheduler:wait() end
  self.destination = self.destination == HANDLER_A and HANDLER_B or HANDLER_A
  packet.identity = self.destination
  packet.datum = 1
  local letter = self.letter
  for i = 1, PACKET_SIZE do
    letter = letter + 1
    if letter > 26 then letter = 1 end
    packet.data[i] = 64 + letter
  end
  self.letter = letter
  return self.scheduler:send(packet)
end

local Handler = task_class()

function Handler:step(packet)
  if packet ~= nil then
    if packet.kind == WORK_KIND then
      self.work = packet:append_to(self.work)
    else
      self.devices = packet:append_to(self.devices)
    end
  end
  local work = self.work
  if work ~= nil then
    local datum = work.datum
    if datum > PACKET_SIZE then
      self.work = work.link
      return self.scheduler:send(work)
    end
    local device = self.devices
    if device ~= nil then
      self.devices = device.link
      device.datum = work.data[datum]
      work.datum = datum + 1
      return self.scheduler:send(device)
    end
  end
  return self.scheduler:wait()
end

local Device = task_class()

function Device:step(packet)
  if packet ~= nil then
    self.pending = packet
    return self.scheduler:hold()
  end
  local pending = self.pending
  if pending == nil then return self.scheduler:wait() end
  self.pending = nil
  return self.scheduler:send(pending)
end

-- ---------------------------------------------------------------------------

local function packets(identity, kind, n)
  local queue = nil
  for _ = 1, n do queue = Packet.new(queue, identity, kind) end
  return queue
end

local function simulate()
  local s = Scheduler.new()
  local idle = Task.init(Idle, s, IDLE, 0, nil, false)
  idle.control, idle.count = 1, 10000
  local worker = Task.init(Worker, s, WORKER, 1000, packets(WORKER, WORK_KIND, 2), true)
  worker.destination, worker.letter = HANDLER_A, 0
  Task.init(Handler, s, HANDLER_A, 2000, packets(DEVICE_A, DEVICE_KIND, 3), true)
  Task.init(Handler, s, HANDLER_B, 3000, packets(DEVICE_B, DEVICE_KIND, 3), true)
  Task.init(Device, s, DEVICE_A, 4000, nil, true)
  Task.init(Device, s, DEVICE_B, 5000, nil, true)
  s:run()
  return s.queued, s.held
end

local rounds = tonumber(arg and arg[1]) or 60
local queued, held = 0, 0
for _ = 1, rounds do
  local q, h = simulate()
  assert(q == 23246 and h == 9297, "the simulation went wrong")
  queued, held = queued + q, held + h
end
print(string.format("richards(%d) = %d %d", rounds, queued, held))
