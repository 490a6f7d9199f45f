-- heapsort: sorts random floats in place with a binary heap.
-- Stresses float arrays, data-dependent branches, while loops over indices.
-- quick: 20000
-- full: 2800000

local seed = 42
local function random()
  seed = (seed * 3877 + 29573) % 139968
  return seed / 139968
end

local function sift_down(a, root, last)
  local value = a[root]
  local child = root * 2
  while child <= last do
    if child < last and a[child] < a[child + 1] then child = child + 1 end
    if value >= a[child] then break end
    a[root] = a[child]
    root = child
    child = root * 2
  end
  a[root] = value
end

local function heapsort(a, n)
  for root = math.floor(n / 2), 1, -1 do sift_down(a, root, n) end
  for last = n, 2, -1 do
    a[1], a[last] = a[last], a[1]
    sift_down(a, 1, last - 1)
  end
end

local n = tonumber(arg and arg[1]) or 1500000
local a = {}
for i = 1, n do a[i] = random() end
heapsort(a, n)
for i = 2, n do assert(a[i - 1] <= a[i], "not sorted") end
print(string.format("heapsort(%d) = %.9f %.9f %.9f", n, a[1], a[math.floor((n + 1) / 2)], a[n]))
