-- dkjson: texts there and back, positions of errors.
local json = require "dkjson"
local value = { name = "x", list = { 1, 2.5, -3, "a\n\"b\"", true }, empty = json.null, nested = { { {} } } }
local order = { "name", "list", "empty", "nested" }
for i = 1, 300 do
  local text = json.encode(value, { keyorder = order })
  local back = json.decode(text)
  assert(json.encode(back, { keyorder = order }) == json.encode(json.decode(json.encode(back))
    and back, { keyorder = order }))
end
print(json.encode(value, { keyorder = order }))
print(json.encode(value, { keyorder = order, indent = true }))
print(json.decode('{"a": [1, 2, }'))
print(json.decode('[1, 2.5e3, "\\u00e9", null, false]', 1, "null")[4])
print(pcall(json.encode, { [print] = 1 }))
