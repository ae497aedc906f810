//! What the host asks for, and which file answers it.

use std::borrow::Cow;
use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelledNotificationParam, CompleteRequestParams,
    CompleteResult, GetPromptRequestParams, GetPromptResponse, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, Reference,
    ServerCapabilities, ServerConfig, SubscribeRequestParams, SubscriptionFilter, Tool,
    UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;

use crate::desk::Desk;
use crate::instructions::INSTRUCTIONS;
use crate::tools::{self, Call};
use crate::{Options, channel, prompts, resources, subscriptions};

/// The handler of everything that a host asks.
pub(crate) struct Server {
    desk: Arc<Desk>,
    options: Options,
}

impl Server {
    /// A server at this desk.
    pub(crate) const fn new(desk: Arc<Desk>, options: Options) -> Self {
        Self { desk, options }
    }
}

/// The revisions of the protocol that are served.
pub(crate) fn versions(options: Options) -> &'static [ProtocolVersion] {
    // Notices that nobody asked for exist in the older revisions alone.
    if options.channel {
        ProtocolVersion::known_up_to(&ProtocolVersion::V_2025_11_25)
    } else {
        ProtocolVersion::KNOWN_VERSIONS
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_completions()
            .enable_resources()
            .enable_resources_subscribe()
            .build();
        if self.options.channel {
            capabilities.experimental = Some(channel::capability());
        }
        let about = Implementation::new("ipc", env!("CARGO_PKG_VERSION"))
            .with_title("claude-ipc")
            .with_description("Mail between the agents of one machine");
        ServerConfig::new(capabilities)
            .with_server_info(about)
            .with_instructions(INSTRUCTIONS)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(versions(self.options))
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::find(name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = Call {
            id: context.id.clone(),
            cancelled: context.ct.clone(),
        };
        // A hint, as everything that a host says of itself.
        let thread = context.meta.get("threadId").and_then(Value::as_str);
        if let Some(thread) = thread.and_then(|thread| thread.parse().ok()) {
            self.desk.called_from(thread);
        }
        let arguments = request.arguments.unwrap_or_default();
        let done = tools::call(&request.name, arguments, &call, &self.desk).await;
        let done = done.ok_or_else(|| {
            let names: Vec<_> = tools::all().into_iter().map(|tool| tool.name).collect();
            let names = names.join(", ");
            ErrorData::invalid_params(format!("there is no such tool; there are: {names}"), None)
        })?;
        Ok(done.into())
    }

    async fn on_cancelled(
        &self,
        notification: CancelledNotificationParam,
        _context: NotificationContext<RoleServer>,
    ) {
        // The response may be made already: it is dropped then, and its mail was not seen.
        if let Some(call) = notification.request_id {
            self.desk.give_back(&call).await;
        }
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(resources::all()))
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = resources::templates();
        Ok(ListResourceTemplatesResult::with_all_items(templates))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let read = resources::read(&request.uri, &self.desk).await?;
        Ok(read.into())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(subscriptions::accepted(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let listened = subscriptions::listen(&self.desk, &context).await;
        listened.map_err(|failure| ErrorData::internal_error(failure.to_string(), None))
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        subscriptions::check(&request.uri)?;
        // What is wrong is said by the calls that follow.
        drop(self.desk.agent().await);
        self.desk.subscribe(true);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        subscriptions::check(&request.uri)?;
        self.desk.subscribe(false);
        Ok(())
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompts::all()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let prompt = prompts::find(&request.name, request.arguments.as_ref())?;
        Ok(prompt.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let argument = match &request.r#ref {
            Reference::Prompt(_) => request.argument.name.as_str(),
            Reference::Resource(_) | _ => "",
        };
        let found = prompts::complete(argument, &request.argument.value, &self.desk).await;
        Ok(CompleteResult::new(found))
    }
}
