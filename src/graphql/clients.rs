//! Clients in the schema.

use async_graphql::{Context, ID, Interface, Object};

use super::connection::{Connection, ListNode};
use super::context::RequestContext;
use super::error::Resolved;
use super::filters::{ClientFilter, filter_argument};
use super::paging::{CursorScope, PageArguments};
use super::scalars::Date;
use super::selection::Selection;
use crate::clients::{self, Client, ClientDetails, ClientKind};
use crate::db::ListBounds;
use crate::error::Result;

/// A person or a company that books, pays or stays.
#[expect(clippy::duplicated_attributes, reason = "the lint takes the types of different fields for one attribute")]
#[derive(Interface)]
#[graphql(
    name = "Client",
    field(name = "id", ty = "ID", desc = "Opaque, at most 64 letters, digits and hyphens."),
    field(name = "language", ty = "&Option<String>", desc = "ISO 639-1 code, lower case."),
    field(name = "email", ty = "&Option<String>", desc = "E-mail address."),
    field(name = "telephone", ty = "&Option<String>", desc = "Telephone number."),
    field(name = "mobile", ty = "&Option<String>", desc = "Mobile number."),
    field(name = "carPlateNumber", method = "car_plate_number", ty = "&Option<String>", desc = "Number plate."),
    field(name = "street", ty = "&Option<String>", desc = "Street and number."),
    field(name = "zipcode", ty = "&Option<String>", desc = "Postal code."),
    field(name = "city", ty = "&Option<String>", desc = "Town."),
    field(name = "country", ty = "&Option<String>", desc = "ISO 3166-1 alpha-2 code, upper case.")
)]
pub enum ClientNode {
    /// A human being.
    Person(Person),
    /// An organisation.
    Company(Company),
}

impl ListNode for ClientNode {
    const CONNECTION: &'static str = "ClientConnection";
    const EDGE: &'static str = "ClientEdge";
}

/// A human being.
pub struct Person {
    id: ID,
    firstname: Option<String>,
    lastname: String,
    birthday: Option<Date>,
    details: ClientDetails,
}

/// An organisation.
pub struct Company {
    id: ID,
    name: String,
    details: ClientDetails,
}

impl From<Client> for ClientNode {
    fn from(Client { id, kind, details }: Client) -> Self {
        let id = ID(id.to_string());
        match kind {
            ClientKind::Person { firstname, lastname, birthday } => {
                Self::Person(Person { id, firstname, lastname, birthday: birthday.map(Date), details })
            }
            ClientKind::Company { company } => Self::Company(Company { id, name: company, details }),
        }
    }
}

macro_rules! client_object {
    ($name:ident, $doc:literal, { $($own:item)* }) => {
        #[doc = $doc]
        #[Object]
        impl $name {
            /// Opaque, at most 64 letters, digits and hyphens.
            async fn id(&self) -> ID {
                self.id.clone()
            }

            /// ISO 639-1 code, lower case.
            async fn language(&self) -> &Option<String> {
                &self.details.language
            }

            /// E-mail address.
            async fn email(&self) -> &Option<String> {
                &self.details.email
            }

            /// Telephone number.
            async fn telephone(&self) -> &Option<String> {
                &self.details.telephone
            }

            /// Mobile number.
            async fn mobile(&self) -> &Option<String> {
                &self.details.mobile
            }

            /// Number plate.
            async fn car_plate_number(&self) -> &Option<String> {
                &self.details.car_plate_number
            }

            /// Street and number.
            async fn street(&self) -> &Option<String> {
                &self.details.street
            }

            /// Postal code.
            async fn zipcode(&self) -> &Option<String> {
                &self.details.zipcode
            }

            /// Town.
            async fn city(&self) -> &Option<String> {
                &self.details.city
            }

            /// ISO 3166-1 alpha-2 code, upper case.
            async fn country(&self) -> &Option<String> {
                &self.details.country
            }

            $($own)*
        }
    };
}

client_object!(Person, "A human being.", {
    /// Given name.
    async fn firstname(&self) -> &Option<String> {
        &self.firstname
    }

    /// Family name.
    async fn lastname(&self) -> &str {
        &self.lastname
    }

    /// Day of birth.
    async fn birthday(&self) -> Option<Date> {
        self.birthday
    }
});

client_object!(Company, "An organisation.", {
    /// Name of the organisation.
    async fn company(&self) -> &str {
        &self.name
    }
});

/// Queries for clients.
#[derive(Default)]
pub struct ClientQuery;

#[Object]
impl ClientQuery {
    /// Clients of the hotel, in the order in which they were made.
    async fn clients(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which clients.")] filter: Option<ClientFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only clients behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only clients before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<ClientNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(page(RequestContext::of(ctx), filter, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    filter: Option<ClientFilter>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<ClientNode>> {
    let hotel = context.actor.hotel.id;
    let filter = filter_argument(filter)?;
    let scope = CursorScope::new(hotel, "clients", &filter);
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    let page = clients::page(session.conn().await?, hotel, &filter, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        clients::bounds(session.conn().await?, hotel, &filter, &wanted).await?
    };
    let keyed = page.map(|client| (client.id, ClientNode::from(client)));
    Ok(Connection::new(keyed, bounds, &request, scope))
}
