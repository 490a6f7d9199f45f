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

-- larger use: a small inventory with classes, sequences, queries and reports
local Date, array2d, operator, func = require "pl.Date", require "pl.array2d", require "pl.operator", require "pl.func"
local utils, types, text, data = require "pl.utils", require "pl.types", require "pl.text", require "pl.data"
local MultiMap, permute, url, xml = require "pl.MultiMap", require "pl.permute", require "pl.url", require "pl.xml"
local Item = class()
function Item:_init(name, kind, price, stock) self.name, self.kind, self.price, self.stock = name, kind, price, stock end
function Item.__eq(a, b) return a.name == b.name end
function Item.__lt(a, b) return a.price < b.price end
function Item:__tostring() return ("%s(%s) %g x%d"):format(self.name, self.kind, self.price, self.stock) end
function Item:value() return self.price * self.stock end
local Perishable = class(Item)
function Perishable:_init(name, price, stock, days) self:super(name, "food", price, stock) self.days = days end
function Perishable:value() return self.days > 2 and Item.value(self) or 0 end
local items = List()
for i = 1, 120 do
  if i % 3 == 0 then items:append(Perishable("p" .. i, i % 7 + 0.5, i % 11, i % 5))
  else items:append(Item("i" .. i, i % 2 == 0 and "tool" or "toy", i % 13 + 0.25, i % 9)) end
end
print(items:len(), items:filter(function(i) return Perishable:class_of(i) end):len())
print(items:map(function(i) return i:value() end):reduce "+")
local sorted = items:clone():sort()
print(sorted[1].price, sorted[#sorted].price, sorted:slice(1, 3):map(operator.lt, sorted[60]))
local groups = MultiMap()
for item in items:iter() do groups:set(item.kind, item.stock) end
for _, kind in ipairs(List(groups:keys()):sort()) do print(kind, #groups:get(kind), seq.sum(groups:get(kind))) end
print(items[3], tostring(items[4]), items[3] == Item("p3", "x", 0, 0), items[4] < items[5])

-- tables as values and sequences
local m2 = array2d.new(4, 5, function(r, c) return r * 10 + c end)
print(pretty.write(array2d.map("+", array2d.slice(m2, 1, 1, 2, 3), 100), ""))
print(pretty.write(array2d.reduce_rows("+", m2), ""), pretty.write(array2d.column(m2, 2), ""))
print(tablex.reduce("*", tablex.range(1, 10)), pretty.write(tablex.zip({ 1, 2 }, { "a", "b" }), ""))
print(pretty.write(tablex.map2("..", { "x", "y" }, { 1, 2 }), ""), tablex.compare({ 1, 2 }, { 1, 2 }, "=="))
print(pretty.write(tablex.sub({ 5, 6, 7, 8 }, 2, -2), ""), tablex.size({ a = 1, 2, 3 }))
for k, v in tablex.sort({ b = 2, a = 1, c = 3 }) do io.write(k, v, " ") end
for k, v in tablex.sortv({ b = 2, a = 1, c = 3 }, function(x, y) return x > y end) do io.write(k, v, " ") end
print(pretty.write(tablex.deepcopy({ { 1 }, { x = { y = 2 } } }), ""))
local permutations = {}
for p in permute.order_iter { 1, 2, 3 } do permutations[#permutations + 1] = table.concat(p) end
table.sort(permutations)
print(table.concat(permutations, " "))
local _1, _2 = func._1, func._2
print(List { 1, 2, 3 }:map(_1 * 2 + 1), List { 3, 4 }:reduce(_1 * _1 + _2))
print(seq.copy(seq.map(function(x) return x ^ 2 end, seq.filter(seq.range(1, 9), function(x) return x % 3 == 0 end))))
print(seq.copy(seq.take(seq.list { 9, 8, 7, 6 }, 2)), seq.copy2(seq.zip({ 1, 2 }, { 3, 4 }))[2][2])

-- texts
print(stringx.splitlines("one\ntwo\r\nthree"), stringx.partition("k=v=w", "="), stringx.rpartition("k=v=w", "="))
print(stringx.strip("  x "), stringx.lstrip("__x", "_"), stringx.replace("a.b.c", ".", "::", 1), stringx.count("banana", "an"))
print(stringx.startswith("abc", { "x", "ab" }), stringx.isalpha("abc"), stringx.isdigit("12a"), stringx.ljust("x", 4, ".") .. "|")
print(stringx.expandtabs("a\tb", 4), stringx.shorten("a long sentence", 8), stringx.quote_string('a "b"'))
print(text.wrap("the quick brown fox jumps over the lazy dog and runs away", 20))
print(text.dedent("    a\n      b\n    c"), text.Template("${a} and $b"):substitute { a = 1, b = 2 })
print(url.quote("a b&c/d"), url.unquote("a%20b%26c"), utils.escape("a.b*"), utils.choose(false, 1, 2))
print(pretty.number(123456789, "M"), pretty.number(1234567, "T"), types.is_integer(3), types.to_bool("yes"))
print(lapp.match("$v{name} = $i{n}", "x = 12", {}) ~= nil, utils.is_type(3, "number"), #utils.split("a  b c"))
local d = data.read(require "pl.stringio".open "name,age\nann,31\nbob,27\ncid,45\n")
print(d.fieldnames, d[2][1], d:column_by_name "age")
for name, age in d:select "name,age where age > 30 sort by age" do io.write(name, ":", age, " ") end
print(Date { year = 2024, month = 2, day = 28 }:add { day = 2 })
local doc = xml.parse [[<a x="1"><b>text</b><b>more &amp; more</b><c/></a>]]
print(doc:get_attribs().x, doc:child_with_name "b":get_text(), xml.tostring(doc, "", " "))
print(pcall(utils.assert_arg, 1, "x", "number"), pcall(List.index, List(), {}))
local queue = {}
for round = 1, 400 do
  local l = List.range(1, 12):map(function(x) return (x * round) % 17 end)
  local s = Set(l)
  queue[round % 10 + 1] = Set.len(s) + l:minmax() + (l:index(5) or 0) + #stringx.join(",", l:map(tostring))
end
print(table.concat(queue, " "))
