-- test optimize
-- Order of strings: a helper that needs no frame.
-- present: str_less.lt
-- absent: interp_one lib.compare
local function less(a, b) return a < b end
for i = 1, 20 do less("a" .. i, "b") end
return less
-- expect
-- func "test:5" call params 2 stack 3
-- b0(v0: any, v1: any):
--   v2: str = guard_tag.str v0 [fs0 type]
--   v3: str = guard_tag.str v1 [fs0 type]
--   v4: bool = str_less.lt v2, v3
--   branch v4, b2, b3
-- b2:
--   v6: bool = bool true
--   jump b4(v6)
-- b3:
--   v5: bool = bool false
--   jump b4(v5)
-- b4(v7: bool):
--   return v7
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
