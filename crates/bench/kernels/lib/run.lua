-- Runs a kernel in rounds: run.lua NAME REPETITIONS SECONDS [ROUNDS]
-- A kernel is a module with `elements` (how many elements a repetition handles), `setup`,
-- which makes its arrays, `run`, one repetition over them, and `result`, which digests
-- them. A round sets up anew, times REPETITIONS runs and prints `round MICROSECONDS`
-- (processor time). Afterwards come `elements COUNT` and `result TEXT`; rounds must agree.

local folder = arg[0]:match("^(.*[/\\])") or "./"
package.path = folder .. "?.lua;" .. folder .. "../?.lua;" .. package.path

local name, repetitions = arg[1], tonumber(arg[2])
local seconds, least = tonumber(arg[3]) or 1, tonumber(arg[4]) or 5
local kernel = require(name)
local clock = os.clock

local function round(run, state)
  local begin = clock()
  for _ = 1, repetitions do run(state) end
  return clock() - begin
end

local result
local begin, rounds = clock(), 0
repeat
  local state = kernel.setup()
  local micros = round(kernel.run, state) * 1e6
  local now = kernel.result(state)
  if result and result ~= now then error(name .. ": rounds differ: " .. result .. ", " .. now) end
  result = now
  io.write(string.format("round %.0f\n", micros))
  io.stdout:flush()
  rounds = rounds + 1
until rounds >= least and clock() - begin >= seconds
io.write("elements ", string.format("%d", kernel.elements), "\nresult ", result, "\n")
