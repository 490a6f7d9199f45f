-- The table library, with metamethods and errors.
local function show(t) print(#t, table.concat(t, ",")) end
local t = {1, 2, 3}
table.insert(t, 4); table.insert(t, 1, 0); table.insert(t, 3, 1.5); show(t); table.insert(t, #t + 1, "end"); show(t)
print(table.remove(t), table.remove(t, 1), table.remove(t, 2), table.remove({}), table.remove({}, 0)); show(t)
print(table.remove({1, 2}, 3), table.remove({n = 1}, #{}))
print(pcall(table.insert, {1, 2}, 5, 0)); print(pcall(table.insert, {1}, 0, 0)); print(pcall(table.insert, {1})); print(pcall(table.insert, {1}, 1, 2, 3)); print(pcall(table.remove, {1, 2, 3}, 7)); print(pcall(table.insert, nil, 1)); print(pcall(table.insert, {}, "a", 1))
print(table.concat({}), table.concat({1}), table.concat({1, 2.5, "x"}, "-"), table.concat({1, 2, 3, 4}, ",", 2, 3), table.concat({1, 2}, ",", 3), table.concat({"a", "b"}, ", ", 1, 1))
print(pcall(table.concat, {1, {}, 3})); print(pcall(table.concat, {1, 2}, ",", 1, 3)); print(pcall(table.concat, {true}))
print(table.unpack({1, 2, 3})); print(table.unpack({1, 2, 3}, 2)); print(table.unpack({1, 2, 3}, 2, 5)); print(select("#", table.unpack({}, 1, 3))); print((table.unpack({1, 2})))
print(pcall(table.unpack, {}, 1, 1e7)); print(table.unpack({1, 2}, -1, 1)); print(select("#", table.unpack({n = 3})))
local p = table.pack(1, nil, 3, nil); print(p.n, #p == 1 or #p == 3, p[1], p[2], p[3]); print(table.pack().n)
show(table.move({1, 2, 3, 4, 5}, 2, 4, 1)); show(table.move({1, 2, 3, 4, 5}, 1, 3, 3)); show(table.move({1, 2, 3}, 1, 3, 2, {9})); show(table.move({1, 2, 3}, 1, 0, 5)); show(table.move({1, 2, 3}, 2, 3, 2))
print(pcall(table.move, {}, 1, math.maxinteger, 2)); print(pcall(table.move, {}, math.mininteger, 0, 1))
-- sort
t = {5, 2, 8, 1, 9, 3}; table.sort(t); show(t); table.sort(t, function(a, b) return a > b end); show(t)
t = {"banana", "apple", "Cherry", "date"}; table.sort(t); show(t); table.sort(t, function(a, b) return a:lower() < b:lower() end); show(t)
t = {}; for i = 1, 500 do t[i] = (i * 7919) % 1009 end; table.sort(t); for i = 2, #t do assert(t[i - 1] <= t[i]) end
t = {}; for i = 1, 300 do t[i] = 300 - i end; table.sort(t); for i = 1, 300 do assert(t[i] == i - 1) end
t = {}; for i = 1, 200 do t[i] = i % 3 end; table.sort(t); for i = 2, 200 do assert(t[i - 1] <= t[i]) end
t = {3.5, 1, 2.25, -1, 1e10, -0.5}; table.sort(t); show(t); t = {1}; table.sort(t); t = {}; table.sort(t)
local recs = {}; for i = 1, 50 do recs[i] = {key = (i * 37) % 101, id = i} end
table.sort(recs, function(a, b) return a.key < b.key end); for i = 2, 50 do assert(recs[i - 1].key < recs[i].key) end
print(pcall(table.sort, {3, "a", 1})); print(pcall(table.sort, {1, 2, 3}, 5)); print(pcall(table.sort, {3, 2, 1, 5, 4}, function() error("cmp") end))
print((select(2, pcall(table.sort, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, function() return true end))))
local mt = setmetatable({}, {__lt = function(a, b) return a.v < b.v end})
local objs = {}; for i = 1, 20 do objs[i] = setmetatable({v = (i * 13) % 23}, getmetatable(mt)) end; table.sort(objs); for i = 2, 20 do assert(objs[i - 1].v <= objs[i].v) end
-- metamethods are respected
local log = {}
local proxy = setmetatable({}, {__len = function() return 3 end, __index = function(_, i) return i * 10 end, __newindex = function(_, k, v) log[#log + 1] = k .. "=" .. tostring(v) end})
print(table.concat(proxy, " "), table.unpack(proxy)); table.insert(proxy, "new"); table.insert(proxy, 2, "mid"); print(table.remove(proxy, 1)); print(table.concat(log, " "))
print(next(table.pack(nil)), #table.pack(1, 2, 3), table.concat({1, 2, 3}, "", 2), table.concat({"x"}, nil))
print("OK")
