-- test optimize
-- So are metamethods of comparisons: their results are conditions.
-- absent: call_lua call_window interp_one find_field
-- present: int_cmp.lt int_cmp.le int_cmp.eq
local V = {}
V.__lt = function(a, b) return a.x < b.x end
V.__le = function(a, b) return a.x <= b.x end
V.__eq = function(a, b) return a.x == b.x end
local function run(a, b)
  return (a < b and 1 or 0) + (a <= b and 2 or 0) + (a == b and 4 or 0)
end
for i = 1, 20 do
  run(setmetatable({ x = i }, V), setmetatable({ x = i % 3 * 7 }, V))
end
return run
-- expect
-- func "test:9" call params 2 stack 10
-- p0: shape @shape0 {x} meta @table0
-- p1: luafn line 6
-- p2: proto line 6
-- p3: luafn line 7
-- p4: proto line 7
-- p5: luafn line 8
-- p6: proto line 8
-- watch metatables: constant
-- watch field __lt of @table0: constant
-- watch field x of {x}: int
-- watch field __le of @table0: constant
-- watch field __eq of @table0: constant
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: table = guard_tag.table v1 [fs0 type]
--   v4: ptr = literal p0
--   guard_shape v2, v4 [fs1 shape]
--   v5: luafn = literal p1
--   v7: int = load_slot.inline.0.2 v2
--   guard_shape v3, v4 [fs2 shape]
--   v9: int = load_slot.inline.0.2 v3
--   v10: bool = int_cmp.lt v7, v9
--   branch v10, b5, b6
-- b5:
--   v16: int = int 1
--   jump b10(v16)
-- b6:
--   v17: int = int 0
--   jump b10(v17)
-- b10(v20: int):
--   v27: bool = int_cmp.le v7, v9
--   branch v27, b14, b15
-- b14:
--   v33: int = int 2
--   jump b19(v33)
-- b15:
--   v34: int = int 0
--   jump b19(v34)
-- b19(v38: int):
--   v39: int = int_op.add v20, v38
--   v42: bool = same_object v2, v3
--   branch v42, b21, b24
-- b21:
--   jump b28
-- b24:
--   v48: bool = int_cmp.eq v7, v9
--   branch v48, b25, b26
-- b25:
--   jump b28
-- b26:
--   v55: int = int 0
--   jump b30(v55)
-- b28:
--   v54: int = int 4
--   jump b30(v54)
-- b30(v57: int):
--   v58: int = int_op.add v39, v57
--   return v58
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- fs2: pc 1 regs r1=v3, r2=v7 caller fs3 closure v5 proto p2 at 4
-- fs3: pc 0 regs r0=v2, r1=v3
-- end
