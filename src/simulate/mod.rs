//! Many runs in which things go wrong, and the smallest that shows a violation.

pub mod shrink;
