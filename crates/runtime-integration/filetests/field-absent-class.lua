-- test optimize
-- A field that neither the object nor its class and the class above have: nil, with a
-- test of the object's shape and watches only.
-- present in hot code: guard_shape
-- absent: find_field interp_one
local A, B = {}, {}
A.__index, B.__index = A, B
setmetatable(B, A)
local function get(o, i) if o.flag then return i * 2 end return i + o.x end
for i = 1, 20 do get(setmetatable({x = 1}, B), i) end
return get
-- expect
-- func "test:9" call params 2 stack 3
-- p0: shape @shape0 {x} meta @table0
-- watch metatables: constant
-- watch field x of {x}: constant
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: ptr = literal p0
--   guard_shape v2, v4 [fs1 shape]
--   v10: int = int 1
--   v11: int = int_op.add v3, v10
--   return v11
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
