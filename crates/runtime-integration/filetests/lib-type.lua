-- test optimize
-- type(x) == "number" is a test of the tag.
-- present: has_tag.int has_tag.float
-- absent: call_window lib.type_name interp_one
local function is(x) return type(x) == "number" end
for i = 1, 20 do is(i % 2 == 0 and i or "s") end
return is
-- expect
-- func "test:5" call params 1 stack 4
-- p0: luafn line 5
-- p1: table _G
-- p2: nativefn type
-- p3: constant 0 "number"
-- watch closures of line 5: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field type of _G: constant
-- b0(v0: any):
--   v6: bool = has_tag.int v0
--   v7: bool = has_tag.float v0
--   v8: bool = bool true
--   v9: bool = select v6, v8, v7
--   branch v9, b4(v8), b3
-- b3:
--   v10: bool = bool false
--   jump b4(v10)
-- b4(v12: bool):
--   return v12
-- end
