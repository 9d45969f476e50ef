//! Filters: a tree of conditions on the fields of a record, and its SQL.

use serde::Serialize;
use sqlx::postgres::PgHasArrayType;
use sqlx::{Encode, Postgres, QueryBuilder, Type};

/// A condition on one field. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition<T> {
    /// Less than.
    Lt(T),
    /// At most.
    Le(T),
    /// Equal; `None` = has no value.
    Eq(Option<T>),
    /// One of these.
    In(Vec<T>),
    /// At least.
    Ge(T),
    /// More than.
    Gt(T),
}

/// Conditions on fields `F`, combined. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter<F> {
    /// Every one holds; an empty list holds for every record.
    All(Vec<Self>),
    /// At least one holds; an empty list holds for no record.
    Any(Vec<Self>),
    /// Exactly the records for which the inner filter does not hold.
    Not(Box<Self>),
    /// A condition on a field.
    Field(F),
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl<F> Filter<F> {
    /// The conditions that every matching record meets for certain: those not below an `or` or a `not`.
    pub fn certain(&self) -> Vec<&F> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::certain).collect(),
            Self::Field(field) => vec![field],
            Self::Any(_) | Self::Not(_) => Vec::new(),
        }
    }

    /// Whether a field that `wanted` picks occurs anywhere.
    pub fn mentions(&self, wanted: fn(&F) -> bool) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.mentions(wanted)),
            Self::Not(inner) => inner.mentions(wanted),
            Self::Field(field) => wanted(field),
        }
    }

    /// Appends the filter as one boolean expression.
    pub fn push(&self, sql: &mut QueryBuilder<Postgres>, field: fn(&F, &mut QueryBuilder<Postgres>)) {
        match self {
            Self::All(parts) => push_joined(parts, " AND ", "TRUE", sql, field),
            Self::Any(parts) => push_joined(parts, " OR ", "FALSE", sql, field),
            Self::Not(inner) => {
                // A comparison with a missing value is neither true nor false; the complement takes it in.
                sql.push("(");
                inner.push(sql, field);
                sql.push(") IS NOT TRUE");
            }
            Self::Field(condition) => field(condition, sql),
        }
    }
}

fn push_joined<F>(
    parts: &[Filter<F>],
    separator: &str,
    empty: &str,
    sql: &mut QueryBuilder<Postgres>,
    field: fn(&F, &mut QueryBuilder<Postgres>),
) {
    if parts.is_empty() {
        sql.push(empty);
        return;
    }
    sql.push("(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            sql.push(separator);
        }
        part.push(sql, field);
    }
    sql.push(")");
}

impl<T> Condition<T>
where
    T: Clone + Send + 'static + for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType,
{
    /// Appends the condition on `column`.
    pub fn push(&self, column: &'static str, sql: &mut QueryBuilder<Postgres>) {
        let (operator, value) = match self {
            Self::Lt(value) => (" < ", value),
            Self::Le(value) => (" <= ", value),
            Self::Eq(Some(value)) => (" = ", value),
            Self::Ge(value) => (" >= ", value),
            Self::Gt(value) => (" > ", value),
            Self::Eq(None) => {
                sql.push(column).push(" IS NULL");
                return;
            }
            Self::In(values) => {
                sql.push(column).push(" = ANY(").push_bind(values.clone()).push(")");
                return;
            }
        };
        sql.push(column).push(operator).push_bind(value.clone());
    }
}
