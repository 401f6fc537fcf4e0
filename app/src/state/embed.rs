//! A map of a table's vectors, as it is asked for: what the form says as a job for the
//! companion, and what the companion says of its jobs.

use engine::kind::Kind;
use engine::predicate::Predicate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::address::{self, Options};
use super::{Chosen, ShownView, row_groups};
use crate::protocol::{ColumnInfo, Mark, ViewId, file_of_name, is_address};

/// What a new map has, unless something else is chosen.
pub const CLUSTERS: u32 = 10;
pub const CLUSTERS_MAX: u32 = 100;
/// Of what is typed, rather than dragged.
pub const CLUSTERS_TYPED_MAX: u32 = 10_000;
pub const DENSE_ROWS: u32 = 15;
pub const DENSE_ROWS_MAX: u32 = 100_000;
const BARS: u16 = 12;

/// How rows are put in clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clusters {
    None,
    /// So many, by k-means of the vectors.
    Means(u32),
    /// Places of the map that are dense, of so many rows at least.
    Dense(u32),
}

/// What the form says.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub column: String,
    /// Of which the names are those of the API.
    pub algorithm: &'static str,
    /// A second layout of the same vectors, to be looked at beside the first.
    pub beside: Option<&'static str>,
    pub clusters: Clusters,
    pub is_normalized: bool,
    /// Whether the map has the vectors too.
    pub keeps_vectors: bool,
    /// Rows that pass the filters alone, rather than all.
    pub only_selected: bool,
    pub into: String,
    pub more: More,
}

/// What few change: of none the algorithm's own default, or the companion's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct More {
    /// Of UMAP: neighbours that hold a row, and how near points may come.
    pub neighbours: Option<u32>,
    pub min_distance: Option<f64>,
    /// Whether UMAP begins by eigenvectors of the graph of neighbours.
    pub is_spectral: bool,
    /// Of t-SNE: how many neighbours count, about.
    pub perplexity: Option<f64>,
    /// Whether k-means learns from some rows at a time.
    pub has_batches: bool,
    pub seed: Option<u64>,
    /// The map that rows are placed on, rather than laid out by themselves.
    pub onto: Option<String>,
    /// Whether there are tables of centroids, and of nearest neighbours, too.
    pub has_centroids: bool,
    pub has_neighbours: bool,
}

impl More {
    /// What of it is for whoever computes: tables beside the map, and maps to place rows on, are
    /// the companion's.
    pub fn of(self, is_here: bool) -> Self {
        match is_here {
            false => self,
            true => Self { onto: None, has_centroids: false, has_neighbours: false, ..self },
        }
    }

    /// A layout by this algorithm, called `name`.
    fn layout(&self, algorithm: &str, name: String) -> Value {
        let mut step = json!({"kind": "project", "algorithm": algorithm, "as": name});
        match algorithm {
            "umap" => {
                step["neighbours"] = json!(self.neighbours);
                step["min_dist"] = json!(self.min_distance);
                if self.is_spectral {
                    step["init"] = json!("spectral");
                }
            }
            "tsne" => step["perplexity"] = json!(self.perplexity),
            _ => {}
        }
        step
    }
}

/// A job of the companion.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Job {
    pub id: String,
    pub state: JobState,
    pub progress: f64,
    pub phase: Option<String>,
    pub message: Option<String>,
    pub waiting_for: Option<u32>,
    pub result: Option<JobTable>,
    pub job: Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl JobState {
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct JobTable {
    pub table: String,
    pub rows: u64,
    /// Of rows that were saved as a file, where that is.
    pub address: Option<String>,
}

/// What of the request its line shows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Asked {
    pub into: String,
    #[serde(default)]
    pub steps: Vec<Step>,
    /// That makes vectors.
    pub model: Option<String>,
    pub kind: Option<String>,
    pub table: Option<String>,
    /// The column of names, where rows get some.
    pub r#as: Option<String>,
}

impl Asked {
    /// Whether it gives rows names.
    pub fn is_label(&self) -> bool {
        self.kind.as_deref() == Some("label")
    }

