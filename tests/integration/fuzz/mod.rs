//! Inputs that are changed at random, from those that we have: whatever comes in is answered. How
//! many, and which, the environment says; `tests/trust/fuzz` asks for many.

mod changed;
mod texts;
mod wire;
