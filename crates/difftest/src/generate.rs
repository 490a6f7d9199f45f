//! The proptest strategy for [`Program`]s.
//!
//! Strategies are built bottom-up by depth and shared (a boxed strategy is a counted reference),
//! so building them is cheap.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;

use crate::ast::{Class, Expr, Func, How, Idiom, Kind, Phase, Program, Range, Step, Stmt, Thrown};

type Exprs = BoxedStrategy<Expr>;
type Stmts = BoxedStrategy<Vec<Stmt>>;

fn bx(e: Expr) -> Box<Expr> {
    Box::new(e)
}

/// Chooses among boxed alternatives by weight; those of weight 0 are dropped.
fn weighted<T: std::fmt::Debug + 'static>(arms: Vec<(u32, BoxedStrategy<T>)>) -> BoxedStrategy<T> {
    Union::new_weighted(arms.into_iter().filter(|(w, _)| *w > 0).collect()).boxed()
}

/// Strategies of one depth for expressions that are expected to be of a kind.
#[derive(Clone)]
struct Level {
    num: Exprs,
    boolean: Exprs,
    string: Exprs,
    any: Exprs,
}

fn interesting_int() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![
        0,
        1,
        -1,
        2,
        63,
        64,
        -64,
        255,
        1 << 31,
        (1 << 53) + 1,
        i64::MAX,
        i64::MIN,
        i64::MAX - 1,
        0x5555_5555_5555_5555,
    ])
}

fn interesting_float() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![
        0.0,
        1.0,
        0.5,
        -0.0,
        -2.5,
        3.0,
        1e15,
        1e16,
        9_007_199_254_740_992.0,
        9_223_372_036_854_775_808.0,
        -9_223_372_036_854_775_808.0,
        1e100,
        1e308,
        5e-324,
        f64::INFINITY,
        f64::NAN,
    ])
}

fn leaves() -> Level {
    let num = weighted(vec![
        (5, (-3_i64..=10).prop_map(Expr::Int).boxed()),
        (9, any::<u8>().prop_map(|v| Expr::Var(Kind::Num, v)).boxed()),
        (1, interesting_int().prop_map(Expr::Int).boxed()),
        (1, interesting_float().prop_map(Expr::Float).boxed()),
    ]);
    let boolean = weighted(vec![
        (1, any::<bool>().prop_map(Expr::Bool).boxed()),
        (
            3,
            any::<u8>().prop_map(|v| Expr::Var(Kind::Bool, v)).boxed(),
        ),
    ]);
    let string = weighted(vec![
        (2, any::<u8>().prop_map(Expr::Str).boxed()),
        (4, any::<u8>().prop_map(|v| Expr::Var(Kind::Str, v)).boxed()),
    ]);
    let any = weighted(vec![
        (1, Just(Expr::Nil).boxed()),
        (4, num.clone()),
        (1, boolean.clone()),
        (2, string.clone()),
        (1, any::<u8>().prop_map(|v| Expr::Var(Kind::Arr, v)).boxed()),
        (1, any::<u8>().prop_map(|v| Expr::Var(Kind::Rec, v)).boxed()),
        (1, any::<u8>().prop_map(|v| Expr::Var(Kind::Obj, v)).boxed()),
    ]);
    Level {
        num,
        boolean,
        string,
        any,
    }
}

/// Operators, the everyday ones more often: indices into [`crate::ast::ARITH`].
fn arith_op() -> impl Strategy<Value = u8> {
    prop_oneof![
        24 => prop::sample::select(vec![0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 4, 5, 6]),
        1 => 7_u8..12,
    ]
}

/// Functions whose result is always a number more often.
fn math_function() -> impl Strategy<Value = u8> {
    prop_oneof![
        8 => prop::sample::select(vec![0, 1, 2, 3, 4, 6, 10, 11, 12, 13]),
        1 => 5_u8..10,
    ]
}

/// Operators with an object operand: arithmetic, concatenation, comparison, call.
fn object_op() -> impl Strategy<Value = u8> {
    prop_oneof![8 => 0_u8..7, 1 => 7_u8..12, 3 => 12_u8..16]
}

/// Fields, mostly those that objects and records start with.
fn field() -> impl Strategy<Value = u8> {
    prop_oneof![6 => 0_u8..2, 1 => 0_u8..4]
}

fn table_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![2 => Just(Kind::Rec), 3 => Just(Kind::Obj)]
}

