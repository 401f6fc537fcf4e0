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

    #[wasm_split(elsewhere, fallible)]
    fn preparing(host: Rc<Host>) -> Result<Answering, SplitLoaderError> {
        Ok(Box::pin(async move { elsewhere::ahead::prepare(&host).await }))
    }

    async fn done(loading: impl Future<Output = Result<Answering, SplitLoaderError>>) -> bool {
        match loading.await {
            Ok(work) => {
                work.await;
                true
            }
            Err(_) => false,
        }
    }

    pub const PARTS: Parts = Parts {
        answer_elsewhere: |host, question| Box::pin(done(answering(host, question))),
        prepare_elsewhere: |host| Box::pin(done(preparing(host))),
    };
}

fn main() {
    #[cfg(target_arch = "wasm32")]
    app::worker::start(parts::PARTS);
}