    /// Whether it is one of those that the page begins.
    pub fn is_known(&self) -> bool {
        !self.steps.is_empty() || self.model.is_some() || self.is_label()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Step {
    pub kind: String,
    pub r#as: Option<String>,
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<Job>,
}

/// A list of jobs, newest first; what cannot be read is none.
pub fn jobs(text: &str) -> Vec<Job> {
    serde_json::from_str::<Jobs>(text).map(|jobs| jobs.jobs).unwrap_or_default()
}

pub fn job(text: &str) -> Option<Job> {
    serde_json::from_str(text).ok()
}

/// What a job is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Estimate {
    pub rows: u64,
    pub dimensions: u64,
    pub seconds: f64,
    pub memory_bytes: u64,
}

pub fn estimate(text: &str) -> Option<Estimate> {
    serde_json::from_str(text).ok()
}

/// What a problem says of itself, and the field it blames.
pub fn problem(text: &str) -> Option<(String, Option<String>)> {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
        field: Option<String>,
    }
    let problem: Problem = serde_json::from_str(text).ok()?;
    Some((problem.detail, problem.field))
}

/// The columns that can be mapped.
pub fn vector_columns(columns: &[ColumnInfo]) -> Vec<String> {
    let vectors = columns.iter().filter(|column| column.kind == Kind::Vector);
    vectors.map(|column| column.name.clone()).collect()
}

/// Whether there is anything to map.
pub fn has_vectors(columns: &[ColumnInfo]) -> bool {
    columns.iter().any(|column| column.kind == Kind::Vector)
}

/// Vectors that a map keeps unasked: beside the table they come from they are there twice.
const KEPT_BYTES_MAX: f64 = (512 << 20) as f64;

/// Whether a table's vectors are few enough to be kept unasked.
pub fn are_few(columns: &[ColumnInfo], rows: Option<u64>) -> bool {
    let vectors = columns.iter().filter(|column| column.kind == Kind::Vector);
    let bytes: f64 = vectors.map(|column| column.bytes_per_row).sum();
    rows.is_some_and(|rows| bytes * rows as f64 <= KEPT_BYTES_MAX)
}

/// Whether the table is one of the companion's.
pub fn is_own(table: Option<&str>) -> bool {
    table.is_some_and(|table| file_of_name(table).is_none() && !is_address(table))
}

/// Whether the companion could map the table: it is one of its own.
pub fn is_mappable(table: Option<&str>, columns: &[ColumnInfo]) -> bool {
    is_own(table) && has_vectors(columns)
}

/// A name for the map of a table, or of a file, or for what else is made of it, that none of
/// `tables` has.
pub fn free_name(table: &str, what: &str, tables: &[String]) -> String {
    let table = match file_of_name(table) {
        Some(file) => file.split('.').next().unwrap_or(file),
        None => table.rsplit('/').next().filter(|_| is_address(table)).unwrap_or(table),
    };
    let name = |number: u32| match number {
        1 => format!("{table}-{what}"),
        _ => format!("{table}-{what}-{number}"),
    };
    (1..).map(name).find(|name| !tables.contains(name)).unwrap_or_default()
}

