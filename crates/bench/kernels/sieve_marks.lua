-- sieve_marks: marks the multiples of small numbers in a boolean array.
-- quick: 2
-- full: 200

local SIZE, LARGEST = 8192, 90

-- Number of marks that one repetition sets.
local N = 0
for i = 2, LARGEST do N = N + math.floor(SIZE / i) - 1 end

local function mark(flags, size, largest)
  for i = 2, largest do
    for k = i + i, size, i do flags[k] = false end
  end
end

return {
  elements = N,
  setup = function()
    local flags = {}
    for i = 1, SIZE do flags[i] = true end
    return flags
  end,
  run = function(flags) mark(flags, SIZE, LARGEST) end,
  result = function(flags)
    local left = 0
    for i = 2, SIZE do
      if flags[i] then left = left + 1 end
    end
    return string.format("%d", left)
  end,
}
