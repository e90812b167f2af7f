//! How a call is described, and those that are not about customers.

use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem, Paths};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{ResponseBuilder, Responses};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::server::Server;
use utoipa::openapi::{Content, RefOr, Required};

use super::KEY;
use super::errors::reply;
use super::headers::{with_headers, with_request_id};
use super::parameters::parameter;
use super::schema::{named, string};
use crate::domain::key::Scope;

/// A call that needs a key.
pub struct Call {
    operation: OperationBuilder,
    responses: Responses,
}

impl Call {
    /// A call that needs a key, with `scope` if there is one.
    pub fn new(id: &str, tag: &str, summary: &str, about: &str, scope: Option<Scope>) -> Self {
        let needs = scope.map_or_else(
            || "Any key will do.".to_owned(),
            |scope| format!("Needs the scope `{}`.", scope.as_str()),
        );
        let operation = OperationBuilder::new()
            .operation_id(Some(id))
            .tag(tag)
            .summary(Some(summary))
            .description(Some(format!("{about} {needs}").trim().to_owned()))
            .security(SecurityRequirement::new(KEY, Vec::<String>::new()))
            .parameter_ref(parameter("rotor-api-version"));
        let call = Self {
            operation,
            responses: Responses::new(),
        }
        .error("400", "BadRequest")
        .error("401", "Unauthenticated")
        .error("429", "RateLimited")
        .error("500", "InternalError")
        .error("503", "Overloaded");
        match scope {
            Some(_) => call.error("403", "Forbidden"),
            None => call,
        }
    }

    /// With these parameters.
    pub fn takes(mut self, parameters: &[&str]) -> Self {
        for name in parameters {
            self.operation = self.operation.parameter_ref(parameter(name));
        }
        self
    }

    /// With a body.
    pub fn body(mut self, schema: &str) -> Self {
        let body: RequestBody = RequestBodyBuilder::new()
            .content("application/json", Content::new(Some(named(schema))))
            .required(Some(Required::True))
            .build();
        self.operation = self.operation.request_body(Some(body));
        self.error("408", "BodyTooSlow")
            .error("413", "BodyTooLarge")
            .error("415", "UnsupportedMediaType")
    }

    /// May be sent again without being done again.
    pub fn once(self) -> Self {
        self.takes(&["idempotency-key"])
            .error("409", "KeyInUse")
            .error("422", "KeyReused")
    }

    /// About something that may not be there.
    pub fn may_miss(self) -> Self {
        self.error("404", "NotFound")
    }

    /// Replies with JSON.
    pub fn replies(self, status: &str, about: &str, schema: &str, headers: &[&str]) -> Self {
        let content = Content::new(Some(named(schema)));
        let response = ResponseBuilder::new()
            .description(about)
            .content("application/json", content);
        self.answer(status, response, headers)
    }

    /// Replies with something else, or nothing.
    pub fn answer(mut self, status: &str, reply: ResponseBuilder, headers: &[&str]) -> Self {
        let response = with_headers(reply, headers).build();
        let responses = &mut self.responses.responses;
        responses.insert(status.to_owned(), RefOr::T(response));
        self
    }

    /// Adds it to the paths.
    pub fn add_to(self, paths: &mut Paths, method: HttpMethod, path: &str) {
        let operation = self.operation.responses(self.responses).build();
        paths.add_path_operation(path, vec![method], operation);
    }

    fn error(mut self, status: &str, name: &str) -> Self {
        let responses = &mut self.responses.responses;
        responses.insert(status.to_owned(), RefOr::Ref(reply(name)));
        self
    }
}

/// Adds the calls about keys and the service.
pub fn add_to(paths: &mut Paths) {
    Call::new(
        "testKey",
        "Keys",
        "Test a key",
        "Who the caller is taken for.",
        None,
    )
    .replies("200", "A key that works", "AuthTest", &[])
    .add_to(paths, HttpMethod::Get, "/auth/test");
    health(paths, "/health/live", "Live", "Whether the process serves");
    health(
        paths,
        "/health/ready",
        "Ready",
        "Whether the database answers, too",
    );
    let json = Content::new(Some(utoipa::openapi::schema::ObjectBuilder::new()));
    let response = ResponseBuilder::new()
        .description("This document")
        .content("application/json", json);
    open(
        paths,
        "/openapi.json",
        ("OpenApi", "This document"),
        response,
        false,
    );
}

fn health(paths: &mut Paths, path: &str, id: &str, summary: &str) {
    let response = ResponseBuilder::new()
        .description("All is well")
        .content("application/json", Content::new(Some(named("Health"))));
    open(paths, path, (id, summary), response, id == "Ready");
}

/// A path without a key, only at the root.
fn open(
    paths: &mut Paths,
    path: &str,
    (id, summary): (&str, &str),
    response: ResponseBuilder,
    may_be_away: bool,
) {
    let mut item = PathItem::default();
    item.servers = Some(vec![Server::new("/")]);
    let get = open_operation(&format!("get{id}"), summary, response, may_be_away);
    item.get = Some(get);
    let empty = ResponseBuilder::new().description("The same without the body");
    let head = open_operation(&format!("head{id}"), summary, empty, may_be_away);
    item.head = Some(head);
    paths.paths.insert(path.to_owned(), item);
}

fn open_operation(
    id: &str,
    summary: &str,
    response: ResponseBuilder,
    may_be_away: bool,
) -> Operation {
    let operation = OperationBuilder::new()
        .operation_id(Some(id))
        .tag("Service")
        .summary(Some(summary))
        .description(Some(format!("{summary}. Needs no key.")))
        .securities(Some([SecurityRequirement::default()]))
        .response("200", with_request_id(response, &[]).build());
    let operation = operation.response("405", reply("MethodNotAllowed"));
    if may_be_away {
        operation.response("503", reply("Overloaded")).build()
    } else {
        operation.build()
    }
}

/// A reply that is a file.
pub fn file(about: &str, types: &[&str]) -> ResponseBuilder {
    types
        .iter()
        .fold(ResponseBuilder::new().description(about), |file, kind| {
            file.content(*kind, Content::new(Some(string())))
        })
}

/// A reply without a body.
pub fn nothing(about: &str) -> ResponseBuilder {
    ResponseBuilder::new().description(about)
}
