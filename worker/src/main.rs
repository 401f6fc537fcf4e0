//! The worker's program: starts listening to the page. Everything else is [`app::worker`].

#[cfg(target_arch = "wasm32")]
mod parts {
    use std::pin::Pin;
    use std::rc::Rc;

    use app::protocol::table::CopyAsked;
    use app::protocol::{Rows, ViewId};
    use app::worker::answer::Question;
    use app::worker::copying::{CopyLeft, Copying};
    use app::worker::desk::RowsAsked;
    use app::worker::elsewhere::shapes::ShapesFound;
    use app::worker::relief::{Kept, LookedOver};
    use app::worker::rows::RowOrder;
    use app::worker::{Host, Part, Parts, elsewhere, figure, groups, mapping, records, relief};
    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    type Work<T> = Result<Pin<Box<dyn Future<Output = T>>>, SplitLoaderError>;

    #[wasm_split(elsewhere, fallible)]
    fn answer_elsewhere(host: Rc<Host>, question: Question) -> Work<()> {
        Ok(Box::pin(async move { elsewhere::answer(&host, question).await }))
    }

    #[wasm_split(elsewhere, fallible)]
    fn prepare_elsewhere(host: Rc<Host>) -> Work<()> {
        Ok(Box::pin(async move { elsewhere::ahead::prepare(&host).await }))
    }

    #[wasm_split(elsewhere, fallible)]
    fn rows_elsewhere(host: Rc<Host>, asked: RowsAsked) -> Work<Option<Rows>> {
        Ok(Box::pin(async move { elsewhere::rows(&host, &asked).await }))
    }

    #[wasm_split(elsewhere, fallible)]
    fn shapes_elsewhere(host: Rc<Host>, columns: Vec<String>) -> Work<ShapesFound> {
        Ok(Box::pin(async move { elsewhere::shapes::of(&host, &columns).await }))
    }

    #[wasm_split(cells, fallible)]
    fn copy(host: Rc<Host>, asked: CopyAsked) -> Work<Option<Copying>> {
        Ok(Box::pin(async move { Copying::begin(&host, asked) }))
    }

    #[wasm_split(cells, fallible)]
    fn copy_on(host: Rc<Host>, copying: Copying, order: RowOrder) -> Work<CopyLeft> {
        Ok(Box::pin(async move { copying.step(&host, order).await }))
    }

    #[wasm_split(cells, fallible)]
    fn record(host: Rc<Host>, request: u64, row: u64, columns: Vec<String>) -> Work<()> {
        Ok(Box::pin(records::answer(host, request, row, columns)))
    }

    #[wasm_split(cells, fallible)]
    fn image(host: Rc<Host>, row: u64, column: String) -> Work<()> {
        Ok(Box::pin(records::answer_image(host, row, column)))
    }

    #[wasm_split(groups, fallible)]
    fn count_groups(host: Rc<Host>, request: u64, text: String) -> Work<()> {
        Ok(Box::pin(groups::answer(host, request, text)))
    }

    #[wasm_split(mapping, fallible)]
    fn map_here(host: Rc<Host>, id: String, text: String, script: String) -> Work<()> {
        Ok(Box::pin(mapping::answer(host, id, text, script)))
    }

    #[wasm_split(pictures, fallible)]
    fn picture(host: Rc<Host>, view: ViewId, lengths: [f64; 2]) -> Work<()> {
        Ok(Box::pin(figure::answer(host, view, lengths)))
    }

    #[wasm_split(pictures, fallible)]
    fn look_over(host: Rc<Host>, kept: Kept, drawn: u64) -> Work<LookedOver> {
        Ok(Box::pin(relief::look_over(host, kept, drawn)))
    }

    /// Does the work once its part is here.
    fn part<T: 'static>(loading: impl Future<Output = Work<T>> + 'static) -> Part<T> {
        Box::pin(async move { Some(loading.await.ok()?.await) })
    }

    pub const PARTS: Parts = Parts {
        answer_elsewhere: |host, question| part(answer_elsewhere(host, question)),
        prepare_elsewhere: |host| part(prepare_elsewhere(host)),
        rows_elsewhere: |host, asked| part(rows_elsewhere(host, asked)),
        shapes_elsewhere: |host, columns| part(shapes_elsewhere(host, columns)),
        copy: |host, asked| part(copy(host, asked)),
        copy_on: |host, copying, order| part(copy_on(host, copying, order)),
        record: |host, request, row, columns| part(record(host, request, row, columns)),
        image: |host, row, column| part(image(host, row, column)),
        groups: |host, request, text| part(count_groups(host, request, text)),
        map_here: |host, id, text, script| part(map_here(host, id, text, script)),
        picture: |host, view, lengths| part(picture(host, view, lengths)),
        look_over: |host, kept, drawn| part(look_over(host, kept, drawn)),
    };
}

fn main() {
    #[cfg(target_arch = "wasm32")]
    app::worker::start(parts::PARTS);
}
