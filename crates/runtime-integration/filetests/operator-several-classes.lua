-- test optimize
-- An operator whose operands were objects of two classes: its metamethods are not
-- inlined, they are called by the interpreter.
-- absent: int_op.add
-- present: interp_one
local A, B = {}, {}
A.__add = function(a, b) return a.x + b end
B.__add = function(a, b) return a.y + b end
local function run(o, i) return o + i end
for i = 1, 20 do run(setmetatable({ x = i }, A), i) run(setmetatable({ y = i }, B), i) end
return run
-- expect
-- func "test:9" call params 2 stack 3
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   store_reg.0 v2
--   store_reg.1 v3
--   interp_one @s0
--   v4: any = load_reg.2
--   return v4
-- fs0: pc 0 regs r0=v0, r1=v1
-- s0: pc 0 live r0
-- end
