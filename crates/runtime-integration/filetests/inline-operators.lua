-- test optimize
-- Metamethods of operators on objects of one class are inlined, each behind a
-- test of the shape.
-- absent: call_lua call_window interp_one find_field
-- count: guard_shape=2
local V = {}
V.__add = function(a, b) return a.x + b.x end
V.__unm = function(a) return -a.x end
V.__len = function(a) return a.x end
V.__mul = function(a, b) return a * b.x end
V.__concat = function(a, b) return a.x - b.x end
local function run(a, b) return a + b + -a + #b + (2 * a) + (a .. b) end
for i = 1, 20 do
  run(setmetatable({ x = i }, V), setmetatable({ x = i % 3 }, V))
end
return run
-- expect
-- func "test:12" call params 2 stack 11
-- p0: shape @shape0 {x} meta @table0
-- p1: luafn line 7
-- p2: proto line 7
-- p3: luafn line 8
-- p4: proto line 8
-- p5: luafn line 9
-- p6: proto line 9
-- p7: luafn line 10
-- p8: proto line 10
-- p9: luafn line 11
-- p10: proto line 11
-- watch metatables: constant
-- watch field __add of @table0: constant
-- watch field x of {x}: int
-- watch field __unm of @table0: constant
-- watch field __len of @table0: constant
-- watch field __mul of @table0: constant
-- watch field __concat of @table0: constant
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: table = guard_tag.table v1 [fs0 type]
--   v4: ptr = literal p0
--   guard_shape v2, v4 [fs1 shape]
--   v5: luafn = literal p1
--   v7: int = load_slot.inline.0.2 v2
--   guard_shape v3, v4 [fs2 shape]
--   v9: int = load_slot.inline.0.2 v3
--   v10: int = int_op.add v7, v9
--   v16: int = int 0
--   v17: int = int_op.sub v16, v7
--   v19: int = int_op.add v10, v17
--   v25: int = int_op.add v19, v9
--   v26: int = int 2
--   v31: int = int_op.mul v7, v26
--   v33: int = int_op.add v25, v31
--   v40: int = int_op.sub v7, v9
--   v42: int = int_op.add v33, v40
--   return v42
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- fs2: pc 1 regs r1=v3, r2=v7 caller fs3 closure v5 proto p2 at 5
-- fs3: pc 0 regs r0=v2, r1=v3
-- end
