-- test optimize
-- A function that calls its argument, which was one of two: a compare of the callee
-- for each.
-- absent: call_lua call_window
-- count: same_object=2
local function add(a, b) return a + b end
local function sub(a, b) return a - b end
local function run(f, x) return (f(x, 3)) end
for i = 1, 20 do run(add, i) run(sub, i) end
return run
-- expect
-- func "test:8" call params 2 stack 7
-- p0: luafn line 6
-- p1: proto line 6
-- p2: luafn line 7
-- p3: proto line 7
-- b0(v0: any, v1: any):
--   v2: luafn = guard_tag.luafn v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: int = int 3
--   v5: luafn = literal p0
--   v6: bool = same_object v2, v5
--   branch v6, b3, b4
-- b2(v14: int):
--   return v14
-- b3:
--   v8: int = int_op.add v3, v4
--   jump b2(v8)
-- b4:
--   v10: luafn = literal p2
--   v11: bool = same_object v2, v10
--   guard v11 [fs1 callee]
--   v12: int = int_op.sub v3, v4
--   jump b2(v12)
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 3 regs r2=v2, r4=v3, r5=v4
-- end
