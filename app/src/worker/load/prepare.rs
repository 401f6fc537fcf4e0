//! Before a load: which columns are here already, whether the others fit, and what must
//! go for them.

use std::rc::Rc;

use crate::protocol::{ColumnInfo, Origin};
use crate::worker::budget::Fit;
use crate::worker::cache::column_file;
use crate::worker::data::Remote;
use crate::worker::host::Host;
use crate::worker::resident::Resident;
use crate::worker::resident::column::Column;
use crate::worker::tables::Described;

use super::feed::Trouble;

/// A column that has to come.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its place in the table.
    pub place: u32,
    pub info: ColumnInfo,
    /// The file that keeps it, or will.
    pub file: Option<String>,
}

impl Wanted {
    pub fn name(&self) -> &str {
        &self.info.name
    }
}

pub struct Prepared {
    pub missing: Vec<Wanted>,
    /// Rows of the columns that are here.
    pub rows: Option<u64>,
}

/// Makes the data those of this table, and says which columns have to come.
pub fn prepare(
    host: &Rc<Host>,
    described: &Described,
    columns: &[String],
) -> Result<Prepared, Trouble> {
    let table = &described.table;
    let mut wanted = Vec::with_capacity(columns.len());
    for name in columns {
        match described.column(name) {
            Ok((place, info)) => {
                let file = column_file(&described.uid, table.version.as_ref(), name);
                wanted.push(Wanted { place, info: info.clone(), file });
            }
            Err(_) if described.origin == Origin::Cache => {
                wanted.push(Wanted { place: u32::MAX, info: unknown_column(name), file: None });
            }
            Err(detail) => return Err(Trouble::Failed(detail)),
        }
    }
    let mut data = host.data.borrow_mut();
    let is_same = data.resident.as_ref().is_some_and(|resident| {
        resident.table == table.name
            && resident.version == table.version
            && resident.uid == described.uid
    });
    if !is_same {
        let (name, version) = (table.name.clone(), table.version.clone());
        data.resident = Some(Resident::new(name, version, described.uid.clone(), described.origin));
        data.renew();
    }
    if data.remote.take().is_some() {
        data.renew();
    }
    let budget = host.budget();
    let bytes_per_row: f64 = wanted.iter().map(|wanted| wanted.info.bytes_per_row).sum();
    let fit = budget.fit(table.rows, bytes_per_row);
    if let (Fit::TooLarge { needed_bytes }, Origin::Server) = (fit, described.origin) {
        data.resident = None;
        data.remote = Some(Remote { table: table.clone(), columns: described.columns.clone() });
        data.renew();
        return Err(Trouble::TooLarge { needed_bytes });
    }
    let Some(resident) = &mut data.resident else { return Err(Trouble::Cancelled) };
    resident.rows_total = table.rows.or(resident.rows_total);
    let n_columns = resident.columns().len();
    let missing = missing_columns(resident, wanted);
    make_room(resident, &missing, columns, budget.bytes_max);
    resident.set_coming(missing.iter().map(|column| column.name().to_owned()).collect());
    let whole = resident.columns().iter().find(|column| column.is_complete());
    let rows = whole.map(|column| column.rows() as u64);
    if resident.columns().len() < n_columns {
        data.renew();
    }
    Ok(Prepared { missing, rows })
}

/// The columns that are not here whole; what is here of them goes.
fn missing_columns(resident: &mut Resident, wanted: Vec<Wanted>) -> Vec<Wanted> {
    let mut missing = Vec::new();
    for column in wanted {
        if !resident.is_complete([column.name()]) {
            resident.remove(column.name());
            missing.push(column);
        }
    }
    missing
}

/// Lets columns that are no longer wanted go, if the new ones need their room.
fn make_room(resident: &mut Resident, missing: &[Wanted], columns: &[String], bytes_max: u64) {
    let rows = resident.rows_total.unwrap_or_default() as f64;
    let incoming: f64 = missing.iter().map(|wanted| wanted.info.bytes_per_row * rows).sum();
    if resident.bytes() as f64 + incoming <= bytes_max as f64 {
        return;
    }
    let unwanted: Vec<String> = resident
        .columns()
        .iter()
        .map(Column::name)
        .filter(|name| !columns.iter().any(|column| column == name))
        .map(str::to_owned)
        .collect();
    unwanted.iter().for_each(|name| resident.remove(name));
}

fn unknown_column(name: &str) -> ColumnInfo {
    ColumnInfo {
        name: name.to_owned(),
        data_type: String::new(),
        kind: engine::kind::Kind::Nested,
        nullable: true,
        bytes_per_row: 0.0,
        min: None,
        max: None,
        null_count: None,
        distinct_count: None,
    }
}