/// The job that the form asks for. `columns` are those of the table, which the map keeps.
pub fn request(chosen: &Chosen, columns: &[ColumnInfo], wanted: &Wanted) -> Option<String> {
    // What is made must not have the names of what is kept.
    let free = |name: &str, is_taken: &dyn Fn(&str, &str) -> bool| {
        let names = std::iter::once(name.to_owned()).chain((2..).map(|n| format!("{name}_{n}")));
        // Whatever the case: to Delta they are the same.
        let mut names =
            names.filter(|name| !columns.iter().any(|c| is_taken(name, &c.name.to_lowercase())));
        names.next().unwrap_or_default()
    };
    let is_taken = |name: &str, column: &str| {
        column.strip_prefix(name).is_some_and(|rest| matches!(rest, "_1" | "_2"))
    };
    let dimensions = free("dim", &is_taken);
    let cluster = free("cluster", &|name, column| {
        let beside = ["", "_distance", "_probability", "_outlier"];
        column.strip_prefix(name).is_some_and(|rest| beside.contains(&rest))
    });
    let second = wanted.beside.filter(|beside| *beside != wanted.algorithm);
    let more = &wanted.more;
    let mut steps = vec![more.layout(wanted.algorithm, dimensions.clone())];
    steps.extend(second.map(|beside| more.layout(beside, free(beside, &is_taken))));
    let has_means = matches!(wanted.clusters, Clusters::Means(_));
    let has_umap = [Some(wanted.algorithm), second].contains(&Some("umap"));
    match wanted.clusters {
        Clusters::None => {}
        // First: whoever sees points move sees them in their colours.
        Clusters::Means(k) => steps.insert(
            0,
            json!({
                "kind": "cluster", "k": k, "labels": "text", "distances": true, "as": cluster,
                "mini_batch": more.has_batches,
            }),
        ),
        Clusters::Dense(rows) => steps.push(json!({
            "kind": "cluster", "algorithm": "hdbscan", "min_cluster_size": rows,
            "of": dimensions, "labels": "text", "as": cluster,
        })),
    }
    let mut job = json!({
        "kind": "embed",
        "table": chosen.table.clone()?,
        "column": wanted.column,
        "normalize": if wanted.is_normalized { "l2" } else { "none" },
        "keep": "all",
        "keep_vectors": wanted.keeps_vectors,
        "steps": steps,
        "into": wanted.into,
        "seed": more.seed,
        "onto": more.onto.as_ref().filter(|_| has_umap),
        "centroids_into": (more.has_centroids && has_means).then(|| format!("{}-centroids", wanted.into)),
        "neighbours_into": more.has_neighbours.then(|| format!("{}-neighbours", wanted.into)),
    });
    let fields = job.as_object_mut()?;
    if let Some(version) = &chosen.version {
        fields.insert("version".to_owned(), serde_json::to_value(version).ok()?);
    }
    if wanted.only_selected {
        let clauses: Vec<&Predicate> =
            chosen.clauses.iter().map(|clause| &clause.predicate).collect();
        fields.insert("filters".to_owned(), serde_json::to_value(clauses).ok()?);
    }
    Some(job.to_string())
}

/// The address of what a job wrote: its points, coloured by cluster, a view for each layout; of
/// rows that got names what is `shown` of them.
pub fn address_of(job: &Job, shown: &Chosen) -> Option<String> {
    let table = job.result.as_ref()?.table.clone();
    if job.job.is_label() {
        return row_groups::address_of(shown, &table, &job.job);
    }
    let named = |kind: &'static str| {
        let steps = job.job.steps.iter().filter(move |step| step.kind == kind);
        steps.filter_map(|step| step.r#as.clone())
    };
    let cluster = named("cluster").next();
    let points = named("project").map(|place| Mark::Scatter {
        x: format!("{place}_1"),
        y: format!("{place}_2"),
        color: cluster.clone(),
        look: Default::default(),
        varied: Default::default(),
    });
    let points: Vec<Mark> = points.collect();
    let bars = cluster.map(|column| Mark::Bars { column, limit: BARS, search: String::new() });
    let views = (1..).zip(points.into_iter().chain(bars));
    let views = views.map(|(id, mark)| ShownView { id: ViewId(id), mark, viewport: None });
    let views = Some(views.collect::<Vec<_>>()).filter(|views| !views.is_empty());
    let chosen = Chosen { table: Some(table), views, ..Chosen::default() };
    Some(address::write(&chosen, &Options::default()))
}

/// Rows of a dense place at least, as they were typed.
pub fn dense_rows(typed: &str) -> Option<u32> {
    typed.trim().parse().ok().filter(|rows| (2..=DENSE_ROWS_MAX).contains(rows))
}

/// Neighbours that hold a row in a layout by UMAP.
pub fn neighbours(typed: &str) -> Option<u32> {
    typed.trim().parse().ok().filter(|many| (2..=500).contains(many))
}

/// How near points may come in a layout by UMAP.
pub fn min_distance(typed: &str) -> Option<f64> {
    typed.trim().parse().ok().filter(|distance| (0.0..=1.0).contains(distance))
}

/// How many neighbours count in a layout by t-SNE, about.
pub fn perplexity(typed: &str) -> Option<f64> {
    typed.trim().parse().ok().filter(|many| (1.0..=166.0).contains(many))
}

pub fn seed(typed: &str) -> Option<u64> {
    typed.trim().parse().ok()
}

/// A number of clusters that was typed or dragged.
pub fn clusters(typed: &str) -> Option<u32> {
    typed.trim().parse().ok().filter(|k| (1..=CLUSTERS_TYPED_MAX).contains(k))
}

