"""GraphQL over HTTP, WebSocket and server-sent events. Nothing here knows about customers.

From a request to its response:

    server.py (in graph)      the ASGI application and its routes
    http/                     GraphQL over HTTP: methods, media types, headers, bodies, security headers
    websocket.py              the protocol graphql-transport-ws
    sse.py                    server-sent events
    request_parsing.py        JSON and query parameters -> GraphQLRequest
    trusted_documents.py      a manifest of the only documents that may run
    operations.py             authentication, admission, document, time limit, execution, logging
    admission.py              how many operations run and wait at once
    deadlines.py              time limits that share one timer
    documents.py              parsed and validated documents, cached by their text
    schema.py                 the Strawberry schema, which reads documents from that cache
    extension_runner.py       Strawberry's extension hooks, with cached look-ups
    responses.py              results and errors -> the JSON that is sent
    observability/            metrics and the operation log
    ports.py                  what the transports need of the application: authentication, context, readiness
"""
