-- test optimize
-- A second access of an object of several shapes: behind the first test the shape is
-- known.
-- count: shape_in=1 guard_shape=1 load_slot=4
-- absent: find_field interp_one
local function get(o) return o.x + o.y end
for i = 1, 20 do
  get({ x = i, y = i * 2 }) get({ y = i, x = i * 2 })
end
return get
