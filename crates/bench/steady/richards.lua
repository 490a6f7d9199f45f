-- richards: the task dispatcher of a small operating system kernel; the work of a
-- task is a closure over its own record.
-- quick: 1
-- full: 3

local Benchmark = require("benchmark")

local IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = 1, 2, 3, 4, 5, 6
local DEVICE_KIND, WORK_KIND = 0, 1
local PACKET_SIZE = 4

-- Objects that can be linked into queues ----------------------------------------

local Linked = {}

function Linked:append_to(queue)
  self.link = nil
  if queue == nil then return self end
  local last = queue
  while last.link ~= nil do last = last.link end
  last.link = self
  return queue
end

local Packet = setmetatable({}, { __index = Linked })

function Packet.new(link, identity, kind)
  local data = {}
  for i = 1, PACKET_SIZE do data[i] = 0 end
  return setmetatable({ link = link, identity = identity, kind = kind, datum = 1, data = data }, { __index = Packet })
end

-- The records that the four kinds of task work on -------------------------------

local IdleRecord = {}
function IdleRecord.new()
  return setmetatable({ control = 1, count = 10000 }, { __index = IdleRecord })
end

local WorkerRecord = {}
function WorkerRecord.new()
  return setmetatable({ destination = HANDLER_A, letter = 0 }, { __index = WorkerRecord })
end

local HandlerRecord = {}
function HandlerRecord.new()
  return setmetatable({ work = nil, devices = nil }, { __index = HandlerRecord })
end

function HandlerRecord:add_work(packet)
  self.work = packet:append_to(self.work)
  return self.work
end

function HandlerRecord:add_device(packet)
  self.devices = packet:append_to(self.devices)
  return self.devices
end

local DeviceRecord = {}
function DeviceRecord.new()
  return setmetatable({ pending = nil }, { __index = DeviceRecord })
end

-- State of a task, and tasks ----------------------------------------------------

local State = {}
State.__index = State

function State:set_running()
  self.packet_pending = false
  self.waiting = false
  self.holding = false
  return self
end

function State:set_waiting()
  self.packet_pending = false
  self.waiting = true
  self.holding = false
  return self
end

function State:set_waiting_with_packet()
  self.packet_pending = true
  self.waiting = true
  self.holding = false
  return self
end

function State:is_held_or_waiting()
  return self.holding or (not self.packet_pending and self.waiting)
end

function State:is_waiting_with_packet()
  return self.packet_pending and self.waiting and not self.holding
end

function State.new() return setmetatable({}, State):set_running() end

local Task = setmetatable({}, { __index = State })
Task.__index = Task

function Task.new(link, identity, priority, input, state, record, work)
  return setmetatable({
    link = link,
    identity = identity,
    priority = priority,
    input = input,
    packet_pending = state.packet_pending,
    waiting = state.waiting,
    holding = state.holding,
    record = record,
    work = work,
  }, Task)
end

function Task:add_input(packet, previous)
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
  local message
  if self:is_waiting_with_packet() then
    message = self.input
    self.input = message.link
    self:set_running()
    if self.input ~= nil then self.packet_pending = true end
  end
  return self.work(message, self.record)
end

-- Scheduler ----------------------------------------------------------------------

-- Exclusive or with 0xD008, bit by bit, so that it runs on Lua 5.1 too.
local FEEDBACK = { 8, 4096, 16384, 32768 }
local function feedback(word)
  for _, bit in ipairs(FEEDBACK) do
    if word % (2 * bit) >= bit then word = word - bit else word = word + bit end
  end
  return word
end

local Scheduler = {}
Scheduler.__index = Scheduler

function Scheduler.new()
  return setmetatable({ list = nil, current = nil, identity = 0, tasks = {}, queued = 0, held = 0 }, Scheduler)
end

function Scheduler:add(identity, priority, queue, state, record, work)
  local task = Task.new(self.list, identity, priority, queue, state, record, work)
  self.list = task
  self.tasks[identity] = task
end

function Scheduler:find(identity)
  local task = self.tasks[identity]
  if task == nil then error("no task " .. identity) end
  return task
