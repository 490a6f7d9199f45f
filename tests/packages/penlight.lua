-- Penlight: containers, functional style, texts, data, dates by pattern.
local List, Map, Set = require "pl.List", require "pl.OrderedMap", require "pl.Set"
local tablex, stringx, seq, pretty = require "pl.tablex", require "pl.stringx", require "pl.seq", require "pl.pretty"
local class, template, lapp, lexer = require "pl.class", require "pl.template", require "pl.sip", require "pl.lexer"
local l = List.range(1, 10)
print(l:map("X * X" and function(x) return x * x end):filter(function(x) return x % 2 == 0 end))
print(l:slice(2, 4), l:reverse(), List.split("a b c"))
local m = Map()
m:set("z", 1) m:set("a", 2) m:set("m", 3)
for k, v in m:iter() do io.write(k, "=", v, " ") end print()
print(Set.len(Set { 1, 2, 3 } * Set { 2, 3, 4 }), Set { 1 } + Set { 1 } == Set { 1 })
print(tablex.deepcompare({ 1, { 2, { 3 } } }, { 1, { 2, { 3 } } }), tablex.find({ 5, 6, 7 }, 6))
print(stringx.split("a,b,,c", ","), stringx.center("x", 7, "-"), stringx.title("some words"))
print(seq.sum(seq.range(1, 100)), pretty.write({ 1, 2, { a = 1 } }, ""))
local Animal = class()
function Animal:_init(name) self.name = name end
function Animal:speak() return self.name .. " speaks" end
local Dog = class(Animal)
function Dog:speak() return Animal.speak(self) .. ": woof" end
for i = 1, 300 do assert(Dog("d" .. i):speak() == "d" .. i .. " speaks: woof") end
print(Dog("rex"):speak(), Dog("x"):is_a(Animal), Animal("y"):is_a(Dog))
print((template.substitute("# for i = 1, 3 do\n$(i) squared is $(i * i)\n# end\n", { _escape = "#" })))
for kind, text in lexer.lua("local x = 1 + 'a' -- c") do io.write(kind, ":", tostring(text), " ") end print()
