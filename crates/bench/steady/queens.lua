-- queens: places eight queens by backtracking, ten times per iteration.
-- quick: 2
-- full: 130

local Benchmark = require("benchmark")

local Board = {}
Board.__index = Board

local function filled(n, value)
  local t = {}
  for i = 1, n do t[i] = value end
  return t
end

function Board.new()
  local self = setmetatable({}, Board)
  self.free_rows = filled(8, true)
  self.free_maxs = filled(16, true)
  self.free_mins = filled(16, true)
  self.queen_rows = filled(8, -1)
  return self
end

function Board:is_free(row, column)
  return self.free_rows[row] and self.free_maxs[column + row] and self.free_mins[column - row + 8]
end

function Board:set(row, column, value)
  self.free_rows[row] = value
  self.free_maxs[column + row] = value
  self.free_mins[column - row + 8] = value
end

function Board:place(column)
  for row = 1, 8 do
    if self:is_free(row, column) then
      self.queen_rows[row] = column
      self:set(row, column, false)
      if column == 8 then return true end
      if self:place(column + 1) then return true end
      self:set(row, column, true)
    end
  end
  return false
end

local Queens = Benchmark:extend("queens")
Queens.expected = 10

function Queens:run()
  local solved = 0
  for _ = 1, 10 do
    if Board.new():place(1) then solved = solved + 1 end
  end
  return solved
end

return Queens
