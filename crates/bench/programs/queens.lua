-- queens: counts all placements of n queens by backtracking.
-- Stresses boolean arrays, recursion, an object that holds its arrays in fields.
-- quick: 10

local Board = {}
Board.__index = Board

function Board.new(n)
  local self = setmetatable({ n = n, solutions = 0, column = {}, up = {}, down = {}, at = {} }, Board)
  for i = 1, n do
    self.column[i] = true
    self.at[i] = 0
  end
  for i = 1, 2 * n do
    self.up[i] = true
    self.down[i] = true
  end
  return self
end

function Board:free(row, col)
  return self.column[col] and self.up[row + col] and self.down[row - col + self.n]
end

function Board:mark(row, col, value)
  self.column[col] = value
  self.up[row + col] = value
  self.down[row - col + self.n] = value
end

function Board:place(row)
  if row > self.n then
    self.solutions = self.solutions + 1
    local digest = 0
    for i = 1, self.n do digest = (digest * 31 + self.at[i]) % 1000003 end
    self.digest = ((self.digest or 0) + digest) % 1000003
    return
  end
  for col = 1, self.n do
    if self:free(row, col) then
      self.at[row] = col
      self:mark(row, col, false)
      self:place(row + 1)
      self:mark(row, col, true)
    end
  end
end

local n = tonumber(arg and arg[1]) or 12
local board = Board.new(n)
board:place(1)
print(string.format("queens(%d) = %d %d", n, board.solutions, board.digest or 0))
