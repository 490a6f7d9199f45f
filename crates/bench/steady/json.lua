-- json: parses a document character by character into a tree of value classes.
-- quick: 1
-- full: 16

local Benchmark = require("benchmark")
local Vector = require("collections").Vector

-- Values -----------------------------------------------------------------------

local Value = {}
Value.__index = Value
function Value:is_object() return false end
function Value:is_array() return false end
function Value:is_number() return false end
function Value:is_string() return false end
function Value:count() return 1 end

local function subclass()
  local class = setmetatable({}, { __index = Value })
  class.__index = class
  return class
end

local Literal = subclass()
function Literal.new(text) return setmetatable({ text = text }, Literal) end

local Number = subclass()
function Number.new(text) return setmetatable({ text = text }, Number) end
function Number:is_number() return true end
function Number:number() return tonumber(self.text) end

local String = subclass()
function String.new(text) return setmetatable({ text = text }, String) end
function String:is_string() return true end

local Array = subclass()
function Array.new() return setmetatable({ values = Vector.new() }, Array) end
function Array:is_array() return true end
function Array:add(value) self.values:append(value) end
function Array:size() return self.values:size() end
function Array:get(i) return self.values:at(i) end
function Array:count()
  local n = 1
  self.values:each(function(v) n = n + v:count() end)
  return n
end

-- Where a member name is likely to be found among the members.
local Index = {}
Index.__index = Index

function Index.new()
  local slots = {}
  for i = 1, 32 do slots[i] = 0 end
  return setmetatable({ slots = slots }, Index)
end

function Index:slot(name) return #name * 1402589 % 32 + 1 end
function Index:add(name, at) self.slots[self:slot(name)] = at < 255 and at or 0 end
function Index:get(name) return self.slots[self:slot(name)] end

local Object = subclass()

function Object.new()
  return setmetatable({ names = Vector.new(), values = Vector.new(), index = Index.new() }, Object)
end

function Object:is_object() return true end

function Object:add(name, value)
  self.names:append(name)
  self.values:append(value)
  self.index:add(name, self.names:size())
end

function Object:position(name)
  local at = self.index:get(name)
  if at ~= 0 and self.names:at(at) == name then return at end
  for i = 1, self.names:size() do
    if self.names:at(i) == name then return i end
  end
  return 0
end

function Object:get(name)
  local at = self:position(name)
  if at == 0 then return nil end
  return self.values:at(at)
end

function Object:count()
  local n = 1
  self.values:each(function(v) n = n + v:count() end)
  return n
end

-- Parser ---------------------------------------------------------------------------

local Parser = {}
Parser.__index = Parser

function Parser.new(text)
  return setmetatable({ text = text, at = 0, line = 1, current = nil, captured = "", capture_start = 0 }, Parser)
end

function Parser:fail(what)
  error(what .. " expected at " .. self.at .. " in line " .. self.line)
end

function Parser:read()
  if self.current == "\n" then self.line = self.line + 1 end
  self.at = self.at + 1
  if self.at <= #self.text then
    self.current = self.text:sub(self.at, self.at)
  else
    self.current = nil
  end
end

function Parser:start_capture() self.capture_start = self.at end

function Parser:pause_capture()
  self.captured = self.captured .. self.text:sub(self.capture_start, self.at - 1)
  self.capture_start = 0
end

function Parser:end_capture()
  self:pause_capture()
  local captured = self.captured
  self.captured = ""
  return captured
end

function Parser:read_char(c)
  if self.current ~= c then return false end
  self:read()
  return true
end

function Parser:require_char(c)
  if not self:read_char(c) then self:fail("'" .. c .. "'") end
end

function Parser:is_white_space()
  local c = self.current
  return c == " " or c == "\n" or c == "\t" or c == "\r"
end

function Parser:skip_white_space()
  while self:is_white_space() do self:read() end
end

function Parser:is_digit()
  local c = self.current
  return c ~= nil and c >= "0" and c <= "9"
end

function Parser:read_digit()
  if not self:is_digit() then return false end
  self:read()
  return true
end

