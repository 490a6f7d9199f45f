-- json: encodes a document to JSON text and parses it back, repeatedly.
-- Stresses string.find with patterns, string.byte and sub, gsub with functions and
-- tables, table.concat, recursion over mixed tables, dispatch by type.
-- quick: 4

-- Encoder -------------------------------------------------------------------

local escapes = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function escape(c)
  return escapes[c] or string.format("\\u%04x", string.byte(c))
end

local function quote(s)
  return '"' .. string.gsub(s, '[%c"\\]', escape) .. '"'
end

local encoders = {}

local function encode_into(out, value)
  encoders[type(value)](out, value)
end

encoders["nil"] = function(out) out[#out + 1] = "null" end
encoders.boolean = function(out, b) out[#out + 1] = b and "true" or "false" end
encoders.string = function(out, s) out[#out + 1] = quote(s) end

function encoders.number(out, x)
  if x == math.floor(x) then
    out[#out + 1] = string.format("%d", x)
  else
    out[#out + 1] = string.format("%.10g", x)
  end
end

function encoders.table(out, t)
  if #t > 0 then
    out[#out + 1] = "["
    for i, v in ipairs(t) do
      if i > 1 then out[#out + 1] = "," end
      encode_into(out, v)
    end
    out[#out + 1] = "]"
    return
  end
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys)
  out[#out + 1] = "{"
  for i, k in ipairs(keys) do
    if i > 1 then out[#out + 1] = "," end
    out[#out + 1] = quote(k)
    out[#out + 1] = ":"
    encode_into(out, t[k])
  end
  out[#out + 1] = "}"
end

local function encode(value)
  local out = {}
  encode_into(out, value)
  return table.concat(out)
end

-- Decoder --------------------------------------------------------------------------

local byte, find, sub = string.byte, string.find, string.sub

local unescapes = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/",
  b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}

local function fail(text, pos, what)
  error(string.format("%s at byte %d near '%s'", what, pos, sub(text, pos, pos + 10)), 0)
end

local function skip_space(text, pos)
  local c = byte(text, pos)
  while c == 32 or c == 10 or c == 13 or c == 9 do
    pos = pos + 1
    c = byte(text, pos)
  end
  return pos, c
end

local function parse_string(text, pos)
  local from, has_escape = pos + 1, false
  local at = from
  while true do
    local stop = find(text, '["\\]', at)
    if not stop then fail(text, pos, "open string") end
    if byte(text, stop) == 34 then
      local s = sub(text, from, stop - 1)
      if has_escape then
        s = s:gsub("\\u(%x%x%x%x)", function(hex) return string.char(tonumber(hex, 16) % 256) end)
        s = s:gsub("\\(.)", unescapes)
      end
      return s, stop + 1
    end
    has_escape = true
    at = stop + 2
  end
end

local parse

local function parse_array(text, pos)
  local array, n = {}, 0
  local c
  pos, c = skip_space(text, pos + 1)
  if c == 93 then return array, pos + 1 end
  while true do
    n = n + 1
    array[n], pos = parse(text, pos)
    pos, c = skip_space(text, pos)
    if c == 93 then return array, pos + 1 end
    if c ~= 44 then fail(text, pos, "',' or ']' expected") end
    pos = pos + 1
  end
end

local function parse_object(text, pos)
  local object = {}
  local c, key
  pos, c = skip_space(text, pos + 1)
  if c == 125 then return object, pos + 1 end
  while true do
    pos, c = skip_space(text, pos)
    if c ~= 34 then fail(text, pos, "key expected") end
    key, pos = parse_string(text, pos)
    pos, c = skip_space(text, pos)
    if c ~= 58 then fail(text, pos, "':' expected") end
    object[key], pos = parse(text, pos + 1)
    pos, c = skip_space(text, pos)
    if c == 125 then return object, pos + 1 end
    if c ~= 44 then fail(text, pos, "',' or '}' expected") end
    pos = pos + 1
  end
end

local words = { t = { "true", true }, f = { "false", false }, n = { "null", nil } }

function parse(text, pos)
  local c
  pos, c = skip_space(text, pos)
  if c == 123 then return parse_object(text, pos) end
  if c == 91 then return parse_array(text, pos) end
  if c == 34 then return parse_string(text, pos) end
  local word = words[sub(text, pos, pos)]
  if word then
    local stop = pos + #word[1]
    if sub(text, pos, stop - 1) == word[1] then return word[2], stop end
  end
  local _, stop = find(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", pos)
  if not stop then fail(text, pos, "value expected") end
  return tonumber(sub(text, pos, stop)), stop + 1
end

-- Document -------------------------------------------------------------------------

local function document(n)
  local people = {}
  for i = 1, n do
    people[i] = {
      id = i,
      name = "person " .. i,
      mail = string.format("p%d@example.org", i * 37 % 1000),
      active = i % 3 == 0,
      balance = i * 1.25 - 100,
      note = i % 5 == 0 and 'says "hi"\tand\nleaves \\ \1' or "plain text without anything to escape",
      tags = { "a" .. i % 7, "b" .. i % 11, "c" .. i % 13 },
      address = { street = "Road " .. i % 50, zip = 10000 + i, geo = { i / 8, -i / 16 } },
    }
  end
  return { people = people, version = 3, title = "people", empty = {} }
end

local rounds = tonumber(arg and arg[1]) or 240
local value, text = document(300), nil
local bytes = 0
for _ = 1, rounds do
  text = encode(value)
  bytes = bytes + #text
  local pos
  value, pos = parse(text, 1)
  assert(pos == #text + 1, "text left over")
end
local sum = 0
for i = 1, #text do sum = (sum * 33 + byte(text, i)) % 1000000007 end
print(string.format("json(%d) = %d %d %d", rounds, bytes, #value.people, sum))
