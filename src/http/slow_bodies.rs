//! Bodies that come too slowly. Each holds a connection and a part of the memory for as long as its
//! sender likes.

use std::io;
use std::task::Poll;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, rt};
use futures_util::{FutureExt, StreamExt, stream};

/// Ends a body that is not there as a whole after `timeout`.
pub async fn limit(
    timeout: Duration,
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let body = match request.take_payload() {
        Payload::None => Payload::None,
        mut coming => {
            let mut late = Box::pin(rt::time::sleep(timeout));
            let in_time = stream::poll_fn(move |context| match coming.poll_next_unpin(context) {
                Poll::Pending => late.poll_unpin(context).map(|()| {
                    let timed_out = io::ErrorKind::TimedOut;
                    Some(Err(PayloadError::Io(timed_out.into())))
                }),
                ready @ Poll::Ready(_) => ready,
            });
            Payload::Stream {
                payload: in_time.boxed_local(),
            }
        }
    };
    request.set_payload(body);
    next.call(request).await
}