local escapes = { ['"'] = '"', ["/"] = "/", ["\\"] = "\\", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

function Parser:read_escape()
  self:read()
  local c = escapes[self.current]
  if not c then self:fail("escape") end
  self.captured = self.captured .. c
  self:read()
end

function Parser:read_text()
  self:require_char('"')
  self:start_capture()
  while self.current ~= '"' do
    if self.current == "\\" then
      self:pause_capture()
      self:read_escape()
      self:start_capture()
    elseif self.current == nil then
      self:fail("'\"'")
    else
      self:read()
    end
  end
  local text = self:end_capture()
  self:read()
  return text
end

function Parser:read_fraction()
  if not self:read_char(".") then return end
  if not self:read_digit() then self:fail("digit") end
  while self:read_digit() do end
end

function Parser:read_exponent()
  if not self:read_char("e") and not self:read_char("E") then return end
  if not self:read_char("+") then self:read_char("-") end
  if not self:read_digit() then self:fail("digit") end
  while self:read_digit() do end
end

function Parser:read_number()
  self:start_capture()
  self:read_char("-")
  local first = self.current
  if not self:read_digit() then self:fail("digit") end
  if first ~= "0" then
    while self:read_digit() do end
  end
  self:read_fraction()
  self:read_exponent()
  return Number.new(self:end_capture())
end

function Parser:read_word(word, value)
  for i = 1, #word do self:require_char(word:sub(i, i)) end
  return value
end

local NULL, TRUE, FALSE = Literal.new("null"), Literal.new("true"), Literal.new("false")

function Parser:read_array()
  self:read()
  local array = Array.new()
  self:skip_white_space()
  if self:read_char("]") then return array end
  repeat
    self:skip_white_space()
    array:add(self:read_value())
    self:skip_white_space()
  until not self:read_char(",")
  self:require_char("]")
  return array
end

function Parser:read_object()
  self:read()
  local object = Object.new()
  self:skip_white_space()
  if self:read_char("}") then return object end
  repeat
    self:skip_white_space()
    local name = self:read_text()
    self:skip_white_space()
    self:require_char(":")
    self:skip_white_space()
    object:add(name, self:read_value())
    self:skip_white_space()
  until not self:read_char(",")
  self:require_char("}")
  return object
end

function Parser:read_value()
  local c = self.current
  if c == "n" then return self:read_word("null", NULL) end
  if c == "t" then return self:read_word("true", TRUE) end
  if c == "f" then return self:read_word("false", FALSE) end
  if c == '"' then return String.new(self:read_text()) end
  if c == "[" then return self:read_array() end
  if c == "{" then return self:read_object() end
  return self:read_number()
end

function Parser:parse()
  self:read()
  self:skip_white_space()
  local value = self:read_value()
  self:skip_white_space()
  if self.current ~= nil then self:fail("end of text") end
  return value
end

-- Document ---------------------------------------------------------------------------

local function document(n)
  local out = { '{"head": {"version": 3, "ok": true, "none": null}, "operations": [' }
  for i = 1, n do
    if i > 1 then out[#out + 1] = ",\n" end
    out[#out + 1] = '  ["' .. "op" .. i % 17 .. '", ' .. i * 37 % 1000 .. ', {"target": "w' .. i % 7
      .. '", "style": {"color": "#0' .. i % 10 .. 'a0b0", "width": ' .. i % 5 .. ".25, "
      .. '"text": "line\\n\\"' .. i .. '\\""}, "flags": [true, false, null, -' .. i .. ".5e2]}]"
  end
  out[#out + 1] = "]}"
  return table.concat(out)
end

local Json = Benchmark:extend("json")

function Json:run()
  self.text = self.text or document(100)
  local root = Parser.new(self.text):parse()
  if not root:is_object() or not root:get("head"):is_object() then error("wrong document") end
  local operations = root:get("operations")
  local widths = 0
  for i = 1, operations:size() do
    local target = operations:get(i):get(3)
    widths = widths + target:get("style"):get("width"):number()
  end
  return root:count() * 1000 + widths
end

Json.expected = 1406225

return Json
