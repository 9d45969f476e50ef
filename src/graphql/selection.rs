//! Selections: what a client asks for below a field, seen before the field is resolved.

use async_graphql::{Context, Lookahead, SelectionField, Value};

use super::paging::PageArguments;
use crate::db::{ListBoundsRequest, PageRequest};
use crate::error::{Error, Message, Result};

/// Everything that is selected at one place of the answer, fragments included.
pub struct Selection<'a>(Lookahead<'a>);

impl<'a> Selection<'a> {
    /// The field that is being resolved.
    pub fn of(ctx: &'a Context<'_>) -> Selection<'a> {
        Selection(ctx.look_ahead())
    }

    /// What is selected below the field of that name.
    pub fn field(&self, name: &str) -> Self {
        Self(self.0.field(name))
    }

    /// Whether a field of that name is selected.
    pub fn has(&self, name: &str) -> bool {
        self.0.field(name).exists()
    }

    /// Whether a field of another name than `name` is selected.
    pub fn has_beside(&self, name: &str) -> bool {
        let fields = self.0.selection_fields();
        fields.iter().flat_map(SelectionField::selection_set).any(|field| ![name, "__typename"].contains(&field.name()))
    }

    /// What has to be found out about a list, beside the page, to answer what is selected of this connection.
    pub fn bounds_request<K: Copy>(&self, request: &PageRequest<K>) -> ListBoundsRequest<K> {
        let page_info = self.field("pageInfo");
        let (previous, next) = (page_info.has("hasPreviousPage"), page_info.has("hasNextPage"));
        ListBoundsRequest::beside(request, self.has("totalCount"), previous, next)
    }

    /// The selections of a connection below this one, one for each distinct set of arguments: aliases can ask for
    /// several pages of the same list.
    pub fn connections(&self, name: &str) -> Result<Vec<(PageArguments, Self)>> {
        let mut groups: Vec<(PageArguments, Vec<SelectionField<'a>>)> = Vec::new();
        for field in self.0.field(name).selection_fields() {
            let arguments = page_arguments(&field)?;
            match groups.iter_mut().find(|(known, _)| *known == arguments) {
                Some((_, fields)) => fields.push(field),
                None => groups.push((arguments, vec![field])),
            }
        }
        Ok(groups
            .into_iter()
            .filter_map(|(arguments, fields)| Some((arguments, Self(Lookahead::try_from(&fields[..]).ok()?))))
            .collect())
    }
}

fn page_arguments(field: &SelectionField<'_>) -> Result<PageArguments> {
    let mut page = PageArguments::default();
    for (name, value) in
        field.arguments().map_err(|error| Error::new(Message::ArgumentRefused { said: error.message }))?
    {
        let number = match &value {
            Value::Number(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
            _ => None,
        };
        let text = match &value {
            Value::String(text) => Some(text.clone()),
            _ => None,
        };
        match name.as_str() {
            "first" => page.first = number,
            "last" => page.last = number,
            "after" => page.after = text,
            "before" => page.before = text,
            _ => {}
        }
    }
    Ok(page)
}
