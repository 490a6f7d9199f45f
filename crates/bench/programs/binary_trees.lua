-- binary_trees: builds and walks many perfect binary trees.
-- Stresses allocation of two-slot tables, garbage collection, recursion.
-- quick: 10
-- full: 16

local function bottom_up(depth)
  if depth == 0 then return { nil, nil } end
  depth = depth - 1
  return { bottom_up(depth), bottom_up(depth) }
end

local function count(tree)
  local left = tree[1]
  if not left then return 1 end
  return 1 + count(left) + count(tree[2])
end

local n = tonumber(arg and arg[1]) or 15
local min_depth = 4
local max_depth = math.max(min_depth + 2, n)

local stretch = count(bottom_up(max_depth + 1))
local long_lived = bottom_up(max_depth)

local total = 0
for depth = min_depth, max_depth, 2 do
  local rounds = math.floor(2 ^ (max_depth - depth + min_depth))
  local nodes = 0
  for _ = 1, rounds do nodes = nodes + count(bottom_up(depth)) end
  print(string.format("%d trees of depth %d: %d", rounds, depth, nodes))
  total = total + nodes
end
print(string.format("binary_trees(%d) = %d %d %d", n, stretch, count(long_lived), total))
