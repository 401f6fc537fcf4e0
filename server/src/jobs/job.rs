//! A job of any kind: on vectors that there are, making some, or giving rows names.

use std::sync::Arc;

use engine::error::QueryError;
use engine::steps::Kind;
use engine::steps::fields::Fields;

use super::encode::EncodeSpec;
use super::failure::JobFailure;
use super::label::LabelSpec;
use super::spec::JobSpec;
use super::work::{self, Outcome};
use crate::encode::models::Models;
use crate::query::Queries;

/// What a server is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    OnVectors(Box<JobSpec>),
    Encode(Box<EncodeSpec>),
    Label(Box<LabelSpec>),
}

impl Job {
    /// # Errors
    /// Where a field is missing, unknown, or not what it may be.
    pub fn from_json(text: &str) -> Result<Self, QueryError> {
        let mut fields = Fields::read(text)?;
        let kind: Kind = fields.required("kind")?;
        Ok(match kind {
            Kind::Encode => Self::Encode(Box::new(EncodeSpec::from_fields(fields)?)),
            Kind::Label => Self::Label(Box::new(LabelSpec::from_fields(fields)?)),
            Kind::Cluster | Kind::Project | Kind::Embed => {
                Self::OnVectors(Box::new(JobSpec::from_json(text)?))
            }
        })
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::OnVectors(spec) => spec.kind,
            Self::Encode(_) => Kind::Encode,
            Self::Label(_) => Kind::Label,
        }
    }

    pub fn priority(&self) -> i32 {
        match self {
            Self::OnVectors(spec) => spec.priority,
            Self::Encode(spec) => spec.priority,
            Self::Label(spec) => spec.priority,
        }
    }

    /// Whether it could be begun. Gives what came of it where it was done before.
    pub async fn check(
        &self,
        queries: &Queries,
        models: &Arc<Models>,
    ) -> Result<Option<Outcome>, JobFailure> {
        match self {
            Self::OnVectors(spec) => work::check(queries, spec).await,
            Self::Encode(spec) => spec.check(queries, models).await.map(|()| None),
            Self::Label(spec) => spec.check(queries).await,
        }
    }
}
