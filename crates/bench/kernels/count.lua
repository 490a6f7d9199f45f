-- count: counts the floats below a limit.
-- quick: 2
-- full: 2000

local N = 4096

local function floats(scale)
  local t = {}
  for i = 1, N do t[i] = (i * 37 % 101) * scale + 0.5 end
  return t
end

local function count(x, limit, n)
  local found = 0
  for i = 1, n do
    if x[i] < limit then found = found + 1 end
  end
  return found
end

return {
  elements = N,
  setup = function() return { x = floats(0.25), found = 0 } end,
  run = function(s) s.found = count(s.x, 11.0, N) end,
  result = function(s) return string.format("%d", s.found) end,
}
