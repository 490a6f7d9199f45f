-- test optimize
-- A call with fewer arguments than parameters: the others are nil, which decides the
-- branches of defaults.
-- absent: call_lua has_tag truthy branch
-- present: int_op.add
local function add(a, b) b = b or 10 return a + b end
local function run(x) return (add(x)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:7" call params 1 stack 6
-- p0: luafn line 7
-- p1: luafn line 6
-- p2: proto line 6
-- watch closures of line 7: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v7: int = int 10
--   v12: int = int_op.add v1, v7
--   return v12
-- fs0: pc 0 regs r0=v0
-- end
