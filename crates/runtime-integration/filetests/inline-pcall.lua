-- test optimize
-- `pcall` of a function that is a constant: built in place, no call is left. Results have true
-- before them.
-- absent: call_window call_lua
local function half(x) return x * 0.5 end
local function run(x)
  local ok, v = pcall(half, x)
  if ok then return v end
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:6" call params 1 stack 7
-- p0: luafn line 6
-- p1: table _G
-- p2: nativefn pcall
-- p3: luafn line 5
-- p4: proto line 5
-- watch closures of line 6: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field pcall of _G: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v7: float = float 0.5
--   v8: float = int_to_float v1
--   v9: float = float_op.mul v8, v7
--   return v9
-- fs0: pc 0 regs r0=v0
-- end