end

function Scheduler:hold()
  self.held = self.held + 1
  self.current.holding = true
  return self.current.link
end

function Scheduler:wait()
  self.current.waiting = true
  return self.current
end

function Scheduler:queue(packet)
  local target = self:find(packet.identity)
  self.queued = self.queued + 1
  packet.link = nil
  packet.identity = self.identity
  return target:add_input(packet, self.current)
end

function Scheduler:release(identity)
  local task = self:find(identity)
  task.holding = false
  if task.priority > self.current.priority then return task end
  return self.current
end

function Scheduler:run()
  self.current = self.list
  while self.current ~= nil do
    if self.current:is_held_or_waiting() then
      self.current = self.current.link
    else
      self.identity = self.current.identity
      self.current = self.current:resume()
    end
  end
end

function Scheduler:add_idle(identity, priority, queue, state)
  self:add(identity, priority, queue, state, IdleRecord.new(), function(_, data)
    data.count = data.count - 1
    if data.count == 0 then return self:hold() end
    if data.control % 2 == 0 then
      data.control = data.control / 2
      return self:release(DEVICE_A)
    end
    data.control = feedback((data.control - 1) / 2)
    return self:release(DEVICE_B)
  end)
end

function Scheduler:add_worker(identity, priority, queue, state)
  self:add(identity, priority, queue, state, WorkerRecord.new(), function(packet, data)
    if packet == nil then return self:wait() end
    data.destination = data.destination == HANDLER_A and HANDLER_B or HANDLER_A
    packet.identity = data.destination
    packet.datum = 1
    for i = 1, PACKET_SIZE do
      data.letter = data.letter + 1
      if data.letter > 26 then data.letter = 1 end
      packet.data[i] = 64 + data.letter
    end
    return self:queue(packet)
  end)
end

function Scheduler:add_handler(identity, priority, queue, state)
  self:add(identity, priority, queue, state, HandlerRecord.new(), function(packet, data)
    if packet ~= nil then
      if packet.kind == WORK_KIND then data:add_work(packet) else data:add_device(packet) end
    end
    local work = data.work
    if work == nil then return self:wait() end
    local datum = work.datum
    if datum > PACKET_SIZE then
      data.work = work.link
      return self:queue(work)
    end
    local device = data.devices
    if device == nil then return self:wait() end
    data.devices = device.link
    device.datum = work.data[datum]
    work.datum = datum + 1
    return self:queue(device)
  end)
end

function Scheduler:add_device(identity, priority, queue, state)
  self:add(identity, priority, queue, state, DeviceRecord.new(), function(packet, data)
    if packet ~= nil then
      data.pending = packet
      return self:hold()
    end
    local pending = data.pending
    if pending == nil then return self:wait() end
    data.pending = nil
    return self:queue(pending)
  end)
end

-- ------------------------------------------------------------------------------------

local Richards = Benchmark:extend("richards")
Richards.expected = 23246 * 100000 + 9297

function Richards:run()
  local s = Scheduler.new()
  s:add_idle(IDLE, 0, nil, State.new())
  local queue = Packet.new(nil, WORKER, WORK_KIND)
  queue = Packet.new(queue, WORKER, WORK_KIND)
  s:add_worker(WORKER, 1000, queue, State.new():set_waiting_with_packet())
  queue = nil
  for _ = 1, 3 do queue = Packet.new(queue, DEVICE_A, DEVICE_KIND) end
  s:add_handler(HANDLER_A, 2000, queue, State.new():set_waiting_with_packet())
  queue = nil
  for _ = 1, 3 do queue = Packet.new(queue, DEVICE_B, DEVICE_KIND) end
  s:add_handler(HANDLER_B, 3000, queue, State.new():set_waiting_with_packet())
  s:add_device(DEVICE_A, 4000, nil, State.new():set_waiting())
  s:add_device(DEVICE_B, 5000, nil, State.new():set_waiting())
  s:run()
  return s.queued * 100000 + s.held
end

return Richards
