-- toy_vm: an interpreter for a small stack machine, in two styles.
-- Stresses long if-else chains on small integers, tables of functions used for
-- dispatch, an array used as a stack, a loop that no type changes.
-- quick: 10000

-- Assembler ----------------------------------------------------------------------

local PUSH, LOAD, STORE, ADD, SUB, MUL, MOD, LESS, JUMP, JUMPZ, HALT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local OPCODES = {
  push = PUSH, load = LOAD, store = STORE, add = ADD, sub = SUB, mul = MUL, mod = MOD,
  less = LESS, jump = JUMP, jumpz = JUMPZ, halt = HALT,
}

local function assemble(source)
  local code, labels, fixups = {}, {}, {}
  for line in source:gmatch("[^\n]+") do
    local label = line:match("^%s*(%a+):%s*$")
    if label then
      labels[label] = #code + 1
    else
      local name, operand = line:match("^%s*(%a+)%s*(%S*)")
      if name then
        code[#code + 1] = OPCODES[name]
        code[#code + 1] = tonumber(operand) or 0
        if operand:match("^%a") then fixups[#code] = operand end
      end
    end
  end
  for at, label in pairs(fixups) do code[at] = labels[label] end
  return code
end

-- sum = sum over i below n of (i * i mod 7), then mod 1000
local program = assemble([[
    push 0
    store 1
    push 0
    store 2
  again:
    load 1
    load 3
    less
    jumpz done
    load 2
    load 1
    load 1
    mul
    push 7
    mod
    add
    push 1000
    mod
    store 2
    load 1
    push 1
    add
    store 1
    jump again
  done:
    halt
]])

-- First style: one loop with a chain of tests ------------------------------------------

local function run_chain(code, n)
  local stack, sp, vars, pc, steps = {}, 0, { 0, 0, n }, 1, 0
  while true do
    local op, operand = code[pc], code[pc + 1]
    pc = pc + 2
    steps = steps + 1
    if op == PUSH then
      sp = sp + 1
      stack[sp] = operand
    elseif op == LOAD then
      sp = sp + 1
      stack[sp] = vars[operand]
    elseif op == STORE then
      vars[operand] = stack[sp]
      sp = sp - 1
    elseif op == ADD then
      sp = sp - 1
      stack[sp] = stack[sp] + stack[sp + 1]
    elseif op == SUB then
      sp = sp - 1
      stack[sp] = stack[sp] - stack[sp + 1]
    elseif op == MUL then
      sp = sp - 1
      stack[sp] = stack[sp] * stack[sp + 1]
    elseif op == MOD then
      sp = sp - 1
      stack[sp] = stack[sp] % stack[sp + 1]
    elseif op == LESS then
      sp = sp - 1
      stack[sp] = stack[sp] < stack[sp + 1] and 1 or 0
    elseif op == JUMP then
      pc = operand
    elseif op == JUMPZ then
      if stack[sp] == 0 then pc = operand end
      sp = sp - 1
    elseif op == HALT then
      return vars[2], steps
    else
      error("bad opcode " .. tostring(op))
    end
  end
end

-- Second style: a table of functions over a machine object ------------------------------

local actions = {
  [PUSH] = function(m, operand) m.sp = m.sp + 1; m.stack[m.sp] = operand end,
  [LOAD] = function(m, operand) m.sp = m.sp + 1; m.stack[m.sp] = m.vars[operand] end,
  [STORE] = function(m, operand) m.vars[operand] = m.stack[m.sp]; m.sp = m.sp - 1 end,
  [JUMP] = function(m, operand) m.pc = operand end,
  [JUMPZ] = function(m, operand)
    if m.stack[m.sp] == 0 then m.pc = operand end
    m.sp = m.sp - 1
  end,
  [HALT] = function(m) m.running = false end,
}

local function binary(f)
  return function(m)
    local s, sp = m.stack, m.sp - 1
    s[sp] = f(s[sp], s[sp + 1])
    m.sp = sp
  end
end
actions[ADD] = binary(function(a, b) return a + b end)
actions[SUB] = binary(function(a, b) return a - b end)
actions[MUL] = binary(function(a, b) return a * b end)
actions[MOD] = binary(function(a, b) return a % b end)
actions[LESS] = binary(function(a, b) return a < b and 1 or 0 end)

local function run_table(code, n)
  local m = { stack = {}, sp = 0, vars = { 0, 0, n }, pc = 1, running = true }
  local steps = 0
  while m.running do
    local pc = m.pc
    m.pc = pc + 2
    actions[code[pc]](m, code[pc + 1])
    steps = steps + 1
  end
  return m.vars[2], steps
end

local n = tonumber(arg and arg[1]) or 600000
local result1, steps1 = run_chain(program, n * 2)
local result2, steps2 = run_table(program, n)
print(string.format("toy_vm(%d) = %d %d %d %d", n, result1, steps1, result2, steps2))