/// Columns of a few different values each, and how many: that of fewest first. `known` says what was
/// counted of the rows that are here.
pub fn columns_of_values(
    columns: &[ColumnInfo],
    known: impl Fn(&str) -> Option<u64>,
) -> Vec<(String, u32)> {
    let of = |column: &ColumnInfo| {
        let many = u32::try_from(known(&column.name).or(column.distinct_count)?).ok()?;
        let is_few = (2..=CLUSTERS_TYPED_MAX / 10).contains(&many);
        let is_named = matches!(column.kind, Kind::Category | Kind::Text | Kind::Boolean);
        (is_few && is_named).then(|| (column.name.clone(), many))
    };
    let mut found: Vec<(String, u32)> = columns.iter().filter_map(of).collect();
    found.sort_by_key(|(_, many)| *many);
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::Value;

    use super::*;
    use crate::protocol::Clause;

    fn column(name: &str, kind: Kind) -> ColumnInfo {
        let data_type = String::new();
        let (min, max, null_count, distinct_count) = (None, None, None, None);
        let (nullable, bytes_per_row) = (true, 4.0);
        let name = name.to_owned();
        ColumnInfo {
            name,
            data_type,
            kind,
            nullable,
            min,
            max,
            null_count,
            distinct_count,
            bytes_per_row,
        }
    }

    fn wanted() -> Wanted {
        Wanted {
            column: "emb".to_owned(),
            algorithm: "pca",
            beside: None,
            clusters: Clusters::Means(5),
            is_normalized: true,
            keeps_vectors: true,
            only_selected: true,
            into: "t-map".to_owned(),
            more: More::default(),
        }
    }

    #[test]
    fn what_few_change_goes_to_the_steps_it_belongs_to() {
        let more = More {
            neighbours: neighbours("30"),
            min_distance: min_distance("0.5"),
            is_spectral: true,
            perplexity: perplexity("12"),
            has_batches: true,
            seed: seed("7"),
            onto: Some("map".to_owned()),
            has_centroids: true,
            has_neighbours: true,
        };
        let chosen = Chosen { table: Some("t".to_owned()), ..Chosen::default() };
        let job = |wanted: &Wanted| -> Value {
            serde_json::from_str(&request(&chosen, &[], wanted).unwrap()).unwrap()
        };
        let all = Wanted { algorithm: "umap", beside: Some("tsne"), more, ..wanted() };
        let asked = job(&all);
        let [cluster, umap, tsne] = [0, 1, 2].map(|at| &asked["steps"][at]);
        assert_eq!(cluster["mini_batch"], true);
        let of_umap = ["neighbours", "min_dist", "init"].map(|field| umap[field].clone());
        assert_eq!(of_umap, [json!(30), json!(0.5), json!("spectral")]);
        assert_eq!((&tsne["perplexity"], tsne.get("neighbours")), (&json!(12.0), None));
        assert_eq!((&asked["seed"], &asked["onto"]), (&json!(7), &json!("map")));
        assert_eq!(asked["centroids_into"], "t-map-centroids");
        assert_eq!(asked["neighbours_into"], "t-map-neighbours");
        let without = job(&Wanted { algorithm: "pca", ..all.clone() });
        assert_eq!(without["onto"], Value::Null);
        let none = job(&Wanted { clusters: Clusters::None, ..all });
        assert_eq!(none["centroids_into"], Value::Null);
        assert_eq!(
            (neighbours("1"), min_distance("2"), perplexity("0"), seed("-1")),
            (None, None, None, None)
        );
    }

    #[test]
    fn a_form_is_a_job_on_what_is_selected() {
        let filter = r#"[{"column": "digit", "op": "eq", "value": 12345678901234567890}]"#;
        let raw = serde_json::from_str(filter).unwrap();
        let predicate = Predicate::from_filters(raw, "filters").unwrap();
        let clauses = vec![Clause { id: "column:digit".to_owned(), predicate }];
        let chosen = Chosen { table: Some("t".to_owned()), clauses, ..Chosen::default() };
        let columns = [column("emb", Kind::Vector), column("cluster", Kind::Number)];
        let text = request(&chosen, &columns, &wanted()).unwrap();
        assert!(text.contains("12345678901234567890"), "{text}");
        let job: Value = serde_json::from_str(&text).unwrap();
        // The table has a column of that name already.
        assert_eq!(job["steps"][0]["as"], "cluster_2");
        assert_eq!(job["steps"][1]["as"], "dim");
        assert_eq!((&job["keep"], &job["into"]), (&json!("all"), &json!("t-map")));
        assert_eq!(job["keep_vectors"], true);
        let all = Wanted { only_selected: false, clusters: Clusters::None, ..wanted() };
        let job: Value = serde_json::from_str(&request(&chosen, &columns, &all).unwrap()).unwrap();
        assert_eq!((job.get("filters"), job["steps"].as_array().unwrap().len()), (None, 1));
        let dense = Wanted { clusters: Clusters::Dense(20), ..wanted() };
        let job = request(&chosen, &columns, &dense).unwrap();
        let job: Value = serde_json::from_str(&job).unwrap();
        let step = &job["steps"][1];
        assert_eq!((&step["algorithm"], &step["of"]), (&json!("hdbscan"), &job["steps"][0]["as"]));
        let two = Wanted { beside: Some("umap"), ..wanted() };
        let columns = [column("emb", Kind::Vector), column("UMAP_1", Kind::Number)];
        let job: Value = serde_json::from_str(&request(&chosen, &columns, &two).unwrap()).unwrap();
        let names: Vec<&Value> =
            job["steps"].as_array().unwrap().iter().map(|step| &step["as"]).collect();
        assert_eq!(names, ["cluster", "dim", "umap_2"]);
        let same = Wanted { beside: Some("pca"), ..wanted() };
        let job: Value = serde_json::from_str(&request(&chosen, &columns, &same).unwrap()).unwrap();
        assert_eq!(job["steps"].as_array().unwrap().len(), 2);
        assert_eq!((dense_rows(" 20"), dense_rows("1"), dense_rows("")), (Some(20), None, None));
    }

    #[test]
    fn what_a_job_wrote_has_an_address() {
        let text = r#"{"id": "1", "state": "done", "progress": 1.0, "phase": null, "message": "3 rows",
            "result": {"table": "a b", "version": 0, "rows": 3}, "metrics": {},
            "job": {"table": "t", "into": "a b", "steps": [{"kind": "project", "as": "dim"},
            {"kind": "project", "as": "pca"}, {"kind": "cluster", "k": 3, "as": "cluster"}]}}"#;
        let job = job(text).unwrap();
        let read = address::read(&address_of(&job, &Chosen::default()).unwrap());
        assert!(read.complaints.is_empty(), "{:?}", read.complaints);
        assert_eq!(read.chosen.table.as_deref(), Some("a b"));
        let columns = |view: &ShownView| view.mark.columns().join(" ");
        let views: Vec<String> = read.chosen.shown_views().iter().map(columns).collect();
        assert_eq!(views, ["dim_1 dim_2 cluster", "pca_1 pca_2 cluster", "cluster"]);
    }

    #[test]
    fn names_and_numbers_are_checked() {
        let tables = ["t-map".to_owned(), "t-map-2".to_owned()];
        assert_eq!(
            (free_name("t", "map", &tables), free_name("u", "map", &tables)),
            ("t-map-3".into(), "u-map".into())
        );
        assert_eq!(free_name("file:t.parquet", "map", &tables[1..]), "t-map");
        assert_eq!(
            (clusters(" 7 "), clusters("0"), clusters("x"), clusters("10001")),
            (Some(7), None, None, None)
        );
        let mut columns = vec![column("a", Kind::Text), column("b", Kind::Category)];
        columns.extend([column("n", Kind::Number), column("many", Kind::Text)]);
        columns[0].distinct_count = Some(12);
        columns[3].distinct_count = Some(1 << 40);
        let known = |name: &str| (name == "b" || name == "n").then_some(3);
        let found = columns_of_values(&columns, known);
        assert_eq!(found, [("b".to_owned(), 3), ("a".to_owned(), 12)]);
        let problem = problem(
            r#"{"type": "x", "title": "T", "status": 409, "detail": "it is there", "field": "into"}"#,
        );
        assert_eq!(problem, Some(("it is there".to_owned(), Some("into".to_owned()))));
    }
}