fn deeper(l: &Level) -> Level {
    let n = || l.num.clone();
    let b = || l.boolean.clone();
    let s = || l.string.clone();
    let num = weighted(vec![
        (6, prop_oneof![30 => n(), 1 => l.any.clone()].boxed()),
        (
            12,
            (arith_op(), n(), n())
                .prop_map(|(op, a, b)| Expr::Arith(op, bx(a), bx(b)))
                .boxed(),
        ),
        (
            3,
            (table_kind(), any::<u8>(), field())
                .prop_map(|(k, v, f)| Expr::Field(k, v, f))
                .boxed(),
        ),
        (
            3,
            (any::<u8>(), n())
                .prop_map(|(v, e)| Expr::Index(v, bx(e)))
                .boxed(),
        ),
        (1, any::<u8>().prop_map(Expr::LenArr).boxed()),
        (1, s().prop_map(|e| Expr::LenStr(bx(e))).boxed()),
        (1, n().prop_map(|e| Expr::Neg(bx(e))).boxed()),
        (
            1,
            (0_i64..9)
                .prop_map(|i| Expr::BNot(bx(Expr::Int(i))))
                .boxed(),
        ),
        (
            2,
            (math_function(), n(), n())
                .prop_map(|(f, a, b)| Expr::MathFn(f, bx(a), bx(b)))
                .boxed(),
        ),
        (
            2,
            (b(), n(), n())
                .prop_map(|(c, x, y)| Expr::Choose(bx(c), bx(x), bx(y)))
                .boxed(),
        ),
        (
            1,
            (n(), n()).prop_map(|(x, y)| Expr::Or(bx(x), bx(y))).boxed(),
        ),
        (
            3,
            (any::<u8>(), vec(n(), 0..4))
                .prop_map(|(f, a)| Expr::Call(f, a))
                .boxed(),
        ),
        (2, vec(n(), 0..3).prop_map(Expr::SelfCall).boxed()),
        (
            2,
            (any::<u8>(), 0_u8..2, n())
                .prop_map(|(o, m, e)| Expr::Method(o, m, bx(e)))
                .boxed(),
        ),
        (
            2,
            (object_op(), any::<u8>(), n(), any::<bool>())
                .prop_map(|(op, o, e, left)| Expr::ObjOp(op, o, bx(e), left))
                .boxed(),
        ),
        (1, s().prop_map(|e| Expr::ToNumber(bx(e))).boxed()),
        (1, Just(Expr::VarargCount).boxed()),
        (1, any::<u8>().prop_map(Expr::VarargAt).boxed()),
    ]);
    let boolean = weighted(vec![
        (2, b()),
        (
            8,
            (0_u8..6, n(), n())
                .prop_map(|(op, x, y)| Expr::Cmp(op, bx(x), bx(y)))
                .boxed(),
        ),
        (
            1,
            (0_u8..6, s(), s())
                .prop_map(|(op, x, y)| Expr::Cmp(op, bx(x), bx(y)))
                .boxed(),
        ),
        (
            1,
            (2_u8..4, l.any.clone(), l.any.clone())
                .prop_map(|(op, x, y)| Expr::Cmp(op, bx(x), bx(y)))
                .boxed(),
        ),
        (1, b().prop_map(|e| Expr::Not(bx(e))).boxed()),
        (
            1,
            (b(), b())
                .prop_map(|(x, y)| Expr::And(bx(x), bx(y)))
                .boxed(),
        ),
        (
            1,
            (b(), b()).prop_map(|(x, y)| Expr::Or(bx(x), bx(y))).boxed(),
        ),
        (
            1,
            (Just(Kind::Num), any::<u8>(), any::<u8>())
                .prop_map(|(k, v, t)| Expr::TypeIs(k, v, t))
                .boxed(),
        ),
    ]);
    let string = weighted(vec![
        (3, s()),
        (3, n().prop_map(|e| Expr::ToStr(bx(e))).boxed()),
        (4, vec(s(), 2..4).prop_map(Expr::Concat).boxed()),
        (
            3,
            (0_u8..14, s(), -4_i8..6, -4_i8..6)
                .prop_map(|(f, e, i, j)| Expr::StrFn(f, bx(e), i, j))
                .boxed(),
        ),
        (
            1,
            (b(), s(), s())
                .prop_map(|(c, x, y)| Expr::Choose(bx(c), bx(x), bx(y)))
                .boxed(),
        ),
        (
            1,
            (table_kind(), any::<u8>(), field())
                .prop_map(|(k, v, f)| Expr::Field(k, v, f))
                .boxed(),
        ),
    ]);
    let any = weighted(vec![
        (3, l.any.clone()),
        (3, num.clone()),
        (1, boolean.clone()),
        (2, string.clone()),
        (
            1,
            (any::<u8>(), vec(n(), 0..3))
                .prop_map(|(f, a)| Expr::Call(f, a))
                .boxed(),
        ),
    ]);
    Level {
        num,
        boolean,
        string,
        any,
    }
}

