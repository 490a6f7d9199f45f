-- closures: iterators, function composition and counters made of closures.
-- Stresses closure creation, captured variables shared and changed, calls through
-- function values, generic for with stateful and stateless iterators.
-- quick: 600

-- Stateless iterator, like ipairs backwards.
local function previous(t, i)
  i = i - 1
  if i > 0 then return i, t[i] end
end
local function reversed(t) return previous, t, #t + 1 end

-- Stateful iterators; nil ends them.
local function range(from, to, step)
  step = step or 1
  local i = from - step
  return function()
    i = i + step
    if i <= to then return i end
  end
end

local function map(f, iter)
  return function()
    local x = iter()
    if x ~= nil then return f(x) end
  end
end

local function filter(keep, iter)
  return function()
    local x = iter()
    while x ~= nil and not keep(x) do x = iter() end
    return x
  end
end

local function zip(a, b)
  return function()
    local x, y = a(), b()
    if x ~= nil and y ~= nil then return x, y end
  end
end

local function fold(f, start, iter)
  for x in iter do start = f(start, x) end
  return start
end

local function compose(f, g) return function(x) return f(g(x)) end end
local function curry(f) return function(a) return function(b) return f(a, b) end end end

local function counter()
  local n = 0
  return {
    up = function(by) n = n + (by or 1) end,
    down = function() n = n - 1 end,
    get = function() return n end,
  }
end

local function memoize(f)
  local known = {}
  return function(x)
    local y = known[x]
    if y == nil then
      y = f(x)
      known[x] = y
    end
    return y
  end
end

local add = curry(function(a, b) return a + b end)
local function even(x) return x % 2 == 0 end
local function square(x) return x * x end

local rounds = tonumber(arg and arg[1]) or 27000
local total, c = 0, counter()
for round = 1, rounds do
  local t = {}
  for x in map(compose(add(round % 10), square), filter(even, range(1, 200))) do
    t[#t + 1] = x
    c.up()
  end
  for i, x in reversed(t) do total = (total + i * x) % 1000003 end
  for a, b in zip(range(1, 100), range(3, 300, 3)) do
    total = (total + a * b) % 1000003
    if a % 10 == 0 then c.down() end
  end
  total = (total + fold(function(a, b) return a + b end, 0, range(1, 100))) % 1000003

  local slow_square = memoize(square)
  local handlers = {}
  for i = 1, 20 do handlers[i] = function(x) return slow_square(x % 5) + i end end
  for x = 1, 5 do
    for i = 1, #handlers do total = total + handlers[i](x) end
  end
  c.up(round % 3)
end
print(string.format("closures(%d) = %d %d", rounds, total, c.get()))
