-- inspect: tables with all kinds of keys, cycles, metatables.
local inspect = require "inspect"
local t = { 1, 2, "three", { a = 1, ["b c"] = { true, false } }, [10] = 10.5, x = "q'\"\n" }
t.self = t
for i = 1, 200 do inspect(t) end
print(inspect(t))
print(inspect(setmetatable({ 1 }, { __index = { y = 2 } })))
print(inspect({ a = { b = { c = {} } } }, { depth = 2 }))
print(inspect({ 1, 2, 3 }, { newline = "@", indent = "++" }))
