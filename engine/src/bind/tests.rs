//! Binding, shown at its errors.
