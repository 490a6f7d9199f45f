-- Runs a program in rounds: run.lua NAME ITERATIONS SECONDS [ROUNDS]
-- Each round does ITERATIONS iterations and prints `round MICROSECONDS` (processor time).
-- It ends after SECONDS of processor time, but not before ROUNDS rounds (default 5), and
-- prints `result TEXT`.

local folder = arg[0]:match("^(.*[/\\])") or "./"
package.path = folder .. "?.lua;" .. folder .. "../?.lua;" .. package.path

local name, iterations = arg[1], tonumber(arg[2])
local seconds, least = tonumber(arg[3]) or 1, tonumber(arg[4]) or 5

local clock, write = os.clock, io.write
local benchmark = require(name):create()
local result
local begin = clock()
local last = begin
local rounds = 0
repeat
  result = benchmark:iterate(iterations)
  local now = clock()
  write(string.format("round %d\n", (now - last) * 1e6 + 0.5 - ((now - last) * 1e6 + 0.5) % 1))
  io.stdout:flush()
  last = now
  rounds = rounds + 1
until rounds >= least and now - begin >= seconds
write("result ", benchmark:show(result), "\n")
