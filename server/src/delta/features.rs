//! Which table features are understood, and what a kernel's refusal means for the table.

use delta_kernel::KernelError;
use delta_kernel::actions::Protocol;

use crate::lake::error::BadTable;

/// Reader features that this scan honours. The kernel knows more, which the scan does not.
const UNDERSTOOD: [&str; 8] = [
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
    "typeWidening",
    "typeWidening-preview",
    // Only the columns of this type need a reader; a table may have the feature and none of them.
    "variantType",
];

/// Names the first reader feature of a protocol that is not understood.
pub(super) fn check(protocol: &Protocol) -> Result<(), BadTable> {
    let features = protocol.reader_features().unwrap_or_default();
    let unknown =
        features.iter().map(ToString::to_string).find(|name| !UNDERSTOOD.contains(&name.as_str()));
    match unknown {
        Some(feature) => Err(BadTable::Feature { feature }),
        None => Ok(()),
    }
}

/// What a kernel error says about a table whose log is complete.
pub(super) fn fault_from_kernel(error: &KernelError) -> BadTable {
    match error {
        KernelError::Backtraced { source, .. } => fault_from_kernel(source),
        KernelError::MissingProtocol => BadTable::NoProtocol,
        KernelError::MissingMetadata => BadTable::NoMetadata,
        KernelError::MissingMetadataAndProtocol => BadTable::NoMetadata,
        KernelError::InvalidProtocol(reason) => BadTable::Protocol { reason: lower_first(reason) },
        KernelError::Unsupported(reason) => match feature_in(reason) {
            Some(feature) => BadTable::Feature { feature },
            None => BadTable::Protocol { reason: lower_first(reason) },
        },
        // A table whose commits only its catalog knows.
        KernelError::MaxCatalogVersion(_) => {
            BadTable::Feature { feature: "catalogManaged".to_owned() }
        }
        KernelError::FileNotFound(file) => BadTable::MissingFile { file: file.clone() },
        other => BadTable::CorruptLog { reason: lower_first(&other.to_string()) },
    }
}

/// The feature that a refusal of the kernel names: `Feature 'x' is not supported`.
fn feature_in(reason: &str) -> Option<String> {
    let (_, rest) = reason.split_once("eature '")?;
    let (feature, _) = rest.split_once('\'')?;
    Some(feature.trim_matches('"').to_owned())
}

fn lower_first(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars.next().map(|first| first.to_lowercase().to_string());
    first.into_iter().chain([chars.collect()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_feature_is_named() {
        let refused = KernelError::Unsupported("Feature 'flyingCars' is not supported".to_owned());
        let feature = "flyingCars".to_owned();
        assert_eq!(fault_from_kernel(&refused), BadTable::Feature { feature });
        let version = KernelError::Unsupported("Unsupported minimum reader version 99".to_owned());
        let reason = "unsupported minimum reader version 99".to_owned();
        assert_eq!(fault_from_kernel(&version), BadTable::Protocol { reason });
    }
}
