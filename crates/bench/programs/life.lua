-- life: Conway's game of life on a torus, drawn as text at the end.
-- Stresses nested integer arrays, neighbour sums with wrap-around, closures as rules,
-- swapping two boards.
-- quick: 60
-- full: 9000

local Board = {}
Board.__index = Board

function Board.new(width, height)
  local self = setmetatable({ width = width, height = height }, Board)
  for y = 1, height do
    local row = {}
    for x = 1, width do row[x] = 0 end
    self[y] = row
  end
  return self
end

function Board:spawn(shape, top, left)
  for dy, line in ipairs(shape) do
    for dx = 1, #line do
      local y = (top + dy - 2) % self.height + 1
      local x = (left + dx - 2) % self.width + 1
      self[y][x] = line:sub(dx, dx) == "O" and 1 or 0
    end
  end
end

function Board:evolve(into, rule)
  local width, height = self.width, self.height
  local above, row, below = self[height - 1], self[height], self[1]
  for y = 1, height do
    above, row, below = row, below, self[y % height + 1]
    local out = into[y]
    local left = width
    for x = 1, width do
      local right = x < width and x + 1 or 1
      local around = above[left] + above[x] + above[right]
        + row[left] + row[right]
        + below[left] + below[x] + below[right]
      out[x] = rule(row[x], around)
      left = x
    end
  end
end

function Board:draw()
  local lines = {}
  for y = 1, self.height do
    local line = {}
    for x = 1, self.width do line[x] = self[y][x] == 1 and "O" or "-" end
    lines[y] = table.concat(line)
  end
  return table.concat(lines, "\n")
end

function Board:population()
  local n = 0
  for y = 1, self.height do
    local row = self[y]
    for x = 1, #row do n = n + row[x] end
  end
  return n
end

local function make_rule(born, survives)
  return function(cell, around)
    if cell == 1 then return survives[around] or 0 end
    return born[around] or 0
  end
end

local GLIDER = { "-O-", "--O", "OOO" }
local R_PENTOMINO = { "-OO", "OO-", "-O-" }
local EXPLODER = { "OOOO", "O--O", "OOOO" }

local rounds = tonumber(arg and arg[1]) or 3000
local now, later = Board.new(96, 64), Board.new(96, 64)
now:spawn(GLIDER, 5, 4)
now:spawn(R_PENTOMINO, 30, 40)
now:spawn(EXPLODER, 45, 70)
now:spawn(GLIDER, 20, 80)
local rule = make_rule({ [3] = 1 }, { [2] = 1, [3] = 1 })
local lived = 0
for _ = 1, rounds do
  now:evolve(later, rule)
  now, later = later, now
  lived = lived + now:population()
end
print(now:draw())
print(string.format("life(%d) = %d %d", rounds, lived, now:population()))
