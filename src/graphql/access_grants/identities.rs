//! User identities in the schema.

use async_graphql::{Context, ID, Object};
use chrono_tz::Tz;

use super::filters::UserIdentityFilter;
use crate::access_grants::{self, IdentityView, OwnedList, visible_to};
use crate::db::ListBounds;
use crate::error::Result;
use crate::graphql::clients::ClientNode;
use crate::graphql::connection::{Connection, ListNode};
use crate::graphql::context::RequestContext;
use crate::graphql::enums::UserIdentityKind;
use crate::graphql::error::Resolved;
use crate::graphql::filters::filter_argument;
use crate::graphql::paging::{CursorScope, PageArguments};
use crate::graphql::scalars::Datetime;
use crate::graphql::selection::Selection;

/// Somebody to whom access is granted. It belongs to the integration that made it.
#[derive(Clone)]
pub struct UserIdentityNode {
    view: IdentityView,
    zone: Tz,
}

impl ListNode for UserIdentityNode {
    const CONNECTION: &'static str = "UserIdentityConnection";
    const EDGE: &'static str = "UserIdentityEdge";
}

impl UserIdentityNode {
    /// As the hotel's clocks show it.
    pub fn new(view: IdentityView, zone: Tz) -> Self {
        Self { view, zone }
    }
}

/// Somebody to whom access is granted. It belongs to the integration that made it.
#[Object(name = "UserIdentity")]
impl UserIdentityNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    async fn id(&self) -> ID {
        ID(self.view.identity.id.to_string())
    }

    /// Name by which its integration finds it. Arguments take it in place of the id.
    async fn user_identity_key(&self) -> Option<&str> {
        self.view.identity.key.as_deref()
    }

    /// Whether the rules of guests or those of staff hold.
    async fn kind(&self) -> UserIdentityKind {
        self.view.identity.kind.into()
    }

    /// Name.
    async fn full_name(&self) -> Option<&str> {
        self.view.identity.details.full_name.as_deref()
    }

    /// E-mail address.
    async fn email_address(&self) -> Option<&str> {
        self.view.identity.details.email_address.as_deref()
    }

    /// Telephone number.
    async fn phone_number(&self) -> Option<&str> {
        self.view.identity.details.phone_number.as_deref()
    }

    /// The client of the hotel that it is.
    async fn client(&self) -> Option<ClientNode> {
        self.view.client.clone().map(ClientNode::from)
    }

    /// When it was made.
    async fn created_at(&self) -> Datetime {
        Datetime::local(self.view.identity.created_at, self.zone)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> Datetime {
        Datetime::local(self.view.identity.updated_at, self.zone)
    }
}

/// Queries for user identities.
#[derive(Default)]
pub struct UserIdentityQuery;

#[Object]
impl UserIdentityQuery {
    /// User identities of this integration, in the order in which they were made: with the permission `FRONT_DESK` those of all
    /// integrations of the hotel.
    async fn user_identities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user identities.")] filter: Option<UserIdentityFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only user identities behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only user identities before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<UserIdentityNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(page(RequestContext::of(ctx), filter, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    filter: Option<UserIdentityFilter>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<UserIdentityNode>> {
    let hotel = context.actor.hotel.id;
    let list = OwnedList { integration: visible_to(&context.actor)?, filter: filter_argument(filter)? };
    let scope = CursorScope::new(hotel, "userIdentities", &list);
    let request = arguments.request(scope)?;
    let with_client = selection.field("edges").field("node").has("client");
    let mut session = context.read().await?;
    let page = access_grants::identity_page(session.conn().await?, hotel, &list, &request, with_client).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        access_grants::identity_bounds(session.conn().await?, hotel, &list, &wanted).await?
    };
    let zone = context.actor.hotel.time_zone;
    let keyed = page.map(|view| (view.identity.id, UserIdentityNode::new(view, zone)));
    Ok(Connection::new(keyed, bounds, &request, scope))
}
