-- Base class of the steady-state programs. A subclass has `run`, which does one
-- iteration and returns its result, and `expected`, the result that is right.

local Benchmark = {}
Benchmark.__index = Benchmark

-- A new class that inherits from this one.
function Benchmark:extend(name)
  local class = setmetatable({ name = name }, { __index = self })
  class.__index = class
  return class
end

function Benchmark.create(class)
  return setmetatable({}, class)
end

function Benchmark:check(result)
  return result == self.expected
end

-- Runs n iterations and returns the last result; every result is checked.
function Benchmark:iterate(n)
  local result
  for _ = 1, n do
    result = self:run()
    if not self:check(result) then
      error(self.name .. ": wrong result " .. tostring(result))
    end
  end
  return result
end

function Benchmark:show(result)
  return string.format("%d", result)
end

return Benchmark
