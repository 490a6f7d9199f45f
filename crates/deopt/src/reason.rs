//! The reasons for side exits: one list shared by code, logs and documentation.

macro_rules! reasons {
    ($($(#[$attr:meta])+ $name:ident = $n:literal, $text:literal;)+) => {
        /// Why a side exit is taken.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
        #[repr(u8)]
        pub enum DeoptReason {
            $($(#[$attr])+ $name = $n,)+
        }

        impl DeoptReason {
            /// Every reason.
            pub const ALL: &'static [DeoptReason] = &[$(DeoptReason::$name,)+];

            /// Name in dumps, logs and statistics.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(DeoptReason::$name => $text,)+ }
            }
        }
    };
}

reasons! {
    /// Not an exit.
    #[default]
    None = 0, "none";
    /// An operand or result did not have the speculated type.
    Type = 1, "type";
    /// A table did not have the speculated shape.
    Shape = 2, "shape";
    /// Elements did not have the speculated kind, or an index was out of bounds.
    Elements = 3, "elements";
    /// A call target was not the speculated function.
    Callee = 4, "callee";
    /// A number was outside what the specialised code handles (division by zero, a float with no integer value).
    Range = 5, "range";
    /// Code that had never run when the function was compiled.
    Unreached = 6, "unreached";
    /// An assumption that the code depended on was invalidated while it ran.
    Invalidated = 7, "invalidated";
    /// An error was raised in a protected call that was built in place.
    Raised = 8, "raised";
}

impl DeoptReason {
    /// The bit of this reason in
    /// [`FeedbackSlot::failed`](vela_objects::feedback::FeedbackSlot::failed).
    ///
    /// No failure is recorded for [`DeoptReason::None`], whose bit stands for
    /// [`DeoptReason::Raised`].
    #[must_use]
    pub fn bit(self) -> u8 {
        1 << (self as u8 & 7)
    }
}
