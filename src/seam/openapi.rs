//! The OpenAPI 3.1 document, made of the types that are read and answered with.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathItemBuilder, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, RefOr, Required, ResponseBuilder,
    Schema, Server,
};

use super::error::ErrorBody;
use super::routes::{Description, ROUTES, Route};
use super::schemas::Schemas;

const JSON: &str = "application/json";

/// The document. Each operation is described as a POST; what other methods it takes, its text says.
pub fn document() -> OpenApi {
    let mut schemas = Schemas::default();
    let error = schemas.add::<ErrorBody>();
    let paths = ROUTES.iter().fold(PathsBuilder::new(), |paths, route| {
        let Description { parameters, answer } = (route.describe)(&mut schemas);
        paths.path(format!("/seam{}", route.spec.path), path_item(route, parameters, answer, &error))
    });
    let key = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = ComponentsBuilder::new().schemas_from_iter(schemas.into_inner()).security_scheme("apiKey", key);
    let info = InfoBuilder::new()
        .title("Latchkey for Seam's SDKs")
        .version("1")
        .description(Some("Access grants and what belongs to them, as Seam's official SDKs ask for them."))
        .license(Some(License::new("Apache 2.0")));
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components.build()))
        .security(Some([SecurityRequirement::new("apiKey", Vec::<String>::new())]))
        .build()
}

fn path_item(
    route: &Route,
    parameters: RefOr<Schema>,
    answer: Schema,
    error: &RefOr<Schema>,
) -> utoipa::openapi::path::PathItem {
    let content = |schema: RefOr<Schema>| ContentBuilder::new().schema(Some(schema)).build();
    let body = RequestBodyBuilder::new().content(JSON, content(parameters)).required(Some(Required::False));
    let done = ResponseBuilder::new().description("Done.").content(JSON, content(answer.into()));
    let refused = ResponseBuilder::new().description("Refused.").content(JSON, content(error.clone()));
    let methods = if route.is_act { "POST, PUT, PATCH or DELETE" } else { "POST or GET" };
    let operation = OperationBuilder::new()
        .operation_id(Some(route.spec.path.trim_start_matches('/').replace('/', "_")))
        .summary(Some(route.spec.about))
        .description(Some(format!("By {methods}; parameters of a GET or DELETE stand in its query.")))
        .request_body(Some(body.build()))
        .response("200", done)
        .response("default", refused);
    PathItemBuilder::new().operation(HttpMethod::Post, operation.build()).build()
}
