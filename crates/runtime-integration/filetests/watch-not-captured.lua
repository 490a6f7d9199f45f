-- test optimize
-- One that is assigned again is loaded, and its content tested.
-- count: load_cell=1 guard_tag=2
local scale = 3
local function run(x) return x * scale end
for i = 1, 20 do run(i) scale = i end
return run
-- expect
-- func "test:5" call params 1 stack 2
-- p0: luafn line 5
-- watch closures of line 5: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: luafn = literal p0
--   v3: cell = upval.0 v2
--   v4: any = load_cell v3
--   v5: int = guard_tag.int v4 [fs1 type]
--   v6: int = int_op.mul v1, v5
--   return v6
-- fs0: pc 0 regs r0=v0
-- fs1: pc 1 regs r0=v1, r1=v4
-- end
