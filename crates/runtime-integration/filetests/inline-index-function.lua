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
--   v1: int = guard_tag.int v0 [fs0 type]
--   v3: table = literal p1
--   v4: ptr = literal p2
--   guard_shape v3, v4 [fs1 shape]
--   v6: any = box v1
--   v7: any = lib.raw_get v3, v6
--   v8: bool = has_tag.nil v7
--   branch v8, b6, b2(v7)
-- b2(v13: any):
--   v14: int = guard_tag.int v13 [fs2 type for 1]
--   return v14
-- b6:
--   v9: int = int 2
--   v10: int = int_op.mul v1, v9
--   v12: any = box v10
--   jump b2(v12)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 1 regs r0=v1, r1=v3
-- fs2: pc 2 regs r1=v13
-- end
