//! Encoders: what writes cards.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::systems::{account_id, providers_of, system_id};
use crate::app::App;
use crate::db::{Condition, CursorScope, Filter, PageRequest};
use crate::error::{Error, ErrorAt as _, Message, Record, Result};
use crate::hotels::HotelId;
use crate::lock_commands::Failure;
use crate::locks::{self, Encoder, EncoderField, Reference};
use crate::seam::action_attempts::{self, ActionAttempt};
use crate::seam::answer::{Done, List, One, Resource, page_request};
use crate::seam::operation::{Act, Query, Reader, Spec};
use crate::seam::parameters::{Named, limit, one_of, some_list};
use crate::simulated_encoder;
use crate::unit::Tx;

/// Encoders of a page where no limit is given.
const LIMIT: u16 = 500;

/// What writes cards.
#[derive(Serialize, ToSchema)]
pub struct AcsEncoder {
    acs_encoder_id: Uuid,
    acs_system_id: Uuid,
    connected_account_id: Uuid,
    display_name: String,
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
    created_at: DateTime<Utc>,
    workspace_id: Uuid,
}

impl Resource for AcsEncoder {
    const ONE: &'static str = "acs_encoder";
    const MANY: &'static str = "acs_encoders";
}

impl AcsEncoder {
    fn new(encoder: Encoder, hotel: HotelId) -> Self {
        Self {
            acs_encoder_id: encoder.id,
            acs_system_id: system_id(hotel, encoder.provider),
            connected_account_id: account_id(hotel, encoder.provider),
            display_name: encoder.name,
            errors: Vec::new(),
            created_at: encoder.created_at,
            workspace_id: hotel,
        }
    }
}

/// Which of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAcsEncoders {
    /// Only these.
    #[serde(default, deserialize_with = "some_list")]
    acs_encoder_ids: Option<Vec<Named>>,
    /// Only those of this system.
    acs_system_id: Option<Uuid>,
    /// Only those of these systems.
    #[serde(default, deserialize_with = "some_list")]
    acs_system_ids: Option<Vec<Uuid>>,
    /// 1 to 1,000.
    #[serde(default, deserialize_with = "limit")]
    limit: Option<u16>,
    /// `next_page_cursor` of the page before.
    page_cursor: Option<String>,
}

impl ListAcsEncoders {
    fn filter(&self, hotel: HotelId) -> Filter<EncoderField> {
        let of_systems = |systems: &[Uuid]| {
            let providers = systems.iter().flat_map(|system| providers_of(hotel, Some(*system), None));
            let names = providers.map(|provider| provider.traits().name.to_owned()).collect();
            Filter::Field(EncoderField::Provider(Condition::In(names)))
        };
        let named = self.acs_encoder_ids.iter().map(|names| {
            let ids = |ids| EncoderField::Id(Condition::In(ids));
            one_of(names, ids, |keys| EncoderField::Key(Condition::In(keys)))
        });
        let of_one = self.acs_system_id.iter().map(|system| of_systems(&[*system]));
        let of_some = self.acs_system_ids.iter().map(|systems| of_systems(systems));
        Filter::All(named.chain(of_one).chain(of_some).collect())
    }
}

impl Query for ListAcsEncoders {
    const SPEC: Spec = Spec {
        path: "/acs/encoders/list",
        id: "acs_encoder_id",
        about: "Answers the encoders of the hotel, in the order in which they were made.",
    };
    type Answer = List<AcsEncoder>;

    async fn read(&self, reader: Reader<'_>) -> Result<List<AcsEncoder>> {
        let hotel = reader.actor.hotel.id;
        let filter = self.filter(hotel);
        let scope = CursorScope::new(hotel, Self::SPEC.path, &filter);
        let request = page_request(scope, self.limit.unwrap_or(LIMIT), self.page_cursor.as_deref())?;
        let page = locks::encoder_page(reader.conn, hotel, &filter, &request).await?;
        Ok(List::page(page, scope, |encoder| encoder.id, |encoder| AcsEncoder::new(encoder, hotel)))
    }
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAcsEncoder {
    acs_encoder_id: Named,
}

impl Query for GetAcsEncoder {
    const SPEC: Spec = Spec { path: "/acs/encoders/get", id: "acs_encoder_id", about: "Answers one encoder." };
    type Answer = One<AcsEncoder>;

