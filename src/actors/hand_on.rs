//! How messages come to what is open in an actor.

use std::cell::RefCell;

/// Hands messages on to what is open in an actor. What comes when nothing is, is nobody's any more.
macro_rules! hand_on {
    ($Actor:ty: $($Message:ty => $take:ident,)+) => {$(
        impl actix::Handler<$Message> for $Actor {
            type Result = ();

            fn handle(&mut self, message: $Message, ctx: &mut Self::Context) {
                let ends_in_panic = $crate::actors::hand_on::EndsInPanic(&self.open);
                match &mut *self.open.borrow_mut() {
                    Some(open) => open.$take(message, ctx),
                    None => log::debug!("a message came to an actor that has closed"),
                }
                std::mem::forget(ends_in_panic);
            }
        }
    )+};
}

/// Takes out what is open when it is dropped, in a panic: whoever waits for it learns that it has
/// stopped, though others have a copy of the actor.
pub(super) struct EndsInPanic<'a, T>(pub(super) &'a RefCell<Option<T>>);

impl<T> Drop for EndsInPanic<'_, T> {
    fn drop(&mut self) {
        if let Ok(mut open) = self.0.try_borrow_mut() {
            *open = None;
        }
    }
}
