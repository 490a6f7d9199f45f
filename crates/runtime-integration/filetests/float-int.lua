-- test optimize
-- A float that has an integer value where an integer is wanted: an exact conversion.
-- present: guard_float_to_int
-- absent: interp_one call_window
local function run(x) return math.floor(x) | 1 end
for i = 1, 20 do run(i + 0.5) end
return run
-- expect
-- func "test:5" call params 1 stack 4
-- p0: luafn line 5
-- p1: table _G
-- p2: table math
-- p3: nativefn math.floor
-- watch closures of line 5: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field math of _G: constant
-- watch shape of math: constant
-- watch field floor of math: constant
-- b0(v0: any):
--   v1: float = guard_tag.float v0 [fs0 type]
--   v5: nativefn = literal p3
--   v6: float = float_fn.floor v1
--   v7: int = guard_float_to_int v6 [fs1 range]
--   v8: int = int 1
--   v9: int = int_op.or v7, v8
--   return v9
-- fs0: pc 0 regs r0=v0
-- fs1: pc 3 regs r1=v5, r3=v1
-- end
