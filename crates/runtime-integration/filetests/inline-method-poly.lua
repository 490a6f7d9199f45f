-- test optimize
-- A method call on objects of three classes: a test for each shape, and nothing
-- tested again in the methods.
-- absent: call_lua call_window find_field interp_one
-- count: shape_in=2 guard_shape=1
local function class() local c = {} c.__index = c return c end
local A, B, C = class(), class(), class()
function A:get(i) return self.x + i end
function B:get(i) return self.y * i end
function C:get(i) return self.z - i end
local a, b, c = setmetatable({ x = 1 }, A), setmetatable({ y = 2 }, B), setmetatable({ z = 3 }, C)
local function total(o, i) return (o:get(i)) end
for i = 1, 20 do total(a, i) total(b, i) total(c, i) end
return total
-- expect
-- func "test:12" call params 2 stack 7
-- p0: shape @shape0 {x} meta @table0
-- p1: table @table0
-- p2: luafn line 8
-- p3: proto line 8
-- p4: shape @shape1 {y} meta @table1
-- p5: table @table1
-- p6: luafn line 9
-- p7: proto line 9
-- p8: shape @shape2 {z} meta @table2
-- p9: table @table2
-- p10: luafn line 10
-- p11: proto line 10
-- watch metatables: constant
-- watch field get of @table0: constant
-- watch field x of {x}: constant
-- watch field get of @table1: constant
-- watch field y of {y}: constant
-- watch field get of @table2: constant
-- watch field z of {z}: constant
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: ptr = literal p0
--   v5: bool = shape_in v2, v4
--   branch v5, b3, b4
-- b2(v27: int):
--   return v27
-- b3:
--   v9: int = int 1
--   v10: int = int_op.add v3, v9
--   jump b2(v10)
-- b4:
--   v12: ptr = literal p4
--   v13: bool = shape_in v2, v12
--   branch v13, b7, b8
-- b7:
--   v17: int = int 2
--   v18: int = int_op.mul v3, v17
--   jump b2(v18)
-- b8:
--   v20: ptr = literal p8
--   guard_shape v2, v20 [fs1 shape]
--   v24: int = int 3
--   v25: int = int_op.sub v24, v3
--   jump b2(v25)
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
