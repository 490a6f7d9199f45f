//! Types of the host as Lua objects: methods, fields, operators.
//!
//!     cargo run -p vela --example userdata

use vela::{Class, Definition, Error, Function, Meta, New, Result, Userdata, Value, Vm, VmConfig};

#[derive(Clone, Copy, Debug, PartialEq)]
struct Vec2 {
    x: f64,
    y: f64,
}

impl Class for Vec2 {
    const NAME: &'static str = "Vec2";

    fn define(class: &mut Definition<Self>) {
        class
            .function("new", |_, (x, y): (f64, f64)| Ok(New(Vec2 { x, y })))
            .field_mut("x", |v| v.x, |v, x| v.x = x)
            .field_mut("y", |v| v.y, |v, y| v.y = y)
            .method("length", |_, v, ()| Ok(v.x.hypot(v.y)))
            .method_mut("move", |_, v, (dx, dy): (f64, f64)| {
                v.x += dx;
                v.y += dy;
                Ok(())
            })
            .method("each", |cx, v, f: Function| {
                f.call::<()>(cx, ("x", v.x))?;
                f.call::<()>(cx, ("y", v.y))
            })
            .operator(Meta::Add, |cx, (a, b): (Userdata, Userdata)| {
                let (a, b) = (a.with(cx, |v: &Vec2| *v)?, b.with(cx, |v: &Vec2| *v)?);
                Ok(New(Vec2 {
                    x: a.x + b.x,
                    y: a.y + b.y,
                }))
            })
            .operator(Meta::Mul, |cx, (a, b): (Value, Value)| {
                // The number may be on either side.
                let (v, k) = match (a, b) {
                    (Value::Userdata(v), k) | (k, Value::Userdata(v)) => (v, k),
                    (a, _) => return Err(Error::conversion(&a, "Vec2")),
                };
                let k: f64 = cx.from_value(k)?;
                let v = v.with(cx, |v: &Vec2| *v)?;
                Ok(New(Vec2 {
                    x: v.x * k,
                    y: v.y * k,
                }))
            })
            .operator(Meta::Eq, |cx, (a, b): (Userdata, Userdata)| {
                let a = a.with(cx, |v: &Vec2| *v)?;
                b.with(cx, |b: &Vec2| a == *b)
            })
            .meta(Meta::ToString, |_, v, ()| Ok(format!("({}, {})", v.x, v.y)));
    }
}

fn main() -> Result<()> {
    let mut vm = Vm::new(VmConfig::default())?;
    let vm = &mut vm;
    let class = vm.class_table::<Vec2>()?;
    vm.globals().set(vm, "Vec2", class)?;
    vm.chunk(
        r#"
        local v = Vec2.new(3, 4)
        print(v, v:length(), v.x)
        v:move(1, 1)
        v.y = 0
        print(v, 2 * v + v, v == Vec2.new(4, 0))
        v:each(function(name, value) print(name, value) end)
        print(select(2, pcall(function() v.x = 'far' end)))
        print(select(2, pcall(v.length, {})))
        "#,
    )
    .name("=example")
    .exec()?;
    vm.flush();

    let v: Userdata = vm.chunk("Vec2.new(1, 2) + Vec2.new(3, 4)").eval()?;
    println!("{:?}", v.take::<Vec2>(vm)?);
    Ok(())
}
