//! Conformance to GraphQL over HTTP.