/// An expression of a kind that has literals.
fn kinded(l: &Level) -> BoxedStrategy<(Kind, Expr)> {
    prop_oneof![
        6 => l.num.clone().prop_map(|e| (Kind::Num, e)),
        2 => l.string.clone().prop_map(|e| (Kind::Str, e)),
        1 => l.boolean.clone().prop_map(|e| (Kind::Bool, e)),
    ]
    .boxed()
}

/// Statements that contain no others.
fn simple(l: &Level) -> BoxedStrategy<Stmt> {
    let n = || l.num.clone();
    let b = || l.boolean.clone();
    weighted(vec![
        (5, kinded(l).prop_map(|(k, e)| Stmt::Local(k, e)).boxed()),
        (1, kinded(l).prop_map(|(k, e)| Stmt::Const(k, e)).boxed()),
        (
            8,
            (any::<u8>(), arith_op(), n())
                .prop_map(|(v, o, e)| Stmt::Update(v, o, e))
                .boxed(),
        ),
        (
            4,
            (kinded(l), any::<u8>())
                .prop_map(|((k, e), v)| Stmt::Assign(k, v, e))
                .boxed(),
        ),
        (
            1,
            (n(), n())
                .prop_map(|(x, y)| Stmt::LocalTwo(Kind::Num, x, y))
                .boxed(),
        ),
        (
            1,
            (any::<u8>(), any::<u8>(), n(), n())
                .prop_map(|(a, b, x, y)| Stmt::AssignTwo(Kind::Num, a, b, x, y))
                .boxed(),
        ),
        (2, vec(n(), 0..5).prop_map(Stmt::LocalArr).boxed()),
        (
            2,
            vec((0_u8..4, l.any.clone()), 0..4)
                .prop_map(Stmt::LocalRec)
                .boxed(),
        ),
        (
            2,
            (any::<u8>(), n(), n())
                .prop_map(|(c, x, y)| Stmt::LocalObj(c, x, y))
                .boxed(),
        ),
        (
            2,
            (any::<u8>(), vec(n(), 0..3))
                .prop_map(|(f, a)| Stmt::CallTwo(f, a))
                .boxed(),
        ),
        (
            1,
            (any::<u8>(), vec(n(), 0..3))
                .prop_map(|(f, a)| Stmt::CallOnly(f, a))
                .boxed(),
        ),
        (
            4,
            (
                table_kind(),
                any::<u8>(),
                0_u8..4,
                prop_oneof![4 => n(), 1 => l.any.clone()],
            )
                .prop_map(|(k, v, f, e)| Stmt::SetField(k, v, f, e))
                .boxed(),
        ),
        (
            3,
            (any::<u8>(), n(), n())
                .prop_map(|(v, i, e)| Stmt::SetIndex(v, i, e))
                .boxed(),
        ),
        (
            3,
            (any::<u8>(), l.any.clone())
                .prop_map(|(v, e)| Stmt::Append(v, e))
                .boxed(),
        ),
        (
            1,
            (any::<u8>(), n(), n())
                .prop_map(|(v, i, e)| Stmt::Insert(v, i, e))
                .boxed(),
        ),
        (1, any::<u8>().prop_map(Stmt::Remove).boxed()),
        (2, b().prop_map(Stmt::BreakIf).boxed()),
        (2, b().prop_map(Stmt::ContinueIf).boxed()),
        (
            2,
            (b(), vec(l.any.clone(), 0..3))
                .prop_map(|(c, r)| Stmt::ReturnIf(c, r))
                .boxed(),
        ),
        (
            1,
            (b(), any::<u8>(), vec(n(), 0..3))
                .prop_map(|(c, f, a)| Stmt::TailCallIf(c, f, a))
                .boxed(),
        ),
        (
            1,
            (b(), thrown(l))
                .prop_map(|(c, t)| Stmt::ErrorIf(c, t))
                .boxed(),
        ),
        (2, vec(l.any.clone(), 1..3).prop_map(Stmt::Show).boxed()),
        (
            1,
            any::<u8>()
                .prop_map(|v| Stmt::Show(vec![Expr::TableConcat(v)]))
                .boxed(),
        ),
        (
            1,
            (prop_oneof![Just(Kind::Rec), Just(Kind::Arr)], any::<u8>())
                .prop_map(|(k, v)| Stmt::Dump(k, v))
                .boxed(),
        ),
        (
            1,
            (4_u8..20, 1_u8..5, l.any.clone())
                .prop_map(|(n, s, e)| Stmt::Holey(n, s, e))
                .boxed(),
        ),
        (
            1,
            (1_u8..5, n())
                .prop_map(|(k, e)| Stmt::Captures(k, e))
                .boxed(),
        ),
        (
            1,
            (2_u8..12, any::<u8>(), any::<bool>())
                .prop_map(|(k, m, d)| Stmt::Sort(k, m, d))
                .boxed(),
        ),
        (
            1,
            (1_u8..6, 0_u8..2, n())
                .prop_map(|(k, m, e)| Stmt::Polymorphic(k, m, e))
                .boxed(),
        ),
    ])
}

