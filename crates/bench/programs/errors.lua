-- errors: a parser of arithmetic expressions that reports mistakes by error and pcall.
-- Stresses pcall around short calls, error values that are strings and tables,
-- recursive descent, unwinding through several frames.
-- quick: 1000

local byte = string.byte

local Parser = {}
Parser.__index = Parser

function Parser.new(text)
  return setmetatable({ text = text, pos = 1, depth = 0 }, Parser)
end

function Parser:fail(kind)
  error({ kind = kind, pos = self.pos })
end

function Parser:peek()
  local c = byte(self.text, self.pos)
  while c == 32 do
    self.pos = self.pos + 1
    c = byte(self.text, self.pos)
  end
  return c
end

function Parser:number()
  local from, to = self.text:find("^%d+", self.pos)
  if not from then self:fail("number expected") end
  self.pos = to + 1
  return tonumber(self.text:sub(from, to))
end

function Parser:factor()
  local c = self:peek()
  if c == 40 then
    self.pos = self.pos + 1
    self.depth = self.depth + 1
    if self.depth > 20 then self:fail("too deep") end
    local value = self:sum()
    if self:peek() ~= 41 then self:fail("')' expected") end
    self.pos = self.pos + 1
    self.depth = self.depth - 1
    return value
  elseif c == 45 then
    self.pos = self.pos + 1
    return -self:factor()
  end
  return self:number()
end

function Parser:product()
  local value = self:factor()
  while true do
    local c = self:peek()
    if c == 42 then
      self.pos = self.pos + 1
      value = value * self:factor()
    elseif c == 47 then
      self.pos = self.pos + 1
      local by = self:factor()
      if by == 0 then error("division by zero", 0) end
      value = math.floor(value / by)
    else
      return value
    end
  end
end

function Parser:sum()
  local value = self:product()
  while true do
    local c = self:peek()
    if c == 43 then
      self.pos = self.pos + 1
      value = value + self:product()
    elseif c == 45 then
      self.pos = self.pos + 1
      value = value - self:product()
    else
      return value
    end
  end
end

local function evaluate(text)
  local p = Parser.new(text)
  local value = p:sum()
  if p:peek() then p:fail("end expected") end
  return value
end

local texts = {
  "1 + 2 * 3", "(4 + 5) * (6 - 7)", "100 / 7 - 3", "2 * (3 + ", "8 / (4 - 4)", "1 2",
  "-(3 * -4) + 10", "((((1))))", "x + 1", "7 * 8 * 9 - 10 / 3 + (2 - 5) * 4",
  ("("):rep(25) .. "1" .. (")"):rep(25),
}

local rounds = tonumber(arg and arg[1]) or 50000
local good, bad, check = 0, 0, 0
local kinds = {}
for round = 1, rounds do
  for i = 1, #texts do
    local ok, result = pcall(evaluate, texts[i])
    if ok then
      good = good + 1
      check = (check + result * i + round) % 1000003
    else
      bad = bad + 1
      local kind = type(result) == "table" and result.kind or result
      kinds[kind] = (kinds[kind] or 0) + 1
      if type(result) == "table" then check = (check + result.pos) % 1000003 end
    end
  end
  -- An error of the machine itself, caught.
  local ok = pcall(function(t) return t.missing.field end, {})
  if not ok then bad = bad + 1 end
end
local names = {}
for kind in pairs(kinds) do names[#names + 1] = kind end
table.sort(names)
for _, kind in ipairs(names) do print(string.format("%s: %d", kind, kinds[kind])) end
print(string.format("errors(%d) = %d %d %d", rounds, good, bad, check))
