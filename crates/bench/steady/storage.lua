-- storage: grows trees of arrays with random leaf sizes.
-- quick: 2
-- full: 40

local Benchmark = require("benchmark")
local Random = require("collections").Random

local Storage = Benchmark:extend("storage")
Storage.expected = 5461

function Storage:tree(depth, random)
  self.count = self.count + 1
  if depth == 1 then
    local leaf = {}
    local n = random:next() % 10 + 1
    for i = 1, n do leaf[i] = false end
    return leaf
  end
  local node = {}
  for i = 1, 4 do node[i] = self:tree(depth - 1, random) end
  return node
end

function Storage:run()
  self.count = 0
  self:tree(7, Random.new())
  return self.count
end

return Storage
