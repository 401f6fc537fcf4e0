//! The worker's program: starts listening to the page. Everything else is [`app::worker`].

#[cfg(target_arch = "wasm32")]
mod parts {
    use std::pin::Pin;
    use std::rc::Rc;

    use app::worker::answer::Question;
    use app::worker::{Host, Parts, elsewhere};
    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    type Answering = Pin<Box<dyn Future<Output = ()>>>;

    /// Most tables fit the browser.
    #[wasm_split(elsewhere, fallible)]
    fn answering(host: Rc<Host>, question: Question) -> Result<Answering, SplitLoaderError> {
        Ok(Box::pin(async move { elsewhere::answer(&host, question).await }))
    }

    pub const PARTS: Parts = Parts {
        answer_elsewhere: |host, question| {
            Box::pin(async move {
                match answering(host, question).await {
                    Ok(answering) => {
                        answering.await;
                        true
                    }
                    Err(_) => false,
                }
            })
        },
    };
}

fn main() {
    #[cfg(target_arch = "wasm32")]
    app::worker::start(parts::PARTS);
}
