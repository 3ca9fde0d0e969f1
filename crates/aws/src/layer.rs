//! What stands between the SDK and the wire, and sees every attempt of every call.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::fmt::Debug;

/// Does something around each attempt.
pub(crate) trait Layer: Debug + Clone + Send + Sync + 'static {
    /// Passes the request on to `next`.
    fn call(&self, next: SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture;

    /// A client whose every attempt comes through here.
    fn around(self, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Layered {
            inner: client,
            layer: self,
        })
    }
}

#[derive(Debug, Clone)]
struct Layered<C, L> {
    inner: C,
    layer: L,
}

impl<L: Layer> HttpClient for Layered<SharedHttpClient, L> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Layered {
            inner: self.inner.http_connector(settings, components),
            layer: self.layer.clone(),
        })
    }
}

impl<L: Layer> HttpConnector for Layered<SharedHttpConnector, L> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.layer.call(self.inner.clone(), request)
    }
}

/// Whether the request only reads: by its method, or by the operation it names.
pub(crate) fn reads(request: &HttpRequest) -> bool {
    if request.method() != "POST" {
        return request.method() == "GET";
    }
    let target = request.headers().get("x-amz-target");
    let operation = match target {
        Some(target) => target.rsplit('.').next(),
        None => {
            let body = request.body().bytes().unwrap_or_default();
            let text = std::str::from_utf8(body).ok();
            text.and_then(|text| text.strip_prefix("Action="))
        }
    };
    operation.is_some_and(|operation| {
        ["Get", "List", "Describe", "Filter"]
            .iter()
            .any(|verb| operation.starts_with(verb))
    })
}
