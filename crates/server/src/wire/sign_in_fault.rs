//! Why signing in with an identity provider fails.

macro_rules! faults {
    ($($name:ident $status:literal $class:literal $code:literal $message:literal,)*) => {
        /// Why signing in with an identity provider fails.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // each has its sentence in `message`
        pub enum SignInFault {
            $($name,)*
        }

        impl SignInFault {
            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self {
                    $(SignInFault::$name => $status,)*
                }
            }

            /// The class, as written before the dot.
            pub fn class(self) -> &'static str {
                match self {
                    $(SignInFault::$name => $class,)*
                }
            }

            /// The code, as written after the dot.
            pub fn code(self) -> &'static str {
                match self {
                    $(SignInFault::$name => $code,)*
                }
            }

            /// A sentence that a person can act on.
            pub fn message(self) -> &'static str {
                match self {
                    $(SignInFault::$name => $message,)*
                }
            }
        }
    };
}

faults! {
    NotConfigured 503 "unavailable" "oidc_not_configured" "This way to sign in is not set up on this server; use another one.",
    Unavailable 503 "unavailable" "oidc_unavailable" "The identity provider does not answer as it should; try again soon, or sign in another way.",
    State 403 "forbidden" "oidc_state" "This sign-in was not begun in this browser, was completed already, or took longer than ten minutes; begin again.",
    OtherIssuer 403 "forbidden" "oidc_issuer" "The answer comes from another identity provider than the one asked; begin again.",
    Denied 403 "forbidden" "oidc_denied" "The identity provider did not let you sign in; begin again, and allow it there.",
    CodeRefused 403 "forbidden" "oidc_code" "The identity provider no longer accepts this sign-in; begin again.",
    InvalidToken 403 "forbidden" "oidc_token" "What the identity provider says of you is not valid for this server; ask whoever runs it.",
    EmailNotVerified 403 "forbidden" "oidc_email" "The identity provider does not say that your email address is verified; verify it there, or sign in another way.",
    AccountDisabled 403 "forbidden" "account_disabled" "This account cannot be used at present; ask whoever runs the server.",
}
