-- towers: towers of Hanoi with discs as linked records on three stacks.
-- Stresses recursion, field loads and stores with nil in links, pushes and pops.
-- quick: 16

local Towers = {}
Towers.__index = Towers

function Towers.new(discs)
  local self = setmetatable({ piles = { false, false, false }, moves = 0 }, Towers)
  for size = discs, 1, -1 do
    self:push({ size = size, below = nil }, 1)
  end
  return self
end

function Towers:push(disc, pile)
  local top = self.piles[pile]
  if top and disc.size >= top.size then
    error("a larger disc may not lie on a smaller one")
  end
  disc.below = top or nil
  self.piles[pile] = disc
end

function Towers:pop(pile)
  local top = self.piles[pile]
  if not top then error("no disc on pile " .. pile) end
  self.piles[pile] = top.below or false
  top.below = nil
  return top
end

function Towers:move(n, from, to)
  if n == 1 then
    self:push(self:pop(from), to)
    self.moves = self.moves + 1
    return
  end
  local other = 6 - from - to
  self:move(n - 1, from, other)
  self:move(1, from, to)
  self:move(n - 1, other, to)
end

local n = tonumber(arg and arg[1]) or 23
local t = Towers.new(n)
t:move(n, 1, 3)
local height, disc = 0, t.piles[3]
while disc do height, disc = height + 1, disc.below end
print(string.format("towers(%d) = %d %d", n, t.moves, height))