    async fn read(&self, reader: Reader<'_>) -> Result<One<AcsEncoder>> {
        let hotel = reader.actor.hotel.id;
        let field = match self.acs_encoder_id.0.clone() {
            Reference::Id(id) => EncoderField::Id(Condition::Eq(Some(id))),
            Reference::Key(key) => EncoderField::Key(Condition::Eq(Some(key))),
        };
        let request = PageRequest::first(1);
        let found = locks::encoder_page(reader.conn, hotel, &Filter::Field(field), &request).await?.items.pop();
        let encoder = found.ok_or_else(|| Error::not_found(Record::Encoder)).at("id")?;
        Ok(One(AcsEncoder::new(encoder, hotel)))
    }
}

/// Which card, by one of its two names, and where.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EncodeCredential {
    acs_encoder_id: Named,
    access_method_id: Option<Uuid>,
    /// Equals the id of its access method.
    acs_credential_id: Option<Uuid>,
}

impl Act for EncodeCredential {
    const SPEC: Spec = Spec {
        path: "/acs/encoders/encode_credential",
        id: "access_method_id",
        about: "Tells an encoder to write a card. The action attempt says how it gets on.",
    };
    type Answer = One<ActionAttempt>;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<One<ActionAttempt>> {
        let ((Some(method), None) | (None, Some(method))) = (self.access_method_id, self.acs_credential_id) else {
            let names = "access_method_id and acs_credential_id";
            return Err(Error::new(Message::OneNeeded { names }).at("id"));
        };
        action_attempts::encode_in(tx, method, &self.acs_encoder_id).await
    }
}

/// How the next card goes wrong.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EncodingFailure {
    /// Nobody put a card on the encoder.
    NoCredentialOnEncoder,
    /// The card was taken away too early. Encoders try again, and succeed then.
    EncodingInterrupted,
    /// None of the others.
    UncategorizedError,
    /// Nobody did it in time. That is not simulated.
    ActionAttemptExpired,
}

impl From<EncodingFailure> for Failure {
    fn from(failure: EncodingFailure) -> Self {
        match failure {
            EncodingFailure::NoCredentialOnEncoder => Self::NoCredentialOnEncoder,
            EncodingFailure::EncodingInterrupted => Self::EncodingInterrupted,
            EncodingFailure::UncategorizedError => Self::UncategorizedError,
            EncodingFailure::ActionAttemptExpired => Self::ActionAttemptExpired,
        }
    }
}

/// Which encoder, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NextEncodingWillFail {
    acs_encoder_id: Named,
    /// `no_credential_on_encoder` where it is not said.
    error_code: Option<EncodingFailure>,
}

impl Act for NextEncodingWillFail {
    const SPEC: Spec = Spec {
        path: "/acs/encoders/simulate/next_credential_encode_will_fail",
        id: "acs_encoder_id",
        about: "Has a simulated encoder of a sandbox hotel fail with its next card.",
    };
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        let failure = self.error_code.unwrap_or(EncodingFailure::NoCredentialOnEncoder);
        simulate_in(tx, &self.acs_encoder_id, Some(failure.into())).await
    }
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Scenario {
    /// The card is written.
    CredentialIsIssued,
}

/// Which encoder.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NextEncodingWillSucceed {
    acs_encoder_id: Named,
    /// There is but one.
    #[serde(rename = "scenario")]
    _scenario: Option<Scenario>,
}

impl Act for NextEncodingWillSucceed {
    const SPEC: Spec = Spec {
        path: "/acs/encoders/simulate/next_credential_encode_will_succeed",
        id: "acs_encoder_id",
        about: "Has a simulated encoder of a sandbox hotel succeed with its next card, whatever it was told before.",
    };
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        simulate_in(tx, &self.acs_encoder_id, None).await
    }
}

async fn simulate_in(tx: &mut Tx, Named(encoder): &Named, failure: Option<Failure>) -> Result<Done> {
    tx.actor.hotel.require_sandbox()?;
    simulated_encoder::simulate_next_in(tx, encoder, failure).await?;
    Ok(Done)
}
