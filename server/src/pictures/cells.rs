//! Pictures of a column: in its cells as bytes, or where its texts say.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{ArrowError, DataType};
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::Pictures;

/// Rows whose pictures are fetched together, and how many of them at a time.
pub(crate) const FETCHED_ROWS: usize = 64;
pub(crate) const FETCHES: usize = 16;

/// Whether cells are bytes.
pub(crate) fn is_bytes(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

impl Pictures {
    /// What each of the cells of `table` stands for, in their order, or why there is nothing.
    ///
    /// # Errors
    /// Where the column holds neither bytes nor texts.
    pub(crate) async fn of_cells(
        &self,
        table: &str,
        cells: &ArrayRef,
    ) -> Result<Vec<Result<Bytes, String>>, ArrowError> {
        let missing = || Err("the cell is empty".to_owned());
        if is_bytes(cells.data_type()) {
            let cells = arrow_cast::cast(cells, &DataType::LargeBinary)?;
            let cells = cells.as_binary::<i64>().iter();
            let own = |bytes: &[u8]| Ok(Bytes::copy_from_slice(bytes));
            return Ok(cells.map(|cell| cell.map_or_else(missing, own)).collect());
        }
        let cells = arrow_cast::cast(cells, &DataType::LargeUtf8)?;
        let fetches = cells.as_string::<i64>().iter().map(|cell| async move {
            match cell {
                Some(place) => self.bytes(table, place).await.map_err(|error| error.to_string()),
                None => missing(),
            }
        });
        Ok(stream::iter(fetches).buffered(FETCHES).collect().await)
    }
}