fn thrown(l: &Level) -> BoxedStrategy<Thrown> {
    prop_oneof![
        3 => (any::<u8>(), 0_u8..4).prop_map(|(s, level)| Thrown::Message(s, level)),
        1 => l.any.clone().prop_map(Thrown::Value),
        1 => l.num.clone().prop_map(Thrown::Table),
    ]
    .boxed()
}

fn range(l: &Level) -> BoxedStrategy<Range> {
    prop_oneof![
        5 => (-3_i8..4, 0_u8..12, 0_u8..6)
            .prop_map(|(start, trips, step)| Range::Literal { start, trips, step }),
        3 => l.num.clone().prop_map(Range::UpTo),
        1 => l.num.clone().prop_map(Range::DownFrom),
        1 => Just(Range::NearMax),
    ]
    .boxed()
}

/// Statement lists with `depth` more levels of nesting.
fn block(depth: u32, exprs: &Level, shallow: &Level) -> Stmts {
    let plain = simple(exprs);
    if depth == 0 {
        return vec(plain, 0..4).boxed();
    }
    let inner = block(depth - 1, shallow, shallow);
    let cond = exprs.boolean.clone();
    let i = || inner.clone();
    let nested = weighted(vec![
        (
            5,
            (vec((cond.clone(), i()), 1..3), prop::option::of(i()))
                .prop_map(|(arms, other)| Stmt::If(arms, other))
                .boxed(),
        ),
        (
            6,
            (range(exprs), i())
                .prop_map(|(r, b)| Stmt::For(r, b))
                .boxed(),
        ),
        (
            2,
            (1_u8..9, cond.clone(), i())
                .prop_map(|(k, c, b)| Stmt::While(k, c, b))
                .boxed(),
        ),
        (
            2,
            (1_u8..9, cond, i())
                .prop_map(|(k, c, b)| Stmt::Repeat(k, c, b))
                .boxed(),
        ),
        (
            2,
            (any::<u8>(), i())
                .prop_map(|(a, b)| Stmt::Ipairs(a, b))
                .boxed(),
        ),
        (
            2,
            func(shallow, i(), false)
                .prop_map(|f| Stmt::LocalFun(Box::new(f)))
                .boxed(),
        ),
        (
            3,
            (2_u8..14, exprs.num.clone(), any::<bool>(), i())
                .prop_map(|(k, e, swap, b)| Stmt::Records(k, e, swap, b))
                .boxed(),
        ),
        (5, idiom(exprs, i())),
        (1, i().prop_map(Stmt::Pcall).boxed()),
        (1, i().prop_map(Stmt::Do).boxed()),
        (1, i().prop_map(Stmt::Close).boxed()),
    ]);
    // The outermost statements of a function; those inside are fewer.
    let count = if depth >= 2 { 2..7 } else { 0..5 };
    vec(prop_oneof![3 => plain, 2 => nested], count).boxed()
}

