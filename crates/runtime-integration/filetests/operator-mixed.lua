-- test optimize
-- An operator that saw numbers and objects: numbers are added in place, the rest is
-- for the interpreter on a cold path.
-- present: int_op.add interp_one
-- absent in hot code: interp_one
local V = {}
V.__add = function(a, b) return a.x + b end
local function run(o, i) return o + i end
for i = 1, 20 do run(setmetatable({ x = i }, V), i) run(i, i) end
return run
-- expect
-- func "test:8" call params 2 stack 3
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v1 [fs0 type]
--   v3: bool = has_tag.int v0
--   branch v3, b3, b2
-- b2 cold:
--   store_reg.0 v0
--   store_reg.1 v2
--   interp_one @s0
--   v7: any = load_reg.2
--   jump b4(v7)
-- b3:
--   v4: int = unbox v0
--   v5: int = int_op.add v4, v2
--   v6: any = box v5
--   jump b4(v6)
-- b4(v8: any):
--   return v8
-- fs0: pc 0 regs r0=v0, r1=v1
-- s0: pc 0 live r0
-- end
