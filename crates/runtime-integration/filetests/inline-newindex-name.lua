-- test optimize
-- A store by a name to an object whose class has a function as __newindex.
-- absent: interp_one call_lua call_window put_field
-- present: int_op.add
local P, total = {}, 0
P.__newindex = function(t, k, v) total = total + v end
local function run(p, v) p.name = v end
for i = 1, 20 do run(setmetatable({}, P), i) end
return run
-- expect
-- func "test:7" call params 2 stack 8
-- p0: constant 0 "name"
-- p1: shape @shape0 {} meta @table0
-- p2: luafn line 6
-- p3: proto line 6
-- watch metatables: constant
-- watch field __newindex of @table0: constant
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v5: ptr = literal p1
--   guard_shape v2, v5 [fs1 shape]
--   v6: luafn = literal p2
--   v7: cell = upval.0 v6
--   v8: any = load_cell v7
--   v9: int = guard_tag.int v8 [fs2 type]
--   v10: int = int_op.add v9, v3
--   store_cell v7, v10
--   return_none
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- fs2: pc 1 regs r2=v3, r3=v8 caller fs3 closure v6 proto p3 at 2
-- fs3: pc 0 regs r0=v2, r1=v3
-- end
