-- test optimize
-- What may be no string at all is compared with its tag.
-- present: same_bits
-- absent: lib interp_one guard_tag
local function is(s) return s == "yes" end
for i = 1, 20 do is(i % 2 == 0 and "yes" or i) end
return is
-- expect
-- func "test:5" call params 1 stack 2
-- p0: constant 0 "yes"
-- b0(v0: any):
--   v1: str = literal p0
--   v2: any = box v1
--   v3: bool = same_bits v0, v2
--   branch v3, b2, b3
-- b2:
--   v5: bool = bool true
--   jump b4(v5)
-- b3:
--   v4: bool = bool false
--   jump b4(v4)
-- b4(v6: bool):
--   return v6
-- end