fn idiom(l: &Level, body: Stmts) -> BoxedStrategy<Stmt> {
    let numbers = (any::<u8>(), any::<u8>(), any::<u8>(), arith_op());
    (numbers, l.num.clone(), l.any.clone(), body)
        .prop_map(
            |((number, trips, change, operator), number_hole, any_hole, body)| {
                Stmt::Idiom(Box::new(Idiom {
                    number,
                    trips,
                    change,
                    operator,
                    number_hole,
                    any_hole,
                    body,
                }))
            },
        )
        .boxed()
}

fn param() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::Num,
        Kind::Num,
        Kind::Num,
        Kind::Str,
        Kind::Arr,
        Kind::Rec,
        Kind::Obj,
        Kind::Fun,
        Kind::Bool,
    ])
}

fn func(l: &Level, body: Stmts, top: bool) -> BoxedStrategy<Func> {
    let params = if top {
        vec(param(), 1..4).boxed()
    } else {
        vec(Just(Kind::Num), 0..3).boxed()
    };
    let recursive = if top {
        prop::bool::weighted(0.25).boxed()
    } else {
        Just(false).boxed()
    };
    let results = vec(prop_oneof![5 => l.num.clone(), 1 => l.any.clone()], 1..3);
    (params, prop::bool::weighted(0.15), recursive, body, results)
        .prop_map(|(params, vararg, recursive, body, results)| Func {
            params,
            vararg,
            recursive,
            body,
            results,
        })
        .boxed()
}

fn class(l: &Level, body: &Stmts) -> BoxedStrategy<Class> {
    let method = || {
        (body.clone(), vec(l.num.clone(), 1..3)).prop_map(|(body, results)| Func {
            params: vec![Kind::Num],
            vararg: false,
            recursive: false,
            body,
            results,
        })
    };
    (
        [method(), method()],
        arith_op(),
        any::<bool>(),
        0_u8..4,
        0_u8..4,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(methods, op, boxed, index, newindex, derived, swapped)| Class {
                methods,
                op,
                boxed,
                index,
                newindex,
                derived,
                swapped,
            },
        )
        .boxed()
}

/// Argument flavours: the ordinary ones (low numbers) come up more often.
fn flavours() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => 0_u8..4, 1 => 0_u8..20], 3)
}

fn drive() -> BoxedStrategy<Step> {
    let phase = (3_u8..16, flavours()).prop_map(|(count, flavours)| Phase { count, flavours });
    let how = prop_oneof![
        4 => Just(How::Protected),
        1 => Just(How::LoopProtected),
        1 => Just(How::Handler),
    ];
    (any::<u8>(), how, vec(phase, 2..5))
        .prop_map(|(f, how, p)| Step::Drive(f, how, p))
        .boxed()
}

/// The strategy for whole programs.
pub fn program() -> BoxedStrategy<Program> {
    let zero = leaves();
    let one = deeper(&zero);
    let two = deeper(&one);
    let body = block(2, &two, &one);
    let small = block(1, &one, &zero);
    let method_body = block(1, &one, &zero);
    let function = func(&two, body.clone(), true);
    let step = weighted(vec![
        (6, drive()),
        (
            1,
            (any::<u8>(), two.num.clone())
                .prop_map(|(v, e)| Step::SetShared(v, e))
                .boxed(),
        ),
        (2, small.prop_map(Step::Run).boxed()),
        (
            1,
            (any::<u8>(), function.clone())
                .prop_map(|(f, new)| Step::Redefine(f, Box::new(new)))
                .boxed(),
        ),
        (
            1,
            (
                any::<u8>(),
                0_u8..2,
                method_body.clone(),
                vec(one.num.clone(), 1..2),
            )
                .prop_map(|(c, m, body, results)| {
                    let func = Func {
                        params: vec![Kind::Num],
                        vararg: false,
                        recursive: false,
                        body,
                        results,
                    };
                    Step::Patch(c, m, Box::new(func))
                })
                .boxed(),
        ),
        (
            1,
            (any::<u8>(), any::<u8>())
                .prop_map(|(c, v)| Step::Metatable(c, v))
                .boxed(),
        ),
    ]);
    (
        vec(class(&one, &method_body), 0..3),
        vec((function, any::<bool>()), 1..4),
        drive(),
        vec(step, 1..5),
    )
        .prop_map(|(classes, funcs, first, mut steps)| {
            steps.insert(0, first);
            Program {
                classes,
                funcs,
                steps,
            }
        })
        .boxed()
}
