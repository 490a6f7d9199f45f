-- towers: towers of Hanoi with discs as linked objects.
-- quick: 2
-- full: 60

local Benchmark = require("benchmark")

local Disc = {}

function Disc.new(size)
  return setmetatable({ size = size, next = nil }, { __index = Disc })
end

local Towers = Benchmark:extend("towers")
Towers.expected = 8191

function Towers:push(disc, pile)
  local top = self.piles[pile]
  if top and disc.size >= top.size then
    error("cannot put a big disc on a smaller one")
  end
  disc.next = top
  self.piles[pile] = disc
end

function Towers:pop(pile)
  local top = self.piles[pile]
  if not top then error("no disc on pile " .. pile) end
  self.piles[pile] = top.next
  top.next = nil
  return top
end

function Towers:move_top(from, to)
  self:push(self:pop(from), to)
  self.moves = self.moves + 1
end

function Towers:build(pile, discs)
  for size = discs, 1, -1 do self:push(Disc.new(size), pile) end
end

function Towers:move(n, from, to)
  if n == 1 then
    self:move_top(from, to)
  else
    local other = 6 - from - to
    self:move(n - 1, from, other)
    self:move_top(from, to)
    self:move(n - 1, other, to)
  end
end

function Towers:run()
  self.piles = {}
  self.moves = 0
  self:build(1, 13)
  self:move(13, 1, 2)
  return self.moves
end

return Towers
