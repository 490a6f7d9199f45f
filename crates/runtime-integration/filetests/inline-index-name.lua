-- test optimize
-- An access by a name of an object whose class has a function as __index: the shape
-- tells that the object does not have it, and the function is in place.
-- count: guard_shape=1
-- absent: interp_one call_lua call_window lib.raw_get find_field
-- present: int_op.mul
local P = {}
P.__index = function(t, k) return #k * 2 end
local function run(p) return p.name end
for i = 1, 20 do run(setmetatable({}, P)) end
return run
-- expect
-- func "test:9" call params 1 stack 7
-- p0: constant 0 "name"
-- p1: shape @shape0 {} meta @table0
-- p2: luafn line 8
-- p3: proto line 8
-- watch metatables: constant
-- watch field __index of @table0: constant
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: str = literal p0
--   v3: ptr = literal p1
--   guard_shape v1, v3 [fs1 shape]
--   v5: int = str_len v2
--   v6: int = int 2
--   v7: int = int_op.mul v5, v6
--   return v7
-- fs0: pc 0 regs r0=v0
-- fs1: pc 0 regs r0=v1
-- end
