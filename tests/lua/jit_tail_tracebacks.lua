-- Tail calls in tracebacks and in debug.getinfo, whatever tier runs them.

local function show(text) print((text:gsub("[^%s<]*%.lua", "FILE"))) end
local function fails(n) if n == 0 then error("failed") end return n end
local function three(n) return fails(n) end
local function two(n) return three(n) end
local function one(n) local r = two(n) return r end
local function vararg(...) return two(...) end
local function traced(n) if n == 0 then show(debug.traceback("here")) end return n end
local function to_traced(n) return traced(n) end

for i = 1, 500 do one(i) vararg(i, i) to_traced(i) end
show(select(2, xpcall(one, debug.traceback, 0)))
show(select(2, xpcall(vararg, debug.traceback, 0)))
to_traced(0)

local function info()
  local i = debug.getinfo(1, "t")
  return i.istailcall
end
local function tail() return info() end
local function plain() local r = info() return r end
for i = 1, 500 do tail() plain() end
print(tail(), plain())

-- a frame that leaves compiled code stays a tail call's
local function leaves(x)
  local y = x + 1
  return debug.traceback("sum"), y
end
local function to_leaves(x) return leaves(x) end
for i = 1, 500 do to_leaves(i) end
show((to_leaves(1.5)))

local function count(n)
  if n == 0 then return debug.getinfo(1, "t").istailcall end
  return count(n - 1)
end
print(count(100000))
