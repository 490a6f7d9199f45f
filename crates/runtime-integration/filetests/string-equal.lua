-- test optimize
-- Strings are interned: == compares addresses.
-- present: same_object
-- absent: lib interp_one str_len
local function is(s) return s == "yes" end
for i = 1, 20 do is(i % 2 == 0 and "yes" or "no") end
return is
-- expect
-- func "test:5" call params 1 stack 2
-- p0: constant 0 "yes"
-- b0(v0: any):
--   v1: str = guard_tag.str v0 [fs0 type]
--   v2: str = literal p0
--   v3: bool = same_object v1, v2
--   branch v3, b2, b3
-- b2:
--   v5: bool = bool true
--   jump b4(v5)
-- b3:
--   v4: bool = bool false
--   jump b4(v4)
-- b4(v6: bool):
--   return v6
-- fs0: pc 0 regs r0=v0
-- end
