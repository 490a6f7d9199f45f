-- test optimize
-- An access by a computed key of an object whose class has a function as __index:
-- a raw lookup, and the function in place.
-- absent: call_lua call_window
-- present: lib.raw_get int_op.mul
-- absent in hot code: interp_one
local P = {}
P.__index = function(t, k) return k * 2 end
local p = setmetatable({}, P)
local function run(i) return (p[i]) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:10" call params 1 stack 7
-- p0: luafn line 10
-- p1: table p
-- p2: shape @shape0 {} meta @table0
-- p3: luafn line 8
-- p4: proto line 8
-- watch closures of line 10: constant
-- watch captured variables: constant
-- watch metatables: constant
-- watch field __index of @table0: constant
-- b0(v0: any):
--   v2: table = literal p1
--   v3: ptr = literal p2
--   guard_shape v2, v3 [fs0 shape]
--   v4: luafn = literal p3
--   v5: any = lib.raw_get v2, v0
--   v6: bool = has_tag.nil v5
--   branch v6, b6, b2(v5)
-- b2(v12: any):
--   v13: int = guard_tag.int v12 [fs1 type for 1]
--   return v13
-- b6:
--   v7: int = int 2
--   v8: int = guard_tag.int v0 [fs2 type]
--   v9: int = int_op.mul v8, v7
--   v11: any = box v9
--   jump b2(v11)
-- fs0: pc 1 regs r0=v0, r1=v2
-- fs1: pc 2 regs r1=v12
-- fs2: pc 0 regs r1=v0 caller fs3 closure v4 proto p4 at 2
-- fs3: pc 1 regs r0=v0, r1=v2
-- end
