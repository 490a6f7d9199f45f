-- test optimize
-- Vectors that inlined functions return: their fields are values in the loop, and
-- nothing is allocated.
-- absent: new_table call_lua set_shape
-- absent in loops: store_slot load_slot guard_shape guard_tag box
-- absent in inner loops: guard_valid
-- present in loops: float_op.add
local V = {}
V.__index = V
local function vec(x, y) return setmetatable({ x = x, y = y }, V) end
V.__add = function(a, b) return vec(a.x + b.x, a.y + b.y) end
local function run(n)
  local p, d = vec(0.0, 0.0), vec(0.5, 0.25)
  for i = 1, n do p = p + d end
  return p.x + p.y
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:12" call params 1 stack 16 spares
-- p0: luafn line 12
-- p1: luafn line 10
-- p2: proto line 10
-- p3: table _G
-- p4: nativefn setmetatable
-- p5: shape @shape0 {}
-- p6: shape @shape1 {x}
-- p7: shape @shape2 {x, y}
-- p8: table V
-- p9: shape @shape3 {x, y} meta V
-- p10: luafn line 11
-- p11: proto line 11
-- watch closures of line 12: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field setmetatable of _G: constant
-- watch metatables: constant
-- watch field __add of V: constant
-- watch field x of {x}: float
-- watch field y of {x, y}: float
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v4: float = float 0.0
--   v16: ptr = literal p9
--   v20: float = float 0.5
--   v21: float = float 0.25
--   v34: int = int 1
--   v36: bool = int_cmp.le v34, v1
--   branch v36, b11, b7(v4, v4)
-- b6(v39: int, v81: float, v82: float) cold:
--   v49: float = float_op.add v81, v20
--   v54: float = float_op.add v82, v21
--   v86: table = virtual_table v16, v49, v54
--   v88: table = virtual_table v16, v20, v21
--   poll v77, v77 @s3
--   guard_polled [fs1 invalidated]
--   v68: bool = int_cmp.lt v39, v1
--   v69: int = int_op.add v39, v34
--   branch v68, b12(v69, v49, v54), b7(v49, v54)
-- b7(v79: float, v80: float):
--   v76: float = float_op.add v79, v80
--   return v76
-- b11:
--   v77: nil = nil
--   jump b12(v34, v4, v4)
-- b12(v92: int, v93: float, v94: float) loop:
--   v95: bool = int_cmp.le v92, v1
--   branch v95, b13, b6(v92, v93, v94)
-- b13:
--   v96: int = int_op.sub v1, v92
--   v97: int = int 4095
--   v98: bool = int_cmp.ult v96, v97
--   v99: int = select v98, v96, v97
--   v100: int = int_op.add v92, v99
--   jump b14(v92, v93, v94)
-- b14(v101: int, v102: float, v103: float) loop:
--   v104: float = float_op.add v102, v20
--   v105: float = float_op.add v103, v21
--   v106: table = virtual_table v16, v104, v105
--   v107: table = virtual_table v16, v20, v21
--   v110: int = int_op.add v101, v34
--   v111: bool = int_cmp.ne v101, v100
--   branch v111, b14(v110, v104, v105), b15
-- b15:
--   poll v77, v77 @s4
--   guard_polled [fs2 invalidated]
--   v108: bool = int_cmp.lt v101, v1
--   branch v108, b12(v110, v104, v105), b7(v104, v105)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 13 regs r1=v86, r2=v88, r3=v39, r4=v1, r5=v34
-- fs2: pc 13 regs r1=v106, r2=v107, r3=v101, r4=v1, r5=v34
-- s3: pc 13 live r1, r2
-- s4: pc 13 live r1, r2
-- end
